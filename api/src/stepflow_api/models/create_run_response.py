"""`CreateRunResponse` with the result of a run that has one item."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stepflow_api.models._generated.create_run_response import GeneratedCreateRunResponse
from stepflow_api.models.flow_result import FlowResult

__all__ = ["CreateRunResponse"]


class CreateRunResponse(GeneratedCreateRunResponse):
    """A run that was created, with its results where it was waited for.

    Cause:
        Most runs have one item, whose result lies in `results[0].result`; servers up to 0.9 put it
        in `result`.

    Wire:
        `{..., "results": [{"itemIndex": 0, "status": "completed", "result": {"outcome": "success",
        "result": 42}}]}`, or `{..., "result": {"outcome": "success", "result": 42}}`.

    Can go when:
        The spec has `result` for a single run.

    Attributes:
        run_result: What a server up to 0.9 sends as `result`; read `result`, which covers both.
    """

    run_result: Annotated[FlowResult | None, Field(alias="result")] = None

    @property
    def result(self) -> FlowResult | None:
        """The result of a run with one item.

        None while it runs or was not waited for, and for a run of several items, whose results are
        in `results`.
        """
        if self.run_result is not None:
            return self.run_result
        return self.results[0].result if self.results and len(self.results) == 1 else None

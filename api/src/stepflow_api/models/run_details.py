"""`RunDetails` with the result of a run that has one item."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stepflow_api.models._generated.run_details import GeneratedRunDetails
from stepflow_api.models.flow_result import FlowResult

__all__ = ["RunDetails"]


class RunDetails(GeneratedRunDetails):
    """A run with its items.

    Cause:
        The spec's run has no results; servers before and after 0.10 to 0.11 send them, as `result`
        for a run with one item or as `results` for each.

    Wire:
        `{..., "result": {"outcome": "success", "result": 42}}`, or `{..., "results":
        [{"itemIndex": 0, "status": "completed", "result": {"outcome": "success", "result":
        42}}]}`.

    Can go when:
        The spec's run has results.

    Attributes:
        run_result: What a server sends as `result`; read `result`, which covers both.
    """

    run_result: Annotated[FlowResult | None, Field(alias="result")] = None

    @property
    def result(self) -> FlowResult | None:
        """The result of a run with one item; None where the answer has none, or several."""
        if self.run_result is not None:
            return self.run_result
        return self.results[0].result if self.results and len(self.results) == 1 else None

"""`FlowResultSuccess` with what all outcomes share."""

from __future__ import annotations

from typing import Any

from stepflow_api.models._generated.flow_result_success import GeneratedFlowResultSuccess
from stepflow_api.models._outcome import Outcome

__all__ = ["FlowResultSuccess"]


class FlowResultSuccess(Outcome, GeneratedFlowResultSuccess):
    """A flow or step that succeeded.

    Cause:
        The spec's variants share no field, so code that takes a `FlowResult` would have to ask for
        its class before each access.

    Wire:
        `{"outcome": "success", "result": {"answer": 42}}`.

    Can go when:
        The variants have common fields in the spec.
    """

    @property
    def output(self) -> Any:
        """The output, any JSON value."""
        return self.result

    @property
    def error(self) -> None:
        """None: it succeeded."""
        return None

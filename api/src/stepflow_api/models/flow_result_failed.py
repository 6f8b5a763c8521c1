"""`FlowResultFailed` with the properties that all outcomes share."""

from __future__ import annotations

from typing import Any

from stepflow_api.models._generated.flow_result_failed import GeneratedFlowResultFailed
from stepflow_api.models._outcome import Outcome

__all__ = ["FlowResultFailed"]


class FlowResultFailed(Outcome, GeneratedFlowResultFailed):
    """A flow or step that failed; `error` says why.

    Cause:
        The spec's variants share no field, so code that takes a `FlowResult` would have to ask for
        its class before each access.

    Wire:
        `{"outcome": "failed", "error": {"code": 500, "message": "..."}}`.

    Can go when:
        The variants have common fields in the spec.
    """

    # Any, as for a success: type checkers know no outcome after `if result.is_success`.
    @property
    def output(self) -> Any:
        """None: it failed."""
        return None

"""`OtherFlowResult` with what all outcomes share."""

from __future__ import annotations

from typing import Any

from stepflow_api.models._generated.other_flow_result import GeneratedOtherFlowResult
from stepflow_api.models._outcome import Outcome

__all__ = ["OtherFlowResult"]


class OtherFlowResult(Outcome, GeneratedOtherFlowResult):
    """A flow or step with an outcome that only a newer server knows; its other fields are kept.

    Cause:
        Code that takes a `FlowResult` would have to ask for its class before each access.

    Wire:
        `{"outcome": "postponed", "until": "2030-01-01T00:00:00Z"}`.

    Can go when:
        The variants have common fields in the spec.
    """

    # Any, as for a success: type checkers know no outcome after `if result.is_success`.
    @property
    def output(self) -> Any:
        """None, since the meaning of its fields is unknown."""
        return None

    @property
    def error(self) -> None:
        """None, since the meaning of its fields is unknown."""
        return None

"""What the outcomes of a flow or a step have in common."""

from __future__ import annotations

from typing import Protocol


class _HasOutcome(Protocol):
    @property
    def outcome(self) -> str: ...


class Outcome:
    """Mixin of the `FlowResult` variants: tells them apart without an `isinstance`."""

    @property
    def is_success(self: _HasOutcome) -> bool:
        """Whether there is an output."""
        return self.outcome == "success"

    @property
    def is_failed(self: _HasOutcome) -> bool:
        """Whether there is an error."""
        return self.outcome == "failed"

    @property
    def is_skipped(self: _HasOutcome) -> bool:
        """Whether there is neither, since the step was skipped."""
        return self.outcome == "skipped"

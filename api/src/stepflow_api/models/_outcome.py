"""Properties that all outcomes of a flow or a step share."""

from __future__ import annotations

from typing import Any, Protocol, cast


class _HasOutcome(Protocol):
    @property
    def outcome(self) -> str: ...


class Outcome:
    """Mixin of the `FlowResult` variants, to distinguish them without `isinstance`."""

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

    def _repr_html_(self) -> str:
        from stepflow_api._html_table import html_table

        result = cast("Any", self)
        rows: list[tuple[str, Any]] = [("outcome", result.outcome)]
        if result.error is not None:
            error = result.error
            rows += [("code", error.code), ("message", ": ".join(error.causes))]
            if error.step is not None:
                rows.append(("step", error.step))
        elif result.is_success:
            rows.append(("output", result.output))
        return html_table(rows)

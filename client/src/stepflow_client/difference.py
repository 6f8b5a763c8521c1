"""What differs between two runs, as `RunHandle.diff` returns it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepflow_api.models import RunSummary

__all__ = ["Difference", "RunDiff"]


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that differs between two runs.

    Attributes:
        what: What it is: `flow`, `items`, `status`, `input`, `output` or `error`.
        item: Index of the item; None for the runs as a whole.
        step: Id of the step; None for an item as a whole.
        first: Value in the first run, as JSON; None if it has none.
        second: Value in the second run, as JSON; None if it has none.
    """

    what: str
    item: int | None
    step: str | None
    first: Any
    second: Any

    def to_dict(self) -> dict[str, Any]:
        """Return the difference as JSON."""
        return {
            "what": self.what,
            "item": self.item,
            "step": self.step,
            "first": self.first,
            "second": self.second,
        }


@dataclass(frozen=True, slots=True)
class RunDiff:
    """What differs between two runs: flow, statuses, inputs, outputs and errors, not times.

    Attributes:
        first: Status of the first run.
        second: Status of the second run.
        differences: What differs, in the order of items and steps.
        not_compared: What at least one server does not report, in words.

    Example:
        >>> difference = handle.diff(other_id).differences[-1]
        >>> difference.what, difference.first, difference.second
        ('output', 'World', 'Ada')
    """

    first: RunSummary
    second: RunSummary
    differences: tuple[Difference, ...]
    not_compared: tuple[str, ...]

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs of what was compared."""
        return not self.differences

    def to_dict(self) -> dict[str, Any]:
        """Return the differences as JSON."""
        return {
            "first": str(self.first.run_id),
            "second": str(self.second.run_id),
            "equal": self.is_equal,
            "differences": [one.to_dict() for one in self.differences],
            "notCompared": list(self.not_compared),
        }

    def to_text(self, *, items: int = 20) -> str:
        """Return the differences as lines of text, without a line break at the end.

        Lines of the first run begin with `-`, those of the second with `+`.

        Args:
            items: Maximum number of items; the text says how many it leaves out.
        """
        from stepflow_client._report.diff_text import diff_text

        return "\n".join(diff_text(self, items))

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return (
            f"RunDiff(first={str(self.first.run_id)!r}, second={str(self.second.run_id)!r},"
            f" {len(self.differences)} differences)"
        )

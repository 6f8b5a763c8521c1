"""What a run did and when, as `RunHandle.timeline` returns it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepflow_api.models import ExecutionStatus, RunSummary, StepStatus

__all__ = ["Timeline", "TimelineItem", "TimelineStep"]


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """A step of an item.

    Attributes:
        step_id: Id of the step.
        status: Its status.
        started_at: When its first attempt started; None if it has not, or on servers up to 0.11.
        completed_at: When it finished; None if it has not, or on servers up to 0.11.
        attempts: Number of attempts; None on servers up to 0.11.
    """

    step_id: str
    status: StepStatus
    started_at: datetime | None = None
    completed_at: datetime | None = None
    attempts: int | None = None

    @property
    def seconds(self) -> float | None:
        """Duration in seconds; None if it has not finished, or is not known."""
        return _seconds(self.started_at, self.completed_at)

    def to_dict(self) -> dict[str, Any]:
        """Return the step as JSON, with times as text."""
        return {
            "stepId": self.step_id,
            "status": str(self.status),
            "startedAt": _text(self.started_at),
            "completedAt": _text(self.completed_at),
            "seconds": self.seconds,
            "attempts": self.attempts,
        }


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """An item of the run, with its steps in the order in which they started.

    Attributes:
        index: Index of the item, from 0.
        status: Its status.
        started_at: When its first step started; None if none has, or on servers up to 0.11.
        completed_at: When it finished; None if it has not.
        steps: The steps that it needs; on servers up to 0.11 all steps of the flow, or those that
            have started.
    """

    index: int
    status: ExecutionStatus
    started_at: datetime | None
    completed_at: datetime | None
    steps: tuple[TimelineStep, ...]

    @property
    def seconds(self) -> float | None:
        """Duration in seconds; None if it has not finished, or is not known."""
        return _seconds(self.started_at, self.completed_at)

    def to_dict(self) -> dict[str, Any]:
        """Return the item as JSON, with times as text."""
        return {
            "itemIndex": self.index,
            "status": str(self.status),
            "startedAt": _text(self.started_at),
            "completedAt": _text(self.completed_at),
            "seconds": self.seconds,
            "steps": [step.to_dict() for step in self.steps],
        }


@dataclass(frozen=True, slots=True)
class Timeline:
    """What a run did and when. Notebooks show it as a table with bars.

    Of a run of many items, it has failed and slow ones: the failed first, then the slowest.

    Attributes:
        run: The run's status, times and numbers of items.
        items: The items: all in their order, or some of them.
        omitted_items: Number of items that were left out.
        omitted_failed_items: How many of these have failed.
        has_step_times: Whether the server reports when steps start and finish (0.12 or later).

    Example:
        >>> print(handle.timeline())
        run ...
        flow greeting: completed after ..., 1 item
        ...
    """

    run: RunSummary
    items: tuple[TimelineItem, ...]
    omitted_items: int
    omitted_failed_items: int
    has_step_times: bool

    @property
    def seconds(self) -> float | None:
        """Duration of the run in seconds; None if it has not finished."""
        return _seconds(self.run.created_at, self.run.completed_at)

    @property
    def end(self) -> datetime:
        """End of the run, or its last known time."""
        times = [self.run.created_at, self.run.completed_at]
        for item in self.items:
            times += [item.started_at, item.completed_at]
            times += [time for step in item.steps for time in (step.started_at, step.completed_at)]
        return max(time for time in times if time is not None)

    def to_dict(self) -> dict[str, Any]:
        """Return the timeline as JSON, with times as text and durations in seconds."""
        run = self.run
        return {
            "runId": str(run.run_id),
            "flowId": run.flow_id,
            "flowName": run.flow_name,
            "status": str(run.status),
            "createdAt": _text(run.created_at),
            "completedAt": _text(run.completed_at),
            "seconds": self.seconds,
            "itemCount": run.items.total,
            "omittedItems": self.omitted_items,
            "omittedFailedItems": self.omitted_failed_items,
            "hasStepTimes": self.has_step_times,
            "items": [item.to_dict() for item in self.items],
        }

    def to_text(self, *, width: int = 80, ascii_only: bool = False) -> str:
        """Return the timeline as lines of text, without a line break at the end.

        Args:
            width: Maximum number of columns; at least 40.
            ascii_only: Whether bars consist of `#`.
        """
        from stepflow_client._report.text import timeline_text

        return "\n".join(timeline_text(self, max(40, width), ascii_only))

    def to_html(self) -> str:
        """Return the timeline as an HTML fragment, with its own light and dark colours."""
        from stepflow_client._report.fragment import timeline_fragment

        return timeline_fragment(self)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        shown = f"{len(self.items)} of {self.run.items.total} items"
        return (
            f"Timeline(run_id={str(self.run.run_id)!r}, status={str(self.run.status)!r}, {shown})"
        )

    def _repr_html_(self) -> str:
        return self.to_html()


def select_items(items: Sequence[tuple[int, bool, float]], limit: int) -> tuple[list[int], int]:
    """Choose the items that a timeline has.

    Args:
        items: Index of each item, whether it failed, and how long it took.
        limit: Maximum number of items.

    Returns:
        Indexes: all in their order, or failed items first and then the slowest; and how many failed
        items were left out.
    """
    if len(items) <= limit:
        return [index for index, _, _ in items], 0
    failed = [index for index, has_failed, _ in items if has_failed]
    others = sorted((-seconds, index) for index, has_failed, seconds in items if not has_failed)
    # Half of the places are for the slowest, if there are so many.
    shown = failed[: max(limit - len(others), (limit + 1) // 2)]
    slowest = [index for _, index in others[: limit - len(shown)]]
    return shown + slowest, len(failed) - len(shown)


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None:
        return None
    # Clocks of two machines may differ.
    return max(0.0, (end - start).total_seconds())


def _text(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()

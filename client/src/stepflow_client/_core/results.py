"""Results that are not models of the API."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import ConfigDict, TypeAdapter

from stepflow_api.errors import body_problem, one_line
from stepflow_api.models import (
    Diagnostic,
    DiagnosticLevel,
    Diagnostics,
    ExecutionStatus,
    FlowError,
    FlowResult,
    ItemResult,
    ItemStatistics,
    RunSummary,
)
from stepflow_api.support import html_table
from stepflow_client._core.json_array import read_blocks, read_elements
from stepflow_client.errors import FlowFailed, InvalidAnswer

__all__ = ["BatchResults", "FlowValidation", "Items", "Progress"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a batch.

    Attributes:
        total: Items of the batch.
        completed: Items that succeeded.
        failed: Items that failed.
        cancelled: Items that were cancelled.
        running: Items that have not finished.
    """

    total: int
    completed: int
    failed: int
    cancelled: int
    running: int

    @property
    def done(self) -> int:
        """Items that have finished, with any status."""
        return self.completed + self.failed + self.cancelled

    @classmethod
    def of(cls, items: ItemStatistics) -> Progress:
        """Return the progress in the server's statistics."""
        return cls(items.total, items.completed, items.failed, items.cancelled, items.running)


@dataclass(frozen=True, slots=True)
class FlowValidation:
    """Result of checking a flow without storing it.

    Attributes:
        flow_id: Id that the flow has once it is stored.
        diagnostics: All findings.
    """

    flow_id: str
    diagnostics: Diagnostics

    @property
    def is_valid(self) -> bool:
        """Whether the server would store the flow."""
        return not self.diagnostics.num_fatal

    @property
    def errors(self) -> list[Diagnostic]:
        """Findings for which the flow cannot run or will fail."""
        return [one for one in self.diagnostics.diagnostics if one.level in _ERRORS]

    @property
    def warnings(self) -> list[Diagnostic]:
        """Findings that are probably mistakes."""
        return [one for one in self.diagnostics.diagnostics if one.level not in _ERRORS]


_ERRORS = (DiagnosticLevel.FATAL, DiagnosticLevel.ERROR)


_FINISHED = (
    ExecutionStatus.COMPLETED,
    ExecutionStatus.FAILED,
    ExecutionStatus.CANCELLED,
    ExecutionStatus.RECOVERY_FAILED,
)


#: Maximum number of items that a notebook shows of a batch.
SHOWN_ITEMS = 10

# Built on first use.
_ITEMS = TypeAdapter(list[ItemResult], config=ConfigDict(defer_build=True))


class Items:
    """The items of a run in the order of its inputs, parsed lazily during iteration.

    The response is kept in memory once, and can be iterated over any number of times.

    Attributes:
        run_id: Id of the run.
    """

    def __init__(self, run_id: UUID, pieces: Sequence[bytes], source: Source) -> None:
        self.run_id = run_id
        self._pieces = pieces
        self._source = source

    def __iter__(self) -> Iterator[ItemResult]:
        blocks = read_blocks(self._pieces, "items", {}, _ITEMS.validate_json, ItemResult.from_dict)
        try:
            for items in blocks:
                yield from items
        except ValueError as error:
            raise self._source.invalid(error) from error

    def __len__(self) -> int:
        others: dict[str, Any] = {}
        count = 0
        try:
            for _ in read_elements(self._pieces, "items", others):
                # A server sends the count before the items; without it, the items are counted.
                if "itemCount" in others:
                    break
                count += 1
        except ValueError as error:
            raise self._source.invalid(error) from error
        reported = others.get("itemCount", count)
        if type(reported) is not int or not 0 <= reported <= sys.maxsize:
            raise self._source.invalid(ValueError("itemCount is not a number of items"))
        return reported

    def __repr__(self) -> str:
        return f"{type(self).__name__}(run_id={str(self.run_id)!r})"


class BatchResults:
    """The results of a batch in the order of its inputs, parsed lazily during iteration.

    The response is kept in memory once, and can be iterated over any number of times.

    Attributes:
        items: The items, with their status and times besides the result.

    Example:
        >>> for result in client.run_batch("flow.yaml", [{"name": "Ada"}, {"name": "Bo"}]):
        ...     print(result.output if result.is_success else result.error.message)
        Ada
        Bo
    """

    def __init__(self, items: Items) -> None:
        self.items = items

    @property
    def run_id(self) -> UUID:
        """Id of the batch's run."""
        return self.items.run_id

    def __iter__(self) -> Iterator[FlowResult]:
        for item in self.items:
            yield result_of(item, self.run_id)

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        counts = self._shown()[0]
        return f"{type(self).__name__}(run_id={str(self.run_id)!r}{counts and f', {counts}'})"

    def _repr_html_(self) -> str:
        counts, shown = self._shown()
        rows: list[tuple[str, str, Any]] = []
        for item in shown:
            result = item.result
            value: Any = "" if result is None else result.output
            if result is not None and result.error is not None:
                value = failure_reason(result.error)
                if result.error.step is not None:
                    value = f"step {result.error.step}: {value}"
            rows.append((str(item.item_index), str(item.status), value))
        left = len(self) - len(shown) if shown else 0
        if left > 0:
            rows.append(("…", "", f"{left:,} more"))
        table = html_table(rows, header=("item", "status", "output or error"))
        return f"<p>run {self.run_id}: {counts or 'results that cannot be parsed'}</p>{table}"

    def _shown(self) -> tuple[str, list[ItemResult]]:
        """Return how many items have which status, and all items, or some, failed ones first."""
        counts: Counter[str] = Counter()
        failed: list[ItemResult] = []
        others: list[ItemResult] = []
        try:
            for item in self.items:
                counts[str(item.status)] += 1
                some = failed if item.status is ExecutionStatus.FAILED else others
                if len(some) < SHOWN_ITEMS:
                    some.append(item)
        except InvalidAnswer:
            return "", []
        parts = [f"{number:,} {status}" for status, number in sorted(counts.items())]
        total = counts.total()
        words = f"{total:,} item{'' if total == 1 else 's'}"
        shown = (failed + others)[:SHOWN_ITEMS]
        if total == len(shown):
            shown.sort(key=lambda item: item.item_index)
        return ": ".join([words, *([", ".join(parts)] if parts else [])]), shown


@dataclass(frozen=True, slots=True)
class Source:
    """Source of a response to a GET, for the error if it cannot be parsed.

    Attributes:
        url: URL of the request.
        status_code: Status of the response.
    """

    url: str
    status_code: int

    def invalid(self, error: ValueError) -> InvalidAnswer:
        """Return the error for a body that cannot be parsed."""
        return InvalidAnswer(
            f"{self.status_code}, but the body is not what a Stepflow server answers:"
            f" {body_problem(error)};"
            " is this a Stepflow server of a supported version?",
            method="GET",
            url=self.url,
            status_code=self.status_code,
            content=b"",
        )


def failure_reason(error: FlowError) -> str:
    """Return why a flow failed: its message and the causes in its stack."""
    return f"{one_line(': '.join(error.causes))} (code {error.code})"


def is_finished(run: RunSummary) -> bool:
    """Whether a run is complete, failed or cancelled."""
    return run.status in _FINISHED


def result_of(item: ItemResult, run_id: UUID) -> FlowResult:
    """Return the result of an item that has finished.

    Raises:
        FlowFailed: The server has no result for it.
    """
    if item.result is None:
        raise FlowFailed(
            f"run {run_id}: item {item.item_index} ended as {one_line(item.status)} without a"
            " result; look at its steps, then run it again",
            run_id,
            None,
        )
    return item.result

"""`FlowError` that can be read: the failing step, the causes, and a repr without backtraces."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, cast

from stepflow_api.models._generated.flow_error import GeneratedFlowError

__all__ = ["FlowError"]

# In the message on all servers; up to 0.11 also beside it, if a worker has written the message.
_STEP = re.compile(r"""^step "(.+)" failed|\bexecution failed for step '(.+)'""")


class FlowError(GeneratedFlowError):
    """Why a flow or a step failed.

    Cause:
        Servers up to 0.11 send the backtrace of the server's own code with each error, which fills
        a screen or a notebook's cell and hides the message.

    Wire:
        `{"code": 500, "message": "step failed", "data": {"stack": [{"error": "...",
        "attachments": ["..."], "backtrace": "..."}, {"error": "invalid input"}]}}`.

    Can go when:
        No supported server sends backtraces, and errors have the id of the failing step.
    """

    @property
    def step(self) -> str | None:
        """Id of the failing step; None if the error does not say it."""
        attachments = (text for entry in self._stack() for text in _texts(entry, "attachments"))
        for text in (self.message, *attachments):
            if (match := _STEP.search(text)) is not None:
                return match[1] or match[2]
        return None

    @property
    def causes(self) -> list[str]:
        """The message, and the causes below it, each once."""
        causes = (entry["error"] for entry in self._stack() if isinstance(entry.get("error"), str))
        return list(dict.fromkeys([self.message, *causes]))

    @property
    def details(self) -> str:
        """Everything that the server says, on several lines, its backtraces included."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.message} (code {self.code})"
        stack = self._stack()
        for entry in stack:
            error = entry.get("error")
            if error and error != self.message:
                yield f"caused by: {error}"
            yield from (f"  {text}" for text in _texts(entry, "attachments"))
            if isinstance(entry.get("backtrace"), str):
                yield "  backtrace:"
                yield from (f"  {line}" for line in entry["backtrace"].splitlines())
        if self.data is not None and not stack:
            yield from json.dumps(self.data, indent=2, ensure_ascii=False).splitlines()

    def _stack(self) -> list[dict[str, Any]]:
        match self.data:
            case {"stack": [*entries]}:
                return [entry for entry in entries if isinstance(entry, dict)]
            case _:
                return []

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield "code", self.code
        yield "message", self.message
        if (step := self.step) is not None:
            yield "step", step
        if causes := self.causes[1:]:
            yield "causes", causes
        if self.data is not None and not self._stack():
            yield "data", self.data


def _texts(entry: dict[str, Any], name: str) -> list[str]:
    values = entry.get(name)
    if not isinstance(values, list):
        return []
    return [text for text in cast("Any", values) if isinstance(text, str)]

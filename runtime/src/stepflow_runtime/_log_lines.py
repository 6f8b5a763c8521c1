"""The server's output, line by line."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any, cast

from stepflow_runtime._constants import LONGEST_LINE, SUMMARY_LENGTH

_LEVELS = {
    "TRACE": 5,
    "DEBUG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "ERROR": logging.ERROR,
}
_LEVEL = re.compile(rb'"level":"([A-Z]+)"')
ANSI_CODE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_TREE_GLYPHS = "│├╰╴─▶ \t"
_BACKTRACE = "━━"
_PANIC = "thread '"
_STACK_FRAME = re.compile(rb"\s+(\d+: |at )")
_NUMBER = re.compile(r"[0-9]{1,39}")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the server's log.

    Attributes:
        level: Its level as Python counts levels.
        level_name: Its level as the server names it; empty for output that is not a log line.
        message: What it says, on one line.
        target: The part of the server that says it.
        time: When, by the server's clock.
        context: Ids that it belongs to: run_id, flow_id, step_id, trace_id, span_id.
    """

    level: int
    level_name: str
    message: str
    target: str
    time: datetime
    context: dict[str, str]

    def __str__(self) -> str:
        if not self.level_name:
            return self.message
        stamp = self.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        context = "".join(f" {name}={value}" for name, value in self.context.items())
        return f"{stamp} {self.level_name} {self.target}: {self.message}{context}"


def is_stack_frame(raw: bytes) -> bool:
    """Return whether a line is part of a panic's backtrace."""
    return _STACK_FRAME.match(raw) is not None


def lines_of(stream: IO[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield the lines of a stream, and whether their ends are missing.

    Of a line longer than `LONGEST_LINE`, only the beginning is kept.
    """
    while line := stream.readline(LONGEST_LINE):
        rest, is_cut = line, False
        while len(rest) == LONGEST_LINE and not rest.endswith(b"\n"):
            rest = stream.readline(LONGEST_LINE)
            is_cut = is_cut or rest not in (b"", b"\n")
        yield line.rstrip(), is_cut


def announced_port(raw: bytes) -> int | None:
    """Return the port of an announcement, `{"port":N}`; None for any other line."""
    if not raw.startswith(b'{"port":'):
        return None
    try:
        value: Any = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    port = value["port"]
    # True is an int as well.
    is_port = len(value) == 1 and type(port) is int and 0 < port < 1 << 16
    return port if is_port else None


def level_of(raw: bytes) -> int:
    """Return the level of a line, without parsing the rest of it."""
    found = _LEVEL.search(raw)
    return _LEVELS.get(found[1].decode(), logging.INFO) if found else _plain_level(raw)


def parse(raw: bytes) -> LogLine:
    """Parse a line of any kind."""
    try:
        value: Any = json.loads(raw)
        if isinstance(value, dict) and "message" in value:
            return _log_line(cast(dict[str, Any], value))
    except (ValueError, RecursionError):
        # Not JSON, nested too deeply, or with a number of too many digits.
        pass
    text = one_line(raw.decode("utf-8", "replace"))
    return LogLine(level_of(raw), "", text, "", datetime.now(UTC), {})


def one_line(text: str) -> str:
    """Return a message without colours, backtraces and places in the server's source."""
    parts: list[str] = []
    for line in ANSI_CODE.sub("", text).splitlines():
        if line.startswith(_BACKTRACE):
            break
        part = line.strip(_TREE_GLYPHS)
        if part and not part.startswith(("at ", "backtrace ")):
            parts.append(_without_controls(part))
    return ": ".join(parts)


def summary(lines: Sequence[LogLine]) -> str:
    """Return the most important of a server's last lines, on one line."""
    for number, line in enumerate(lines):
        # The first panic causes later ones. Its first line has the place, the next one the reason.
        if line.message.startswith(_PANIC) and " panicked at " in line.message:
            return _cut(" ".join(one.message for one in lines[number:][:2]))
    errors = [line.message for line in lines if line.level >= logging.ERROR]
    # What the server logs while all is well says little about its exit.
    others = [line.message for line in lines if not line.level_name]
    said = errors[-1:] or others[-3:] or [line.message for line in lines[-1:]]
    return _cut(" | ".join(said)) or "it printed nothing"


def _cut(text: str) -> str:
    return text if len(text) <= SUMMARY_LENGTH else f"{text[:SUMMARY_LENGTH]}…"


def _log_line(fields: dict[str, Any]) -> LogLine:
    name = _without_controls(str(fields.get("level", "")))
    return LogLine(
        _LEVELS.get(name, logging.INFO),
        name or "INFO",
        one_line(str(fields["message"])),
        _without_controls(str(fields.get("target", ""))),
        _time(fields.get("timestamp")),
        _context(fields.get("diags")),
    )


def _without_controls(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def _plain_level(raw: bytes) -> int:
    # A wrong option, or a panic.
    is_error = raw.startswith((b"error:", _PANIC.encode()))
    return logging.ERROR if is_error else logging.INFO


def _time(value: Any) -> datetime:
    try:
        # Without an offset, the first and the last year would be no moments.
        return datetime.fromisoformat(value).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return datetime.now(UTC)


def _context(diags: Any) -> dict[str, str]:
    if not isinstance(diags, dict):
        return {}
    diags = cast(dict[str, Any], diags)
    context = {
        name: _without_controls(str(diags[name]))
        for name in ("run_id", "flow_id", "step_id")
        if name in diags
    }
    # Decimal numbers here, hexadecimal wherever else a trace is looked up.
    for name, digits in (("trace_id", 32), ("span_id", 16)):
        if _NUMBER.fullmatch(number := str(diags.get(name, ""))):
            context[name] = f"{int(number):0{digits}x}"
    return context

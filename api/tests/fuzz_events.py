"""Random streams for the decoder of server-sent events, cut anywhere.

`tools/bazel run //api:fuzz_events -- --seconds 3600` looks for an hour.
"""

from __future__ import annotations

import contextlib
import json
import random
import sys

from stepflow_api._exchange.dialects.events import event
from stepflow_api._transport.event_stream import EventDecoder
from tools.fuzz.fuzz import run

EVENT = json.dumps(
    {
        "sequenceNumber": 7,
        "timestamp": "2026-01-01T00:00:00Z",
        "event": {"RunCompleted": {"runId": "01a220cf-9add-7013-bfe7-1312b53dd6a6", "status": 2}},
    }
).encode()
_LINES = (
    b"",
    b"",
    b"",
    b"data:",
    b"data: ",
    b"data",
    b": alive",
    b"id: 1",
    b"event: x",
    b" data: 1",
)


def check(source: random.Random) -> None:
    """Check that a stream has the same events as a whole and cut anywhere, and each is read."""
    stream = _stream(source)
    limit = source.choice((20, 200, 10_000))
    expected, fails = _reference(stream, limit)
    size = len(stream)
    at = sorted(source.randrange(size + 1) for _ in range(source.randrange(1, 6)))
    for pieces in (
        [stream],
        [stream[n : n + 1] for n in range(size)],
        [stream[a:b] for a, b in zip([0, *at], [*at, size], strict=True)],
    ):
        decoder = EventDecoder(limit)
        found: list[bytes] = []
        failed = False
        try:
            for piece in pieces:
                found += decoder.feed(piece)
        except ValueError:
            failed = True
        assert failed == fails, f"{pieces!r} with {limit=}: {failed=}"
        # A piece that has too large an event has no events at all.
        assert found == expected[: len(found)], f"{pieces!r}: {found!r}, not {expected!r}"
        assert failed or len(found) == len(expected), f"{pieces!r}: {found!r}, not {expected!r}"
    for data in expected:
        with contextlib.suppress(ValueError):
            event(data)


def _reference(stream: bytes, limit: int) -> tuple[list[bytes], bool]:
    """Read the stream as a whole: its events, and whether one is too large after them."""
    events: list[bytes] = []
    data: list[bytes] = []
    size = 0
    *lines, rest = stream.split(b"\n")
    for line in lines:
        size += len(line)
        if size > limit:
            return events, True
        text = line[:-1] if line.endswith(b"\r") else line
        if text.startswith(b"data: "):
            data.append(text[6:])
        elif text.startswith(b"data:"):
            data.append(text[5:])
        elif not text:
            events += [b"\n".join(data)] if data else []
            data, size = [], 0
    return events, size + len(rest) > limit


def _stream(source: random.Random) -> bytes:
    parts: list[bytes] = []
    for _ in range(source.randrange(12)):
        line = source.choice(_LINES)
        if source.random() < 0.4:
            line = b"data: " + _spoiled(source, EVENT)
        parts += [line, source.choice((b"\n", b"\n", b"\r\n", b"\r", b"\n\n"))]
    return _spoiled(source, b"".join(parts))


def _spoiled(source: random.Random, content: bytes) -> bytes:
    made = bytearray(content)
    for _ in range(source.choice((0, 0, 1, 3))):
        at = source.randrange(len(made) + 1)
        if source.random() < 0.5:
            made[at:at] = source.choice((b"\n", b"\r", b"\x00", b"\xff", b"1", b'"', b"{", b"["))
        else:
            del made[at : at + source.randrange(1, 9)]
    return bytes(made)


if __name__ == "__main__":
    sys.exit(run(check))

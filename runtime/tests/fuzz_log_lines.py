"""Random output of a server, for the reader of its log lines.

`tools/bazel run //runtime:fuzz_log_lines -- --seconds 3600` looks for an hour.
"""

from __future__ import annotations

import io
import json
import logging
import random
import re
import sys
from collections.abc import Callable
from typing import Any

from stepflow_api.support import Hidden
from stepflow_runtime._constants import ERROR_LINES, KEPT_BYTES, KEPT_LINES, LONGEST_LINE
from stepflow_runtime._log_lines import summary
from stepflow_runtime._logs import Log, LogConfig, Output
from stepflow_runtime._secrets import Secrets
from stepflow_runtime._start_errors import start_failure
from tools.fuzz.fuzz import run

#: Each has this within, and nothing else does.
MARK = "S3c"
#: Characters that some way to quote text escapes.
_ODD = ('"', "\\", "'", "\n", "\t", "\0", "\x1b", "é", "€", "\u2028", "\u200b", "$", "${", "}")
_PLAIN = ("a", "Z", "7", "-", "_", " ", "/", "=", "@", "password", "message", "://")
_NUMBERS = ("0", "1", "-1", "70000", "65536", "1e999", "NaN", "Infinity", "true", '"7"', "9" * 5000)
_TIMES = ("2026-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "x")
_TEXTS = ("Starting", "Server error: no", "thread 'main' panicked at x.rs:1:1:", "  1: 0x1 - f")
_SPOILERS = (
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b",",
    b"\n",
    b"\r",
    b"\x00",
    b"\xff",
    b"\x1b[1m",
    b"\xc3",
)

_PORT = re.compile(rb'\{"port":([1-9][0-9]{0,4})\s*\}')

_DEEP = 200_000


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(" ".join(map(str, vars(record).values())))


def check(source: random.Random) -> None:
    """Check that all output is read, and nothing of it is a secret, a control character or long."""
    environment = {"API_TOKEN": _secret(source)}
    variables = {f"V{number}": _secret(source) for number in range(source.randrange(4))}
    expected = [environment["API_TOKEN"], *variables.values()]
    known = Secrets(Hidden(environment))
    known.add_config({"plugins": {"worker": {"env": variables | {"T": "x${API_TOKEN}x"}}}})
    lines = [_line(source, expected) for _ in range(source.randrange(20))]
    if source.random() < 0.02:
        lines.insert(source.randrange(len(lines) + 1), _large(source))
    content = b"\n".join(lines)
    port = _first_port(content)

    logger = logging.Logger("fuzz", logging.DEBUG)
    collector = _Collector()
    logger.addHandler(collector)
    log = Log(LogConfig(), known)
    vars(log)["_logger"] = logger
    output = Output(io.BytesIO(content), log)
    output.thread.join(60)
    assert not output.thread.is_alive(), "the reader hangs"
    assert output.port_or_end.is_set() and output.takes_runs.is_set()
    assert output.port == port, f"the port is {output.port}, not {port}"

    kept = log.recent()
    error = start_failure(1, output.lines(), 0)
    told = [*kept, output.summary(), summary(output.lines()), str(error), *error.last_log_lines]
    assert len(kept) <= KEPT_LINES and sum(map(len, kept)) <= KEPT_BYTES
    assert len(error.last_log_lines) <= ERROR_LINES and len(str(error)) < 10_000
    for text in told:
        assert text.isprintable(), f"{text!r} is not one line of text"
        assert len(text) <= LONGEST_LINE + 1000, f"a line of {len(text)} characters"
    for text in (*told, *collector.records):
        assert MARK not in text, f"{text!r} has a secret of {expected!r}"


def _first_port(content: bytes) -> int | None:
    """Return the first port in an announcement, read in another way than the reader does."""
    for line in content.split(b"\n"):
        found = _PORT.fullmatch(line.rstrip())
        if found and int(found[1]) < 65536:
            return int(found[1])
    return None


def _secret(source: random.Random) -> str:
    parts = [source.choice(source.choice((_ODD, _PLAIN))) for _ in range(source.randrange(5))]
    # The mark is a part of the longest run that is never escaped, and so of every line of it.
    text = "".join([*parts, f"{MARK}{source.randrange(10**6)}", *reversed(parts)])
    # A path that exists is no secret.
    return text.lstrip("/")


def _line(source: random.Random, secrets: list[str]) -> bytes:
    ways: list[Callable[[], bytes]] = [
        lambda: _announcement(source),
        lambda: _log_line(source, source.choice(_TEXTS)),
        lambda: _log_line(source, _with_secret(source, source.choice(secrets))),
        lambda: _with_secret(source, source.choice(secrets)).encode("utf-8", "surrogateescape"),
        lambda: source.choice(_TEXTS).encode(),
        lambda: source.randbytes(source.randrange(100)),
        lambda: _spoiled(source, _log_line(source, source.choice(_TEXTS))),
    ]
    return source.choice(ways)()


def _large(source: random.Random) -> bytes:
    """Return a line that is deep or long."""
    if source.random() < 0.5:
        return b'{"message":' + b"[" * _DEEP + b"]" * _DEEP + b"}"
    size = source.choice((LONGEST_LINE - 1, LONGEST_LINE, LONGEST_LINE + 1, 3 * LONGEST_LINE))
    return source.choice((b"[", b"x", b"\\", b"=", b"\xff", b" ")) * size


def _announcement(source: random.Random) -> bytes:
    number = source.choice((str(source.randrange(1, 65536)), *_NUMBERS))
    more = source.choice(("", "", "", ',"x":1', "[", "\r"))
    return f'{{"port":{number}{more}}}'.encode()


def _log_line(source: random.Random, message: str) -> bytes:
    document: dict[str, Any] = {
        "timestamp": source.choice(_TIMES),
        "level": source.choice(("INFO", "ERROR", "DEBUG", "X\n", 5, None)),
        "target": source.choice(("stepflow_server", "a\x1b[2J", None, ["x"])),
        "message": source.choice((message, message, message, [message], {"a": message})),
        "diags": source.choice(
            (
                None,
                {"run_id": "a\nb", "trace_id": "²", "span_id": "9" * 4000},
                {"trace_id": 5, "step_id": ["\ud800"], "x": message},
            )
        ),
    }
    text = json.dumps(document, ensure_ascii=source.random() < 0.5)
    if source.random() < 0.1:
        text = text.replace('"level"', f'"n":{source.choice(_NUMBERS)},"level"', 1)
    return text.encode("utf-8", "surrogatepass")


def _with_secret(source: random.Random, secret: str) -> str:
    """Return text with a secret in it, as servers print it."""
    return source.choice(
        (
            f'Spawning: Command {{ std: env -i A={_debug(secret)} B="" "/bin/sh" {_debug("$0")} }}',
            f"├─▶ \x1b[1minvalid environment variable: {secret}\x1b[22m",
            f"invalid type: string {_debug(secret)}, expected a map",
            f"it has {secret} in it",
            f"it has {_debug(secret)} in it",
            f"it has {json.dumps(secret)} in it",
            f"it has {json.dumps(_debug(secret))} in it",
        )
    )


def _debug(text: str) -> str:
    """Return text as Rust prints it for debugging."""
    special = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\0": "\\0"}
    escaped = (special.get(c, c if c.isprintable() else f"\\u{{{ord(c):x}}}") for c in text)
    return f'"{"".join(escaped)}"'


def _spoiled(source: random.Random, content: bytes) -> bytes:
    made = bytearray(content)
    for _ in range(source.randrange(1, 5)):
        at = source.randrange(len(made) + 1)
        if source.random() < 0.6:
            made[at:at] = source.choice(_SPOILERS)
        else:
            del made[at : at + source.randrange(1, 30)]
    return bytes(made)


if __name__ == "__main__":
    sys.exit(run(check))

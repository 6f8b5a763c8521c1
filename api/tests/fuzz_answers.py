"""Random answers for the parser of this package's own connections and for the models, cut anywhere.

`tools/bazel run //api:fuzz_answers -- --seconds 3600` looks for an hour.
"""

from __future__ import annotations

import contextlib
import copy
import gzip
import importlib
import json
import random
import sys
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from api.tests.support.forms import endpoints
from api.tests.support.specimens import document, model_classes
from stepflow_api._exchange.dialects.base import UnrecognisedResponse
from stepflow_api._exchange.dialects.versions import dialect_of, reported_dialect
from stepflow_api._hidden import Hidden
from stepflow_api._messages import Answer, Request
from stepflow_api._operation import Operation
from stepflow_api._transport.body import Unreadable
from stepflow_api._transport.http11 import HTTP11Connection
from stepflow_api._transport.network_errors import RemoteProtocolError
from stepflow_api.errors import StepflowError
from tools.fuzz.fuzz import run

LIMIT = 5_000

_MODULES = [importlib.import_module(f"stepflow_api.api.{name}") for name in endpoints()]
_OPERATIONS: tuple[Operation[Any, Any], ...] = tuple(
    module.OPERATION for module in _MODULES if hasattr(module, "OPERATION")
)
_DOCUMENTS: tuple[Any, ...] = tuple(
    document(model, full=full) for model in model_classes() for full in (True, False)
)
_VERSIONS = ("0.9.0", "0.10.0", "0.11.1", "0.12.0", "0.13.0", "99.0")
_HEAD = Hidden(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
_ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0.5,
    1e308,
    10**40,
    "",
    "\ud800",
    "\0",
    [],
    [[]],
    {},
    {"": {}},
    "0.13.0",
)
_SPOILERS = (b"\r\n", b"\n", b"\r", b"\0", b"\xff", b" ", b":", b";", b"0", b"f", b"-", b"{", b'"')
_HEADS = (
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n",
)
_STATUS = (200, 200, 200, 200, 201, 204, 206, 304, 400, 404, 429, 500, 503, 600, 999)
_KINDS = ("application/json", "text/plain", "application/grpc", "text/event-stream", "\xff")
_ENCODINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "X-GZIP": gzip.compress,
    "deflate": zlib.compress,
    "Deflate, identity": lambda content: zlib.compress(content)[2:-4],
    "identity": lambda content: content,
}


def check(source: random.Random) -> None:
    """Check that an answer is read alike however it is cut, without errors of other packages."""
    content = _content(source)
    stream, body = _response(source, content)
    is_spoiled = source.random() < 0.7
    if is_spoiled:
        stream = _spoiled(source, stream)
    size = len(stream)
    at = sorted(source.randrange(size + 1) for _ in range(source.randrange(1, 6)))
    cuts = [
        [stream],
        [stream[a:b] for a, b in zip([0, *at], [*at, size], strict=True)],
        [stream[n : n + 1] for n in range(size)] if size < 2_000 else [stream[:1], stream[1:]],
    ]
    outcomes = [_outcome(pieces) for pieces in cuts]
    found = outcomes[0]
    assert all(_shown(one) == _shown(found) for one in outcomes), f"{cuts!r}: {outcomes!r}"
    if not is_spoiled:
        expected = "unreadable" if len(body) > LIMIT else body
        assert _shown(found)[-1] == expected, f"{stream!r}: {_shown(found)!r}, not {expected!r}"
    if isinstance(found, Answer):
        _parse(source, found)


def _outcome(pieces: list[bytes]) -> Answer | str:
    protocol = HTTP11Connection(LIMIT)
    protocol.send_request("http://h", _HEAD, None)
    try:
        # The end of the connection comes last.
        for piece in (*filter(None, pieces), b""):
            if found := protocol.receive_data(piece):
                assert sum(map(len, found.pieces)) <= LIMIT
                return found
    except RemoteProtocolError:
        assert not protocol.is_idle
        return "no HTTP"
    except Unreadable:
        return "unreadable"
    raise AssertionError("the connection has ended, and nothing was told")


def _shown(found: Answer | str) -> tuple[Any, ...]:
    if isinstance(found, str):
        return (found,)
    return found.status_code, found.headers.to_dict(), found.content


def _parse(source: random.Random, answer: Answer) -> None:
    operation = source.choice(_OPERATIONS)
    request = Request(operation.method, operation.path)
    with contextlib.suppress(StepflowError):
        reported_dialect(answer)
    with contextlib.suppress(StepflowError):
        operation.response(answer)
    with contextlib.suppress(StepflowError, UnrecognisedResponse):
        if operation.method == "GET":
            answer = _translated(source, operation, request, answer)
        operation.result(answer)


def _translated(
    source: random.Random, operation: Operation[Any, Any], request: Request, answer: Answer
) -> Answer:
    exchange = dialect_of(source.choice(_VERSIONS)).exchange(operation.id, request)
    try:
        wanted = next(exchange)
        for _ in range(5):
            wanted = exchange.send(answer if isinstance(wanted, Request) else None)
    except StopIteration as stop:
        translated: Answer = stop.value
        return translated
    finally:
        exchange.close()
    return answer


def _content(source: random.Random) -> bytes:
    made = copy.deepcopy(source.choice(_DOCUMENTS))
    for _ in range(source.choice((0, 0, 1, 2, 5))):
        _alter(source, made)
    text = json.dumps(made, ensure_ascii=source.random() < 0.5)
    content = text.encode("utf-8", "surrogatepass")
    if source.random() < 0.05:
        content *= source.randrange(2, 100)
    return _spoiled(source, content) if source.random() < 0.3 else content


def _alter(source: random.Random, node: Any) -> None:
    """Put another value somewhere into a document."""
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = source.choice(keys)
        if not isinstance(node[key], dict | list) or source.random() < 0.2:
            node[key] = copy.deepcopy(source.choice(_ODD))
            return
        node = node[key]


def _response(source: random.Random, content: bytes) -> tuple[bytes, bytes]:
    """Return a response, and its body."""
    status = source.choice(_STATUS)
    encoding = source.choice((None, None, None, *_ENCODINGS))
    sent = content if encoding is None else _ENCODINGS[encoding](content)
    fields = [f"content-type: {source.choice(_KINDS)}"]
    fields += [] if encoding is None else [f"Content-Encoding: {encoding}"]
    fields += source.choices(("x-a:", "X-A: \xe4", "connection: close", "retry-after: -1"), k=2)
    has_none = status in (204, 304)
    match source.randrange(3):
        case 0:
            fields.append(f"content-length: {0 if has_none else len(sent)}")
        case 1:
            fields.append("transfer-encoding: chunked")
            sent = _chunked(source, sent)
        case _:
            pass
    source.shuffle(fields)
    is_chunked = "transfer-encoding: chunked" in fields
    version = "1.1" if is_chunked else source.choice(("1.1", "1.0"))
    head = "\r\n".join((f"HTTP/{version} {status} x", *fields, "", "")).encode("latin-1")
    before = b"".join(source.choices(_HEADS[:2], k=source.choice((0, 0, 1, 3))))
    return before + head + (b"" if has_none else sent), b"" if has_none else content


def _chunked(source: random.Random, content: bytes) -> bytes:
    parts: list[bytes] = []
    while content:
        size = source.choice((1, 2, 16, 500, len(content)))
        part, content = content[:size], content[size:]
        extension = source.choice((b"", b"", b"", b";a=b"))
        parts.append(b"%x%s\r\n%s\r\n" % (len(part), extension, part))
    trailer = source.choice((b"", b"", b"x-b: 1\r\n"))
    return b"".join(parts) + b"0\r\n" + trailer + b"\r\n"


def _spoiled(source: random.Random, content: bytes) -> bytes:
    made = bytearray(content)
    for _ in range(source.choice((1, 1, 2, 5))):
        # Mostly in the head.
        end = len(made) + 1 if source.random() < 0.4 else min(len(made), 200) + 1
        at = source.randrange(end)
        match source.randrange(4):
            case 0:
                made[at:at] = source.choice((*_SPOILERS, *_HEADS))
            case 1:
                del made[at : at + source.randrange(1, 9)]
            case 2:
                made[at:at] = made[at : at + source.randrange(1, 60)]
            case _:
                made[at : at + 1] = bytes((source.randrange(256),))
    return bytes(made)


if __name__ == "__main__":
    sys.exit(run(check))

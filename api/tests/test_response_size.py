"""An answer takes no more memory than the client allows, whatever the server sends."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import importlib
import itertools
import socket
import threading
import tracemalloc
import zlib
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from api.tests import fuzz_answers, fuzz_events
from api.tests.support.forms import PLAIN, Form
from api.tests.support.odd_server import OddServer, answer, raw
from api.tests.support.versions import ID
from stepflow_api import AuthenticatedClient, Client
from stepflow_api._constants import HEADER_FIELDS_LIMIT, RESPONSE_LIMIT
from stepflow_api._operation import Operation
from stepflow_api._transport.body import Body, Unreadable
from stepflow_api.api.health import health_check
from stepflow_api.errors import InvalidRequest, StatusError, TransportError
from tools.fuzz.fuzz import cases
from tools.pytest.httpx_libraries import by_library, client_class

HEALTH = b'{"status":"healthy","timestamp":"2026-01-01T00:00:00Z","version":"0.11.1"}'
LIMIT = 1_000_000

by_form = pytest.mark.parametrize("form", PLAIN, ids=lambda form: form.name)
by_way = pytest.mark.parametrize("way", ["own", "httpx", "httpx2"])


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@contextlib.asynccontextmanager
async def client_of(
    url: str,
    form: Form,
    way: str,
    *,
    follow: bool = False,
    max_redirects: int = 20,
    **options: Any,
) -> AsyncGenerator[Client]:
    """A client of a server: over its own connections, or over a client of httpx or httpx2."""
    options.setdefault("server_version", "0.11.1")
    if way == "own":
        async with Client(url, **options) as client:
            yield client
        return
    library = importlib.import_module(way)
    # A response that is left open would leave no connection for the next request.
    limits = library.Limits(max_connections=1)
    http = client_class(library, is_async=form.is_async)(
        follow_redirects=follow, limits=limits, timeout=30, max_redirects=max_redirects
    )
    async with contextlib.AsyncExitStack() as opened:
        await opened.enter_async_context(http) if form.is_async else opened.enter_context(http)
        yield Client(url, http_client=http, **options)


def endless(head: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    """Make a handler that sends the same piece until the client closes the connection."""

    def handle(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 " + head + b"\r\n\r\n")
        while True:
            connection.sendall(piece)

    return handle


LARGE = {
    "length": endless(b"200 OK\r\ncontent-length: 1000000000", b"x" * 65536),
    "chunks": endless(
        b"200 OK\r\ntransfer-encoding: chunked", b"10000\r\n" + b"x" * 65536 + b"\r\n"
    ),
    "end of connection": endless(b"200 OK", b"x" * 65536),
    "error": endless(b"500 Oh\r\ncontent-length: 1000000000", b"x" * 65536),
    "gzip": answer(gzip.compress(bytes(100 * LIMIT)), content_encoding="gzip"),
    "deflate": answer(zlib.compress(bytes(100 * LIMIT)), content_encoding="deflate"),
    "not gzip": endless(b"200 OK\r\ncontent-encoding: gzip", b"\x1f\x8b\x08\0" * 16384),
}


@by_form
@by_way
@pytest.mark.parametrize("what", LARGE)
@pytest.mark.anyio
async def test_a_large_answer_is_refused_before_it_fills_the_memory(
    what: str, way: str, form: Form
) -> None:
    with OddServer(LARGE[what]) as server:
        async with client_of(server.url, form, way, max_response_size=LIMIT) as client:
            tracemalloc.start()
            try:
                with pytest.raises(TransportError) as raised:
                    await form("health.health_check", client=client)
                used = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
    expected = f"the response is larger than {LIMIT} bytes; request less at a time, or raise"
    assert raised.value.message.startswith(expected) or what == "not gzip"
    # Not one of those that tell that the server may have acted on it, and are tried again.
    assert type(raised.value) is TransportError
    assert used < 8 * LIMIT


@by_form
@by_way
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
@pytest.mark.anyio
async def test_an_answer_of_single_bytes_is_read(encoding: str, way: str, form: Form) -> None:
    content = gzip.compress(HEALTH) if encoding == "gzip" else HEALTH
    head = (
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n"
        f"content-encoding: {encoding}\r\n\r\n"
    )
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in content)
    with OddServer(raw(head.encode() + chunks + b"0\r\n\r\n")) as server:
        async with client_of(server.url, form, way) as client:
            assert (await form("health.health_check", client=client)).status == "healthy"


def _with_a_small_window(content: bytes) -> bytes:
    compress = zlib.compressobj(wbits=9)
    return compress.compress(content) + compress.flush()


@by_form
@by_way
@pytest.mark.parametrize(
    "encoding",
    ["gzip", "x-gzip", "GZIP", "deflate", "small deflate", "raw deflate", "identity"],
)
@pytest.mark.anyio
async def test_an_answer_within_the_limit_is_read(encoding: str, way: str, form: Form) -> None:
    content = HEALTH + b" " * 500_000
    encoded = {
        "identity": content,
        "deflate": zlib.compress(content),
        "small deflate": _with_a_small_window(content),
        "raw deflate": zlib.compress(content)[2:-4],
    }.get(encoding, gzip.compress(content))
    handle = answer(encoded, content_encoding=encoding.rpartition(" ")[2])
    with OddServer(handle) as server:
        for limit in (len(content), None, RESPONSE_LIMIT):
            async with client_of(server.url, form, way, max_response_size=limit) as client:
                found = await form("health.health_check", client=client)
                assert found.status == "healthy"
        assert server.headers()["accept-encoding"] == "gzip, deflate"
        async with client_of(server.url, form, way, max_response_size=len(content) - 1) as client:
            with pytest.raises(TransportError, match="the response is larger than"):
                await form("health.health_check", client=client)


@by_form
@by_way
@pytest.mark.parametrize(
    ("encoding", "content", "problem"),
    [
        ("br", HEALTH, "'br', which this client does not decode"),
        ("zstd", HEALTH, "'zstd', which"),
        ("gzip, gzip", HEALTH, "'gzip, gzip', which"),
        ("gzip", gzip.compress(HEALTH)[:-1], "ends in the middle"),
        ("gzip", gzip.compress(HEALTH) * 2, "continues after the end"),
        ("gzip", HEALTH, "cannot be read (Error -3"),
    ],
)
@pytest.mark.anyio
async def test_an_answer_that_cannot_be_decoded_is_refused(
    encoding: str, content: bytes, problem: str, way: str, form: Form
) -> None:
    with OddServer(answer(content, content_encoding=encoding)) as server:
        async with client_of(server.url, form, way) as client:
            with pytest.raises(TransportError) as raised:
                await form("health.health_check", client=client)
    assert problem in str(raised.value)


@by_form
@by_way
@pytest.mark.parametrize("status", [b"200 OK", b"500 Oh"])
@pytest.mark.anyio
async def test_an_answer_with_very_many_header_fields_is_refused(
    status: bytes, way: str, form: Form
) -> None:
    fields = b"".join(b"x%d:\r\n" % number for number in range(8_000))
    handle = raw(b"HTTP/1.1 " + status + b"\r\n" + fields + b"content-length: 0\r\n\r\n")
    with OddServer(handle) as server:
        async with client_of(server.url, form, way) as client:
            with pytest.raises(TransportError, match="8001 header fields, more than 256"):
                await form("health.health_check", client=client)
    assert HEADER_FIELDS_LIMIT == 256


@by_form
@by_way
@pytest.mark.anyio
async def test_an_answer_with_many_header_fields_is_read(way: str, form: Form) -> None:
    fields = b"".join(b"x%d:\r\n" % number for number in range(HEADER_FIELDS_LIMIT - 1))
    with OddServer(
        raw(b"HTTP/1.1 200 OK\r\n" + fields + b"connection: close\r\n\r\n" + HEALTH)
    ) as server:
        async with client_of(server.url, form, way) as client:
            assert (await form("health.health_check", client=client)).status == "healthy"


@by_form
@by_way
@pytest.mark.anyio
async def test_an_answer_with_a_long_head_is_read(way: str, form: Form) -> None:
    # httpx accepts no more than 100 KiB either.
    handle = answer(content_type=None, x_long="a" * 100_000)
    with OddServer(handle) as server:
        async with client_of(server.url, form, way) as client:
            assert await form("run.delete_run", ID, client=client) is None


@by_form
@by_way
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.anyio
async def test_an_answer_without_a_body_may_name_an_encoding(
    encoding: str, way: str, form: Form
) -> None:
    with OddServer(answer(content_type=None, content_encoding=encoding)) as server:
        async with client_of(server.url, form, way) as client:
            assert await form("run.delete_run", ID, client=client) is None


@by_form
@by_way
@pytest.mark.anyio
async def test_an_answer_in_the_place_of_a_stream_has_the_limit(way: str, form: Form) -> None:
    operation = Operation[None, None]("events", "GET", "/events", {})
    with OddServer(LARGE["length"]) as server:
        async with client_of(server.url, form, way, max_response_size=LIMIT) as client:
            with pytest.raises(TransportError, match=f"the response is larger than {LIMIT} bytes"):
                if form.is_async:
                    await client.open_async(operation, operation.request())
                client.open(operation, operation.request())


@by_form
@by_library
@pytest.mark.parametrize(
    ("accepted", "sent"),
    [
        ("gzip, deflate, br", "gzip, deflate"),
        ("zstd", "gzip, deflate"),
        ("gzip", "gzip"),
        ("identity", "identity"),
    ],
)
@pytest.mark.anyio
async def test_only_encodings_that_are_decoded_in_parts_are_accepted(
    accepted: str, sent: str, library: Any, form: Form
) -> None:
    """The default of an httpx client depends on which packages are installed."""
    headers = {"accept-encoding": accepted}
    with OddServer(answer(HEALTH)) as server:
        http = client_class(library, is_async=form.is_async)(headers=headers)
        await form("health.health_check", client=Client(server.url, http_client=http))
        await (http.aclose() if form.is_async else asyncio.to_thread(http.close))
    assert server.headers()["accept-encoding"] == sent


@by_form
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
@pytest.mark.anyio
async def test_a_stream_of_events_has_no_limit(encoding: str, form: Form) -> None:
    events = (b"data: " + fuzz_events.EVENT + b"\n\n") * 1_000
    content = gzip.compress(events) if encoding == "gzip" else events
    handle = answer(content, content_type="text/event-stream", content_encoding=encoding)
    operation = Operation[None, None]("getRunEvents", "GET", "/events", {})
    request = operation.request()
    with OddServer(handle) as server:
        async with client_of(server.url, form, "own", max_response_size=1_000) as client:
            count = 0
            if form.is_async:
                stream = await client.open_async(operation, request, timeout=None)
                while (found := await stream.read()) is not None:
                    count += len(found)
                await stream.close()
            else:
                blocking = client.open(operation, request, timeout=None)
                while (found := blocking.read()) is not None:
                    count += len(found)
                blocking.close()
    assert count == 1_000


def test_small_pieces_take_little_more_memory_than_their_bytes() -> None:
    body = Body(None)
    tracemalloc.start()
    try:
        for number in range(100_000):
            body.add(b"%02d" % (number % 100))
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert b"".join(body.decoded("")) == b"".join(b"%02d" % n for n in range(100)) * 1_000


def test_a_long_piece_is_decompressed_in_linear_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepflow_api._transport.body._STEP", 1000)
    content = bytes(range(256)) * 20_000
    # Not compressed, so the piece is long; then with many bytes for each.
    for level in (0, 9):
        body = Body(len(content) + 1_000)
        body.add(gzip.compress(content, level))
        assert b"".join(body.decoded("gzip")) == content
    body = Body(len(content) - 1)
    body.add(gzip.compress(content))
    with pytest.raises(Unreadable, match="larger than"):
        body.decoded("gzip")


@pytest.mark.anyio
async def test_what_comes_unasked_does_not_pile_up() -> None:
    ended = threading.Event()

    def handle(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(HEALTH) + HEALTH)
        # The next data must not be part of the same piece.
        assert proceed.wait(30)
        try:
            while True:
                connection.sendall(b"x" * 65536)
        except ConnectionError:
            ended.set()

    proceed = threading.Event()
    with OddServer(handle) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            await health_check.asyncio(client=client)
            proceed.set()
            assert await asyncio.to_thread(ended.wait, 30), "the client reads on"


@by_form
@by_library
@pytest.mark.parametrize("status", ["302 Found", "307 Temporary Redirect"])
@pytest.mark.anyio
async def test_no_redirect_to_another_server_is_followed(
    library: Any, form: Form, status: str
) -> None:
    with OddServer(answer(HEALTH)) as other:
        elsewhere = answer(status=status, location=f"{other.url}/api/v1/health")
        with OddServer(elsewhere) as server:
            http = client_class(library, is_async=form.is_async)
            client = AuthenticatedClient(
                server.url,
                "secret",
                auth_header_name="x-token",
                headers={"x-key": "secret"},
                http_client=http(follow_redirects=True),
                server_version="0.11.1",
            )
            with pytest.raises(StatusError, match=r"it is at .*; set base_url to where the server"):
                await form("health.health_check", client=client)
        assert other.requests == []


@by_form
@by_library
@pytest.mark.anyio
async def test_a_redirect_on_the_same_server_is_followed_if_the_http_client_does(
    library: Any, form: Form
) -> None:
    way = library.__name__

    def handle(connection: socket.socket) -> None:
        target = server.target()
        place = f"{server.url}/api/v1/health" if target == "/old/api/v1/health" else "/api/v1/again"
        is_found = target == "/api/v1/health"
        (answer(HEALTH) if is_found else answer(status="302 Found", location=place))(connection)

    with OddServer(handle) as server:
        for follow in (True, False):
            async with client_of(server.url + "/old", form, way, follow=follow) as client:
                if follow:
                    assert (await form("health.health_check", client=client)).status == "healthy"
                    continue
                with pytest.raises(StatusError, match="302"):
                    await form("health.health_check", client=client)
        async with client_of(server.url + "/loop", form, way, follow=True) as client:
            with pytest.raises(TransportError, match=r"cannot be read \(too many redirects"):
                await form("health.health_check", client=client)
        assert len(server.requests) == 3 + 21
        at = server.url + "/loop"
        async with client_of(at, form, way, follow=True, max_redirects=2) as client:
            for _ in range(2):
                with pytest.raises(TransportError, match="too many redirects"):
                    await form("health.health_check", client=client)
        assert len(server.requests) == 3 + 21 + 2 * 3


@by_form
@by_library
@pytest.mark.parametrize(
    ("url", "to", "is_followed"),
    [
        ("http://server", "https://server", True),
        ("http://server:80", "https://server:443", True),
        ("http://server", "https://server:444", False),
        ("http://server:81", "https://server", False),
        ("http://server", "https://other", False),
        ("https://server", "http://server", False),
    ],
)
@pytest.mark.anyio
async def test_a_redirect_to_the_same_host_over_tls_is_followed(
    url: str, to: str, is_followed: bool, library: Any, form: Form
) -> None:
    def respond(request: Any) -> Any:
        if str(request.url).startswith(url.removesuffix(":80")):
            return library.Response(307, headers={"location": f"{to}/api/v1/health"})
        return library.Response(200, content=HEALTH)

    http = client_class(library, is_async=form.is_async)
    transport = library.MockTransport(respond)
    client = Client(
        url,
        http_client=http(transport=transport, follow_redirects=True),
        server_version="0.11.1",
    )
    if is_followed:
        assert (await form("health.health_check", client=client)).status == "healthy"
    else:
        with pytest.raises(StatusError, match="set base_url to where the server is"):
            await form("health.health_check", client=client)


@pytest.mark.parametrize("size", [0, -1, True, 1.5, "1", float("inf")])
def test_a_size_that_is_none(size: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"^max_response_size is .*; pass bytes above 0"):
        AuthenticatedClient("http://localhost", "token", max_response_size=size)


def test_random_answers() -> None:
    for source in itertools.islice(cases(), 1_000):
        fuzz_answers.check(source)

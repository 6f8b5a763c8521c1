"""Requests that get no whole answer: refused, cut, too large, too slow, or server gone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest

from api.tests.support.flows import SlowFlow
from api.tests.support.forms import ASYNCIO, FORMS, SYNC, Form
from api.tests.support.odd_server import Handler, OddServer, hang_up, reset
from stepflow_api import Client, models
from stepflow_api._transport.network_errors import ConnectError
from stepflow_api.api.health import health_check
from stepflow_api.api.run import create_run
from stepflow_api.errors import (
    ConnectionFailed,
    ConnectionLost,
    PayloadTooLarge,
    RequestTimeout,
    TransportError,
)
from tools.pytest.httpx_libraries import by_library
from tools.spec.server import StepflowServer

pytestmark = pytest.mark.anyio

by_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port that is taken but does not listen, so that nobody else comes to listen there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


async def failure(
    form: Form, kind: type[TransportError], endpoint: str, *arguments: Any, **options: Any
) -> TransportError:
    """Makes a call that gets no answer, and returns its error, once it is checked."""
    client = options["client"]
    with pytest.raises(TransportError) as raised:
        await form(endpoint, *arguments, **options)
    error = raised.value
    assert type(error) is kind
    assert str(error) == f"{error.method} {error.url}: {error.message}"
    assert error.url.startswith(client.base_url)
    assert "\n" not in str(error)
    return error


@by_form
async def test_connection_refused(form: Form, unused_port: int) -> None:
    async with Client(f"http://127.0.0.1:{unused_port}") as client:
        error = await failure(form, ConnectionFailed, "health.health_check", client=client)
    assert (error.method, error.url) == (
        "GET",
        f"http://127.0.0.1:{unused_port}/api/v1/health",
    )
    assert error.message.startswith("no connection (")
    assert error.message.endswith("); is the server running there?")
    assert isinstance(error.__cause__, ConnectError)
    assert isinstance(error.__cause__.__cause__, ConnectionRefusedError)
    assert "Connection refused" in str(error)


@by_form
async def test_unknown_host(form: Form) -> None:
    # A name that is reserved never to exist; asking for it needs no network to fail.
    async with Client("http://server.invalid:7840") as client:
        error = await failure(form, ConnectionFailed, "health.health_check", client=client)
    assert "is the server running there?" in error.message


def when_running(slow: SlowFlow, act: Callable[[], None]) -> threading.Thread:
    """Starts a thread that acts once a run of the flow is in progress."""

    def watch() -> None:
        slow.wait_for_run()
        act()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


@by_form
@pytest.mark.parametrize("way", ["kill", "stop"])
async def test_the_server_goes_while_a_run_is_waited_for(
    way: str, form: Form, server_binary: str, tmp_path: Path
) -> None:
    with StepflowServer(server_binary, stop_timeout=0.05) as server:
        async with Client(server.url) as client:
            with Client(server.url) as helper, SlowFlow(helper, tmp_path) as slow:
                body = models.CreateRunRequest(flow_id=slow.id, input=None, wait=True)
                thread = when_running(slow, getattr(server, way))
                error = await failure(
                    form, ConnectionLost, "run.create_run", client=client, body=body
                )
                thread.join()
            assert error.message.startswith("the connection was cut (")
            assert error.message.endswith("the server may have acted on the request")
            assert error.method == "POST"
            # Nothing listens there any more.
            await failure(form, ConnectionFailed, "health.health_check", client=client)


@by_form
async def test_a_client_outlives_a_restart_of_its_server(
    form: Form, own_server: StepflowServer
) -> None:
    async with Client(own_server.url) as client:
        for _ in range(3):
            await form("health.health_check", client=client)
            own_server.restart()
        await form("health.health_check", client=client)


@by_form
@pytest.mark.parametrize(
    ("way", "reason"),
    [(hang_up, "Server disconnected without sending a response"), (reset, "Connection reset")],
)
async def test_a_server_that_hangs_up_without_an_answer(
    way: Handler, reason: str, form: Form
) -> None:
    with OddServer(way) as odd:
        async with Client(odd.url, server_version="0.11.1") as client:
            error = await failure(form, ConnectionLost, "run.list_runs", client=client, limit=1)
    assert error.url == f"{odd.url}/api/v1/runs?limit=1"
    assert reason in error.message
    assert len(odd.requests) == 1, "a request is never sent twice"


@by_form
@pytest.mark.parametrize("way", [hang_up, reset])
async def test_a_pipe_that_breaks_while_a_large_body_is_sent(way: Handler, form: Form) -> None:
    content = bytes(32 * 1024 * 1024)
    with OddServer(way, reads_bodies=False) as odd:
        async with Client(odd.url, server_version="0.11.1") as client:
            error = await failure(
                form, ConnectionLost, "blob.store_blob_bytes", content, client=client
            )
    assert error.message.endswith(
        "the server may have acted on the request. The body has 33554432 bytes, and servers up to"
        " 0.11 cut bodies over about 2097152 off: send less at a time"
    )


@by_form
async def test_the_real_server_breaks_a_large_body_off(form: Form, client: Client) -> None:
    # It answers with 413 and closes while the body still comes: either may arrive first.
    content = bytes(16 * 1024 * 1024)
    try:
        response = await form("blob.store_blob_bytes", content, client=client)
    except PayloadTooLarge as error:
        assert "length limit exceeded" in str(error)
    except ConnectionLost as error:
        assert "send less at a time" in str(error)
    else:
        assert form.is_detailed and response.status_code == 413
    # The connection that broke is not used again.
    assert (await health_check.asyncio(client=client)).status == "healthy"


@by_form
@by_library
async def test_read_timeout(
    library: Any, form: Form, server: StepflowServer, slow: SlowFlow
) -> None:
    run_id = slow.start()
    timeout = library.Timeout(30, read=0.05)
    async with Client(server.url, timeout=timeout, server_version="0.11.1") as client:
        error = await failure(form, RequestTimeout, "run.get_run", run_id, client=client, wait=True)
    assert error.message == (
        "nothing moved within the read timeout; the server may still be working on it (raise"
        " Client(timeout=...))"
    )


@by_form
@by_library
async def test_an_error_without_a_text_or_with_lines_of_it(library: Any, form: Form) -> None:
    errors = iter([library.ReadError(""), library.ReadError("one\n  two\x1b[0m")])

    def fail(request: Any) -> Any:
        raise next(errors)

    transport = library.MockTransport(fail)
    async with Client("http://server", transport=transport, server_version="0.11.1") as client:
        for text in ("ReadError", "one two"):
            error = await failure(form, ConnectionLost, "health.health_check", client=client)
            assert error.message.startswith(f"the connection was cut ({text}")
            assert error.message.isprintable()


@by_form
@by_library
async def test_write_timeout(library: Any, form: Form) -> None:
    timeout = library.Timeout(30, write=0.05)
    # The kernel takes the connection, and nobody reads.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with Client(url, timeout=timeout, server_version="0.11.1") as client:
            error = await failure(
                form,
                RequestTimeout,
                "blob.store_blob_bytes",
                bytes(32 * 1024 * 1024),
                client=client,
            )
    assert "nothing moved within the write timeout" in error.message


@by_form
@by_library
async def test_connect_timeout(library: Any, form: Form) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as stack:
        # Connections that nobody takes: the kernel leaves the next one waiting.
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with Client(url, timeout=library.Timeout(30, connect=0.05)) as client:
            error = await failure(form, ConnectionFailed, "health.health_check", client=client)
    assert error.message == "no connection within the connect timeout; is the server reachable?"


def one_connection(library: Any) -> dict[str, Any]:
    limits = library.Limits(max_connections=1)
    return {"limits": limits, "timeout": library.Timeout(30, pool=0.05)}


@by_library
async def test_no_connection_free_in_time(
    library: Any, server: StepflowServer, slow: SlowFlow
) -> None:
    body = models.CreateRunRequest(flow_id=slow.id, input=None, wait=True)
    async with library.AsyncClient(**one_connection(library)) as http:
        client = Client(server.url, http_client=http)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: create_run.asyncio(client=client, body=body))
            await anyio.to_thread.run_sync(slow.wait_for_run)
            error = await failure(ASYNCIO, ConnectionFailed, "health.health_check", client=client)
            await anyio.to_thread.run_sync(slow.end)
    assert error.message == (
        "all connections are in use, and none came free in time; raise the pool timeout, or make an"
        " http_client with higher limits"
    )


@by_library
async def test_no_connection_of_a_transport_free_in_time(
    library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stepflow_api._transport.httpx_pool.CONNECTIONS", 1)
    proceed = anyio.Event()

    async def respond(request: Any) -> Any:
        if proceed.is_set():
            raise library.ConnectError("nobody is there")
        await proceed.wait()
        return library.Response(404)

    client = Client(
        "http://server",
        transport=library.MockTransport(respond),
        timeout=library.Timeout(30, pool=0.05),
        server_version="0.11.1",
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: health_check.asyncio_detailed(client=client))
        await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(20):
            error = await failure(ASYNCIO, ConnectionFailed, "health.health_check", client=client)
        assert "none came free in time" in error.message
        proceed.set()
    # A call that fails is not in use any more.
    for _ in range(2):
        error = await failure(ASYNCIO, ConnectionFailed, "health.health_check", client=client)
        assert "nobody is there" in error.message


@by_library
async def test_no_connection_free_in_time_for_a_thread(
    library: Any, server: StepflowServer, slow: SlowFlow
) -> None:
    body = models.CreateRunRequest(flow_id=slow.id, input=None, wait=True)
    with library.Client(**one_connection(library)) as http, ThreadPoolExecutor() as pool:
        client = Client(server.url, http_client=http)
        waiting = pool.submit(create_run.sync, client=client, body=body)
        slow.wait_for_run()
        error = await failure(SYNC, ConnectionFailed, "health.health_check", client=client)
        slow.end()
        assert waiting.result().status == "completed"
    assert "none came free in time" in error.message

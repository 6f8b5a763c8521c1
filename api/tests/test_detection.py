"""What a server speaks is found out once, said where it cannot be, and found out anew."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from api.tests.support.forms import FORMS, Form
from api.tests.support.versions import BODY, FLAT, ID, LATER, NEW, OLD, SUMMARY, Wire
from stepflow_api import AuthenticatedClient, Client, models
from stepflow_api.api.health import health_check
from stepflow_api.api.run import create_run, delete_run, get_run, list_runs
from stepflow_api.errors import (
    ConnectionFailed,
    InvalidAnswer,
    InvalidRequest,
    NotFound,
    RequestTimeout,
    Unauthorized,
    UnsupportedByServer,
)
from stepflow_api.support import is_known_version

pytestmark = pytest.mark.anyio

by_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)


@by_form
async def test_asked_once(form: Form) -> None:
    wire = Wire(OLD, {"runs": []})
    async with Client("http://server", transport=wire) as client:
        for _ in range(3):
            await form("run.list_runs", client=client)
    assert wire.paths == ["GET /health", "GET /runs", "GET /runs", "GET /runs"]


@by_form
async def test_not_asked_where_it_is_told(form: Form) -> None:
    wire = Wire(OLD, {"runs": [SUMMARY]})
    async with Client("http://server", transport=wire, server_version="0.13.0") as client:
        result = await form("run.list_runs", client=client)
    runs = (result.parsed if form.is_detailed else result).runs
    assert [run.status for run in runs] == ["running"]
    assert wire.paths == ["GET /runs"]


async def test_it_is_asked_with_the_token() -> None:
    wire = Wire(
        lambda r: OLD if r.headers["authorization"] == "Bearer t" else httpx.Response(401),
        {"runs": []},
    )
    with AuthenticatedClient("http://server", "t", transport=wire) as client:
        list_runs.sync(client=client)
    assert client._exchange.dialect is not None


@pytest.mark.parametrize("version", ["", "x", "13", "1.2.3.4", 0.13, "0.13.0.1"])
def test_a_version_that_is_none(version: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"pass the server's version, such as '0\.13\.0'"):
        Client("http://server", server_version=version)


@pytest.mark.parametrize("version", ["0.9.0", "v0.11.1", "0.13", "0.13.7"])
def test_a_known_version(version: str) -> None:
    assert is_known_version(version)


@pytest.mark.parametrize("version", ["0.8.9", "0.99.0", "1.9.0", "build dd82fa7", "unknown", ""])
def test_an_unknown_version(version: str) -> None:
    assert not is_known_version(version)


@pytest.mark.parametrize("version", ["0.8.9", "0.1"])
def test_a_version_that_is_too_old(version: str) -> None:
    with pytest.raises(UnsupportedByServer) as raised:
        Client("http://server", server_version=version)
    assert (raised.value.server_version, raised.value.since) == (version, "0.9.0")


@pytest.mark.parametrize(
    ("version", "sent"),
    [("0.11", False), ("v0.11", False), ("0.11.0", False), ("0.11.1", True), ("v0.11.1-rc1", True)],
)
def test_a_version_without_a_patch_is_the_first_of_its_line(version: str, sent: bool) -> None:
    """Only 0.11.1 and later accept null for a field that is left out."""
    bodies: list[bytes] = []

    def create(request: httpx.Request) -> Any:
        bodies.append(request.content)
        return FLAT

    wire = Wire(OLD, create)
    body = models.CreateRunRequest(flow_id="f", input=1, overrides=None)
    for given in (version, None):
        wire.health = {**OLD, "version": version}
        with Client("http://server", transport=wire, server_version=given) as client:
            create_run.sync(client=client, body=body)
    assert [b"null" in one for one in bodies] == [sent, sent]


def test_64_threads_ask_once() -> None:
    together = threading.Barrier(64)
    wire = Wire(OLD, {"runs": []})
    with Client("http://server", transport=wire) as client, ThreadPoolExecutor(64) as pool:

        def work() -> None:
            together.wait()
            list_runs.sync(client=client)

        for done in [pool.submit(work) for _ in range(64)]:
            done.result()
    assert wire.paths.count("GET /health") == 1
    assert wire.paths.count("GET /runs") == 64


class Slow(httpx.AsyncBaseTransport):
    """Answers the question for its health when it is told to."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.asked = anyio.Event()
        self.go = anyio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(request.url.path.removeprefix("/api/v1"))
        if self.paths[-1] != "/health":
            return httpx.Response(200, json={"runs": []})
        self.asked.set()
        await self.go.wait()
        return httpx.Response(200, json=OLD)


async def test_64_tasks_ask_once() -> None:
    wire = Slow()
    client = Client("http://server", transport=wire)
    async with client, anyio.create_task_group() as tasks:
        for _ in range(64):
            tasks.start_soon(lambda: list_runs.asyncio(client=client))
        await wire.asked.wait()
        wire.go.set()
    assert wire.paths.count("/health") == 1
    assert wire.paths.count("/runs") == 64


async def test_the_end_of_the_task_that_asks_leaves_the_others_their_answer() -> None:
    wire = Slow()
    got: list[Any] = []

    async def work() -> None:
        got.append(await list_runs.asyncio(client=client))

    client = Client("http://server", transport=wire)
    async with client, anyio.create_task_group() as tasks:
        with anyio.CancelScope() as first:
            async with anyio.create_task_group() as inner:
                inner.start_soon(work)
                await wire.asked.wait()
                tasks.start_soon(work)
                await anyio.wait_all_tasks_blocked()
                first.cancel()
        wire.go.set()
    assert len(got) == 1
    assert wire.paths == ["/health", "/health", "/runs"]


async def test_the_end_of_a_task_that_waits_leaves_the_others_their_answer() -> None:
    wire = Slow()
    client = Client("http://server", transport=wire)
    async with client, anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: list_runs.asyncio(client=client))
        await wire.asked.wait()
        async with anyio.create_task_group() as waiting:
            waiting.start_soon(lambda: list_runs.asyncio(client=client))
            await anyio.wait_all_tasks_blocked()
            waiting.cancel_scope.cancel()
        wire.go.set()
    assert wire.paths == ["/health", "/runs"]


@by_form
async def test_no_connection_is_the_error_of_the_call(form: Form) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    wire = Wire(refuse, FLAT)
    async with Client("http://server", transport=wire) as client:
        with pytest.raises(ConnectionFailed) as raised:
            await form("run.create_run", client=client, body=BODY)
        assert str(raised.value) == (
            "POST http://server/api/v1/runs: no connection (refused); is the server running there?"
        )
        # Not the error for the request that detects the version, which the user did not make.
        assert isinstance(raised.value.__cause__, httpx.ConnectError)
        # The next caller detects it when the server is there.
        wire.health = OLD
        await form("run.create_run", client=client, body=BODY)
    assert wire.paths == ["GET /health", "GET /health", "POST /runs"]


async def test_no_answer_means_that_a_run_was_not_created() -> None:
    def wait(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("")

    client = Client("http://server", transport=Wire(wait, FLAT))
    with pytest.raises(ConnectionFailed) as failed:
        create_run.sync(client=client, body=BODY)
    with pytest.raises(ConnectionFailed, match=rf"^DELETE .*{ID}: not sent, since GET /health"):
        delete_run.sync(ID, client=client)
    # Not that the server may be working on it, as for a request that was sent.
    assert str(failed.value) == (
        "POST http://server/api/v1/runs: not sent, since GET /health did not tell the server's"
        " version: nothing moved within the read timeout"
    )
    with pytest.raises(RequestTimeout) as raised:
        get_run.sync(ID, client=client)
    client.close()
    assert (raised.value.method, raised.value.url) == ("GET", f"http://server/api/v1/runs/{ID}")


async def test_a_later_version_is_taken_for_the_newest_known_with_one_warning() -> None:
    wire = Wire(LATER, {"runs": [SUMMARY]})
    with (
        Client("http://server", transport=wire) as client,
        pytest.warns(UserWarning, match=r"build 1234567.*treated as 0\.\d+;") as warned,
    ):
        assert list_runs.sync(client=client).runs[0].status == "running"
        client._exchange.forget()
        assert list_runs.sync(client=client).runs[0].status == "running"
    assert len(warned) == 1


@pytest.mark.parametrize("version", ["0.99.0", "1.0.0", "0.99.0-rc.1", "v2.0"])
def test_a_later_version_that_tells_its_number(version: str) -> None:
    wire = Wire({**OLD, "version": version}, {"runs": [SUMMARY]})
    with Client("http://server", transport=wire) as client, pytest.warns(UserWarning) as warned:
        assert list_runs.sync(client=client).runs[0].status == "running"
    assert version in str(warned[0].message)


@pytest.mark.parametrize("version", ["0.11.1", "0.11.7", "v0.11.1"])
def test_a_patch_is_no_later_version(version: str) -> None:
    wire = Wire({**OLD, "version": version}, {"runs": [FLAT]})
    with Client("http://server", transport=wire) as client, warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list_runs.sync(client=client).runs[0].status == "running"


def test_a_server_that_is_too_old() -> None:
    wire = Wire({**OLD, "version": "0.8.0"}, {"runs": []})
    with (
        Client("http://server", transport=wire) as client,
        pytest.raises(UnsupportedByServer, match=r"0\.9\.0 or newer, and this one is 0\.8\.0"),
    ):
        list_runs.sync(client=client)
    assert wire.paths == ["GET /health"]


def test_the_health_of_a_later_server_has_a_version() -> None:
    wire = Wire(NEW, None)
    with Client("http://server", transport=wire) as client:
        assert health_check.sync(client=client).version == "0.13.0"
        wire.health = LATER
        assert health_check.sync(client=client).version == "build 1234567"
    assert wire.paths == ["GET /health"] * 2


@pytest.mark.parametrize(
    ("commit", "version"),
    [("37c721f89", "0.12.0"), ("dd82fa7", "0.13.0"), ("1234567", "build 1234567")],
)
@pytest.mark.parametrize("given", ["0.12.0", "0.13.0", "9.9.9", None])
@pytest.mark.filterwarnings("ignore:the server is")
def test_the_health_of_a_server_has_a_version_after_other_calls_too(
    given: str | None, commit: str, version: str
) -> None:
    wire = Wire({**NEW, "build": {"gitVersion": commit}}, {"runs": [SUMMARY]})
    with Client("http://server", transport=wire, server_version=given) as client:
        list_runs.sync(client=client)
        wire.paths.clear()
        found = health_check.sync_detailed(client=client)
    assert json.loads(found.content) == {
        "version": version,
        "status": "healthy",
        "timestamp": "t",
    }
    assert wire.paths == ["GET /health"]


@pytest.mark.parametrize(
    "health",
    [
        {"status": "healthy", "timestamp": "t", "version": "x", "build": 1},
        {"status": "healthy", "timestamp": "t", "version": "x", "build": {}},
        {"status": "healthy", "timestamp": "t", "version": "x", "build": {"gitVersion": 1}},
        {"status": "healthy", "timestamp": "t", "version": "x", "build": {"gitVersion": None}},
    ],
    ids=json.dumps,
)
def test_the_health_without_a_version_is_returned_as_it_is(health: Any) -> None:
    with Client("http://server", transport=Wire(health, None)) as client:
        found = health_check.sync_detailed(client=client)
    assert json.loads(found.content) == health


@by_form
async def test_an_upgrade_while_the_client_lives(form: Form) -> None:
    wire = Wire(OLD, {"runs": [FLAT]})
    async with Client("http://server", transport=wire) as client:
        await form("run.get_run", ID, client=_with(wire, client, FLAT))
        wire.health = NEW
        wire.answer = {"summary": SUMMARY, "steps": []}
        result = await form("run.get_run", ID, client=client)
        assert (result.parsed if form.is_detailed else result).status == "running"
        # A run is created once, although its answer told of the other version.
        wire.health, wire.answer = OLD, FLAT
        await form("run.get_run", ID, client=client)
        wire.health, wire.answer = NEW, {"summary": SUMMARY, "results": []}
        wire.paths.clear()
        await form("run.create_run", client=client, body=BODY)
        assert wire.paths == ["POST /runs", "GET /health"]


@by_form
async def test_a_downgrade_while_the_client_lives(form: Form) -> None:
    wire = Wire(NEW, {"summary": SUMMARY, "results": []})
    async with Client("http://server", transport=wire) as client:
        await form("run.create_run", client=client, body=BODY)
        wire.health, wire.answer = OLD, FLAT
        wire.paths.clear()
        result = await form("run.create_run", client=client, body=BODY)
    assert (result.parsed if form.is_detailed else result).status == "running"
    assert wire.paths == ["POST /runs", "GET /health"]


def _with(wire: Wire, client: Client, answer: Any) -> Client:
    wire.answer = answer
    return client


@pytest.mark.parametrize(
    "health",
    [
        {"status": "UP"},
        {"status": "UP", "version": "2026-01"},
        {"status": "UP", "build": {"gitVersion": 5}},
        {"version": "0.99.0"},
        lambda r: httpx.Response(200, text="OK"),
        OLD,
        [],
    ],
)
@by_form
async def test_a_proxy_that_answers_health_itself(health: Any, form: Form) -> None:
    wire = Wire(health, {"summary": SUMMARY, "results": []})
    async with Client("http://server", transport=wire) as client:
        with pytest.raises(InvalidAnswer, match="Pass server_version= of the server"):
            await form("run.create_run", client=client, body=BODY)
    assert wire.paths.count("POST /runs") == 1
    async with Client("http://server", transport=wire, server_version="0.13.0") as client:
        result = await form("run.create_run", client=client, body=BODY)
    assert str((result.parsed if form.is_detailed else result).run_id) == ID


@by_form
@pytest.mark.parametrize(
    ("operation", "response"),
    [
        ("run.get_run", {"summary": SUMMARY, "steps": []}),
        ("run.get_run_items", {"results": [{"itemIndex": 0}]}),
        ("run.get_run_steps", {"steps": []}),
    ],
)
async def test_a_server_version_that_is_wrong_is_named(
    operation: str, response: dict[str, Any], form: Form
) -> None:
    wire = Wire(NEW, response)
    async with Client("http://server", transport=wire, server_version="0.11.1") as client:
        with pytest.raises(InvalidAnswer, match=r"does not answer as 0\.11\.1 does") as raised:
            await form(operation, ID, client=client)
    (asked,) = wire.paths
    error = raised.value
    assert f"{error.method} {error.url}" == asked.replace(" ", " http://server/api/v1")
    assert (error.status_code, json.loads(error.content)) == (200, response)


async def test_no_stepflow_server() -> None:
    page = httpx.Response(200, text="<html>", headers={"content-type": "text/html"})
    with (
        Client("http://server", transport=Wire(page, page)) as client,
        pytest.raises(InvalidAnswer, match="is this a Stepflow server"),
    ):
        list_runs.sync(client=client)


@by_form
async def test_the_health_of_no_stepflow_server_is_requested_once(form: Form) -> None:
    wire = Wire(httpx.Response(200, text="<html>"), None)
    async with Client("http://server", transport=wire) as client:
        with pytest.raises(InvalidAnswer, match="is this a Stepflow server"):
            await form("health.health_check", client=client)
    assert wire.paths == ["GET /health"]


async def test_a_gateway_that_refuses_in_words_like_a_later_server() -> None:
    words = {"error": {"code": 401, "message": "log in", "status": "UNAUTHENTICATED"}}
    refusal = httpx.Response(401, json=words)
    with (
        Client("http://server", transport=Wire(OLD, refusal)) as client,
        pytest.raises(Unauthorized, match="log in"),
    ):
        list_runs.sync(client=client)


async def test_a_server_that_cannot_tell_yet_is_asked_again() -> None:
    wire = Wire(httpx.Response(503), {"runs": []})
    with Client("http://server", transport=wire) as client:
        list_runs.sync(client=client)
        wire.health = NEW
        wire.answer = {"runs": [SUMMARY]}
        assert list_runs.sync(client=client).runs[0].status == "running"


async def test_grpc_in_the_place_of_an_answer() -> None:
    nothing = httpx.Response(200, headers={"content-type": "application/grpc", "grpc-status": "12"})
    client = Client("http://server", transport=Wire(NEW, nothing))
    with pytest.raises(InvalidAnswer, match="it is gRPC"):
        delete_run.sync(ID, client=client)
    with pytest.raises(InvalidAnswer, match="it is gRPC"):
        list_runs.sync(client=client)
    client.close()


async def test_a_later_server_keeps_its_words() -> None:
    words = {"error": {"code": 404, "message": "run 'x' not found", "status": "NOT_FOUND"}}
    with (
        Client("http://server", transport=Wire(NEW, httpx.Response(404, json=words))) as client,
        pytest.raises(NotFound) as raised,
    ):
        get_run.sync(ID, client=client)
    assert raised.value.parsed == models.ErrorResponse(code=404, message="run 'x' not found")


def test_nothing_of_a_dialect_is_loaded_before_it_is_needed(tmp_path: Path) -> None:
    code = (
        "import json, sys; from stepflow_api import Client; Client('http://server');"
        "print(json.dumps([m for m in sys.modules if m.startswith('stepflow_api._exchange')]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {m.rpartition(".")[2] for m in json.loads(done.stdout)} & {"older", "transcoded"}

"""Every request and every response passes the client's dialect once."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from api.tests.support.exchange import Recorder
from api.tests.support.forms import FORMS, Form, endpoints
from stepflow_api import Client, models
from stepflow_api._exchange.dialects.base import Dialect
from stepflow_api._exchange.dialects.versions import dialect_of
from stepflow_api._exchange.effects import Sleep, Steps
from stepflow_api._headers import Headers
from stepflow_api._messages import Answer, Request
from stepflow_api.api.component import list_components
from stepflow_api.errors import NotFound, StatusError, StepflowError, UnsupportedByServer
from stepflow_api.spec import OPERATIONS

pytestmark = pytest.mark.anyio

by_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)

ID = "01a205b5-0a0a-7542-9354-0c70a04a73df"

SUMMARY = {
    "runId": ID,
    "flowId": "f",
    "status": "running",
    "items": {"total": 2, "completed": 0, "running": 2, "failed": 0, "cancelled": 0},
    "createdAt": "2026-11-23T00:01:20.394215421Z",
    "rootRunId": ID,
    "createdAtSeqno": 0,
}
ITEMS = {"itemCount": 1, "items": [{"itemIndex": 0, "status": "running"}]}
DIAGNOSTICS = {"diagnostics": [], "numFatal": 0, "numError": 0, "numWarning": 0}
BATCH = models.CreateBatchRequest(flow_id="f", inputs=[1, 2])
RUN = models.CreateRunRequest(flow_id="f", input=1)
FLOW = models.StoreFlowRequest(flow=models.Flow(name="a"))

#: For each endpoint: its operation, the call's arguments, and an answer.
CALLS: Mapping[str, tuple[str, Mapping[str, Any], Any]] = {
    "health.health_check": (
        "healthCheck",
        {"error": "e"},
        {"status": "s", "timestamp": "t", "version": "v"},
    ),
    "component.list_components": ("listComponents", {}, {"components": []}),
    "blob.store_blob": ("storeBlob", {"body": models.StoreBlobRequest(data=1)}, {"blobId": "b"}),
    "blob.store_blob_bytes": ("storeBlob", {"content": b"1", "filename": "f"}, {"blobId": "b"}),
    "blob.get_blob": (
        "getBlob",
        {"blob_id": "b"},
        {"data": 1, "blobType": "data", "blobId": "b"},
    ),
    "blob.get_blob_bytes": ("getBlob", {"blob_id": "b"}, "bytes"),
    "flow.store_flow": (
        "storeFlow",
        {"body": FLOW},
        {"flowId": "f", "stored": True, "diagnostics": DIAGNOSTICS},
    ),
    "flow.get_flow": ("getFlow", {"flow_id": "f"}, {"flow": {}, "flowId": "f"}),
    "flow.get_flow_variables": (
        "getFlowVariables",
        {"flow_id": "f"},
        {"flowId": "f", "envVars": {}},
    ),
    "flow.delete_flow": ("deleteFlow", {"flow_id": "f"}, {}),
    "run.create_run": ("createRun", {"body": RUN}, SUMMARY),
    "run.get_run": ("getRun", {"run_id": ID, "wait": True}, SUMMARY),
    "run.get_run_items": ("getRunItems", {"run_id": ID}, ITEMS),
    "run.get_run_flow": ("getRunFlow", {"run_id": ID}, {"flow": {}, "flowId": "f"}),
    "run.get_run_steps": ("getRunSteps", {"run_id": ID}, {"steps": {}}),
    "run.get_run_events": ("getRunEvents", {"run_id": ID}, "data: {}"),
    "run.list_runs": ("listRuns", {"limit": 1}, {"runs": [SUMMARY]}),
    "run.cancel_run": ("cancelRun", {"run_id": ID}, SUMMARY),
    "run.delete_run": ("deleteRun", {"run_id": ID}, {}),
    "batch.create_batch": ("createRun", {"body": BATCH}, SUMMARY),
    "batch.get_batch": ("getRun", {"batch_id": ID}, SUMMARY),
    "batch.get_batch_outputs": ("getRunItems", {"batch_id": ID}, ITEMS),
    "batch.list_batch_runs": ("getRunItems", {"batch_id": ID}, ITEMS),
    "batch.list_batches": ("listRuns", {}, {"runs": [SUMMARY]}),
    "batch.cancel_batch": ("cancelRun", {"batch_id": ID}, SUMMARY),
}

by_endpoint = pytest.mark.parametrize("endpoint", CALLS)


class Wire(httpx.MockTransport):
    """Answers every request alike, and keeps it.

    Attributes:
        requests: The requests received.
    """

    def __init__(self, document: Any, status: int = 200) -> None:
        self.requests: list[httpx.Request] = []
        content = json.dumps(document).encode()

        def handle(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return httpx.Response(status, content=content, headers={"x-answer": "1"})

        super().__init__(handle)


async def test_every_endpoint_has_a_call() -> None:
    assert set(CALLS) == set(endpoints())
    assert {operation for operation, _, _ in CALLS.values()} == set(OPERATIONS)


@by_form
@pytest.mark.parametrize("endpoint", [one for one in CALLS if one != "run.get_run_events"])
async def test_every_request_and_answer_passes_once(endpoint: str, form: Form) -> None:
    operation, arguments, document = CALLS[endpoint]
    wire = Wire(document)
    async with Client("http://server", transport=wire) as client:
        recorder = Recorder(client)
        await form(endpoint, client=client, **arguments)
    assert [one for one, _ in recorder.requests] == [operation]
    assert [one for one, _ in recorder.answers] == [operation]
    facts = OPERATIONS[operation]
    request, answer = recorder.last_request, recorder.last_answer
    assert request.method == facts.method
    # The dialect's request is sent, and the dialect gets the response.
    (sent,) = wire.requests
    assert sent.method == request.method
    assert sent.url.raw_path.decode().partition("?")[0] == f"/api/v1{request.path}"
    assert sent.url.params.multi_items() == [*request.query]
    assert sent.content == (request.content or b"")
    assert request.headers.items() <= dict(sent.headers).items()
    assert answer.url == str(sent.url)
    assert (answer.status_code, answer.headers.get("x-answer")) == (200, "1")
    assert answer.content == json.dumps(document).encode()


def _later(operation_id: str, version: str, request: Request) -> Steps[Answer]:
    """Translates for servers that call everything otherwise."""
    sent = json.dumps({"for": operation_id}).encode()
    answer: Answer = yield Request("PUT", "/later", (("v", version),), {"x-later": "1"}, sent)
    _, _, document = next(call for call in CALLS.values() if call[0] == operation_id)
    assert json.loads(answer.content) == {"later": True}
    return answer._replace(status_code=200, pieces=[json.dumps(document).encode()])


def _dialect(translation: Callable[[str, str, Request], Steps[Answer]]) -> Dialect:
    return Dialect("2", {name: functools.partial(translation, name) for name in OPERATIONS})


@by_form
@pytest.mark.parametrize(
    "endpoint", [e for e in CALLS if not e.endswith("_bytes")], ids=lambda e: str(e)
)
async def test_a_dialect_translates_both_ways(endpoint: str, form: Form) -> None:
    operation, arguments, document = CALLS[endpoint]
    wire = Wire({"later": True}, status=418)
    async with Client("http://server", transport=wire) as client:
        client._exchange.dialect = _dialect(_later)
        result = await form(endpoint, client=client, **arguments)
    (sent,) = wire.requests
    assert (sent.method, str(sent.url)) == ("PUT", "http://server/api/v1/later?v=2")
    assert sent.headers["x-later"] == "1"
    assert json.loads(sent.content) == {"for": operation}
    value = result.parsed if form.is_detailed else result
    assert (value is None) == endpoint.startswith(("run.delete", "flow.delete"))
    if form.is_detailed:
        assert (result.status_code, json.loads(result.content)) == (200, document)


@by_form
async def test_an_error_passes_the_dialect_as_well(form: Form) -> None:
    def worded(operation_id: str, version: str, request: Request) -> Steps[Answer]:
        answer: Answer = yield request
        content = json.dumps({"code": 404, "message": "no such run"}).encode()
        return answer._replace(status_code=404, pieces=[content])

    async with Client("http://server", transport=Wire({"error": 5}, status=400)) as client:
        client._exchange.dialect = _dialect(worded)
        if form.is_detailed:
            response = await form("run.get_run", ID, client=client)
            assert response.parsed == models.ErrorResponse(code=404, message="no such run")
            return
        with pytest.raises(NotFound) as raised:
            await form("run.get_run", ID, client=client)
    assert isinstance(raised.value, StatusError)
    assert raised.value.message == "404 Not Found: no such run"


@by_form
async def test_a_dialect_can_refuse(form: Form) -> None:
    def without(operation_id: str, version: str, request: Request) -> Steps[Answer]:
        raise UnsupportedByServer(operation_id, server_version=version, since="3")
        yield

    wire = Wire({})
    async with Client("http://server", transport=wire, server_version="0.11.1") as client:
        client._exchange.dialect = _dialect(without)
        with pytest.raises(UnsupportedByServer, match="getRun needs a server of version 3"):
            await form("run.get_run", ID, client=client)
    assert wire.requests == []


@by_form
async def test_a_dialect_can_ask_more_than_once(form: Form) -> None:
    def twice(operation_id: str, version: str, request: Request) -> Steps[Answer]:
        yield request
        yield Sleep(0.001)
        answer: Answer = yield dataclasses.replace(request, path="/again")
        return answer

    wire = Wire(SUMMARY)
    async with Client("http://server", transport=wire) as client:
        client._exchange.dialect = _dialect(twice)
        await form("run.get_run", ID, client=client)
    assert [one.url.path for one in wire.requests] == [f"/api/v1/runs/{ID}", "/api/v1/again"]


async def test_the_dialect_of_the_spec_changes_nothing() -> None:
    native = dialect_of("0.11.1")
    assert set(native.translations) == {"healthCheck", "getRunEvents"}
    request = Request("GET", "/runs", (("limit", "1"),), {"x": "y"}, b"z")
    answer = Answer("http://server/", 200, Headers([]), [])
    exchange = native.exchange("listRuns", request)
    assert next(exchange) is request
    with pytest.raises(StopIteration) as stop:
        exchange.send(answer)
    assert stop.value.value is answer


@pytest.mark.parametrize(("query", "seconds"), [((), 300), ((("timeoutSecs", "1.1"),), 1.1)])
def test_a_run_of_0_9_is_waited_for_as_long_as_later_servers_would(
    query: Any, seconds: float
) -> None:
    request = Request("GET", f"/runs/{ID}", (("wait", "true"), *query))
    run = {name: value for name, value in SUMMARY.items() if name != "createdAtSeqno"}
    answer = Answer("http://server/", 200, Headers([]), [json.dumps(run).encode()])
    exchange = dialect_of("0.9.0").exchange("getRun", request)
    effect, slept = next(exchange), 0.0
    with pytest.raises(StopIteration) as stop:
        for _ in range(10_000):
            slept += effect.seconds if isinstance(effect, Sleep) else 0
            effect = exchange.send(None if isinstance(effect, Sleep) else answer)
    assert slept == pytest.approx(seconds)
    assert json.loads(stop.value.value.content)["status"] == "running"


def test_a_run_of_0_9_is_requested_once_if_there_is_no_time_to_wait() -> None:
    request = Request("GET", f"/runs/{ID}", (("wait", "true"), ("timeoutSecs", "0")))
    run = {name: value for name, value in SUMMARY.items() if name != "createdAtSeqno"}
    answer = Answer("http://server/", 200, Headers([]), [json.dumps(run).encode()])
    exchange = dialect_of("0.9.0").exchange("getRun", request)
    next(exchange)
    with pytest.raises(StopIteration):
        exchange.send(answer)


async def test_what_passes_cannot_be_changed_in_place() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Request("GET", "/").path = "/x"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        Answer("", 200, Headers([]), []).status_code = 1  # type: ignore[misc]


WORKERS = [
    # How 0.13 lists a builtin component, a worker's, and one with its own path.
    ({"componentId": "/eval", "path": "/eval", "plugin": "builtin"}, ("/eval", "builtin")),
    ({"componentId": "echo", "path": "echo", "plugin": "python"}, ("/python/echo", "python")),
    ({"componentId": "echo", "path": "/py/echo", "plugin": "python"}, ("/py/echo", "python")),
    # 0.12 reports no plugin.
    ({"component": "/eval"}, ("/eval", None)),
    ({"component": "echo"}, ("echo", None)),
]


@pytest.mark.parametrize(("listed", "expected"), WORKERS)
def test_a_component_has_the_name_that_flows_use(
    listed: dict[str, Any], expected: tuple[str, str | None]
) -> None:
    answer = {"components": [listed], "complete": True, "failedPlugins": []}
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=answer))
    version = "0.13.0" if "plugin" in listed else "0.12.0"
    with Client("http://other.invalid", server_version=version, transport=transport) as client:
        (found,) = list_components.sync(client=client).components
    assert (found.component, found.plugin) == expected


@pytest.mark.parametrize("version", ["0.9.0", "0.10.0", "0.11.1", "0.12.0", "0.13.0"])
@pytest.mark.parametrize(
    "said",
    [
        {},
        {"variables": {}},
        {"flowId": "f", "variables": {"a": {}}},
        {"variables": [1], "flowId": "f"},
        {"summary": {}, "results": [], "steps": []},
        {"status": "completed", "runId": ID, "items": 1},
    ],
)
def test_what_an_answer_lacks_is_no_error_of_python(version: str, said: Any) -> None:
    for endpoint in CALLS:
        tag, name = endpoint.split(".")
        module = importlib.import_module(f"stepflow_api.api.{tag}.{name}")
        transport = httpx.MockTransport(lambda request: httpx.Response(200, json=said))
        with (
            Client("http://other.invalid", server_version=version, transport=transport) as client,
            contextlib.suppress(StepflowError),
        ):
            module.sync(client=client, **CALLS[endpoint][1])

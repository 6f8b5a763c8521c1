"""The transport that answers in place of a server."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import json
import math
from collections.abc import AsyncIterator, Generator
from typing import Any
from uuid import UUID

import httpx
import httpx2
import pytest

from api.tests.support.forms import ASYNCIO, PLAIN, SYNC, Form
from stepflow_api import AuthenticatedClient, Client, errors, models
from stepflow_api.api.batch import create_batch
from stepflow_api.api.run import delete_run, get_run, list_runs
from stepflow_api.lowlevel import Open, Operation, Read, Steps
from stepflow_api.testing import MockRequest, MockServer, finished_run
from tools.pytest.httpx_libraries import by_library

RUN_ID = "01a205b5-0a0a-7542-9354-0c70a04a73df"
RUN = {
    "runId": RUN_ID,
    "rootRunId": RUN_ID,
    "flowId": "f",
    "status": "running",
    "createdAt": "2026-01-01T00:00:00Z",
    "createdAtSeqno": 0,
}

pytestmark = pytest.mark.anyio

by_form = pytest.mark.parametrize("form", PLAIN, ids=lambda form: form.name)


async def call(server: MockServer, form: Form = SYNC, endpoint: str = "run.get_run") -> Any:
    arguments = {} if endpoint == "run.list_runs" else {"run_id": RUN_ID}
    async with Client("http://server", transport=server) as client:
        return await form(endpoint, client=client, **arguments)


@by_form
@pytest.mark.parametrize("route", ["GET /runs/{run_id}", "GET /api/v1/runs/{run_id}", get_run])
@pytest.mark.parametrize("answer", [RUN, models.RunDetails.from_dict(RUN)], ids=["dict", "model"])
async def test_a_route_answers(route: Any, answer: Any, form: Form) -> None:
    details = await call(MockServer({route: answer}), form)
    assert details == models.RunDetails.from_dict(RUN)


async def test_values_of_a_document_are_written_as_in_requests() -> None:
    time = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    document = {**RUN, "runId": UUID(RUN_ID), "createdAt": time, "items": models.ItemStatistics(
        total=1, completed=0, running=1, failed=0, cancelled=0
    )}  # fmt: skip
    details = await call(MockServer({get_run: document}))
    assert (details.run_id, details.created_at, details.items.total) == (UUID(RUN_ID), time, 1)


@by_form
async def test_a_request_is_recorded(form: Form) -> None:
    server = MockServer({"POST /runs": finished_run(1)["POST /runs"], list_runs: {"runs": []}})
    async with AuthenticatedClient("http://server", "sesame", transport=server) as client:
        body = models.CreateRunRequest(flow_id="f", input=[1])
        await form("run.create_run", client=client, body=body)
        await form("run.list_runs", client=client, flow_name="a b", limit=2)
    created, listed = server.requests
    assert (created.method, created.path) == ("POST", "/runs")
    assert created.json() == {"flowId": "f", "input": [1]}
    assert created.headers["authorization"] == "Bearer sesame"
    assert "sesame" not in repr(created)
    assert listed.query == {"flowName": "a b", "limit": "2"}


async def test_path_parameters_are_decoded() -> None:
    server = MockServer({"GET /flows/{flow_id}/variables": {"flowId": "f", "envVars": {}}})
    async with Client("http://server", transport=server) as client:
        await ASYNCIO("flow.get_flow_variables", "a/b ä", client=client)
    assert server.requests[0].path_parameters == {"flow_id": "a/b ä"}
    assert server.requests[0].path == "/flows/a%2Fb%20%C3%A4/variables"


async def test_a_path_precedes_a_template() -> None:
    server = MockServer({get_run: 404, f"GET /runs/{RUN_ID}": RUN})
    assert (await call(server)).flow_id == "f"
    server.add(f"GET /runs/{RUN_ID}", {**RUN, "flowId": "g"})
    assert (await call(server)).flow_id == "g"


@by_form
async def test_a_request_without_a_route_fails_the_test(form: Form) -> None:
    server = MockServer({"POST /runs/{run_id}": RUN, "GET /runs/{run_id}/items": RUN})
    with pytest.raises(AssertionError) as caught:
        await call(server, form)
    assert str(caught.value) == (
        f"MockServer has no route for GET /runs/{RUN_ID}; its routes: GET /runs/{{run_id}}/items,"
        " POST /runs/{run_id}"
    )
    with pytest.raises(AssertionError, match="its routes: none"):
        await call(MockServer(), form)


@pytest.mark.parametrize("path", ["/runs/", "/runs", "/runs/1/items", "/run/1", "/runs/1/"])
def test_a_template_has_a_value_for_each_parameter(path: str) -> None:
    with (
        httpx.Client(transport=MockServer({get_run: RUN})) as http,
        pytest.raises(AssertionError, match=f"has no route for GET {path};"),
    ):
        http.get(f"http://server/api/v1{path}")


@by_form
async def test_a_status_is_that_of_the_server(form: Form) -> None:
    with pytest.raises(errors.NotFound) as caught:
        await call(MockServer({get_run: 404}), form)
    assert caught.value.parsed == models.ErrorResponse(code=404, message="Not Found")
    assert await call(MockServer({"DELETE /runs/{run_id}": 200}), form, "run.delete_run") is None
    with pytest.raises(errors.UnexpectedStatus):
        await call(MockServer({get_run: httpx.Response(600)}), form)


@by_form
async def test_a_response_of_httpx_serves_many_requests(form: Form) -> None:
    response = httpx.Response(503, json={"message": "later"}, headers={"retry-after": "1"})
    server = MockServer({get_run: response})
    for _ in range(2):
        with pytest.raises(errors.ServerError, match="later") as caught:
            await call(server, form)
        assert caught.value.headers["retry-after"] == "1"


@by_form
async def test_a_response_of_httpx_may_be_compressed(form: Form) -> None:
    body = gzip.compress(json.dumps(RUN).encode())
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    server = MockServer({get_run: httpx.Response(200, headers=headers, content=body)})
    for _ in range(2):
        assert (await call(server, form)).flow_id == "f"


def test_a_response_has_the_fields_of_its_own_body() -> None:
    body = gzip.compress(b"x" * 100)
    headers = {"content-encoding": "gzip", "transfer-encoding": "chunked", "x-one": "1"}
    server = MockServer(
        {
            "GET /chunked": httpx.Response(200, headers=headers, content=body),
            "GET /compressed": httpx.Response(
                200, headers={"content-encoding": "gzip"}, content=body
            ),
            "GET /found": 302,
        }
    )
    with httpx.Client(transport=server) as http:
        for path in ("chunked", "compressed"):
            response = http.get(f"http://server/api/v1/{path}")
            assert response.content == b"x" * 100
            assert response.headers["content-length"] == "100"
            assert not {"content-encoding", "transfer-encoding"} & {*response.headers}
        assert http.get("http://server/api/v1/chunked").headers["x-one"] == "1"
        found = http.get("http://server/api/v1/found")
    assert (found.status_code, found.content) == (302, b"")


@by_form
async def test_a_server_at_a_path(form: Form) -> None:
    server = MockServer({get_run: RUN})
    async with Client("http://server/sub/path", transport=server) as client:
        assert (await form("run.get_run", RUN_ID, client=client)).flow_id == "f"
    assert [request.path for request in server.requests] == [f"/runs/{RUN_ID}"]


@by_form
async def test_a_response_of_httpx2(form: Form) -> None:
    server = MockServer({get_run: httpx2.Response(200, json=RUN)})
    for _ in range(2):
        assert (await call(server, form)).flow_id == "f"


@by_form
async def test_bytes_are_a_binary_body(form: Form) -> None:
    server = MockServer({"GET /blobs/{blob_id}": b"\0\xff"})
    async with Client("http://server", transport=server) as client:
        assert await form("blob.get_blob_bytes", "b", client=client) == b"\0\xff"


@by_form
async def test_an_exception_is_raised(form: Form) -> None:
    with pytest.raises(errors.ConnectionLost, match=f"GET http://server.*{RUN_ID}: simulated"):
        await call(MockServer({get_run: errors.ConnectionLost}), form)
    with pytest.raises(errors.RequestTimeout, match=f"^DELETE http://server.*{RUN_ID}: simulated"):
        await call(MockServer({delete_run: errors.RequestTimeout}), form, "run.delete_run")
    with pytest.raises(errors.ConnectionFailed, match="is the server running there"):
        await call(MockServer({get_run: httpx.ConnectError("refused")}), form)
    with pytest.raises(ZeroDivisionError):
        await call(MockServer({get_run: ZeroDivisionError()}), form)


@by_form
async def test_a_function_answers_by_the_request(form: Form) -> None:
    answers = iter([503, RUN])
    server = MockServer({get_run: lambda request: next(answers)})
    with pytest.raises(errors.ServerError):
        await call(server, form)
    assert (await call(server, form)).flow_id == "f"
    server.add(get_run, lambda request: {**RUN, "flowId": request.path_parameters["run_id"]})
    assert (await call(server, form)).flow_id == RUN_ID
    server.add(get_run, lambda request: lambda again: {**RUN, "flowId": again.method})
    assert (await call(server, form)).flow_id == "GET"


@by_form
async def test_a_function_without_another_answer_fails_the_test(form: Form) -> None:
    answers = iter([RUN])
    server = MockServer({get_run: lambda request: next(answers)})
    assert (await call(server, form)).flow_id == "f"
    with pytest.raises(RuntimeError, match="raised StopIteration") as raised:
        await call(server, form)
    assert isinstance(raised.value.__cause__, StopIteration)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("text", "of type str"),
        (None, "of type NoneType"),
        (1.5, "of type float"),
        (True, "of type bool"),
        (httpx.URL("http://server"), "of type httpx.URL"),
        (errors.NotFound, "the class stepflow_api.errors.NotFound"),
        (models.RunDetails, r"the class .*\.RunDetails"),
    ],
    ids=str,
)
async def test_an_answer_that_is_none(answer: Any, kind: str) -> None:
    with pytest.raises(TypeError, match=f"an answer of MockServer is {kind}; use a model, a dict"):
        await call(MockServer({get_run: answer}))


class Promise:
    """An awaitable object that is not a coroutine."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __await__(self) -> Generator[None, None, Any]:
        yield from asyncio.sleep(0).__await__()
        return self._value


@by_form
@pytest.mark.parametrize("is_coroutine", [True, False])
async def test_a_coroutine_function_answers_async_forms(form: Form, is_coroutine: bool) -> None:
    def last(request: MockRequest) -> Any:
        return {**RUN, "flowId": request.path_parameters["run_id"]}

    async def function(request: MockRequest) -> Any:
        return last

    answer = function if is_coroutine else lambda request: Promise(last)
    server = MockServer({get_run: answer})
    if form.is_async:
        assert (await call(server, form)).flow_id == RUN_ID
        return
    with pytest.raises(TypeError) as raised:
        await call(server, form)
    assert str(raised.value) == (
        f"MockServer cannot await its answer to GET /runs/{RUN_ID} in a sync call; use a function"
        " that is not async, or asyncio(...) forms"
    )


@pytest.mark.parametrize("value", [math.nan, math.inf, object(), b"\xff"], ids=str)
async def test_an_answer_that_json_cannot_hold(value: Any) -> None:
    refusal = r"^the answer of a MockServer cannot be written as JSON \(.*\); pass values that"
    for answer in ({**RUN, "flowId": value}, [value]):
        with pytest.raises(ValueError, match=refusal):
            await call(MockServer({get_run: answer}))
    with pytest.raises(ValueError, match=refusal):
        finished_run(value)


@pytest.mark.parametrize(
    "route",
    ["/runs", "GET runs", "get /runs", "GET /runs?limit=1", "GET /runs#1", 1, create_batch, None],
)
def test_a_route_that_is_none(route: Any) -> None:
    with pytest.raises(
        ValueError, match=r"the route is .*; pass 'METHOD /path' without a query, such"
    ):
        MockServer({route: RUN})


async def test_it_has_a_version() -> None:
    server = MockServer({list_runs: {"runs": [RUN]}})
    assert len((await call(server, endpoint="run.list_runs")).runs) == 1
    # Servers of 0.13 have a number in the place of a status.
    server = MockServer({list_runs: {"runs": [{**RUN, "status": 1}]}}, version="0.13.0")
    found = await call(server, endpoint="run.list_runs")
    assert found.runs[0].status is models.ExecutionStatus.RUNNING
    # Its health is no request of the test's.
    assert [request.path for request in server.requests] == ["/runs"]


async def test_its_health_can_be_another() -> None:
    server = MockServer({"GET /health": 503, get_run: RUN})
    assert (await call(server)).flow_id == "f"
    assert [request.path for request in server.requests] == ["/health", f"/runs/{RUN_ID}"]


def test_a_stream_of_events() -> None:
    documents = [
        {"sequenceNumber": 0, "timestamp": "t", "kind": "RunCreated", "itemCount": 1},
        {"sequenceNumber": 1, "timestamp": "t", "kind": "RunCompleted", "status": "completed"},
    ]
    events: Operation[Any, Any] = Operation("getRunEvents", "GET", "/runs/{run_id}/events", {})

    def steps() -> Steps[list[Any]]:
        request = events.request(path={"run_id": RUN_ID})
        stream = yield Open(events, request, timeout=5)
        return [*(yield Read(stream, 5)), (yield Read(stream, 5))]

    server = MockServer({"GET /runs/{run_id}/events": documents})
    assert Client("http://server", transport=server).run(steps()) == [*documents, None]


def events_of(*answers: Any) -> Any:
    events: Operation[Any, Any] = Operation("getRunEvents", "GET", "/runs/{run_id}/events", {})

    def steps() -> Steps[Any]:
        stream = yield Open(events, events.request(path={"run_id": RUN_ID}), timeout=5)
        return (yield Read(stream, 5))

    server = MockServer({"GET /runs/{run_id}/events": answers})
    return Client("http://server", transport=server).run(steps())


def test_an_event_with_the_attributes_of_its_class() -> None:
    common: dict[str, Any] = {"sequence_number": 0, "timestamp": "t"}
    found = {"sequenceNumber": 0, "timestamp": "t"}
    assert events_of(
        {**common, "kind": "RunCreated", "item_count": 1},
        {**common, "kind": "Strange", "data": {"some_field": 1}},
        {**common, "kind": "Stranger", "data": 1, "more": 2},
    ) == [
        {**found, "kind": "RunCreated", "itemCount": 1},
        {**found, "kind": "Strange", "some_field": 1},
        {**found, "kind": "Stranger", "data": 1, "more": 2},
    ]


@pytest.mark.parametrize("event", [{"sequence_number": 0}, 1, "RunCreated"], ids=str)
def test_what_is_no_event(event: Any) -> None:
    with pytest.raises(TypeError, match=r"an event without '\w+'; use models, or dicts with the"):
        events_of(event)


async def test_runs_that_have_finished() -> None:
    failure = models.FlowResultFailed(error=models.FlowError(code=1, message="no"))
    server = MockServer(finished_run({"n": 1}, failure))
    details = await call(server)
    assert details.status == "failed"
    assert details.items.to_dict() == {
        "total": 2,
        "completed": 1,
        "running": 0,
        "failed": 1,
        "cancelled": 0,
    }
    counts = (await call(MockServer(finished_run(failure, failure)))).items
    assert (counts.completed, counts.failed) == (0, 2)
    assert details.completed_at is not None
    listed = await call(server, endpoint="run.list_runs")
    assert [run.run_id for run in listed.runs] == [details.run_id]
    listed = await call(server, endpoint="run.get_run_items")
    assert listed.item_count == 2
    items = listed.items
    assert [item.result for item in items] == [models.FlowResultSuccess(result={"n": 1}), failure]
    model = models.ErrorResponse(code=1, message="m")
    found = await call(MockServer(finished_run(model)), endpoint="run.get_run_items")
    assert found.items[0].result == models.FlowResultSuccess(result={"code": 1, "message": "m"})
    created = finished_run(None)["POST /runs"]
    assert models.CreateRunResponse.from_dict(json.loads(json.dumps(created))).result is not None


@pytest.mark.parametrize("version", ["0.10.0", "0.12.0", "0.13.0"])
def test_a_finished_run_is_of_one_version(version: str) -> None:
    with pytest.raises(ValueError) as raised:
        MockServer({**finished_run(1)}, version=version)
    assert str(raised.value) == (
        f"finished_run has the documents of server 0.11.1, not of {version}; leave out version=, or"
        " write those documents"
    )
    for same in ("0.11", "0.11.0", "0.11.2-rc.1"):
        MockServer(finished_run(1), version=same)


@by_form
@by_library
async def test_it_serves_an_http_client(library: Any, form: Form) -> None:
    server = MockServer({get_run: RUN, "GET /blobs/{blob_id}": httpx.Response(200, content=b"b")})
    http = (library.AsyncClient if form.is_async else library.Client)(transport=server)
    client = Client("http://server", http_client=http)
    assert (await form("run.get_run", RUN_ID, client=client)).flow_id == "f"
    assert await form("blob.get_blob_bytes", "b", client=client) == b"b"
    await http.aclose() if form.is_async else http.close()


@pytest.mark.parametrize(
    ("answer", "kind", "content"),
    [
        (b"\0", "application/octet-stream", b"\0"),
        ({"a": 1}, "application/json", b'{"a":1}'),
        ([1, {}], "application/json", b"[1,{}]"),
        ((1, None), "application/json", b"[1,null]"),
        (
            models.ErrorResponse(code=1, message="m"),
            "application/json",
            b'{"code":1,"message":"m"}',
        ),
        (404, "application/json", b'{"code":404,"message":"Not Found"}'),
        (204, None, b""),
        (301, None, b""),
    ],
    ids=str,
)
def test_an_answer_has_the_media_type_of_its_kind(
    answer: Any, kind: str | None, content: bytes
) -> None:
    with httpx.Client(transport=MockServer({"GET /x": answer})) as http:
        found = http.get("http://server/x")
    assert (found.headers.get("content-type"), found.content) == (kind, content)


@by_library
def test_a_field_of_a_response_may_come_twice(library: Any) -> None:
    fields = [("set-cookie", "a=1"), ("set-cookie", "b=2")]
    server = MockServer({"GET /x": httpx.Response(200, headers=fields)})
    with library.Client(transport=server) as http:
        found = http.get("http://server/x").headers
    assert found.get_list("set-cookie") == ["a=1", "b=2"]


@by_library
async def test_a_body_that_is_streamed_is_recorded(library: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    server = MockServer({"POST /blobs": 200})
    with library.Client(transport=server) as http:
        http.post("http://server/api/v1/blobs", content=iter([b"a", b"b"]))
    async with library.AsyncClient(transport=server) as http:
        await http.post("http://server/api/v1/blobs", content=pieces())
    assert [request.content for request in server.requests] == [b"ab", b"ab"]


@by_form
async def test_a_transport_that_returns_a_response_of_another_library(form: Form) -> None:
    class Mixed(httpx.BaseTransport, httpx.AsyncBaseTransport):
        def handle_request(self, request: Any) -> Any:
            return httpx2.Response(200, json=RUN)

        async def handle_async_request(self, request: Any) -> Any:
            return self.handle_request(request)

    with pytest.raises(errors.InvalidRequest) as raised:
        await form("run.get_run", RUN_ID, client=Client("http://server", transport=Mixed()))
    assert str(raised.value) == (
        "the transport is one of httpx, and its response is of type httpx2.Response; return an"
        " httpx.Response"
    )

"""A server is replaced by one of another version during calls."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from api.tests.support.forms import PLAIN, Form
from api.tests.support.versions import BODY, FLAT, ID, NEW, OLD, SUMMARY, Wire, compact
from stepflow_api import Client, models
from stepflow_api.api.flow import get_flow_variables
from stepflow_api.api.run import create_run, get_run, get_run_events, list_runs
from stepflow_api.errors import (
    BadRequest,
    Conflict,
    InvalidAnswer,
    ServerError,
    StepflowError,
    UnsupportedByServer,
)
from stepflow_api.lowlevel import Json, Operation

pytestmark = pytest.mark.anyio

by_form = pytest.mark.parametrize("form", PLAIN, ids=lambda form: form.name)

OVERRIDES: Any = {"a": {"input": 2}}

GET_RUN, CANCEL, HEALTH = f"GET /runs/{ID}", f"POST /runs/{ID}/cancel", "GET /health"


@by_form
async def test_a_run_is_cancelled_although_its_status_came_from_another_version(
    form: Form,
) -> None:
    """On 0.13 the run is requested first; that request must not replace the cancellation."""
    wire = Wire(NEW, {"summary": SUMMARY})
    async with Client("http://server", transport=wire) as client:
        await form("run.get_run", ID, client=client)
        wire.health, wire.answer = OLD, {**FLAT, "status": "cancelled"}
        wire.paths.clear()
        assert (await form("run.cancel_run", ID, client=client)).status == "cancelled"
    assert wire.paths == [GET_RUN, HEALTH, CANCEL]


@by_form
async def test_a_run_is_cancelled_on_a_server_that_became_a_later_one(form: Form) -> None:
    wire = Wire(OLD, FLAT)
    async with Client("http://server", transport=wire) as client:
        await form("run.get_run", ID, client=client)
        wire.health, wire.answer = NEW, {"summary": SUMMARY}
        wire.paths.clear()
        # The response reveals the version; whether the server has acted is unknown.
        with pytest.raises(InvalidAnswer, match="may have acted on the request"):
            await form("run.cancel_run", ID, client=client)
        assert wire.paths == [CANCEL, HEALTH]
        # Refused before anything was sent, as the later version has ended the run.
        wire.answer = {"summary": {**SUMMARY, "status": 2}}
        wire.paths.clear()
        with pytest.raises(Conflict, match="cannot be cancelled"):
            await form("run.cancel_run", ID, client=client)
        assert wire.paths == [GET_RUN]


@by_form
@pytest.mark.parametrize(
    ("status", "text", "acted"),
    [
        (422, "overrides: missing field `steps` at line 1", False),
        (400, '{"error":{"code":400,"message":"no"}}', False),
        (500, '{"error":{"code":500,"message":"no"}}', True),
    ],
)
async def test_a_refused_request_is_not_said_to_have_been_acted_on(
    status: int, text: str, acted: bool, form: Form
) -> None:
    """Servers after 0.9 refuse the overrides that 0.9 takes, and have then done nothing."""
    reports = iter([{**OLD, "version": "0.9.0"}, NEW])
    kind = "application/json" if text.startswith("{") else "text/plain"
    wire = Wire(lambda _: next(reports), _text(status, text, kind))
    body = models.CreateRunRequest.from_dict(
        {"flowId": "f", "input": 1, "overrides": {"steps": OVERRIDES}}
    )
    async with Client("http://server", transport=wire) as client:
        with pytest.raises(InvalidAnswer, match=r"does not answer as 0\.9\.0 does") as raised:
            await form("run.create_run", body=body, client=client)
    assert ("may have acted on the request" in str(raised.value)) is acted
    assert raised.value.status_code == status


@by_form
@pytest.mark.parametrize(
    ("number", "status", "has_ended"),
    [
        (1, "running", False),
        (2, "completed", True),
        (3, "failed", True),
        (4, "cancelled", True),
        (5, "paused", False),
        (6, "recoveryFailed", True),
    ],
)
async def test_later_servers_are_asked_to_cancel_only_what_goes_on(
    number: int, status: str, has_ended: bool, form: Form
) -> None:
    wire = Wire(NEW, {"summary": {**SUMMARY, "status": number}})
    async with Client("http://server", transport=wire) as client:
        assert (await form("run.get_run", ID, client=client)).status == status
        wire.paths.clear()
        if has_ended:
            # They would overwrite what became of it.
            with pytest.raises(Conflict, match="cannot be cancelled"):
                await form("run.cancel_run", ID, client=client)
            assert wire.paths == [GET_RUN]
        else:
            assert (await form("run.cancel_run", ID, client=client)).status == status
            assert wire.paths == [GET_RUN, CANCEL]


@by_form
async def test_the_answer_to_a_translated_post_is_not_translated_again(form: Form) -> None:
    older = {**OLD, "version": "0.10.0"}
    wire = Wire(older, FLAT)
    async with Client("http://server", transport=wire) as client:
        # It passes as one of 0.10, whose runs have no number, and holds what 0.13 sends as well.
        unreadable = {"runId": "no id", "summary": SUMMARY, "results": []}

        def replaced(request: httpx.Request) -> httpx.Response:
            wire.health = NEW
            return compact(unreadable)

        wire.answer = replaced
        with pytest.raises(InvalidAnswer, match="is not what createRun answers: runId"):
            await form("run.create_run", client=client, body=BODY)
    assert wire.paths == [HEALTH, "POST /runs", HEALTH]


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that arrives byte by byte."""

    def __init__(self, body: bytes) -> None:
        self._bytes = [body[at : at + 1] for at in range(len(body))]

    def __iter__(self) -> Iterator[bytes]:
        yield from self._bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for one in self._bytes:
            yield one


@by_form
@pytest.mark.parametrize("in_pieces", [False, True])
async def test_a_run_created_by_a_later_server_is_returned(form: Form, in_pieces: bool) -> None:
    """Both versions are sent the request without its null field, so it is not sent again."""
    wire = Wire({**OLD, "version": "0.11.0"}, FLAT)
    answer = compact({"summary": SUMMARY})
    if in_pieces:
        answer = httpx.Response(
            200, stream=Pieces(answer.content), headers={"content-type": "application/json"}
        )
    body = models.CreateRunRequest(flow_id="f", input=1, overrides=None)
    async with Client("http://server", transport=wire) as client:
        await form("run.get_run", ID, client=client)
        wire.health, wire.answer = NEW, answer
        wire.paths.clear()
        assert str((await form("run.create_run", client=client, body=body)).run_id) == ID
    assert wire.paths == ["POST /runs", HEALTH]


OLDER = {k: v for k, v in FLAT.items() if k != "createdAtSeqno"}

#: Responses of other servers than 0.9 to the requests for a run and its items.
MISREAD: list[list[Any]] = [
    [FLAT],
    [{"summary": SUMMARY}],
    [[]],
    [OLDER, {"results": []}],
    [OLDER, []],
]


@by_form
@pytest.mark.parametrize(
    ("overrides", "answers"),
    [
        (OVERRIDES, [{"runId": ID, "status": "failed"}]),
        (OVERRIDES, [{"runId": ID, "status": "failed", "items": 1}]),
        (OVERRIDES, [{"runId": ID, "status": "failed", "items": {}}]),
        *((overrides, answers) for overrides in (OVERRIDES, None) for answers in MISREAD),
    ],
    ids=json.dumps,
)
async def test_a_run_is_created_once_although_its_status_came_from_another_version(
    overrides: Any, answers: list[Any], form: Form
) -> None:
    """On 0.9 the run and its items are requested after it was created."""
    waiting = iter(answers)

    def respond(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return compact({"runId": ID, "itemCount": 1, "status": "completed"})
        wire.health = OLD
        return compact(next(waiting))

    wire = Wire({**OLD, "version": "0.9.0"}, respond)
    # Without overrides and null, all versions are sent the same.
    fields: Any = {"overrides": overrides} if overrides else {}
    body = models.CreateRunRequest(flow_id="f", input=1, wait=True, **fields)
    async with Client("http://server", transport=wire) as client:
        with pytest.raises(InvalidAnswer) as raised:
            await form("run.create_run", client=client, body=body)
    assert raised.value.method == "POST"
    assert wire.paths.count("POST /runs") == 1


@by_form
@pytest.mark.parametrize("wait", [True, False])
async def test_a_run_created_by_a_much_older_server_is_returned(form: Form, wait: bool) -> None:
    """The run and its items are requested from 0.9; its response to the creation is kept."""

    def respond(request: httpx.Request) -> Any:
        if request.method == "POST":
            wire.health = {**OLD, "version": "0.9.0"}
            return {"runId": ID, "itemCount": 1, "status": "completed"}
        return {"items": []} if request.url.path.endswith("/items") else OLDER

    wire = Wire(OLD, respond)
    body = models.CreateRunRequest(flow_id="f", input=1, wait=wait)
    async with Client("http://server", transport=wire) as client:
        assert (await form("run.create_run", client=client, body=body)).status == "running"
    items = [f"{GET_RUN}/items"] * wait
    assert wire.paths == [HEALTH, "POST /runs", HEALTH, GET_RUN, *items]


@by_form
async def test_runs_are_listed_by_status_after_a_downgrade(form: Form) -> None:
    """Later servers want the number of a status, and others its name."""

    def respond(request: httpx.Request) -> Any:
        if request.url.params["status"].isdecimal():
            return _text(400, "query string: status: unknown variant `2`, expected one of")
        return {"runs": []}

    wire = Wire(NEW, {"runs": []})
    async with Client("http://server", transport=wire) as client:
        await form("run.list_runs", client=client)
        wire.health, wire.answer = OLD, respond
        wire.paths.clear()
        assert (await form("run.list_runs", client=client, status="completed")).runs == []
    assert wire.paths == ["GET /runs", HEALTH, "GET /runs"]


@by_form
async def test_schemas_survive_a_downgrade(form: Form) -> None:
    """Only the names of their fields show that components are those of an older server."""
    listed = {"component": "/a", "input_schema": {"type": "string"}, "output_schema": {}}
    wire = Wire(NEW, {"components": [], "complete": True})
    async with Client("http://server", transport=wire) as client:
        await form("component.list_components", client=client)
        wire.health, wire.answer = OLD, {"components": [listed]}
        wire.paths.clear()
        (found,) = (await form("component.list_components", client=client)).components
    assert (found.input_schema, found.output_schema) == ({"type": "string"}, {})
    assert wire.paths == ["GET /components", HEALTH, "GET /components"]


@by_form
async def test_schemas_survive_an_upgrade(form: Form) -> None:
    """The fields of server 0.12 would be ignored as unknown ones."""
    listed = {"component": "/a", "inputSchema": {"type": "string"}, "outputSchema": {}}
    wire = Wire(OLD, {"components": []})
    async with Client("http://server", transport=wire) as client:
        await form("component.list_components", client=client)
        wire.health = {**OLD, "version": "0.12.0"}
        wire.answer = {"components": [listed], "complete": True}
        (found,) = (await form("component.list_components", client=client)).components
    assert (found.input_schema, found.output_schema) == ({"type": "string"}, {})


def _text(status: int, text: str, kind: str = "text/plain") -> httpx.Response:
    return httpx.Response(status, content=text.encode(), headers={"content-type": kind})


NOT_A_NUMBER = "Failed to deserialize query string: status: invalid digit found in string"


@pytest.mark.parametrize(
    ("answer", "is_shown"),
    [
        # Of a later server.
        (httpx.Response(404), True),
        (_text(400, NOT_A_NUMBER), True),
        (compact({"summary": SUMMARY}), True),
        (compact({"results": []}), True),
        (compact({"steps": []}), True),
        (_text(404, '{"error":{"code":404,"message":"no"}}', "application/json"), True),
        (_text(200, "", "application/grpc"), True),
        # Of the same server, or of a gateway.
        (httpx.Response(404, content=b"no"), False),
        (httpx.Response(503), False),
        (_text(404, ""), False),
        (_text(422, NOT_A_NUMBER), False),
        (_text(404, '{"code":404,"message":"no"}', "application/json"), False),
        (_text(502, '{"error":"down"}', "application/json"), False),
        (compact({"runs": []}), False),
    ],
    ids=lambda one: one.text or one.status_code if isinstance(one, httpx.Response) else None,
)
def test_what_shows_that_the_server_was_replaced(answer: httpx.Response, is_shown: bool) -> None:
    wire = Wire(OLD, {"runs": []})
    with Client("http://server", transport=wire) as client:
        list_runs.sync(client=client)
        wire.answer = answer
        wire.paths.clear()
        with contextlib.suppress(StepflowError):
            list_runs.sync(client=client)
    assert wire.paths == ["GET /runs", HEALTH][: 1 + is_shown]


@by_form
async def test_a_post_whose_answer_cannot_be_read_is_not_sent_again(form: Form) -> None:
    """Later servers number the levels, which shows only when the answer is parsed."""
    finding = {"kind": "k", "code": 1, "level": 2, "formatted": "f", "data": {}}
    found = {"diagnostics": [finding], "numFatal": 0, "numError": 1, "numWarning": 0}
    wire = Wire(OLD, FLAT)
    async with Client("http://server", transport=wire) as client:
        await form("run.get_run", ID, client=client)
        wire.health = NEW
        wire.answer = {"flowId": "f", "stored": True, "diagnostics": found}
        wire.paths.clear()
        body = models.StoreFlowRequest(flow=models.Flow())
        stored = await form("flow.store_flow", client=client, body=body)
    assert stored.diagnostics.diagnostics[0].level == "error"
    assert wire.paths == ["POST /flows", HEALTH]


@by_form
async def test_the_answer_to_a_translated_post_is_not_that_to_the_original(form: Form) -> None:
    """Overrides have another form on 0.9, so a later server refuses them."""
    wire = Wire({**OLD, "version": "0.9.0"}, {"runs": []})
    body = models.CreateRunRequest.from_dict(
        {"flowId": "f", "input": 1, "overrides": {"steps": OVERRIDES}}
    )
    async with Client("http://server", transport=wire) as client:
        await form("run.list_runs", client=client)
        wire.health = OLD
        wire.answer = httpx.Response(422, text="overrides: missing field `steps`")
        with pytest.raises(InvalidAnswer, match=r"does not answer as 0\.9\.0 does"):
            await form("run.create_run", client=client, body=body)


@pytest.mark.parametrize("is_misread", [False, True], ids=["seen at once", "seen when parsed"])
def test_a_call_that_comes_late_keeps_what_another_has_found_out(is_misread: bool) -> None:
    first = OLD
    wire = Wire(first, FLAT)
    stale: dict[str, Any] = {"runId": ID} if is_misread else {"summary": SUMMARY, "steps": []}
    with Client("http://server", transport=wire) as client:
        get_run.sync(ID, client=client)
        wire.paths.clear()

        def meanwhile(request: httpx.Request) -> httpx.Response:
            # While this response is on its way, another call detects the new server.
            wire.health, wire.answer = NEW, {"summary": SUMMARY, "steps": []}
            assert get_run.sync(ID, client=client).status == "running"
            return compact(stale)

        wire.answer = meanwhile
        assert get_run.sync(ID, client=client).status == "running"
    assert wire.paths == [GET_RUN, GET_RUN, HEALTH, GET_RUN, GET_RUN]


def test_a_call_of_another_api_keeps_what_another_has_found_out() -> None:
    operation: Operation[models.RunSummary, None] = Operation(
        id="another", method="GET", path="/another", answers={"200": Json(models.RunSummary)}
    )
    wire = Wire(OLD, FLAT)
    with Client("http://server", transport=wire) as client:
        get_run.sync(ID, client=client)
        wire.paths.clear()

        def meanwhile(request: httpx.Request) -> httpx.Response:
            wire.health, wire.answer = NEW, {"summary": SUMMARY, "steps": []}
            assert get_run.sync(ID, client=client).status == "running"
            return compact({})

        wire.answer = meanwhile
        with pytest.raises(InvalidAnswer):
            client.call(operation, operation.request())
        assert get_run.sync(ID, client=client).status == "running"
    assert wire.paths == ["GET /another", GET_RUN, HEALTH, GET_RUN, GET_RUN]


@pytest.mark.parametrize(
    ("status", "is_final"),
    [(200, True), (404, True), (401, False), (429, False), (500, False), (503, False)],
)
def test_a_server_without_a_version_is_asked_again_only_where_it_may_tell_later(
    status: int, is_final: bool
) -> None:
    wire = Wire(httpx.Response(status, text="no health"), {"runs": []})
    with Client("http://server", transport=wire) as client:
        for _ in range(2):
            list_runs.sync(client=client)
    asked_again = [] if is_final else [HEALTH]
    assert wire.paths == [HEALTH, "GET /runs", *asked_again, "GET /runs"]


@pytest.mark.parametrize("version", ["0.9.0", "0.10.0", "0.11.0", "0.11.1", "0.12.0", "0.13.0"])
@pytest.mark.parametrize(
    ("inputs", "is_empty"), [([], True), ([[]], False), ([{"input": []}], False), ([None], False)]
)
@by_form
async def test_a_run_without_items_is_for_servers_from_0_11_on(
    form: Form, inputs: list[Any], is_empty: bool, version: str
) -> None:
    wire = Wire({**OLD, "version": version}, httpx.Response(503))
    is_refused = is_empty and version in ("0.9.0", "0.10.0")
    body = models.CreateRunRequest(flow_id="f", input=inputs)
    async with Client("http://server", transport=wire) as client:
        with pytest.raises(UnsupportedByServer if is_refused else ServerError):
            await form("run.create_run", client=client, body=body)
    assert wire.paths.count("POST /runs") == (not is_refused)


@pytest.mark.parametrize("version", ["0.9.0", "0.10.0", "0.11.0", "0.11.1", "0.12.0", "0.13.0"])
def test_null_is_sent_where_servers_take_it(version: str) -> None:
    bodies: list[Any] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(503)

    fields: Any = dict.fromkeys(("overrides", "variables", "maxConcurrency", "wait", "timeoutSecs"))
    body: Any = {"flowId": None, "input": None, "later": False, **fields}
    with (
        Client("http://server", transport=Wire(OLD, refuse), server_version=version) as client,
        pytest.raises(ServerError),
    ):
        create_run.sync(client=client, body=body)
    needed = {"flowId": None, "input": None, "later": False}
    assert bodies == [body if version == "0.11.1" else needed]


@pytest.mark.parametrize("overrides", [OVERRIDES, None], ids=["overrides", "none"])
@pytest.mark.parametrize("running", [0, 1])
@by_form
async def test_on_0_9_a_run_that_fails_is_not_one_that_was_refused(
    form: Form, running: int, overrides: Any
) -> None:
    """Refused overrides leave the run failed, with an item that never began."""
    run = {k: v for k, v in FLAT.items() if k != "createdAtSeqno"} | {
        "status": "failed",
        "items": {"total": 1, "completed": 0, "running": running, "failed": 1 - running}
        | {"cancelled": 0},
    }

    def answer(request: httpx.Request) -> Any:
        return {"runId": ID, "itemCount": 1} if request.method == "POST" else run

    wire = Wire({**OLD, "version": "0.9.0"}, answer)
    body = models.CreateRunRequest(flow_id="f", input=1, overrides=overrides)
    async with Client("http://server", transport=wire) as client:
        if overrides and running:
            with pytest.raises(BadRequest, match="failed to apply workflow overrides"):
                await form("run.create_run", client=client, body=body)
            return
        assert (await form("run.create_run", client=client, body=body)).status == "failed"


def test_an_answer_in_the_place_of_a_stream_may_show_another_server() -> None:
    wire = Wire(OLD, FLAT)
    with Client("http://server", transport=wire) as client:
        get_run.sync(ID, client=client)
        with pytest.raises(InvalidAnswer):
            client.open(get_run_events.OPERATION, get_run_events.build_request(ID))
        get_run.sync(ID, client=client)
    assert wire.paths.count("GET /health") == 2


def test_a_later_version_that_is_given_is_warned_of() -> None:
    with pytest.warns(UserWarning, match=r"^the server is 9\.8\.7, which this stepflow-api"):
        Client("http://server", server_version="9.8.7")


@pytest.mark.parametrize("version", ["0.9.0", "0.10.0"])
@by_form
async def test_a_translated_get_whose_answer_cannot_be_read_is_sent_again(
    form: Form, version: str
) -> None:
    wire = Wire({**OLD, "version": version}, FLAT)

    def replaced(request: httpx.Request) -> httpx.Response:
        wire.health, wire.answer = NEW, {"summary": SUMMARY, "steps": []}
        return compact({"runId": "no id"})

    async with Client("http://server", transport=wire) as client:
        wire.answer = {"runs": []}
        await form("run.list_runs", client=client)
        wire.answer = replaced
        wire.paths.clear()
        assert (await form("run.get_run", ID, client=client)).status == "running"
    assert wire.paths == [GET_RUN, HEALTH, GET_RUN]


def test_what_a_server_does_not_support_is_refused_at_once_unless_it_may_have_been_upgraded() -> (
    None
):
    older = {**OLD, "version": "0.10.0"}
    wire = Wire(older, {"runs": []})
    with (
        Client("http://server", transport=wire, server_version="0.10.0") as given,
        Client("http://server", transport=wire) as client,
    ):
        with pytest.raises(UnsupportedByServer) as raised:
            get_flow_variables.sync("f", client=given)
        # It was not tried a second time.
        assert (raised.value.__context__, wire.paths) == (None, [])
        with pytest.raises(UnsupportedByServer):
            get_flow_variables.sync("f", client=client)
        assert wire.paths == [HEALTH]
        with pytest.raises(UnsupportedByServer):
            get_flow_variables.sync("f", client=client)
        assert wire.paths == [HEALTH, HEALTH]
        wire.health, wire.answer = OLD, {"flowId": "f", "variables": {}, "envVars": {}}
        assert get_flow_variables.sync("f", client=client).flow_id == "f"
    assert wire.paths == [HEALTH, HEALTH, HEALTH, "GET /flows/f/variables"]


def test_an_upgraded_server_may_answer_as_none_does() -> None:
    wire = Wire({**OLD, "version": "0.10.0"}, {"runs": []})
    with Client("http://server", transport=wire) as client:
        list_runs.sync(client=client)
        wire.health, wire.answer = NEW, {"flowId": "f"}
        with pytest.raises(InvalidAnswer, match=r"^GET .*, but .* answer as 0\.13\.0 does; was it"):
            get_flow_variables.sync("f", client=client)

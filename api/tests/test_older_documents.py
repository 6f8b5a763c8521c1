"""What server 0.9 sends, and is sent, in the terms of the stored spec."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from api.tests.support.forms import PLAIN, Form
from api.tests.support.versions import FLAT, ID, compact
from stepflow_api import Client
from stepflow_api.api.run import create_run
from stepflow_api.errors import (
    BadRequest,
    InvalidAnswer,
    NotFound,
    ServerError,
    StatusError,
    UnsupportedByServer,
)

pytestmark = pytest.mark.anyio

by_form = pytest.mark.parametrize("form", PLAIN, ids=lambda form: form.name)

CREATED = {"runId": ID, "itemCount": 1, "status": "completed"}
RUN = {name: value for name, value in FLAT.items() if name != "createdAtSeqno"}
ITEMS = {"itemCount": 1, "items": [{"itemIndex": 0, "status": "running"}]}
PATHS = ["POST /runs", f"GET /runs/{ID}", f"GET /runs/{ID}/items"]

DOWN = (503, {"code": 503, "message": "not now"})
UNKNOWN = (404, {"code": 404, "message": "no such run"})


class Older(httpx.MockTransport):
    """A server of version 0.9, which sends prepared responses one after another.

    Attributes:
        paths: Method and path of each request.
        bodies: The document of each POST.
    """

    def __init__(self, *answers: Any) -> None:
        self.paths: list[str] = []
        self.bodies: list[Any] = []
        waiting = iter(answers)

        def handle(request: httpx.Request) -> httpx.Response:
            self.paths.append(f"{request.method} {request.url.path.removeprefix('/api/v1')}")
            if request.method == "POST":
                self.bodies.append(json.loads(request.content))
            answer = next(waiting)
            if isinstance(answer, tuple):
                return httpx.Response(answer[0], json=answer[1])
            return compact(answer)

        super().__init__(handle)

    async def create(self, form: Form, **fields: Any) -> Any:
        """Create a run."""
        body = {"flowId": "f", "input": 1, **fields}
        client = Client("http://server", transport=self, server_version="0.9.0")
        return await form("run.create_run", client=client, body=body)


@by_form
@pytest.mark.parametrize("wait", [True, False])
async def test_a_created_run_is_read(wait: bool, form: Form) -> None:
    server = Older(CREATED, RUN, ITEMS)
    run = await server.create(form, wait=wait)
    assert (run.status, run.created_at_seqno, run.items.total) == ("running", 0, 1)
    assert (run.results is not None) == wait
    assert server.paths == PATHS[: 2 + wait]


@pytest.mark.parametrize(("fields", "status"), [({}, 202), ({"wait": True}, 200)])
def test_the_status_says_whether_a_run_was_waited_for(fields: Any, status: int) -> None:
    client = Client("http://server", transport=Older(CREATED, RUN, ITEMS), server_version="0.9.0")
    body: Any = {"flowId": "f", "input": 1, **fields}
    assert create_run.sync_detailed(client=client, body=body).status_code == status


@by_form
@pytest.mark.parametrize(
    "options", [{}, {"wait": False}, {"wait": None}, {"wait": True, "timeout_secs": 0}], ids=str
)
async def test_a_run_is_requested_once_unless_it_is_waited_for(
    options: dict[str, Any], form: Form
) -> None:
    server = Older(RUN)
    client = Client("http://server", transport=server, server_version="0.9.0")
    assert (await form("run.get_run", ID, client=client, **options)).status == "running"
    assert server.paths == PATHS[1:2]


@by_form
@pytest.mark.parametrize("status", ["completed", "failed", "cancelled", "recoveryFailed"])
async def test_a_run_is_waited_for_until_it_has_ended(status: str, form: Form) -> None:
    server = Older(RUN, {**RUN, "status": "paused"}, {**RUN, "status": status})
    client = Client("http://server", transport=server, server_version="0.9.0")
    found = await form("run.get_run", ID, client=client, wait=True)
    assert (found.status, server.paths) == (status, PATHS[1:2] * 3)


@by_form
@pytest.mark.parametrize(
    "document",
    [{"status": "running"}, {"summary": RUN}, {**FLAT, "status": "completed"}, []],
    ids=json.dumps,
)
async def test_a_run_of_another_server_is_not_waited_for(document: Any, form: Form) -> None:
    server = Older(document)
    client = Client("http://server", transport=server, server_version="0.9.0")
    with pytest.raises(InvalidAnswer, match=r"does not answer as 0\.9\.0 does; was it"):
        await form("run.get_run", ID, client=client, wait=True)
    assert server.paths == PATHS[1:2]


@by_form
@pytest.mark.parametrize(
    ("answers", "error", "message"),
    [
        ([DOWN], ServerError, "503 Service Unavailable: not now"),
        ([CREATED, DOWN], ServerError, "503 Service Unavailable: not now"),
        ([CREATED, UNKNOWN], NotFound, "404 Not Found: no such run"),
        ([CREATED, RUN, DOWN], ServerError, "503 Service Unavailable: not now"),
    ],
)
async def test_an_error_of_one_of_the_requests_is_that_of_the_call(
    answers: list[Any], error: type[StatusError], message: str, form: Form
) -> None:
    server = Older(*answers)
    with pytest.raises(error) as raised:
        await server.create(form, wait=True)
    assert raised.value.message == message
    assert server.paths == PATHS[: len(answers)]


@by_form
@pytest.mark.parametrize(
    "answers",
    [
        [{"runId": ID}],
        [{"itemCount": 1}],
        [CREATED, {"runId": ID}],
        [CREATED, FLAT],
        [CREATED, []],
        [CREATED, RUN, {"results": []}],
        [CREATED, RUN, []],
    ],
    ids=json.dumps,
)
async def test_a_run_of_another_server_is_not_read(answers: list[Any], form: Form) -> None:
    server = Older(*answers)
    with pytest.raises(InvalidAnswer, match=r"does not answer as 0\.9\.0 does, and may have acted"):
        await server.create(form, wait=len(answers) == len(PATHS))
    assert len(server.paths) == len(answers)


MERGED: Any = {"$type": "merge_patch", "value": {"input": 2}}


@by_form
@pytest.mark.parametrize("overrides", [{"steps": {"a": MERGED}}, {"a": MERGED}])
async def test_overrides_are_the_map_of_steps_itself(overrides: Any, form: Form) -> None:
    server = Older(CREATED, RUN)
    await server.create(form, overrides=overrides)
    assert server.bodies == [{"flowId": "f", "input": 1, "overrides": {"a": MERGED}}]


@by_form
@pytest.mark.parametrize(
    ("overrides", "running", "is_refused"),
    [({"a": MERGED}, 1, True), ({"a": MERGED}, 0, False), ({}, 1, False)],
)
async def test_overrides_that_cannot_be_applied_are_refused(
    overrides: Any, running: int, is_refused: bool, form: Form
) -> None:
    counts = {**FLAT["items"], "running": running}  # type: ignore[dict-item]
    server = Older(CREATED, {**RUN, "status": "failed", "items": counts})
    if is_refused:
        with pytest.raises(BadRequest, match="failed to apply workflow overrides"):
            await server.create(form, overrides=overrides)
    else:
        assert (await server.create(form, overrides=overrides)).status == "failed"


@by_form
@pytest.mark.parametrize("run", [{"runId": ID}, {**RUN, "items": 1}, []], ids=json.dumps)
async def test_the_steps_of_a_run_of_another_server(run: Any, form: Form) -> None:
    server = Older(run)
    client = Client("http://server", transport=server, server_version="0.9.0")
    with pytest.raises(InvalidAnswer, match=r"does not answer as 0\.9\.0 does; was it"):
        await form("run.get_run_steps", ID, client=client)
    assert server.paths == [f"GET /runs/{ID}"]


@pytest.mark.parametrize("version", ["0.9.0", "0.10.0", "0.11.0", "0.11.1", "0.12.0", "0.13.0"])
@pytest.mark.parametrize(
    ("endpoint", "arguments", "since"),
    [
        ("run.get_run_events", {"run_id": ID}, "0.12.0"),
        ("flow.get_flow_variables", {"flow_id": "f"}, "0.11.0"),
        ("blob.store_blob", {"body": {"data": 1}}, "0.10.0"),
        ("blob.store_blob_bytes", {"content": b"1"}, "0.10.0"),
        ("blob.get_blob", {"blob_id": "b"}, "0.10.0"),
        ("blob.get_blob_bytes", {"blob_id": "b"}, "0.10.0"),
    ],
)
@by_form
async def test_what_servers_of_a_version_lack_is_not_sent(
    endpoint: str, arguments: Any, since: str, version: str, form: Form
) -> None:
    sent: list[str] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.path)
        return httpx.Response(503)

    client = Client("http://server", transport=httpx.MockTransport(refuse), server_version=version)
    is_lacking = tuple(map(int, version.split("."))) < tuple(map(int, since.split(".")))
    with pytest.raises(UnsupportedByServer if is_lacking else ServerError) as raised:
        await form(endpoint, client=client, **arguments)
    assert len(sent) == (not is_lacking)
    if isinstance(raised.value, UnsupportedByServer):
        assert (raised.value.server_version, raised.value.since) == (version, since)


STEPS = {"steps": {"a": {"stepId": "a", "status": "completed"}}}


@by_form
@pytest.mark.parametrize(
    ("total", "index"), [(1, None), (1, 0), (1, -1), (0, None), (0, 0), (0, 1)]
)
async def test_the_steps_of_a_run_of_one_item(total: int, index: int | None, form: Form) -> None:
    server = Older({**RUN, "items": {**FLAT["items"], "total": total}}, STEPS)  # type: ignore[dict-item]
    client = Client("http://server", transport=server, server_version="0.9.0")
    options = {} if index is None else {"item_index": index}
    assert [*(await form("run.get_run_steps", ID, client=client, **options)).steps] == ["a"]
    assert server.paths == [f"GET /runs/{ID}", f"GET /runs/{ID}/steps"]


@by_form
@pytest.mark.parametrize("index", [1, 2])
async def test_the_steps_of_an_item_that_a_run_has_not(index: int, form: Form) -> None:
    client = Client("http://server", transport=Older(RUN, STEPS), server_version="0.9.0")
    problem = rf"Item index {index} out of bounds \(run has 1 items\)"
    with pytest.raises(BadRequest, match=problem) as raised:
        await form("run.get_run_steps", ID, client=client, item_index=index)
    assert raised.value.url.endswith(f"/runs/{ID}/steps?itemIndex={index}")


@by_form
@pytest.mark.parametrize("options", [{}, {"item_index": 0}])
async def test_the_steps_of_several_items_are_those_of_the_last(
    options: dict[str, Any], form: Form
) -> None:
    server = Older({**RUN, "items": {**FLAT["items"], "total": 2}})  # type: ignore[dict-item]
    client = Client("http://server", transport=server, server_version="0.9.0")
    with pytest.raises(UnsupportedByServer, match=r"several items needs .* 0\.10\.0 or newer"):
        await form("run.get_run_steps", ID, client=client, **options)
    assert server.paths == [f"GET /runs/{ID}"]


@by_form
@pytest.mark.parametrize("options", [{}, {"item_index": 7}])
async def test_the_steps_of_a_run_that_is_unknown(options: dict[str, Any], form: Form) -> None:
    server = Older(UNKNOWN, UNKNOWN)
    client = Client("http://server", transport=server, server_version="0.9.0")
    with pytest.raises(NotFound, match="404 Not Found: no such run") as raised:
        await form("run.get_run_steps", ID, client=client, **options)
    assert "/steps" in raised.value.url

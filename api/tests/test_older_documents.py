"""What server 0.9 sends, and is sent, in the terms of the stored spec."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from api.tests.support.forms import PLAIN, Form
from api.tests.support.versions import FLAT, ID, compact
from stepflow_api import Client
from stepflow_api.errors import BadRequest, InvalidAnswer, NotFound, ServerError, StatusError

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
    ],
    ids=json.dumps,
)
async def test_a_run_of_another_server_is_not_read(answers: list[Any], form: Form) -> None:
    server = Older(*answers)
    with pytest.raises(InvalidAnswer, match=r"does not answer as 0\.9\.0 does, and may have acted"):
        await server.create(form)
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

"""Batches, which the server knows as runs with several items, on the real server.

Up to 0.10 there are none without items, and 0.9 answers when a batch has ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from pydantic import ValidationError

from api.tests.support.exchange import SERVER, Recorder
from api.tests.support.flows import UNKNOWN_HASH, UNKNOWN_RUN, SlowFlow, message_flow, store
from api.tests.support.forms import DETAILED, FORMS, PLAIN, Form
from api.tests.support.world import World
from stepflow_api import Client, models
from stepflow_api.api.batch import (
    cancel_batch,
    create_batch,
    get_batch,
    get_batch_outputs,
    list_batch_runs,
    list_batches,
)
from stepflow_api.api.run import create_run, get_run, get_run_items, list_runs
from stepflow_api.errors import BadRequest, Conflict, InvalidRequest, NotFound
from stepflow_api.testing import MockRequest, MockServer, finished_run
from tools.spec.server import StepflowServer

pytestmark = pytest.mark.anyio

by_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
plain = pytest.mark.parametrize("form", PLAIN, ids=lambda form: form.name)
detailed = pytest.mark.parametrize("form", DETAILED, ids=lambda form: form.name)

INPUTS = [{"prompt": "a"}, {}, {"prompt": "c"}]


def done(client: Client, batch_id: UUID) -> UUID:
    """Waits until a batch is over."""
    get_run.sync(batch_id, client=client, wait=True)
    return batch_id


@by_form
async def test_create_batch(form: Form, client: Client, world: World, recorder: Recorder) -> None:
    body = models.CreateBatchRequest(
        flow_id=world.flow,
        inputs=INPUTS,
        overrides={"msg": {"input": {"user_prompt": "b"}}},
        variables={"v": 1},
        max_concurrency=2,
    )
    result = await form("batch.create_batch", client=client, body=body)
    assert recorder.sent == {
        "flowId": world.flow,
        "input": INPUTS,
        "overrides": {"steps": {"msg": {"value": {"input": {"user_prompt": "b"}}}}},
        "variables": {"v": 1},
        "maxConcurrency": 2,
    }
    batch = result.parsed if form.is_detailed else result
    assert type(batch) is models.CreateBatchResponse
    assert batch.to_dict() == {
        "batchId": recorder.received["runId"],
        "totalInputs": 3,
        "status": "completed" if SERVER < (0, 10) else "running",
    }
    if form.is_detailed:
        assert result.status_code == 202
        assert result.content == recorder.last_answer.content
        assert result.headers["Content-Type"] == "application/json"
    outputs = get_batch_outputs.sync(done(client, batch.batch_id), client=client)
    assert [o.result.output for o in outputs.outputs if o.result] == ["b", "b", "b"]


async def test_what_is_not_set_is_not_sent(
    client: Client, world: World, recorder: Recorder
) -> None:
    body = models.CreateBatchRequest(flow_id=world.flow, inputs=[[1, 2], None])
    create_batch.sync(client=client, body=body)
    assert recorder.sent == {"flowId": world.flow, "input": [[1, 2], None]}


@by_form
async def test_what_is_set_to_none_is_sent_as_null(form: Form) -> None:
    server = MockServer({create_run: finished_run(1)["POST /runs"]})
    body = models.CreateBatchRequest(flow_id=UNKNOWN_HASH, inputs=[1], variables=None)
    async with Client("http://server", transport=server) as client:
        await form("batch.create_batch", client=client, body=body)
    assert server.requests[0].json() == {
        "flowId": UNKNOWN_HASH,
        "input": [1],
        "variables": None,
    }


@pytest.mark.parametrize(
    "fields",
    [{"inputs": 1}, {"inputs": [1], "max_concurrency": 0}, {"inputs": [1], "wait": True}, {}],
)
async def test_a_request_of_the_wrong_shape_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        models.CreateBatchRequest.from_dict({"flowId": UNKNOWN_HASH, **fields})


@by_form
async def test_get_batch(form: Form, client: Client, world: World, recorder: Recorder) -> None:
    result = await form("batch.get_batch", world.batch, client=client)
    batch = result.parsed if form.is_detailed else result
    run = recorder.received
    assert type(batch) is models.BatchDetails
    assert batch.to_dict() == {
        "batchId": world.batch,
        "totalInputs": 3,
        "status": "failed",
        "flowId": world.flow,
        "flowName": "message",
        "createdAt": run["createdAt"],
        "completedAt": run["completedAt"],
        "statistics": {"total": 3, "completed": 2, "running": 0, "failed": 1, "cancelled": 0},
    }


@by_form
async def test_get_batch_outputs(
    form: Form, client: Client, world: World, recorder: Recorder
) -> None:
    result = await form("batch.get_batch_outputs", world.batch, client=client)
    outputs = result.parsed if form.is_detailed else result
    assert type(outputs) is models.ListBatchOutputsResponse
    assert outputs.to_dict() == {
        "outputs": [
            {"batchInputIndex": i["itemIndex"], "status": i["status"], "result": i["result"]}
            for i in recorder.received["items"]
        ]
    }
    assert [o.batch_input_index for o in outputs.outputs] == [0, 1, 2]
    assert [o.result.is_success for o in outputs.outputs if o.result] == [True, False, True]


@by_form
async def test_list_batch_runs(
    form: Form, client: Client, world: World, recorder: Recorder
) -> None:
    result = await form("batch.list_batch_runs", world.batch, client=client)
    runs = result.parsed if form.is_detailed else result
    assert type(runs) is models.ListBatchRunsResponse
    assert runs.to_dict() == {
        "runs": [
            {
                "batchInputIndex": item["itemIndex"],
                "runId": world.batch,
                "status": item["status"],
                "completedAt": item["completedAt"],
            }
            for item in recorder.received["items"]
        ]
    }


@by_form
async def test_cancel_batch(form: Form, client: Client, slow: SlowFlow) -> None:
    batch_id = slow.start([1, 2])
    running = get_batch.sync(batch_id, client=client)
    assert (running.status, running.completed_at) == ("running", None)
    assert [o.result for o in get_batch_outputs.sync(batch_id, client=client).outputs] == [None] * 2
    assert [r.completed_at for r in list_batch_runs.sync(batch_id, client=client).runs] == (
        [None] * 2
    )
    result = await form("batch.cancel_batch", batch_id, client=client)
    batch = result.parsed if form.is_detailed else result
    assert type(batch) is models.CancelBatchResponse
    assert batch.to_dict() == {"batchId": batch_id, "status": "cancelled"}


@plain
@pytest.mark.parametrize(
    "endpoint", ["get_batch", "get_batch_outputs", "list_batch_runs", "cancel_batch"]
)
async def test_errors_of_the_plain_forms(
    endpoint: str, form: Form, client: Client, world: World
) -> None:
    with pytest.raises(NotFound, match=f"'{UNKNOWN_RUN}' not found"):
        await form(f"batch.{endpoint}", UNKNOWN_RUN, client=client)
    with pytest.raises(BadRequest, match=r"UUID: 'nope'|with value `nope`"):
        await form(f"batch.{endpoint}", "nope", client=client)
    with pytest.raises(InvalidRequest, match="run_id is empty"):
        await form(f"batch.{endpoint}", "", client=client)


@detailed
@pytest.mark.parametrize(
    "endpoint", ["get_batch", "get_batch_outputs", "list_batch_runs", "cancel_batch"]
)
async def test_errors_of_the_detailed_forms(endpoint: str, form: Form, client: Client) -> None:
    response = await form(f"batch.{endpoint}", UNKNOWN_RUN, client=client)
    assert (response.status_code, type(response.parsed)) == (404, models.ErrorResponse)
    response = await form(f"batch.{endpoint}", "nope", client=client)
    assert (response.status_code, response.parsed) == (400, None)


@plain
async def test_errors_of_the_other_plain_forms(form: Form, client: Client, world: World) -> None:
    body = models.CreateBatchRequest(flow_id=UNKNOWN_HASH, inputs=[1, 2])
    with pytest.raises(NotFound, match=f"'{UNKNOWN_HASH}' not found"):
        await form("batch.create_batch", client=client, body=body)
    with pytest.raises(Conflict, match="cannot be cancelled"):
        await form("batch.cancel_batch", world.batch, client=client)
    with pytest.raises(BadRequest, match="unknown variant `novel`"):
        status = models.ExecutionStatus("novel")
        await form("batch.list_batches", client=client, status=status)


@detailed
async def test_errors_of_the_other_detailed_forms(form: Form, client: Client, world: World) -> None:
    body = models.CreateBatchRequest(flow_id=UNKNOWN_HASH, inputs=[1, 2])
    response = await form("batch.create_batch", client=client, body=body)
    assert (response.status_code, response.parsed.code) == (404, 404)
    response = await form("batch.cancel_batch", world.batch, client=client)
    assert (response.status_code, response.parsed.code) == (409, 409)
    status = models.ExecutionStatus("novel")
    response = await form("batch.list_batches", client=client, status=status)
    assert (response.status_code, response.parsed) == (400, None)


class Crowd:
    """A server with more than a page of runs, a few of them batches.

    Attributes:
        server: The server.
        batches: Ids of the batches, newest first.
        failed: Id of the one that failed.
        named: Id of the one whose flow has a name of its own.
    """

    def __init__(self, server: StepflowServer) -> None:
        self.server = server
        batches = []
        with Client(server.url) as client:
            flow, other = store(client, message_flow()), store(client, message_flow(name="other"))

            def batch(flow_id: str, inputs: list[object]) -> str:
                body = models.CreateBatchRequest(flow_id=flow_id, inputs=inputs)
                batch_id = create_batch.sync(client=client, body=body).batch_id
                batches.append(str(done(client, batch_id)))
                return batches[-1]

            def singles(count: int) -> None:
                body = models.CreateRunRequest(flow_id=flow, input={"prompt": "x"}, wait=True)
                for _ in range(count):
                    create_run.sync(client=client, body=body)

            batch(flow, [{"prompt": "old"}] * 2)
            singles(150)
            self.failed = batch(flow, [{}, {"prompt": "b"}])
            self.named = batch(other, [{"prompt": "c"}] * 3)
            singles(60)
            batch(flow, [] if SERVER >= (0, 11) else [{"prompt": "last"}] * 2)
        self.batches = batches[::-1]


@pytest.fixture(scope="module")
def crowd(own_module_server: StepflowServer) -> Crowd:
    """A server with more than a page of runs."""
    return Crowd(own_module_server)


@pytest.fixture(scope="module")
def own_module_server(server_binary: str) -> Iterator[StepflowServer]:
    """A server without the runs of other tests."""
    with StepflowServer(server_binary) as server:
        yield server


@by_form
@pytest.mark.parametrize(
    ("options", "expected", "requests"),
    [
        ({}, slice(None), 3),
        ({"limit": None, "offset": None}, slice(None), 3),
        ({"limit": 0}, slice(0, 0), 1),
        ({"limit": 1}, slice(0, 1), 1),
        ({"limit": 3}, slice(0, 3), 1),
        ({"limit": 4}, slice(0, 4), 3),
        ({"limit": 9}, slice(0, 4), 3),
        ({"offset": 1}, slice(1, 4), 3),
        ({"offset": 3, "limit": 1}, slice(3, 4), 3),
        ({"offset": 9}, slice(4, 4), 3),
    ],
    ids=str,
)
async def test_list_batches_finds_them_among_all_runs(
    options: dict[str, int], expected: slice, requests: int, form: Form, crowd: Crowd
) -> None:
    async with Client(crowd.server.url) as client:
        recorder = Recorder(client)
        result = await form("batch.list_batches", client=client, **options)
        listed = result.parsed if form.is_detailed else result
        assert type(listed) is models.ListBatchesResponse
        assert [str(batch.batch_id) for batch in listed.batches] == crowd.batches[expected]
        assert len(recorder.requests) == requests
        assert all(operation == "listRuns" for operation, _ in recorder.requests)
        if form.is_detailed:
            assert (result.status_code, result.content) == (200, recorder.last_answer.content)


@by_form
async def test_a_batch_that_another_run_shifts_to_the_next_page_is_listed_once(form: Form) -> None:
    def run(number: int, items: int) -> dict[str, object]:
        run_id = str(UUID(int=number))
        counts = {"completed": items, "running": 0, "failed": 0, "cancelled": 0}
        return {
            "runId": run_id,
            "rootRunId": run_id,
            "flowId": UNKNOWN_HASH,
            "status": "completed",
            "items": {"total": items, **counts},
            "createdAt": "2026-01-01T00:00:00Z",
            "createdAtSeqno": 0,
        }

    listed = [run(number, 1 if number != 100 else 2) for number in range(1, 150)]
    requests: list[tuple[str, str]] = []

    def page(request: MockRequest) -> dict[str, object]:
        offset = int(request.query["offset"])
        requests.append((request.query["limit"], request.query["offset"]))
        # A run was created between the requests.
        shown = [run(200, 1), *listed] if offset else listed
        return {"runs": shown[offset : offset + int(request.query["limit"])]}

    async with Client("http://server", transport=MockServer({list_runs: page})) as client:
        for options in ({}, {"limit": 2}):
            requests.clear()
            result = await form("batch.list_batches", client=client, **options)
            found = result.parsed if form.is_detailed else result
            assert [batch.batch_id for batch in found.batches] == [UUID(int=100)]
            assert requests == [("100", "0"), ("100", "100")]


@by_form
async def test_list_batches_by_status_and_flow(form: Form, crowd: Crowd) -> None:
    async def listed(**options: object) -> list[str]:
        result = await form("batch.list_batches", client=client, **options)
        found = result.parsed if form.is_detailed else result
        return [str(batch.batch_id) for batch in found.batches]

    async with Client(crowd.server.url) as client:
        others = [b for b in crowd.batches if b != crowd.failed]
        assert await listed(status=models.ExecutionStatus.FAILED) == [crowd.failed]
        assert await listed(status=models.ExecutionStatus.COMPLETED) == others
        assert await listed(status="running") == []
        assert await listed(flow_name="other") == [crowd.named]
        assert await listed(flow_name="other", status="failed") == []


async def test_a_listed_batch_says_what_its_run_says(crowd: Crowd) -> None:
    async with Client(crowd.server.url) as client:
        recorder = Recorder(client)
        batch = list_batches.sync(client=client, flow_name="other").batches[0]
        run = next(r for r in recorder.received["runs"] if r["runId"] == crowd.named)
    assert batch.to_dict() == {
        "batchId": crowd.named,
        "totalInputs": 3,
        "status": "completed",
        "flowId": run["flowId"],
        "flowName": "other",
        "createdAt": run["createdAt"],
    }


@by_form
@pytest.mark.parametrize("name", ["limit", "offset"])
async def test_a_negative_number_is_refused(
    name: str, form: Form, client: Client, recorder: Recorder
) -> None:
    with pytest.raises(InvalidRequest, match=f"{name} is -1; pass 0 or more"):
        await form("batch.list_batches", client=client, **{name: -1})
    assert recorder.requests == []


async def test_a_batch_is_a_run(client: Client, world: World) -> None:
    body = models.CreateBatchRequest(flow_id=world.flow, inputs=INPUTS)
    batch_id = done(client, create_batch.sync(client=client, body=body).batch_id)
    assert get_run.sync(batch_id, client=client).items.total == 3
    assert get_run_items.sync(batch_id, client=client).item_count == 3
    with pytest.raises(Conflict):
        cancel_batch.sync(batch_id, client=client)

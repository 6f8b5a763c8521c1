"""Every operation in its success cases, on the real server, in all four forms."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from api.tests.support.exchange import SERVER, Recorder
from api.tests.support.flows import echo_flow, failing_flow, store
from api.tests.support.forms import FORMS, Form, endpoints
from api.tests.support.world import World, rich_flow
from stepflow_api import Client, Response, models
from stepflow_api.spec import OPERATIONS

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Success:
    """A call that succeeds.

    Attributes:
        endpoint: What is called.
        what: What is special about the call.
        arguments: The call's arguments in a world.
        model: The class of the result.
        status: The answer's status.
        shows: What the answer must hold, for the call to have had its effect.
        since: The first version whose servers can do it.
    """

    endpoint: str
    what: str
    arguments: Callable[[World], Mapping[str, Any]]
    model: Any
    status: int = 200
    shows: Callable[[World, Any], bool] = lambda world, value: True
    since: tuple[int, int] = (0, 9)

    def __str__(self) -> str:
        return f"{self.endpoint}-{self.what}".replace(" ", "_")


#: Whether a run names its items, with their inputs and steps.
TELLS_ITEMS = (0, 10) <= SERVER < (0, 12)

#: The code of a step that fails, by the first version that has it.
CODES: Mapping[tuple[int, ...], int] = {(0, 12): 5, (0, 11): -32300, (0, 9): 500}


def _text(document: Any) -> str:
    """The document as text: unlike its value, this distinguishes 1 from 1.0 and True."""
    return json.dumps(document, sort_keys=True)


def _new_run(world: World, **fields: Any) -> Mapping[str, Any]:
    return {"body": models.CreateRunRequest(flow_id=world.flow, **fields)}


def _only_child(world: World, value: models.ListRunsResponse) -> bool:
    return [str(run.run_id) for run in value.runs] == [world.done]


CASES = [
    Success("health.health_check", "plain", lambda w: {}, models.HealthResponse),
    Success(
        "component.list_components",
        "with schemas",
        lambda w: {},
        models.ListComponentsResponse,
        shows=lambda w, v: all(
            # These two take anything.
            c.component in ("/noop", "/sleep") or (c.input_schema and c.output_schema)
            for c in v.components
        ),
    ),
    Success(
        "component.list_components",
        "without schemas",
        lambda w: {"include_schemas": False},
        models.ListComponentsResponse,
        shows=lambda w, v: v.components and not any(c.input_schema for c in v.components),
    ),
    Success(
        "blob.store_blob",
        "of JSON",
        lambda w: {
            "body": models.StoreBlobRequest(
                data={"n": 1, "none": None}, blob_type=models.BlobType.DATA, filename="n.json"
            )
        },
        models.StoreBlobResponse,
        shows=lambda w, v: v.filename == "n.json",
        since=(0, 10),
    ),
    Success(
        "blob.store_blob",
        "of null",
        lambda w: {"body": models.StoreBlobRequest(data=None)},
        models.StoreBlobResponse,
        shows=lambda w, v: v.filename is None,
        since=(0, 10),
    ),
    Success(
        "blob.store_blob",
        "of bytes",
        lambda w: {"body": b"\0\xff"},
        models.StoreBlobResponse,
        since=(0, 10),
    ),
    Success(
        "blob.get_blob",
        "of JSON",
        lambda w: {"blob_id": w.blob},
        models.GetBlobResponse,
        shows=lambda w, v: v.data == {"a": [1, None, "ä"]} and v.blob_type == "data",
        since=(0, 10),
    ),
    Success(
        "blob.get_blob",
        "with a file name",
        lambda w: {"blob_id": w.named_blob},
        models.GetBlobResponse,
        shows=lambda w, v: v.filename == "notes.json",
        since=(0, 10),
    ),
    Success(
        "blob.get_blob",
        "of a flow",
        lambda w: {"blob_id": w.flow},
        models.GetBlobResponse,
        shows=lambda w, v: v.blob_type is models.BlobType.FLOW and v.data["name"] == "message",
        since=(0, 10),
    ),
    Success(
        "flow.store_flow",
        "with everything",
        lambda w: {"body": models.StoreFlowRequest(flow=rich_flow())},
        models.StoreFlowResponse,
        # From 0.12 on a flow has another id each time.
        shows=lambda w, v: v.stored and (v.flow_id == w.rich_flow or SERVER >= (0, 12)),
    ),
    Success(
        "flow.store_flow",
        "with warnings",
        lambda w: {"body": models.StoreFlowRequest(flow=models.Flow())},
        models.StoreFlowResponse,
        shows=lambda w, v: v.stored and v.diagnostics.num_warning > 0,
    ),
    Success(
        "flow.store_flow",
        "on trial",
        lambda w: {"body": models.StoreFlowRequest(flow=echo_flow(), dry_run=True)},
        models.StoreFlowResponse,
        shows=lambda w, v: not v.stored,
    ),
    Success(
        "flow.get_flow",
        "with everything",
        lambda w: {"flow_id": w.rich_flow},
        models.FlowResponse,
        shows=lambda w, v: [e.name for e in v.all_examples] == ["one", "fails"],
    ),
    Success(
        "flow.get_flow",
        "with next to nothing",
        lambda w: {"flow_id": w.bare_flow},
        models.FlowResponse,
        shows=lambda w, v: v.flow.steps is None and v.all_examples == [],
    ),
    Success(
        "flow.get_flow_variables",
        "with variables",
        lambda w: {"flow_id": w.rich_flow},
        models.FlowVariablesResponse,
        shows=lambda w, v: v.env_vars == {"greeting": "GREETING"} and v.schema_["properties"],
        since=(0, 11),
    ),
    Success(
        "flow.get_flow_variables",
        "without variables",
        lambda w: {"flow_id": w.flow},
        models.FlowVariablesResponse,
        shows=lambda w, v: v.env_vars == {} and v.schema_ is None,
        since=(0, 11),
    ),
    Success("flow.delete_flow", "stored", lambda w: {"flow_id": w.bare_flow}, None),
    Success(
        "run.create_run",
        "not waited for",
        lambda w: _new_run(w, input={"prompt": "a"}),
        models.CreateRunResponse,
        status=202,
        shows=lambda w, v: (
            v.status == ("completed" if SERVER < (0, 10) else "running")
            and v.results is None
            and v.result is None
        ),
    ),
    Success(
        "run.create_run",
        "waited for",
        lambda w: _new_run(w, input={"prompt": "a"}, wait=True, timeout_secs=60),
        models.CreateRunResponse,
        shows=lambda w, v: v.result.output == "a",
    ),
    Success(
        "run.create_run",
        "not waited for long",
        lambda w: {
            "body": models.CreateRunRequest(flow_id=w.slow.id, input=1, wait=True, timeout_secs=0)
        },
        models.CreateRunResponse,
        shows=lambda w, v: v.status == "running" and v.result is None,
        since=(0, 10),
    ),
    Success(
        "run.create_run",
        "of several items",
        lambda w: _new_run(
            w, input=[{"prompt": "a"}, {}], wait=True, max_concurrency=1, variables={"v": 1}
        ),
        models.CreateRunResponse,
        shows=lambda w, v: [r.result.is_success for r in v.results] == [True, False],
    ),
    Success(
        "run.create_run",
        "with overrides",
        lambda w: _new_run(
            w,
            input={"prompt": "a"},
            wait=True,
            overrides={"msg": {"input": {"user_prompt": "b"}}},
        ),
        models.CreateRunResponse,
        shows=lambda w, v: v.result.output == "b",
    ),
    Success(
        "run.get_run",
        "completed",
        lambda w: {"run_id": w.done},
        models.RunDetails,
        shows=lambda w, v: (
            v.item_details[0].steps[0].status is models.StepStatus.COMPLETED
            if TELLS_ITEMS
            else v.item_details is None
        ),
    ),
    Success(
        "run.get_run",
        "failed",
        lambda w: {"run_id": w.failed, "wait": True},
        models.RunDetails,
        shows=lambda w, v: v.status is models.ExecutionStatus.FAILED and v.items.failed == 1,
    ),
    Success(
        "run.get_run",
        "running",
        lambda w: {"run_id": w.running, "wait": True, "timeout_secs": 0},
        models.RunDetails,
        shows=lambda w, v: v.status == "running" and v.completed_at is None,
    ),
    Success(
        "run.get_run",
        "of several items",
        lambda w: {"run_id": w.batch, "wait": None},
        models.RunDetails,
        shows=lambda w, v: (
            [d.item_index for d in v.item_details] == [0, 1, 2]
            if TELLS_ITEMS
            else v.item_details is None
        ),
    ),
    Success(
        "run.get_run_items",
        "completed",
        lambda w: {"run_id": w.done},
        models.ListItemsResponse,
        shows=lambda w, v: v.items[0].result.output == "hi",
    ),
    Success(
        "run.get_run_items",
        "running",
        lambda w: {"run_id": w.running},
        models.ListItemsResponse,
        shows=lambda w, v: v.items[0].result is None,
    ),
    Success(
        "run.get_run_items",
        "of several items",
        lambda w: {"run_id": w.batch},
        models.ListItemsResponse,
        shows=lambda w, v: [i.result.is_failed for i in v.items] == [False, True, False],
    ),
    Success(
        "run.get_run_flow",
        "completed",
        lambda w: {"run_id": w.done},
        models.RunFlowResponse,
        shows=lambda w, v: v.flow_id == w.flow and v.flow.steps[0].id == "msg",
    ),
    Success(
        "run.get_run_steps",
        "completed",
        lambda w: {"run_id": w.done},
        models.ListStepRunsResponse,
        shows=lambda w, v: v.steps["msg"].status is models.StepStatus.COMPLETED,
    ),
    Success(
        "run.get_run_steps",
        "of one item",
        lambda w: {"run_id": w.batch, "item_index": 1},
        models.ListStepRunsResponse,
        shows=lambda w, v: v.steps["msg"].status is models.StepStatus.FAILED,
        since=(0, 10),
    ),
    Success(
        "run.list_runs",
        "all",
        lambda w: {},
        models.ListRunsResponse,
        shows=lambda w, v: {w.done, w.failed, w.running} <= {str(r.run_id) for r in v.runs},
    ),
    Success(
        "run.list_runs",
        "by status and flow",
        lambda w: {"status": models.ExecutionStatus.FAILED, "flow_name": "file"},
        models.ListRunsResponse,
        shows=lambda w, v: [str(r.run_id) for r in v.runs] == [w.failed],
    ),
    Success(
        "run.list_runs",
        "by root",
        lambda w: {"root_run_id": w.done, "max_depth": 0, "roots_only": True},
        models.ListRunsResponse,
        shows=_only_child,
    ),
    Success(
        "run.list_runs",
        "by parent",
        lambda w: {"parent_run_id": w.done, "roots_only": False},
        models.ListRunsResponse,
        shows=lambda w, v: v.runs == [],
    ),
    Success(
        "run.list_runs",
        "a page",
        lambda w: {"limit": 2, "offset": 1},
        models.ListRunsResponse,
        shows=lambda w, v: len(v.runs) == 2,
    ),
    Success(
        "run.cancel_run",
        "running",
        lambda w: {"run_id": w.slow.start()},
        models.RunSummary,
        shows=lambda w, v: v.status is models.ExecutionStatus.CANCELLED,
    ),
    Success("run.delete_run", "completed", lambda w: {"run_id": w.failed}, None),
]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("case", [case for case in CASES if case.since <= SERVER], ids=str)
async def test_success(
    case: Success, form: Form, world: World, client: Client, recorder: Recorder
) -> None:
    result = await form(case.endpoint, client=client, **case.arguments(world))
    assert len(recorder.answers) == 1
    value = result
    if form.is_detailed:
        assert isinstance(result, Response)
        assert result.status_code == recorder.last_answer.status_code
        assert result.content == recorder.last_answer.content
        assert result.is_success
        value = result.parsed
    assert recorder.last_answer.status_code == case.status
    if case.model is None:
        assert value is None
        assert recorder.last_answer.content == b""
        return
    assert type(value) is case.model
    assert _text(value.to_dict()) == _text(recorder.received)
    assert json.loads(value.to_json()) == recorder.received
    assert case.model.from_dict(value.to_dict()) == value
    assert case.shows(world, value)


async def test_every_operation_has_a_case() -> None:
    called = {f"api.{case.endpoint}" for case in CASES}
    # This server does not support events: the client's tests read them on later servers.
    assert {facts.module for facts in OPERATIONS.values()} - called == {"api.run.get_run_events"}


async def test_every_other_endpoint_is_a_hand_written_one() -> None:
    generated = {facts.module.removeprefix("api.") for facts in OPERATIONS.values()}
    assert set(endpoints()) - generated == {
        # test_batches.py
        "batch.cancel_batch",
        "batch.create_batch",
        "batch.get_batch",
        "batch.get_batch_outputs",
        "batch.list_batch_runs",
        "batch.list_batches",
        # test_blobs.py
        "blob.get_blob_bytes",
        "blob.store_blob_bytes",
    }


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
async def test_success_of_a_failed_run(
    form: Form, client: Client, recorder: Recorder, world: World
) -> None:
    # The request succeeds, and its answer has the whole error.
    flow_id = store(client, failing_flow())
    body = models.CreateRunRequest(flow_id=flow_id, input=None, wait=True)
    result = await form("run.create_run", client=client, body=body)
    run = result.parsed if form.is_detailed else result
    error = run.result.error
    code = next(code for since, code in CODES.items() if since <= SERVER)
    assert run.status == "failed"
    assert (error.code, error.message) == (code, 'step "load" failed')
    assert error.data == recorder.received["results"][0]["result"]["error"].get("data")

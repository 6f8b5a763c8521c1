"""Real flows: what fails, waits, retries, is overridden or takes variables is told as it was."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest

from api.tests.support.exchange import SERVER, Recorder
from api.tests.support.flows import (
    SlowFlow,
    echo_flow,
    failing_flow,
    message_flow,
    run,
    store,
)
from api.tests.support.world import rich_flow
from stepflow_api import Client, models
from stepflow_api._exchange.effects import Steps
from stepflow_api._messages import Answer, Request
from stepflow_api.api.flow import get_flow, get_flow_variables, store_flow
from stepflow_api.api.run import (
    cancel_run,
    create_run,
    get_run,
    get_run_flow,
    get_run_items,
    get_run_steps,
    list_runs,
)


def test_a_step_that_fails(sync_client: Client) -> None:
    made = run(sync_client, failing_flow())
    assert made.status is models.ExecutionStatus.FAILED
    assert made.items.to_dict() == {
        "total": 1,
        "completed": 0,
        "running": 0,
        "failed": 1,
        "cancelled": 0,
    }
    result = made.result
    assert (result.is_success, result.is_failed, result.is_skipped) == (False, True, False)
    assert (result.output, result.error.message) == (None, 'step "load" failed')
    if SERVER < (0, 12):
        causes = [entry["error"] for entry in result.error.data["stack"]]
        assert causes[-1] == "invalid input"
    item = get_run_items.sync(made.run_id, client=sync_client).items[0]
    assert item.result == result
    steps = get_run_steps.sync(made.run_id, client=sync_client).steps
    assert steps["load"].status is models.StepStatus.FAILED


def test_a_step_that_succeeds(sync_client: Client) -> None:
    made = run(sync_client, message_flow(), {"prompt": "hi"})
    result = made.result
    assert (result.is_success, result.is_failed, result.is_skipped) == (True, False, False)
    assert (result.output, result.error) == ("hi", None)


def test_a_run_that_is_waited_for(sync_client: Client, slow: SlowFlow) -> None:
    run_id = slow.start({"n": 1})
    running = get_run.sync(run_id, client=sync_client)
    assert (running.status, running.completed_at, running.result) == ("running", None, None)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(get_run.sync, run_id, client=sync_client, wait=True)
        slow.end({"read": True})
        ended = waiting.result()
    assert ended.status is models.ExecutionStatus.COMPLETED
    assert ended.completed_at is not None and ended.completed_at >= ended.created_at
    item = get_run_items.sync(run_id, client=sync_client).items[0]
    assert item.result is not None
    assert item.result.output == '{"read": true}'


@pytest.mark.anyio
async def test_async_calls_go_on_while_one_waits(
    client: Client, sync_client: Client, slow: SlowFlow
) -> None:
    run_id = slow.start()
    ended: list[models.RunDetails] = []

    async def wait() -> None:
        ended.append(await get_run.asyncio(run_id, client=client, wait=True))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        for _ in range(5):
            assert (await get_run.asyncio(run_id, client=client)).status == "running"
        assert not ended
        await anyio.to_thread.run_sync(slow.end)
    assert ended[0].status == "completed"


@pytest.mark.anyio
async def test_an_async_call_that_is_cancelled_leaves_the_client_usable(
    client: Client, slow: SlowFlow
) -> None:
    run_id = slow.start()
    sent = anyio.Event()

    class Sent(Recorder):
        def _pass(self, operation_id: str, version: str, request: Request) -> Steps[Answer]:
            sent.set()
            return (yield from super()._pass(operation_id, version, request))

    recorder = Sent(client)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: get_run.asyncio(run_id, client=client, wait=True))
        await sent.wait()
        tasks.cancel_scope.cancel()
    assert recorder.answers == []
    assert (await get_run.asyncio(run_id, client=client)).status == "running"


def test_a_run_ends_for_all_who_wait(sync_client: Client, slow: SlowFlow) -> None:
    run_id = slow.start()
    started = threading.Barrier(9)

    def wait() -> models.RunDetails:
        started.wait(30)
        return get_run.sync(run_id, client=sync_client, wait=True)

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(wait) for _ in range(8)]
        started.wait(30)
        slow.end()
        assert {future.result().status for future in waiting} == {"completed"}


@pytest.mark.parametrize(
    ("action", "output"),
    [
        (models.OnErrorDefault(default_value={"data": {"x": 1}}), {"x": 1}),
        (models.OnErrorDefault.from_dict({"action": "useDefault", "defaultValue": {"data": 0}}), 0),
    ],
)
def test_a_default_in_place_of_a_failure(
    action: models.OnErrorDefault, output: object, sync_client: Client
) -> None:
    made = run(sync_client, failing_flow(on_error=action))
    assert (made.status, made.result.output) == ("completed", output)


def retry() -> models.OnErrorRetry:
    """Asks for a retry, and says how often where a server keeps that."""
    if (0, 11) <= SERVER < (0, 12):
        return models.OnErrorRetry(max_retries=1)
    # Older ones drop the number, newer ones make it a float and refuse it.
    return models.OnErrorRetry()


@pytest.mark.parametrize("action", [retry(), models.OnErrorFail(), None])
def test_a_failure_that_stays_one(
    action: models.OnErrorRetry | models.OnErrorFail | None, sync_client: Client
) -> None:
    flow_id = store(sync_client, failing_flow(on_error=action))
    made = run(sync_client, flow_id)
    assert (made.status, made.result.is_failed) == ("failed", True)
    steps = get_flow.sync(flow_id, client=sync_client).flow.steps
    assert steps is not None
    assert steps[0].on_error == action


PATCH = {"input": {"user_prompt": "new"}}


@pytest.mark.parametrize(
    "overrides",
    [
        {"msg": PATCH},
        {"msg": {"value": PATCH}},
        {"msg": {"$type": "merge_patch", "value": PATCH}},
        {"steps": {"msg": PATCH}},
        {"steps": {"msg": {"value": PATCH}}},
        {"steps": {"msg": {"$type": "merge_patch", "value": PATCH}}},
        {"msg": models.StepOverride(value=PATCH)},
        {"steps": {"msg": models.StepOverride(value=PATCH)}},
        models.WorkflowOverrides(steps={"msg": models.StepOverride(value=PATCH)}),
        models.WorkflowOverrides.from_dict({"msg": PATCH}),
    ],
    ids=str,
)
def test_overrides_have_the_same_effect_in_every_shape(overrides: Any, sync_client: Client) -> None:
    recorder = Recorder(sync_client)
    made = run(sync_client, message_flow(), {"prompt": "old"}, overrides=overrides)
    assert made.result.output == "new"
    steps = recorder.sent["overrides"]["steps"]
    assert steps["msg"]["value"] == PATCH
    assert recorder.sent["overrides"].keys() == {"steps"} and steps.keys() == {"msg"}


def test_no_overrides(sync_client: Client) -> None:
    recorder = Recorder(sync_client)
    shapes: list[Any] = [{}, None, models.WorkflowOverrides(steps={})]
    for overrides in shapes:
        made = run(sync_client, message_flow(), {"prompt": "old"}, overrides=overrides)
        assert made.result.output == "old"
        assert recorder.sent["overrides"] in ({"steps": {}}, None)


def test_overrides_reach_every_item_and_no_other_run(sync_client: Client) -> None:
    flow_id = store(sync_client, message_flow())
    inputs = [{"prompt": "a"}, {"prompt": "b"}]
    made = run(sync_client, flow_id, inputs, overrides={"msg": PATCH})
    assert [r.result.output for r in made.results] == ["new", "new"]
    made = run(sync_client, flow_id, inputs)
    assert [r.result.output for r in made.results] == ["a", "b"]


def test_variables(sync_client: Client) -> None:
    flow_id = store(sync_client, rich_flow())
    if SERVER >= (0, 11):
        check_variables(flow_id, sync_client)
    # The server reads no variable of its environment: that is for a client, with these names.
    assert run(sync_client, flow_id).result.output["greeting"] == "Hello"
    made = run(sync_client, flow_id, variables={"greeting": "Bye", "unknown": 1})
    assert made.result.output["greeting"] == "Bye"


def check_variables(flow_id: str, sync_client: Client) -> None:
    """Checks what is told of the variables of a flow."""
    variables = get_flow_variables.sync(flow_id, client=sync_client)
    assert variables.env_vars == {"greeting": "GREETING"}
    assert variables.schema_ is not None
    assert variables.schema_["properties"]["times"] == {"type": "integer", "default": 3}


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1.5,
        2**53 + 1,
        1e300,
        "ä\u2028\x00",
        [],
        [[1, 2, 3]],
        {},
        {"wait": {"flowId": None}},
        {"$step": None},
    ],
    ids=repr,
)
def test_inputs_of_every_kind_come_back(value: Any, sync_client: Client) -> None:
    flow_id = store(sync_client, echo_flow())
    body = models.CreateRunRequest.single(flow_id, value, wait=True)
    output = create_run.sync(client=sync_client, body=body).result
    assert output is not None
    if SERVER >= (0, 12) and isinstance(value, int) and not isinstance(value, bool):
        # These keep every number as a float.
        value = float(value)
    assert (output.output, type(output.output)) == (value, type(value))
    assert (
        get_run_items.sync(
            create_run.sync(client=sync_client, body=body).run_id, client=sync_client
        )
        .items[0]
        .result
        == output
    )


def test_a_flow_comes_back_as_it_was_stored(sync_client: Client) -> None:
    flow = rich_flow()
    flow_id = store(sync_client, flow)
    read = get_flow.sync(flow_id, client=sync_client)
    # The server writes a path out; all else is kept.
    sent, got = flow.to_dict(), read.flow.to_dict()
    sent["steps"][0]["input"]["path"]["$variable"] = "$.greeting"
    sent["output"]["greeting"]["$variable"] = "$.greeting"
    assert got == sent
    again = store_flow.sync(
        client=sync_client, body=models.StoreFlowRequest(flow=read.flow, dry_run=True)
    )
    if SERVER < (0, 12):
        # From there on the same flow may get another id each time.
        assert again.flow_id == flow_id
    made = run(sync_client, flow_id)
    assert get_run_flow.sync(made.run_id, client=sync_client).flow == read.flow


def test_items_that_end_differently(sync_client: Client) -> None:
    inputs = [{"prompt": "a"}, {}, {"prompt": "c"}]
    made = run(sync_client, message_flow(), inputs)
    assert made.result is None
    assert [r.item_index for r in made.results] == [0, 1, 2]
    assert [r.result.is_success for r in made.results] == [True, False, True]
    details = get_run.sync(made.run_id, client=sync_client)
    if (0, 10) <= SERVER < (0, 12):
        assert details.item_details is not None
        assert [item.input for item in details.item_details] == inputs
    else:
        assert details.item_details is None
    if SERVER < (0, 10):
        # It cannot tell whose steps they are.
        return
    for index, status in enumerate(["completed", "failed", "completed"]):
        steps = get_run_steps.sync(made.run_id, client=sync_client, item_index=index).steps
        assert steps["msg"].status == status


def test_a_run_among_the_others(sync_client: Client, slow: SlowFlow) -> None:
    name = f"only-{slow.id[:8]}"
    flow_id = store(sync_client, message_flow(name=name))
    ids = [run(sync_client, flow_id, {"prompt": str(n)}).run_id for n in range(3)]

    def listed(**options: Any) -> list[Any]:
        found = list_runs.sync(client=sync_client, flow_name=name, **options)
        return [r.run_id for r in found.runs]

    assert listed() == ids[::-1]
    assert listed(limit=1) == [ids[2]]
    assert listed(limit=1, offset=1) == [ids[1]]
    assert listed(status="running") == []
    assert listed(status=models.ExecutionStatus.COMPLETED, roots_only=True) == ids[::-1]


def test_cancel(sync_client: Client, slow: SlowFlow) -> None:
    run_id = slow.start()
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(get_run.sync, run_id, client=sync_client, wait=True)
        summary = cancel_run.sync(run_id, client=sync_client)
        assert summary.status is models.ExecutionStatus.CANCELLED
        assert summary.completed_at is not None
        assert waiting.result().status == "cancelled"
    listed = list_runs.sync(client=sync_client, status=models.ExecutionStatus.CANCELLED).runs
    assert run_id in [str(run.run_id) for run in listed]

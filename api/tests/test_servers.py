"""What each version needs translated, shown on its binary; the target says which version it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from api.tests.support.exchange import SERVER_VERSION
from api.tests.support.flows import (
    UNKNOWN_HASH,
    UNKNOWN_RUN,
    SlowFlow,
    echo_flow,
    message_flow,
    run,
    store,
)
from stepflow_api import Client, models
from stepflow_api.api.blob import get_blob, get_blob_bytes, store_blob, store_blob_bytes
from stepflow_api.api.component import list_components
from stepflow_api.api.flow import get_flow, get_flow_variables, store_flow
from stepflow_api.api.health import health_check
from stepflow_api.api.run import (
    cancel_run,
    create_run,
    delete_run,
    get_run,
    get_run_events,
    get_run_flow,
    get_run_items,
    get_run_steps,
    list_runs,
)
from stepflow_api.errors import (
    BadRequest,
    Conflict,
    InvalidRequest,
    NotFound,
    StatusError,
    UnsupportedByServer,
)
from tools.spec.server import StepflowServer

AT = tuple(int(part) for part in SERVER_VERSION.split("."))
Status = models.ExecutionStatus


def unsupported(call: Callable[[], Any], since: str) -> None:
    """Makes sure that a call is refused, and says what is missing."""
    with pytest.raises(UnsupportedByServer) as raised:
        call()
    error = raised.value
    assert (error.server_version, error.since) == (SERVER_VERSION, since)
    assert error.feature in str(error)


@pytest.fixture
def running(slow: SlowFlow) -> str:
    """The id of a run in progress."""
    return slow.start({"n": 1})


def test_its_version(sync_client: Client) -> None:
    assert health_check.sync(client=sync_client).version == SERVER_VERSION


def test_a_run_that_is_waited_for(sync_client: Client) -> None:
    done = run(sync_client, message_flow(), {"prompt": "a"})
    assert (done.status, done.flow_name, done.result.output) == ("completed", "message", "a")
    assert (done.items.total, done.items.completed) == (1, 1)
    assert done.completed_at >= done.created_at
    assert done.root_run_id == done.run_id


def test_the_results_of_several_items(sync_client: Client) -> None:
    done = run(sync_client, message_flow(), [{"prompt": "a"}, {}, {"prompt": "c"}])
    assert [one.item_index for one in done.results] == [0, 1, 2]
    assert [one.status for one in done.results] == ["completed", "failed", "completed"]
    assert [one.result.output for one in (done.results[0], done.results[2])] == ["a", "c"]
    assert done.results[1].result.error.message == "Input path $.prompt not found"
    items = get_run_items.sync(done.run_id, client=sync_client)
    assert items.item_count == 3
    assert items.items == done.results


def test_null_is_a_result(sync_client: Client) -> None:
    assert run(sync_client, echo_flow(), [None]).result.is_success
    body = {"flowId": store(sync_client, echo_flow()), "input": None, "wait": True}
    done = create_run.sync(client=sync_client, body=models.CreateRunRequest.from_dict(body))
    assert (done.status, done.items.total) == ("completed", 1)


@pytest.mark.parametrize("body", [{}, {"wait": False}, {"wait": None, "overrides": None}])
def test_a_run_that_is_not_waited_for(body: dict[str, Any], sync_client: Client) -> None:
    flow_id = store(sync_client, echo_flow())
    request = models.CreateRunRequest.from_dict({"flowId": flow_id, "input": [1], **body})
    response = create_run.sync_detailed(client=sync_client, body=request)
    assert response.status_code == 202
    created = response.parsed
    assert isinstance(created, models.CreateRunResponse)
    assert created.results is None
    ended = get_run.sync(created.run_id, client=sync_client, wait=True)
    assert (ended.run_id, ended.status) == (created.run_id, "completed")


def test_what_is_null_is_left_out(sync_client: Client) -> None:
    nulls = dict.fromkeys(("wait", "overrides", "variables", "maxConcurrency", "timeoutSecs"))
    body = {"flowId": store(sync_client, echo_flow()), "input": [None], **nulls}
    created = create_run.sync(client=sync_client, body=body)  # type: ignore[arg-type]
    assert get_run.sync(created.run_id, client=sync_client, wait=True).status == "completed"


def test_overrides_with_which_a_run_fails_are_not_refused(sync_client: Client) -> None:
    overrides = {"msg": {"input": {"user_prompt": {"$input": "missing"}}}}
    done = run(sync_client, message_flow(), {"prompt": "a"}, overrides=overrides)
    assert done.status == "failed"
    assert "missing" in done.result.error.message


def test_overrides(sync_client: Client) -> None:
    overrides = {"msg": {"input": {"user_prompt": "b"}}}
    done = run(sync_client, message_flow(), {"prompt": "a"}, overrides=overrides)
    assert done.result.output == "b"


def test_max_concurrency_0_is_refused(sync_client: Client) -> None:
    body = {"flowId": store(sync_client, echo_flow()), "input": [1], "maxConcurrency": 0}
    with pytest.raises(InvalidRequest, match="maxConcurrency is 0"):
        create_run.sync(client=sync_client, body=body)  # type: ignore[arg-type]
    # Inside of an input it is the flow's business.
    done = run(sync_client, echo_flow(), {"maxConcurrency": 0})
    assert done.result.output == {"maxConcurrency": 0}


def test_a_body_that_is_not_an_object_is_refused_by_the_server(sync_client: Client) -> None:
    # With all that would be translated, or refused before.
    part = {"flowId": "f", "input": [], "wait": True, "overrides": None, "maxConcurrency": 0}
    with pytest.raises(StatusError) as raised:
        create_run.sync(client=sync_client, body=[part])  # type: ignore[arg-type]
    assert raised.value.status_code in (400, 422)


def test_a_run_that_goes_on(running: str, sync_client: Client) -> None:
    found = get_run.sync(running, client=sync_client, wait=True, timeout_secs=1)
    assert (found.status, found.completed_at, found.items.running) == ("running", None, 1)
    (item,) = get_run_items.sync(running, client=sync_client).items
    assert (item.status, item.result, item.completed_at) == ("running", None, None)
    assert "load" in get_run_steps.sync(running, client=sync_client).steps
    with pytest.raises(Conflict) as raised:
        delete_run.sync(running, client=sync_client)
    assert isinstance(raised.value.parsed, models.ErrorResponse)
    assert cancel_run.sync(running, client=sync_client).status == "cancelled"
    assert get_run.sync(running, client=sync_client).status == "cancelled"


def test_waiting_for_a_run_that_another_began(
    running: str, slow: SlowFlow, sync_client: Client
) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(get_run.sync, running, client=sync_client, wait=True)
        slow.end()
        assert waiting.result().status == "completed"


def test_a_run_that_has_ended_is_not_cancelled(sync_client: Client) -> None:
    done = run(sync_client, echo_flow(), 1)
    with pytest.raises(Conflict, match=r"cannot be cancelled \(status: Completed\)") as raised:
        cancel_run.sync(done.run_id, client=sync_client)
    assert raised.value.url.endswith(f"/runs/{done.run_id}/cancel")
    assert get_run.sync(done.run_id, client=sync_client).status == "completed"
    assert get_run_items.sync(done.run_id, client=sync_client).items[0].status == "completed"


@pytest.mark.parametrize(
    "endpoint", [get_run, get_run_items, get_run_steps, get_run_flow, cancel_run, delete_run]
)
def test_a_run_that_is_unknown(endpoint: Any, sync_client: Client) -> None:
    with pytest.raises(NotFound, match=f"'{UNKNOWN_RUN}' not found") as raised:
        endpoint.sync(UNKNOWN_RUN, client=sync_client)
    assert isinstance(raised.value.parsed, models.ErrorResponse)
    assert UNKNOWN_RUN in raised.value.url
    assert raised.value.url.endswith(endpoint.OPERATION.path.replace("{run_id}", UNKNOWN_RUN))


def test_a_flow_without_steps(sync_client: Client) -> None:
    done = run(sync_client, echo_flow(), 1)
    for index in (None, 0):
        assert get_run_steps.sync(done.run_id, client=sync_client, item_index=index).steps == {}
    with pytest.raises(
        BadRequest, match=r"Item index 1 out of bounds \(run has 1 items\)"
    ) as raised:
        get_run_steps.sync(done.run_id, client=sync_client, item_index=1)
    assert raised.value.url.endswith(f"/runs/{done.run_id}/steps?itemIndex=1")


def test_what_is_listed(sync_client: Client) -> None:
    done = run(sync_client, echo_flow(name="listed"), 1)
    failed = run(sync_client, message_flow(name="listed"), {})
    runs = list_runs.sync(client=sync_client, flow_name="listed").runs
    assert [one.run_id for one in runs] == [failed.run_id, done.run_id]
    for status, one in ((Status.COMPLETED, done), (Status.FAILED, failed)):
        (found,) = list_runs.sync(client=sync_client, flow_name="listed", status=status).runs
        assert (found.run_id, found.status) == (one.run_id, status)


@pytest.mark.parametrize("schemas", [True, False])
def test_components(schemas: bool, sync_client: Client) -> None:
    found = list_components.sync(client=sync_client, include_schemas=schemas).components
    assert {one.plugin for one in found} == {"builtin" if AT >= (0, 13) else None}
    by_name = {one.component: one for one in found}
    iterate = by_name["/iterate"]
    assert "/create_messages" in by_name
    assert all(one.description for one in found)
    assert bool(iterate.input_schema) == bool(iterate.output_schema) == schemas
    if iterate.input_schema:
        # As text, since 1000 equals 1000.0.
        limit = iterate.input_schema["properties"]["max_iterations"]
        del limit["description"], limit["format"], limit["type"]
        expected = {"minimum": 0} if AT < (0, 10) else {"default": 1000, "minimum": 0}
        assert json.dumps(limit, sort_keys=True) == json.dumps(expected)


def failing(code: Any) -> dict[str, Any]:
    """A test case that expects a failure."""
    error = {"code": code, "message": "m"}
    return {"name": "a", "input": 1, "output": {"outcome": "failed", "error": error}}


#: Parts that a run does not read, most of which the spec describes otherwise.
UNREAD: dict[str, Any] = {
    "a list for a test": {"test": []},
    "null for a test": {"test": None},
    "text for a test": {"test": "x"},
    "a test of a newer kind": {"test": {"servers": {"a": {"command": "b"}}}},
    "null for cases": {"test": {"cases": None}},
    "a case without a name": {"test": {"cases": [{"input": 1}]}},
    "an outcome of a newer kind": {
        "test": {"cases": [{**failing(1), "output": {"outcome": "skip"}}]}
    },
    **{
        f"{code!r} for an error's code": {"test": {"cases": [failing(code)]}}
        for code in (1, "COMPONENT_FAILED", "1", "later", None, 1.5)
    },
    "text for examples": {"examples": "x"},
    "null for examples": {"examples": None},
    "an example of a newer kind": {"examples": [{"name": "e", "input": 1, "kind": 2}]},
    "text for metadata": {"metadata": "x"},
    "null for metadata": {"metadata": None},
    "null for schemas": {"schemas": None},
    "a schema that is none": {"schemas": {"properties": "x"}},
    "schemas of older servers": {"inputSchema": "x", "outputSchema": 5},
    "a number for a version": {"version": 1},
    "what no server knows": {"later": {"a": [None, 1.5]}},
}


@pytest.mark.parametrize("part", UNREAD)
def test_what_the_server_accepts_is_accepted(
    part: str, sync_client: Client, server: StepflowServer
) -> None:
    flow = {**message_flow().to_dict(), **UNREAD[part]}
    raw = httpx.post(f"{server.url}/api/v1/flows", json={"flow": flow})

    def sent() -> models.StoreFlowResponse:
        model = models.Flow.from_dict(flow)
        assert model.to_dict() == flow
        return store_flow.sync(client=sync_client, body=models.StoreFlowRequest(flow=model))

    if raw.status_code == 200:
        assert sent().stored
        assert run(sync_client, models.Flow.from_dict(flow), {"prompt": "a"}).status == "completed"
        return
    with pytest.raises((ValidationError, StatusError)):
        sent()


def test_the_server_accepts_what_is_not_of_the_spec(server: StepflowServer) -> None:
    case = failing("COMPONENT_FAILED" if AT >= (0, 12) else 1)
    flow = {**message_flow().to_dict(), "test": {"cases": [case]}}
    for given in (flow, {**flow, "test": []}):
        assert httpx.post(f"{server.url}/api/v1/flows", json={"flow": given}).status_code == 200


def test_diagnostics(sync_client: Client) -> None:
    step = models.Step(id="a", component="/eval", input={"$step": "nowhere"})
    body = models.StoreFlowRequest(flow=models.Flow(steps=[step], output=1))
    found = store_flow.sync(client=sync_client, body=body)
    levels = {one.kind: one.level for one in found.diagnostics.diagnostics}
    assert not found.stored
    assert levels["undefinedStepReference"] is models.DiagnosticLevel.FATAL
    assert levels["missingFlowName"] is models.DiagnosticLevel.WARNING


SCHEMAS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "variables": {
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "env_var": "WHO", "maxLength": 9},
                "times": {"type": "integer", "default": 3},
                "share": {"type": "number", "default": 0.5},
                "whole": {"type": "number", "default": 2.0},
            },
        }
    },
}


def test_the_integers_of_a_schema(sync_client: Client) -> None:
    flow_id = store(sync_client, echo_flow(schemas=SCHEMAS))
    found = get_flow.sync(flow_id, client=sync_client).flow.to_dict()
    assert json.dumps(found["schemas"], sort_keys=True) == json.dumps(SCHEMAS, sort_keys=True)


def test_a_flow_that_is_unknown(sync_client: Client) -> None:
    for flow_id in (UNKNOWN_HASH, "no id/ü"):
        with pytest.raises(NotFound) as raised:
            get_flow.sync(flow_id, client=sync_client)
        assert isinstance(raised.value.parsed, models.ErrorResponse)
        # Other servers do not name it.
        assert AT < (0, 12) or f"'{flow_id}' not found" in raised.value.message
    with pytest.raises(NotFound) as raised:
        run(sync_client, UNKNOWN_HASH, 1)
    assert isinstance(raised.value.parsed, models.ErrorResponse)


if AT >= (0, 11):

    def test_variables(sync_client: Client) -> None:
        flow_id = store(sync_client, echo_flow(schemas=SCHEMAS))
        found = get_flow_variables.sync(flow_id, client=sync_client)
        assert found.env_vars == {"name": "WHO"}
        schema = SCHEMAS["properties"]["variables"]
        assert json.dumps(found.schema_, sort_keys=True) == json.dumps(schema, sort_keys=True)
        bare = get_flow_variables.sync(store(sync_client, echo_flow()), client=sync_client)
        assert (bare.env_vars, bare.schema_) == ({}, None)
        with pytest.raises(NotFound):
            get_flow_variables.sync(UNKNOWN_HASH, client=sync_client)

    def test_no_items(sync_client: Client) -> None:
        done = run(sync_client, echo_flow(), [])
        assert (done.status, done.items.total, done.results) == ("completed", 0, [])
        assert get_run_items.sync(done.run_id, client=sync_client).items == []

else:

    def test_variables_are_not_there(sync_client: Client) -> None:
        flow_id = store(sync_client, echo_flow())
        unsupported(lambda: get_flow_variables.sync(flow_id, client=sync_client), "0.11.0")

    @pytest.mark.parametrize("wait", [True, False])
    def test_no_items_are_refused(wait: bool, sync_client: Client) -> None:
        flow_id = store(sync_client, echo_flow())
        body = models.CreateRunRequest(flow_id=flow_id, input=[], wait=wait)
        unsupported(lambda: create_run.sync(client=sync_client, body=body), "0.11.0")


if AT >= (0, 10):

    def test_the_steps_of_an_item(sync_client: Client) -> None:
        done = run(sync_client, message_flow(), [{"prompt": "a"}, {}])
        # Of all items it is the worst.
        for index, status in ((None, "failed"), (0, "completed"), (1, "failed")):
            steps = get_run_steps.sync(done.run_id, client=sync_client, item_index=index).steps
            assert (steps["msg"].step_id, steps["msg"].component) == ("msg", "/create_messages")
            assert steps["msg"].status == status
        with pytest.raises(BadRequest, match="Item index 2 out of bounds"):
            get_run_steps.sync(done.run_id, client=sync_client, item_index=2)

    def test_blobs(sync_client: Client) -> None:
        body = models.StoreBlobRequest(data={"n": 1, "f": 1.5}, filename="a.json")
        stored = store_blob.sync(client=sync_client, body=body)
        found = get_blob.sync(stored.blob_id, client=sync_client)
        assert json.dumps(found.data, sort_keys=True) == '{"f": 1.5, "n": 1}'
        assert (found.blob_type, found.filename) == ("data", "a.json")
        octets = store_blob_bytes.sync(b"\0\xff", client=sync_client, filename="a.bin")
        assert get_blob_bytes.sync(octets.blob_id, client=sync_client) == b"\0\xff"
        for endpoint in (get_blob, get_blob_bytes):
            with pytest.raises(NotFound, match=f"Blob '{UNKNOWN_HASH}' not found") as raised:
                endpoint.sync(UNKNOWN_HASH, client=sync_client)
            assert isinstance(raised.value.parsed, models.ErrorResponse)
        with pytest.raises(BadRequest) as refused:
            store_blob.sync(client=sync_client, body={"filename": "a"})  # type: ignore[arg-type]
        assert isinstance(refused.value.parsed, models.ErrorResponse)

else:

    def test_the_steps_of_the_only_item(sync_client: Client) -> None:
        done = run(sync_client, message_flow(), {"prompt": "a"})
        steps = get_run_steps.sync(done.run_id, client=sync_client, item_index=0).steps
        assert steps["msg"].status == "completed"

    def test_the_steps_of_several_items_are_mixed_up(sync_client: Client) -> None:
        done = run(sync_client, message_flow(), [{"prompt": "a"}, {}])
        unsupported(lambda: get_run_steps.sync(done.run_id, client=sync_client), "0.10.0")

    def test_blobs_are_not_there(sync_client: Client) -> None:
        body = models.StoreBlobRequest(data=1)
        for call in (
            lambda: store_blob.sync(client=sync_client, body=body),
            lambda: store_blob_bytes.sync(b"a", client=sync_client),
            lambda: get_blob.sync(UNKNOWN_HASH, client=sync_client),
            lambda: get_blob_bytes.sync(UNKNOWN_HASH, client=sync_client),
        ):
            unsupported(call, "0.10.0")


if AT >= (0, 12):

    def test_the_result_of_a_step(sync_client: Client) -> None:
        done = run(sync_client, message_flow(), {"prompt": "a"})
        step = get_run_steps.sync(done.run_id, client=sync_client).steps["msg"]
        assert isinstance(step.result, models.FlowResultSuccess)
        assert step.result.output is not None
        assert step.result.output["messages"] == [{"role": "user", "content": "a"}]

    def test_a_binary_blob_as_json_is_base64(sync_client: Client) -> None:
        stored = store_blob_bytes.sync(b"\0\xff", client=sync_client)
        assert get_blob.sync(stored.blob_id, client=sync_client).data == "AP8="

    def test_a_result_of_no_known_type_has_floats(sync_client: Client) -> None:
        output = run(sync_client, echo_flow(), {"n": 1}).result.output
        assert json.dumps(output) == '{"n": 1.0}'

    def test_its_errors(sync_client: Client) -> None:
        with pytest.raises(StatusError, match="invalid UUID: 'nope'") as raised:
            get_run.sync("nope", client=sync_client)
        assert raised.value.status_code == 400

else:

    def test_events_are_not_there(sync_client: Client) -> None:
        unsupported(lambda: get_run_events.sync(UNKNOWN_RUN, client=sync_client), "0.12.0")

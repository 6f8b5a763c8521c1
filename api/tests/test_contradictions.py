"""Where the server contradicts its own spec: each place by its name, and the truth all the same."""

from __future__ import annotations

import http.client
import json
from http import HTTPStatus

import httpx
import pytest
from pydantic import ValidationError

from api.tests.support.exchange import Changing, Recorder
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
from stepflow_api.api.blob import get_blob, get_blob_bytes, store_blob_bytes
from stepflow_api.api.component import list_components
from stepflow_api.api.flow import delete_flow, get_flow, store_flow
from stepflow_api.api.run import (
    cancel_run,
    create_run,
    delete_run,
    get_run,
    get_run_steps,
    list_runs,
)
from stepflow_api.errors import (
    BadRequest,
    InvalidRequest,
    NotFound,
    PayloadTooLarge,
    ServerError,
    UnprocessableContent,
    UnsupportedMediaType,
)
from tools.spec.server import StepflowServer


@pytest.fixture
def client(sync_client: Client) -> Client:
    """A client without an event loop: nothing here depends on the form."""
    return sync_client


def schema(server: StepflowServer, name: str) -> dict[str, object]:
    """Return the schema of a model in the server's own spec."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", "/api/v1/openapi.json")
    document = json.loads(connection.getresponse().read())
    connection.close()
    return dict(document["components"]["schemas"][name])


def test_delete_answers_200_and_deletes_nothing(client: Client) -> None:
    made = run(client, message_flow(), {"prompt": "a"})
    response = delete_run.sync_detailed(made.run_id, client=client)
    assert (response.status_code, response.content, response.parsed) == (200, b"", None)
    assert get_run.sync(made.run_id, client=client).status == "completed"
    response = delete_flow.sync_detailed(made.flow_id, client=client)
    assert (response.status_code, response.content, response.parsed) == (200, b"", None)
    assert get_flow.sync(made.flow_id, client=client).flow.name == "message"


def test_delete_of_an_unknown_flow_answers_200(client: Client) -> None:
    for flow_id in (UNKNOWN_HASH, "nope"):
        delete_flow.sync(flow_id, client=client)
        with pytest.raises(NotFound):
            get_flow.sync(flow_id, client=client)
    with pytest.raises(NotFound):
        delete_run.sync(UNKNOWN_RUN, client=client)


def test_422_stands_in_no_spec_and_is_plain_text(client: Client) -> None:
    body = {"flowId": UNKNOWN_HASH, "input": 1}
    response = create_run.sync_detailed(client=client, body=body)  # type: ignore[arg-type]
    assert (response.status_code, response.parsed) == (422, None)
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    with pytest.raises(UnprocessableContent) as raised:
        create_run.sync(client=client, body=body)  # type: ignore[arg-type]
    assert raised.value.message.startswith(
        f"422 {HTTPStatus(422).phrase}: Failed to deserialize the JSON body into the target type:"
        " input: invalid type: integer `1`, expected a sequence"
    )


def test_415_stands_in_no_spec_and_is_plain_text(client: Client) -> None:
    Changing(client, headers={"content-type": "text/csv"})
    body = models.StoreFlowRequest(flow=echo_flow())
    response = store_flow.sync_detailed(client=client, body=body)
    assert (response.status_code, response.parsed) == (415, None)
    with pytest.raises(UnsupportedMediaType) as raised:
        store_flow.sync(client=client, body=body)
    assert raised.value.message == (
        "415 Unsupported Media Type: Expected request with `Content-Type: application/json`"
    )


def test_errors_of_parsing_a_body_are_plain_text(client: Client) -> None:
    Changing(client, content=b"{")
    with pytest.raises(BadRequest) as raised:
        store_flow.sync(client=client, body=models.StoreFlowRequest(flow=echo_flow()))
    assert raised.value.message == (
        "400 Bad Request: Failed to parse the request body as JSON: EOF while parsing an object at"
        " line 1 column 1"
    )
    assert raised.value.parsed is None


def test_errors_of_parsing_a_query_are_plain_text(client: Client) -> None:
    with pytest.raises(BadRequest) as raised:
        list_components.sync(client=client, include_schemas="perhaps")  # type: ignore[arg-type]
    assert raised.value.message == (
        "400 Bad Request: Failed to deserialize query string: includeSchemas: provided string was"
        " not `true` or `false`"
    )
    assert raised.value.parsed is None


def test_cancel_flips_the_status_and_the_run_goes_on_to_completed(
    client: Client, slow: SlowFlow
) -> None:
    run_id = slow.start()
    summary = cancel_run.sync(run_id, client=client)
    assert summary.status is models.ExecutionStatus.CANCELLED
    assert summary.items.running == 1
    # Waiting calls end at once.
    cancelled = get_run.sync(run_id, client=client, wait=True)
    assert cancelled.status is models.ExecutionStatus.CANCELLED
    slow.end_run(run_id, "late")
    late = get_run.sync(run_id, client=client)
    assert late.status is models.ExecutionStatus.COMPLETED
    assert late.completed_at != cancelled.completed_at


def test_max_concurrency_0_kills_the_request(client: Client) -> None:
    flow_id = store(client, echo_flow(name="stuck"))
    minimum = {"flow_id": flow_id, "input": [1, 2], "wait": True}
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        models.CreateRunRequest.from_dict({**minimum, "max_concurrency": 0})
    # What that keeps the user from: no answer, and a run that never ends.
    body = models.CreateRunRequest.from_dict(minimum).to_dict() | {"maxConcurrency": 0}
    with pytest.raises(InvalidRequest, match=r"maxConcurrency is 0.*; pass 1 or more"):
        create_run.sync(client=client, body=body)  # type: ignore[arg-type]
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(f"{client.base_url}/runs", json=body, trust_env=False)
    stuck = list_runs.sync(client=client, flow_name="stuck").runs
    assert [run.status for run in stuck] == ["running"]


def test_max_concurrency_0_is_the_minimum_of_the_spec(server: StepflowServer) -> None:
    properties = schema(server, "CreateRunRequest")["properties"]
    assert properties["maxConcurrency"]["minimum"] == 0  # type: ignore[index]


def test_a_fatally_invalid_flow_gets_200_and_an_id(client: Client) -> None:
    step = models.Step(id="twice", component="/eval")
    body = models.StoreFlowRequest(flow=models.Flow(steps=[step, step]))
    stored = store_flow.sync(client=client, body=body)
    assert not stored.stored
    assert stored.diagnostics.num_fatal == 1
    fatal = [d for d in stored.diagnostics.diagnostics if d.level is models.DiagnosticLevel.FATAL]
    assert [d.formatted for d in fatal] == ["Duplicate step ID 'twice'"]
    with pytest.raises(NotFound):
        get_flow.sync(stored.flow_id, client=client)


def test_snake_case_is_ignored_so_camel_case_is_sent(client: Client, slow: SlowFlow) -> None:
    recorder = Recorder(client)
    body = models.CreateRunRequest(
        flow_id=slow.id, input=1, wait=True, timeout_secs=0, max_concurrency=1
    )
    create_run.sync(client=client, body=body)
    assert recorder.sent.keys() == {"flowId", "input", "wait", "timeoutSecs", "maxConcurrency"}
    # The server would not even complain: this flow is stored, although it is only to be tried.
    flow = {"flow": {"name": "tried"}, "dry_run": True}
    tried = store_flow.sync(client=client, body=flow)  # type: ignore[arg-type]
    assert tried.stored
    request = models.StoreFlowRequest.from_dict({**flow, "flow": {"name": "tried too"}})
    assert not store_flow.sync(client=client, body=request).stored


def test_snake_case_inside_a_flow_is_sent_as_camel_case(client: Client) -> None:
    recorder = Recorder(client)
    step = models.Step(
        id="load",
        component="/load_file",
        input={"path": "/nonexistent"},
        on_error=models.OnErrorDefault(default_value={"data": 7}),
        must_execute=True,
    )
    flow = models.Flow(name="f", steps=[step], output={"$step": "load", "path": "data"})
    assert run(client, flow).result.output == 7
    (sent,) = json.loads(recorder.requests[0][1].content or b"")["flow"]["steps"]
    assert sent.keys() == {"id", "component", "input", "onError", "mustExecute"}
    assert sent["onError"] == {"action": "useDefault", "defaultValue": {"data": 7}}


def test_errors_are_json_sent_as_plain_text(client: Client) -> None:
    response = get_run.sync_detailed(UNKNOWN_RUN, client=client)
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert type(response.parsed) is models.ErrorResponse
    assert response.parsed.to_dict() == json.loads(response.content)
    assert response.parsed.message == f"Execution '{UNKNOWN_RUN}' not found"
    with pytest.raises(NotFound) as raised:
        get_run.sync(UNKNOWN_RUN, client=client)
    assert raised.value.parsed == response.parsed
    assert raised.value.message == f"404 Not Found: Execution '{UNKNOWN_RUN}' not found"


def test_a_bad_uuid_in_a_path_is_plain_text_400(client: Client) -> None:
    with pytest.raises(BadRequest) as raised:
        get_run.sync("nope", client=client)
    assert raised.value.message.startswith(
        "400 Bad Request: Invalid URL: Cannot parse `run_id` with value `nope`: UUID parsing failed"
    )
    assert raised.value.parsed is None


def test_a_binary_blob_read_as_json_is_a_500(client: Client) -> None:
    blob = store_blob_bytes.sync(b"\xff\x00", client=client)
    with pytest.raises(ServerError) as raised:
        get_blob.sync(blob.blob_id, client=client)
    assert raised.value.message == "500 Internal Server Error: Failed to deserialize blob data"
    assert get_blob_bytes.sync(blob.blob_id, client=client) == b"\xff\x00"


@pytest.mark.parametrize("input", [[], ()])
def test_an_empty_input_gives_a_run_without_items(input: object, client: Client) -> None:
    made = run(client, echo_flow(), input)
    assert (made.status, made.items.total, made.results) == ("completed", 0, [])
    assert made.result is None
    details = get_run.sync(made.run_id, client=client)
    assert (details.item_details, details.result) == ([], None)


def test_wait_null_is_refused_by_some_so_what_is_not_set_is_left_out(client: Client) -> None:
    recorder = Recorder(client)
    flow_id = store(client, echo_flow())
    create_run.sync(client=client, body=models.CreateRunRequest(flow_id=flow_id, input=1))
    assert recorder.sent == {"flowId": flow_id, "input": [1]}
    # 0.10 and 0.11.0 answer an explicit null with 422; this one takes it.
    body = models.CreateRunRequest(flow_id=flow_id, input=1, wait=None)
    assert create_run.sync_detailed(client=client, body=body).status_code == 202
    assert recorder.sent == {"flowId": flow_id, "input": [1], "wait": None}


def test_a_body_over_2_mib_is_413_and_plain_text(client: Client) -> None:
    flow_id = store(client, echo_flow())
    size = 2 * 1024 * 1024
    # The document around the input has its size too.
    around = len(models.CreateRunRequest(flow_id=flow_id, input="").to_json())
    body = models.CreateRunRequest(flow_id=flow_id, input="x" * (size - around))
    assert len(body.to_json()) == size
    create_run.sync(client=client, body=body)
    body = models.CreateRunRequest(flow_id=flow_id, input="x" * (size - around + 1))
    with pytest.raises(PayloadTooLarge) as raised:
        create_run.sync(client=client, body=body)
    assert raised.value.message == (
        f"413 {HTTPStatus(413).phrase}: Failed to buffer the request body: length limit exceeded"
    )
    assert raised.value.parsed is None


def test_overrides_as_a_flat_map_are_refused_so_they_are_sent_as_steps(client: Client) -> None:
    flow_id = store(client, message_flow())
    flat = {"msg": {"$type": "merge_patch", "value": {"input": {"user_prompt": "b"}}}}
    document = {"flowId": flow_id, "input": [{"prompt": "a"}], "wait": True, "overrides": flat}
    with pytest.raises(UnprocessableContent, match="overrides: missing field `steps`"):
        create_run.sync(client=client, body=document)  # type: ignore[arg-type]
    made = run(client, flow_id, {"prompt": "a"}, overrides=flat)
    assert made.result.output == "b"


def test_a_refused_override_leaves_a_failed_run_behind(client: Client) -> None:
    flow_id = store(client, message_flow(name="refused"))
    with pytest.raises(BadRequest, match="Step 'nope' not found in workflow"):
        run(client, flow_id, {"prompt": "a"}, overrides={"nope": {}})
    (left,) = list_runs.sync(client=client, flow_name="refused").runs
    assert left.status is models.ExecutionStatus.FAILED
    assert left.items.to_dict() == {
        "total": 1,
        "completed": 0,
        "running": 1,
        "failed": 0,
        "cancelled": 0,
    }


def test_examples_are_left_out_where_the_spec_requires_them(
    client: Client, server: StepflowServer
) -> None:
    assert "allExamples" in schema(server, "FlowResponse")["required"]  # type: ignore[operator]
    recorder = Recorder(client)
    flow_id = store(client, echo_flow())
    answer = get_flow.sync(flow_id, client=client)
    assert "allExamples" not in recorder.received
    assert answer.all_examples == []
    assert answer.to_dict() == recorder.received


def test_steps_have_no_result_whatever_the_spec_says(
    client: Client, server: StepflowServer
) -> None:
    assert "result" in schema(server, "StepRunResponse")["properties"]  # type: ignore[operator]
    made = run(client, message_flow(), {"prompt": "a"})
    step = get_run_steps.sync(made.run_id, client=client).steps["msg"]
    assert (step.status, step.result) == (models.StepStatus.COMPLETED, None)

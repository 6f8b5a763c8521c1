"""What becomes of the arguments of a call: inputs, overrides, bodies, paths, queries."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Callable
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from api.tests.support.exchange import Recorder
from api.tests.support.odd_server import OddServer, answer
from stepflow_api import UNSET, Client, models
from stepflow_api._exchange.effects import Steps
from stepflow_api._messages import Answer, Request
from stepflow_api.api.blob import get_blob
from stepflow_api.api.flow import get_flow
from stepflow_api.api.run import create_run, get_run, list_runs
from stepflow_api.errors import InvalidAnswer, InvalidRequest, StepflowError
from stepflow_api.models import CreateRunRequest, WorkflowOverrides


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"name": "World"}, [{"name": "World"}]),
        ({}, [{}]),
        ("text", ["text"]),
        ("", [""]),
        (0, [0]),
        (False, [False]),
        (1.5, [1.5]),
        (None, [None]),
        ([1, 2], [1, 2]),
        ((1, 2), [1, 2]),
        ([], []),
        ((), []),
        ([None], [None]),
        ([[1, 2, 3]], [[1, 2, 3]]),
        ([[]], [[]]),
        ([[1], [2]], [[1], [2]]),
        (models.ExampleInput(name="n", input=1), [{"name": "n", "input": 1}]),
        ([models.ExampleInput(name="n", input=1)], [{"name": "n", "input": 1}]),
    ],
    ids=repr,
)
def test_one_input_is_wrapped_and_a_list_is_a_batch(given: Any, sent: list[Any]) -> None:
    for request in (
        CreateRunRequest(flow_id="f", input=given),
        CreateRunRequest.from_dict({"flowId": "f", "input": given}),
    ):
        assert request.to_dict() == {"flowId": "f", "input": sent}
        assert json.loads(request.to_json()) == request.to_dict()
        assert isinstance(request.input, list)
        # Taken in once more, nothing is wrapped twice.
        assert CreateRunRequest.from_dict(request.to_dict()).to_dict() == request.to_dict()


@pytest.mark.parametrize("given", [[1, 2, 3], (1,), [], {"a": 1}, None, [[1]]], ids=repr)
def test_one_input_that_may_be_a_list(given: Any) -> None:
    request = CreateRunRequest.single("f", given, wait=True, timeout_secs=5)
    sent = json.loads(json.dumps(given))
    assert request.to_dict() == {"flowId": "f", "input": [sent], "wait": True, "timeoutSecs": 5}


def test_a_list_that_was_given_is_not_the_requests_own() -> None:
    inputs = [1]
    request = CreateRunRequest(flow_id="f", input=inputs)
    inputs.append(2)
    assert request.to_dict()["input"] == [1]


@pytest.mark.parametrize("number", [0, -1])
def test_a_concurrency_that_the_server_breaks_at_is_refused(number: int) -> None:
    for fields in ({"max_concurrency": number}, {"maxConcurrency": number}):
        with pytest.raises(ValidationError, match="greater than or equal to 1"):
            CreateRunRequest.from_dict({"flow_id": "f", "input": 1, **fields})
    with pytest.raises(ValidationError):
        CreateRunRequest.single("f", 1, max_concurrency=number)
    assert CreateRunRequest(flow_id="f", input=1, max_concurrency=1).max_concurrency == 1


PATCH = {"input": {"temperature": 0}}
SENT = {"steps": {"s": {"value": PATCH}}}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"s": PATCH}, SENT),
        ({"s": {"value": PATCH}}, SENT),
        ({"steps": {"s": PATCH}}, SENT),
        ({"steps": {"s": {"value": PATCH}}}, SENT),
        (WorkflowOverrides(steps={"s": models.StepOverride(value=PATCH)}), SENT),
        ({"s": models.StepOverride(value=PATCH)}, SENT),
        (MappingProxyType({"s": MappingProxyType({"value": PATCH})}), SENT),
        (MappingProxyType({"s": PATCH}), SENT),
        (MappingProxyType({"steps": MappingProxyType({"s": PATCH})}), SENT),
        # A patch of a step that has a `value` itself.
        (
            {"s": {"value": 1, "input": {}}},
            {"steps": {"s": {"value": {"value": 1, "input": {}}}}},
        ),
        (
            {"s": {"$type": "merge_patch", "value": PATCH}},
            {"steps": {"s": {"$type": "merge_patch", "value": PATCH}}},
        ),
        (
            {"s": {"type": "json_patch", "value": []}},
            {"steps": {"s": {"$type": "json_patch", "value": []}}},
        ),
        ({"s": {"$type": "later", "value": 1}}, {"steps": {"s": {"$type": "later", "value": 1}}}),
        ({"steps": {"value": PATCH}}, {"steps": {"steps": {"value": PATCH}}}),
        ({"a": PATCH, "b": {"value": PATCH}}, {"steps": {n: {"value": PATCH} for n in "ab"}}),
        ({}, {"steps": {}}),
        ({"steps": {}}, {"steps": {}}),
        (None, None),
    ],
    ids=repr,
)
def test_overrides_in_every_shape(given: Any, sent: Any) -> None:
    for request in (
        CreateRunRequest(flow_id="f", input=1, overrides=given),
        models.CreateBatchRequest(flow_id="f", inputs=[1], overrides=given),
    ):
        assert request.to_dict()["overrides"] == sent
        assert type(request.overrides) in (WorkflowOverrides, type(None))
    if given is not None and not isinstance(given, WorkflowOverrides):
        made = WorkflowOverrides.from_dict(given)
        assert made.to_dict() == sent
        assert WorkflowOverrides.from_dict(made.to_dict()) == made
        # What the server sends back with a run.
        assert WorkflowOverrides.model_validate_json(made.to_json()) == made


@pytest.mark.parametrize("given", [1, "s", [PATCH], {"s": 1}, {"s": None}, {"steps": {"s": []}}])
def test_overrides_of_no_shape_are_refused(given: Any) -> None:
    with pytest.raises(ValidationError):
        CreateRunRequest(flow_id="f", input=1, overrides=given)


@pytest.fixture
def recorded() -> Any:
    """A client that sends nothing, and what it would have sent."""

    class Unsent(Exception):
        pass

    class Stopping(Recorder):
        def _pass(self, operation_id: str, version: str, request: Request) -> Steps[Answer]:
            next(super()._pass(operation_id, version, request))
            raise Unsent
            yield

    client = Client("http://server", server_version="0.11.1")
    recorder = Stopping(client)

    def call(endpoint: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        with pytest.raises(Unsent):
            endpoint(*arguments, client=client, **options)
        return recorder.last_request

    return call


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (UUID("01a205b5-0a0a-7542-9354-0c70a04a73df"), "01a205b5-0a0a-7542-9354-0c70a04a73df"),
        (datetime.date(2026, 11, 23), "2026-11-23"),
        (datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC), "2026-11-23T00:00:00Z"),
        (models.ExecutionStatus.RUNNING, "running"),
        ((1, 2), [1, 2]),
        (b"text", "text"),
        (10**30, 10**30),
        ("NaN Infinity", "NaN Infinity"),
        ({"Infinity": ["-NaN"]}, {"Infinity": ["-NaN"]}),
        (1e308, 1e308),
        ({1: "a"}, {"1": "a"}),
    ],
    ids=repr,
)
def test_values_that_json_can_hold(value: Any, sent: Any, recorded: Any) -> None:
    request = recorded(create_run.sync, body=CreateRunRequest(flow_id="f", input={"v": value}))
    assert json.loads(request.content)["input"] == [{"v": sent}]
    assert request.headers == {"content-type": "application/json"}
    assert b" " not in request.content.replace(b"NaN Inf", b"")


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        object(),
        b"\xff",
        "\ud800",
        {object(): 1},
        CIRCLE,
        lambda: 1,
        int,
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("depth", [0, 1, 3])
def test_values_that_json_cannot_hold(value: Any, depth: int) -> None:
    for _ in range(depth):
        value = {"deeper": [value]}
    client = Client("http://server", server_version="0.11.1")
    recorder = Recorder(client)
    bodies = [
        CreateRunRequest(flow_id="f", input={"v": value}),
        CreateRunRequest(flow_id="f", input=1, variables={"v": value}),
        {"flowId": "f", "input": [value]},
    ]
    for body in bodies:
        with pytest.raises(InvalidRequest) as raised:
            create_run.sync(client=client, body=body)  # type: ignore[arg-type]
        message = str(raised.value)
        assert message.startswith("createRun: the body cannot be written as JSON (")
        assert message.endswith("); pass values that JSON can hold")
        assert "\n" not in message
    assert recorder.requests == []


def test_a_number_that_is_none_is_never_sent_as_null() -> None:
    request = CreateRunRequest(flow_id="f", input=math.nan)
    assert math.isnan(request.to_dict()["input"][0])
    assert b"null" not in request.to_json()


def test_bytes_for_an_endpoint_of_json(recorded: Any) -> None:
    with pytest.raises(InvalidRequest, match="createRun: the body is bytes; it takes JSON alone"):
        create_run.sync(client=Client("http://server", server_version="0.11.1"), body=b"{}")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "query"),
    [
        (UNSET, ()),
        (None, ()),
        (True, (("rootsOnly", "true"),)),
        (False, (("rootsOnly", "false"),)),
    ],
)
def test_a_query_parameter_that_is_not_given_is_left_out(
    value: Any, query: Any, recorded: Any
) -> None:
    assert recorded(list_runs.sync, roots_only=value).query == query


def test_query_parameters_of_every_kind(recorded: Any) -> None:
    run = UUID("01a205b5-0a0a-7542-9354-0c70a04a73df")
    request = recorded(
        list_runs.sync,
        status=models.ExecutionStatus.RECOVERY_FAILED,
        flow_name="ä&b=c d",
        root_run_id=run,
        parent_run_id=str(run),
        max_depth=0,
    )
    assert request.query == (
        ("status", "recoveryFailed"),
        ("flowName", "ä&b=c d"),
        ("rootRunId", str(run)),
        ("parentRunId", str(run)),
        ("maxDepth", "0"),
    )


@pytest.mark.parametrize("value", [object(), {"a": 1}, b"x"], ids=["object", "map", "bytes"])
def test_a_parameter_of_no_kind_is_refused(value: Any) -> None:
    client = Client("http://server", server_version="0.11.1")
    message = f"is of type {type(value).__name__}; pass text, a number, a bool or a UUID"
    with pytest.raises(InvalidRequest, match=f"listRuns: flowName {message}"):
        list_runs.sync(client=client, flow_name=value)
    with pytest.raises(InvalidRequest, match=f"getRun: run_id {message}") as raised:
        get_run.sync(value, client=client)
    # Its traceback does not say the same twice.
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    ("value", "target"),
    [
        ("../x", "..%2Fx"),
        ("a/b", "a%2Fb"),
        ("ä", "%C3%A4"),
        ("%", "%25"),
        ("%2F", "%252F"),
        ("a b", "a%20b"),
        ("a?b#c", "a%3Fb%23c"),
        ("a;b=c&d", "a%3Bb%3Dc%26d"),
        (".", "%2E"),
        ("..", "%2E%2E"),
        ("...", "..."),
        ("\n\0", "%0A%00"),
        ("{flow_id}", "%7Bflow_id%7D"),
        ("http://x", "http%3A%2F%2Fx"),
    ],
)
def test_a_path_parameter_arrives_as_it_was(value: str, target: str) -> None:
    with OddServer(answer("{}")) as server, Client(server.url, server_version="0.11.1") as client:
        for endpoint, folder in ((get_blob, "blobs"), (get_flow, "flows")):
            with pytest.raises(InvalidAnswer) as raised:
                endpoint.sync(value, client=client)
            assert server.target() == f"/api/v1/{folder}/{target}"
            assert raised.value.url == f"{server.url}/api/v1/{folder}/{target}"


@pytest.mark.parametrize("value", ["", None, UNSET, [], "\ud800"])
def test_a_path_parameter_that_cannot_be_sent_is_refused(value: Any) -> None:
    with pytest.raises(InvalidRequest, match="getBlob: blob_id is ") as raised:
        get_blob.sync(value, client=Client("http://server", server_version="0.11.1"))
    assert "\n" not in str(raised.value)


def test_a_query_parameter_that_is_no_text_is_refused() -> None:
    with pytest.raises(StepflowError) as raised:
        list_runs.sync(client=Client("http://server", server_version="0.11.1"), flow_name="\ud800")
    assert type(raised.value) is InvalidRequest
    assert "\n" not in str(raised.value)
    assert str(raised.value).isprintable()

"""Every operation in each error case a request can provoke, on the real server, in all forms."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from api.tests.support.flows import UNKNOWN_HASH, UNKNOWN_RUN
from api.tests.support.forms import DETAILED, FORMS, PLAIN, Form
from api.tests.support.seam import Recorder
from api.tests.support.world import World
from stepflow_api import Client, models
from stepflow_api.api.run import create_run
from stepflow_api.errors import (
    BadRequest,
    Conflict,
    NotFound,
    PayloadTooLarge,
    ServerError,
    StatusError,
    UnexpectedStatus,
    UnprocessableContent,
)
from stepflow_api.spec import OPERATIONS

pytestmark = pytest.mark.anyio

_TOO_LARGE = "x" * (2 * 1024 * 1024 + 1)


@dataclass(frozen=True)
class Failure:
    """A call that the server refuses.

    Attributes:
        endpoint: What is called.
        what: What is wrong with the call.
        arguments: The call's arguments in a world.
        error: What the plain forms raise.
        said: A part of what the server says.
        body: Whether the body is the model that the spec documents for this status, text in its
            place, or whether the spec does not document the status.
    """

    endpoint: str
    what: str
    arguments: Callable[[World], Mapping[str, Any]]
    error: type[StatusError]
    said: str
    body: Literal["model", "text", "undocumented"] = "model"

    def __str__(self) -> str:
        return f"{self.endpoint}-{self.what}".replace(" ", "_")


def _run(world: World, **fields: Any) -> Mapping[str, Any]:
    fields = {"flow_id": world.flow, "input": {"prompt": "a"}, **fields}
    return {"body": models.CreateRunRequest(**fields)}


def _of_run(endpoint: str) -> list[Failure]:
    return [
        Failure(
            endpoint,
            "unknown run",
            lambda w: {"run_id": UNKNOWN_RUN},
            NotFound,
            f"Execution '{UNKNOWN_RUN}' not found",
        ),
        Failure(
            endpoint,
            "malformed run",
            lambda w: {"run_id": "nope"},
            BadRequest,
            "Cannot parse `run_id` with value `nope`",
            body="undocumented",
        ),
    ]


def _of_flow(endpoint: str) -> list[Failure]:
    said = "Flow not found"
    return [
        Failure(endpoint, "unknown flow", lambda w: {"flow_id": UNKNOWN_HASH}, NotFound, said),
        Failure(endpoint, "malformed flow", lambda w: {"flow_id": "nope"}, NotFound, said),
    ]


CASES = [
    Failure(
        "health.health_check",
        "provoked",
        lambda w: {"error": "boom"},
        ServerError,
        "Generic test error",
        body="undocumented",
    ),
    Failure(
        "health.health_check",
        "provoked not found",
        lambda w: {"error": "not_found"},
        NotFound,
        "not found",
        body="undocumented",
    ),
    Failure(
        "component.list_components",
        "no bool",
        lambda w: {"include_schemas": "perhaps"},
        BadRequest,
        "includeSchemas: provided string was not `true` or `false`",
        body="text",
    ),
    Failure(
        "blob.store_blob",
        "no data",
        lambda w: {"body": {"filename": "a"}},
        BadRequest,
        "missing field `data`",
    ),
    Failure(
        "blob.store_blob",
        "unknown type",
        lambda w: {"body": models.StoreBlobRequest(data=1, blob_type=models.BlobType("novel"))},
        BadRequest,
        "unknown variant `novel`",
    ),
    Failure(
        "blob.store_blob",
        "too large",
        lambda w: {"body": models.StoreBlobRequest(data=_TOO_LARGE)},
        PayloadTooLarge,
        "length limit exceeded",
        body="undocumented",
    ),
    Failure(
        "blob.get_blob",
        "unknown",
        lambda w: {"blob_id": UNKNOWN_HASH},
        NotFound,
        f"Blob '{UNKNOWN_HASH}' not found",
    ),
    Failure(
        "blob.get_blob",
        "malformed",
        lambda w: {"blob_id": "../nope"},
        NotFound,
        "Blob '../nope' not found",
    ),
    Failure(
        "blob.get_blob",
        "binary",
        lambda w: {"blob_id": w.binary_blob},
        ServerError,
        "Failed to deserialize blob data",
        body="undocumented",
    ),
    Failure(
        "flow.store_flow",
        "no flow",
        lambda w: {"body": {}},
        UnprocessableContent,
        "missing field `flow`",
        body="undocumented",
    ),
    Failure(
        "flow.store_flow",
        "wrong shape",
        lambda w: {"body": {"flow": {"steps": 3}}},
        UnprocessableContent,
        "flow.steps: invalid type: integer `3`, expected a sequence",
        body="undocumented",
    ),
    Failure(
        "flow.store_flow",
        "too large",
        lambda w: {"body": models.StoreFlowRequest(flow=models.Flow(output=_TOO_LARGE))},
        PayloadTooLarge,
        "length limit exceeded",
        body="undocumented",
    ),
    *_of_flow("flow.get_flow"),
    *_of_flow("flow.get_flow_variables"),
    Failure(
        "run.create_run",
        "unknown flow",
        lambda w: _run(w, flow_id=UNKNOWN_HASH),
        NotFound,
        f"Workflow '{UNKNOWN_HASH}' not found",
    ),
    Failure(
        "run.create_run",
        "malformed flow",
        lambda w: _run(w, flow_id="nope"),
        NotFound,
        "Workflow 'nope' not found",
    ),
    Failure(
        "run.create_run",
        "wrong shape",
        lambda w: {"body": {"flowId": w.flow, "input": 1}},
        UnprocessableContent,
        "input: invalid type: integer `1`, expected a sequence",
        body="undocumented",
    ),
    Failure(
        "run.create_run",
        "too large",
        lambda w: _run(w, input=_TOO_LARGE),
        PayloadTooLarge,
        "length limit exceeded",
        body="undocumented",
    ),
    Failure(
        "run.create_run",
        "override of an unknown step",
        lambda w: _run(w, overrides={"nope": {"input": {}}}),
        BadRequest,
        "Step 'nope' not found in workflow",
    ),
    Failure(
        "run.create_run",
        "override by JSON patch",
        lambda w: _run(w, overrides={"msg": {"$type": "json_patch", "value": []}}),
        BadRequest,
        "Unsupported override type: JsonPatch",
    ),
    Failure(
        "run.list_runs",
        "unknown status",
        lambda w: {"status": models.ExecutionStatus("novel")},
        BadRequest,
        "status: unknown variant `novel`",
        body="text",
    ),
    Failure(
        "run.list_runs",
        "negative limit",
        lambda w: {"limit": -1},
        BadRequest,
        "limit: invalid digit",
        body="text",
    ),
    Failure(
        "run.list_runs",
        "malformed root",
        lambda w: {"root_run_id": "nope"},
        BadRequest,
        "rootRunId: UUID parsing failed",
        body="text",
    ),
    *_of_run("run.get_run"),
    *_of_run("run.get_run_items"),
    *_of_run("run.get_run_flow"),
    *_of_run("run.get_run_steps"),
    Failure(
        "run.get_run_steps",
        "item out of range",
        lambda w: {"run_id": w.done, "item_index": 7},
        BadRequest,
        "Item index 7 out of bounds (run has 1 items)",
        body="undocumented",
    ),
    *_of_run("run.cancel_run"),
    Failure(
        "run.cancel_run",
        "finished run",
        lambda w: {"run_id": w.done},
        Conflict,
        "cannot be cancelled (status: Completed)",
    ),
    *_of_run("run.delete_run"),
    Failure(
        "run.delete_run",
        "running run",
        lambda w: {"run_id": w.running},
        Conflict,
        "is still running and cannot be deleted",
    ),
]


def _check(error: StatusError, case: Failure, seam: Recorder) -> None:
    """Checks all that an error must hold."""
    answer, request = seam.last_answer, seam.last_request
    assert type(error) is case.error
    assert error.status_code == answer.status_code
    assert error.status in (answer.status_code, None)
    assert error.content == answer.content
    assert error.method == request.method
    assert error.url == answer.url
    assert error.headers["content-type"] == "text/plain; charset=utf-8"
    assert case.said in error.message
    line = str(error)
    assert line.startswith(f"{error.method} {error.url}: {error.status_code} ")
    assert line.endswith(error.message)
    assert "\n" not in line and line.isprintable() and "{" not in error.message
    assert len(line) < 600
    _check_parsed(error.parsed, case, seam)


def _check_parsed(parsed: Any, case: Failure, seam: Recorder) -> None:
    if case.body == "model":
        assert type(parsed) is models.ErrorResponse
        assert parsed.to_dict() == seam.received
        assert parsed.code == seam.last_answer.status_code
    else:
        assert parsed is None


by_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
by_case = pytest.mark.parametrize("case", CASES, ids=str)


@by_form
@by_case
async def test_error(
    case: Failure, form: Form, world: World, client: Client, seam: Recorder
) -> None:
    arguments = case.arguments(world)
    if form.is_detailed:
        response = await form(case.endpoint, client=client, **arguments)
        assert response.status_code == seam.last_answer.status_code
        assert response.content == seam.last_answer.content
        assert not response.is_success
        assert case.said in response.text
        _check_parsed(response.parsed, case, seam)
        return
    with pytest.raises(StatusError) as raised:
        await form(case.endpoint, client=client, **arguments)
    _check(raised.value, case, seam)


@pytest.mark.parametrize("form", DETAILED, ids=lambda form: form.name)
@by_case
async def test_detailed_forms_raise_for_an_undocumented_status_if_told_so(
    case: Failure, form: Form, world: World, client: Client
) -> None:
    arguments = case.arguments(world)
    async with Client(client.base_url, raise_on_unexpected_status=True) as strict:
        if case.body != "undocumented":
            assert not (await form(case.endpoint, client=strict, **arguments)).is_success
            return
        with pytest.raises(UnexpectedStatus) as raised:
            await form(case.endpoint, client=strict, **arguments)
        assert case.said in str(raised.value)


@pytest.mark.parametrize("form", PLAIN, ids=lambda form: form.name)
async def test_plain_forms_raise_the_same_whatever_they_are_told(
    form: Form, client: Client
) -> None:
    async with Client(client.base_url, raise_on_unexpected_status=True) as strict:
        with pytest.raises(ServerError, match="Generic test error"):
            await form("health.health_check", error="boom", client=strict)


async def test_every_operation_that_can_fail_has_a_case() -> None:
    called = {f"api.{case.endpoint}" for case in CASES}
    # The server accepts any id to delete a flow by: see the contradictions.
    assert {facts.module for facts in OPERATIONS.values()} - called == {"api.flow.delete_flow"}


async def test_an_error_tells_its_causes_once(client: Client, world: World) -> None:
    with pytest.raises(BadRequest) as raised:
        create_run.sync(client=client, **_run(world, overrides={"nope": {}}))
    error = raised.value
    assert error.message == (
        "400 Bad Request: failed to apply workflow overrides: Step 'nope' not found in workflow"
    )
    stack = [entry.error for entry in error.parsed.stack]
    assert stack == ["failed to apply workflow overrides", "Step 'nope' not found in workflow"]
    assert json.loads(error.content)["stack"] == [{"error": text} for text in stack]

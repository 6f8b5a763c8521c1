"""Every operation in each error case a request can provoke, on the real server, in all forms.

Servers word their errors differently; what is raised, with which status and model, is the same.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import pytest

from api.tests.support.exchange import SERVER, Recorder
from api.tests.support.flows import UNKNOWN_HASH, UNKNOWN_RUN
from api.tests.support.forms import DETAILED, FORMS, PLAIN, Form
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
    UnsupportedByServer,
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
        said_later: What servers from 0.12 on say in the place of that; None for the same.
        said_first: What 0.9 says in the place of that; None for the same.
        since: The first version that can do this at all; others are not asked.
        until: The first version that refuses it no more; None where all refuse it.
    """

    endpoint: str
    what: str
    arguments: Callable[[World], Mapping[str, Any]]
    error: type[StatusError]
    said: str
    body: Literal["model", "text", "undocumented"] = "model"
    said_later: str | None = None
    said_first: str | None = None
    since: tuple[int, int] = (0, 9)
    until: tuple[int, int] | None = None

    def __str__(self) -> str:
        return f"{self.endpoint}-{self.what}".replace(" ", "_")

    @property
    def is_refused(self) -> bool:
        """Whether the server under test rejects it."""
        return self.since <= SERVER and (self.until is None or self.until > SERVER)

    @property
    def words(self) -> str:
        """A part of what the server at hand says."""
        given = (
            self.said_later if SERVER >= (0, 12) else self.said_first if SERVER < (0, 10) else None
        )
        return given or self.said


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
            f"'{UNKNOWN_RUN}' not found",
        ),
        Failure(
            endpoint,
            "malformed run",
            lambda w: {"run_id": "nope"},
            BadRequest,
            "Cannot parse `run_id` with value `nope`",
            body="undocumented",
            said_later="invalid UUID: 'nope'",
        ),
    ]


def _flow_arguments(flow_id: str, world: World) -> Mapping[str, Any]:
    return {"flow_id": flow_id}


def _of_flow(endpoint: str, since: tuple[int, int] = (0, 9)) -> list[Failure]:
    return [
        Failure(
            endpoint,
            f"{what} flow",
            functools.partial(_flow_arguments, flow_id),
            NotFound,
            "Flow not found",
            said_later=f"flow '{flow_id}' not found",
            since=since,
        )
        for what, flow_id in (("unknown", UNKNOWN_HASH), ("malformed", "nope"))
    ]


_BLOBS: Final = (0, 10)
_VARIABLES: Final = (0, 11)
#: From here on a body may be of 240 MiB, and a health check provokes nothing.
_LENIENT: Final = (0, 12)

CASES = [
    Failure(
        "health.health_check",
        "provoked",
        lambda w: {"error": "boom"},
        ServerError,
        "Generic test error",
        body="undocumented",
        until=_LENIENT,
    ),
    Failure(
        "health.health_check",
        "provoked not found",
        lambda w: {"error": "not_found"},
        NotFound,
        "not found",
        body="undocumented",
        until=_LENIENT,
    ),
    Failure(
        "component.list_components",
        "no bool",
        lambda w: {"include_schemas": "perhaps"},
        BadRequest,
        "Schemas: provided string was not `true` or `false`",
        body="text",
    ),
    Failure(
        "blob.store_blob",
        "no data",
        lambda w: {"body": {"filename": "a"}},
        BadRequest,
        "missing field `data`",
        since=_BLOBS,
    ),
    Failure(
        "blob.store_blob",
        "unknown type",
        lambda w: {"body": models.StoreBlobRequest(data=1, blob_type=models.BlobType("novel"))},
        BadRequest,
        "unknown variant `novel`",
        since=_BLOBS,
    ),
    Failure(
        "blob.store_blob",
        "too large",
        lambda w: {"body": models.StoreBlobRequest(data=_TOO_LARGE)},
        PayloadTooLarge,
        "length limit exceeded",
        body="undocumented",
        since=_BLOBS,
        until=_LENIENT,
    ),
    Failure(
        "blob.get_blob",
        "unknown",
        lambda w: {"blob_id": UNKNOWN_HASH},
        NotFound,
        f"Blob '{UNKNOWN_HASH}' not found",
        since=_BLOBS,
    ),
    Failure(
        "blob.get_blob",
        "malformed",
        lambda w: {"blob_id": "../nope"},
        NotFound,
        "Blob '../nope' not found",
        since=_BLOBS,
    ),
    Failure(
        "blob.get_blob",
        "binary",
        lambda w: {"blob_id": w.binary_blob},
        ServerError,
        "Failed to deserialize blob data",
        body="undocumented",
        since=_BLOBS,
        until=_LENIENT,
    ),
    Failure(
        "flow.store_flow",
        "no flow",
        lambda w: {"body": {}},
        UnprocessableContent,
        "missing field `flow`",
        body="undocumented",
        said_later="flow is required",
    ),
    Failure(
        "flow.store_flow",
        "wrong shape",
        lambda w: {"body": {"flow": {"steps": 3}}},
        UnprocessableContent,
        "flow.steps: invalid type: integer `3`, expected a sequence",
        body="undocumented",
        said_later="invalid type: floating point `3.0`, expected a sequence",
    ),
    Failure(
        "flow.store_flow",
        "too large",
        lambda w: {"body": models.StoreFlowRequest(flow=models.Flow(output=_TOO_LARGE))},
        PayloadTooLarge,
        "length limit exceeded",
        body="undocumented",
        until=_LENIENT,
    ),
    *_of_flow("flow.get_flow"),
    *_of_flow("flow.get_flow_variables", since=_VARIABLES),
    Failure(
        "run.create_run",
        "unknown flow",
        lambda w: _run(w, flow_id=UNKNOWN_HASH),
        NotFound,
        f"'{UNKNOWN_HASH}' not found",
    ),
    Failure(
        "run.create_run",
        "malformed flow",
        lambda w: _run(w, flow_id="nope"),
        NotFound,
        "'nope' not found",
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
        until=_LENIENT,
    ),
    Failure(
        "run.create_run",
        "override of an unknown step",
        lambda w: _run(w, overrides={"nope": {"input": {}}}),
        BadRequest,
        "Step 'nope' not found in workflow",
        said_later="failed to apply workflow overrides",
        said_first="failed to apply workflow overrides; see that each is of a step",
    ),
    Failure(
        "run.create_run",
        "override by JSON patch",
        lambda w: _run(w, overrides={"msg": {"$type": "json_patch", "value": []}}),
        BadRequest,
        "Unsupported override type: JsonPatch",
        said_later="failed to apply workflow overrides",
        said_first="failed to apply workflow overrides; see that each is of a step",
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
    Failure(
        "run.get_run_events",
        "unknown run",
        lambda w: {"run_id": UNKNOWN_RUN},
        NotFound,
        f"'{UNKNOWN_RUN}' not found",
        since=(0, 12),
    ),
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
        "and cannot be deleted",
    ),
]


def _check(error: StatusError, case: Failure, recorder: Recorder) -> None:
    """Checks all that an error must hold."""
    answer, request = recorder.last_answer, recorder.last_request
    assert type(error) is case.error
    assert error.status_code == answer.status_code
    assert error.status in (answer.status_code, None)
    assert error.content == answer.content
    assert error.method == request.method
    assert error.url == answer.url
    assert error.headers == answer.headers.to_dict()
    assert case.words in error.message
    line = str(error)
    assert line.startswith(f"{error.method} {error.url}: {error.status_code} ")
    assert line.endswith(error.message)
    assert "\n" not in line and line.isprintable() and "{" not in error.message
    assert len(line) < 600
    _check_parsed(error.parsed, case, recorder)


def _check_parsed(parsed: Any, case: Failure, recorder: Recorder) -> None:
    if case.body == "model":
        assert type(parsed) is models.ErrorResponse
        assert parsed.to_dict() == recorder.received
        assert parsed.code == recorder.last_answer.status_code
    else:
        assert parsed is None


by_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
by_case = pytest.mark.parametrize("case", CASES, ids=str)


@by_form
@by_case
async def test_error(
    case: Failure, form: Form, world: World, client: Client, recorder: Recorder
) -> None:
    arguments = case.arguments(world)
    if case.since > SERVER:
        with pytest.raises(UnsupportedByServer):
            await form(case.endpoint, client=client, **arguments)
        return
    if case.until and case.until <= SERVER:
        result = await form(case.endpoint, client=client, **arguments)
        assert not form.is_detailed or result.is_success
        return
    if form.is_detailed:
        response = await form(case.endpoint, client=client, **arguments)
        assert response.status_code == recorder.last_answer.status_code
        assert response.content == recorder.last_answer.content
        assert not response.is_success
        assert case.words in response.text
        _check_parsed(response.parsed, case, recorder)
        return
    with pytest.raises(StatusError) as raised:
        await form(case.endpoint, client=client, **arguments)
    _check(raised.value, case, recorder)


@pytest.mark.parametrize("form", DETAILED, ids=lambda form: form.name)
@pytest.mark.parametrize("case", [case for case in CASES if case.is_refused], ids=str)
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
        assert case.words in str(raised.value)


@pytest.mark.parametrize("form", PLAIN, ids=lambda form: form.name)
async def test_plain_forms_raise_the_same_whatever_they_are_told(
    form: Form, client: Client
) -> None:
    async with Client(client.base_url, raise_on_unexpected_status=True) as strict:
        with pytest.raises(NotFound, match=f"'{UNKNOWN_RUN}' not found"):
            await form("run.get_run", UNKNOWN_RUN, client=strict)


async def test_every_operation_that_can_fail_has_a_case() -> None:
    called = {f"api.{case.endpoint}" for case in CASES}
    # The server accepts any id to delete a flow by: see the contradictions.
    assert {facts.module for facts in OPERATIONS.values()} - called == {"api.flow.delete_flow"}


async def test_an_error_tells_its_causes_once(client: Client, world: World) -> None:
    with pytest.raises(BadRequest) as raised:
        create_run.sync(client=client, **_run(world, overrides={"nope": {}}))
    error = raised.value
    assert error.message.count("failed to apply workflow overrides") == 1
    if not (0, 10) <= SERVER < (0, 12):
        # These tell no causes.
        assert error.parsed.stack is None
        return
    assert error.message == (
        "400 Bad Request: failed to apply workflow overrides: Step 'nope' not found in workflow"
    )
    stack = [entry.error for entry in error.parsed.stack]
    assert stack == ["failed to apply workflow overrides", "Step 'nope' not found in workflow"]
    assert json.loads(error.content)["stack"] == [{"error": text} for text in stack]

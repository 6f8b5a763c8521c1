"""Error messages: the cause, and no claim about a run whose state is unknown."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pydantic
import pytest
import yaml

from client.tests.support import AT_ONCE, Driver
from stepflow_client import FlowBuilder, errors
from stepflow_client.handle import RunHandle

RUN_ID = UUID(int=1)
FLOW_ID = "0" * 64

Answer = Callable[[httpx.Request], httpx.Response]


def always(status: int, document: Any = None, content: bytes | None = None) -> Answer:
    """The same response to each request."""
    body = json.dumps(document).encode() if content is None else content
    headers = {"content-type": "application/json"}
    return lambda request: httpx.Response(status, headers=headers, content=body)


def client_of(do: Driver, server: Answer, **options: Any) -> Any:
    return do.client("http://other.invalid", transport=httpx.MockTransport(server), **options)


NO_JSON = b'{"items": [{'
BAD_ITEM = b'{"items": [{"itemIndex": "x"}]}'

CAUSES: dict[str, tuple[Callable[[Any], Any], Answer, type[Exception], type[Exception]]] = {
    "a blob": (
        lambda client: client.get_blob(FLOW_ID),
        lambda request: httpx.Response(200, headers={"x-blob-type": "data"}, content=b"{"),
        errors.InvalidAnswer,
        ValueError,
    ),
    "a run": (
        lambda client: client.handle(RUN_ID).status(),
        always(200, {"runId": 1}),
        errors.InvalidAnswer,
        pydantic.ValidationError,
    ),
    "a dict that is not a flow": (
        lambda client: client.store_flow({"steps": 1}),
        always(200),
        errors.InvalidInput,
        pydantic.ValidationError,
    ),
    "a dict that is not JSON": (
        lambda client: client.store_flow({"steps": object()}),
        always(200),
        errors.InvalidInput,
        ValueError,
    ),
    "nothing that is a flow": (
        lambda client: client.store_flow(1),
        always(200),
        errors.InvalidInput,
        TypeError,
    ),
    "a flow file that is not there": (
        lambda client: client.store_flow(Path("/nowhere/flow.yaml")),
        always(200),
        errors.InvalidInput,
        OSError,
    ),
    "a flow file that is not YAML": (
        lambda client: client.store_flow(write("a: [")),
        always(200),
        errors.InvalidInput,
        yaml.YAMLError,
    ),
    "a flow file that is not JSON": (
        lambda client: client.store_flow(write("{", ".json")),
        always(200),
        errors.InvalidInput,
        ValueError,
    ),
    "an option": (
        lambda client: client.submit_batch(FLOW_ID, [1], max_concurrency="many"),
        always(200),
        errors.InvalidInput,
        pydantic.ValidationError,
    ),
    "a run's id": (
        lambda client: client.handle("x"),
        always(200),
        errors.InvalidInput,
        ValueError,
    ),
    "no server": (
        lambda client: client.health(),
        lambda request: refuse(),
        errors.Unreachable,
        errors.ConnectionFailed,
    ),
    "no server within a deadline": (
        lambda client: client.handle(RUN_ID).result(timeout=0),
        lambda request: refuse(),
        errors.Timeout,
        errors.ConnectionFailed,
    ),
    "a lost answer": (
        lambda client: client.submit(FLOW_ID, 1),
        lambda request: lose(),
        errors.RunOutcomeUnknown,
        errors.ConnectionLost,
    ),
}


def write(text: str, suffix: str = ".yaml") -> Path:
    path = Path(tempfile.mkdtemp()) / f"flow{suffix}"
    path.write_text(text, encoding="utf-8")
    return path


def refuse() -> httpx.Response:
    raise httpx.ConnectError("refused")


def lose() -> httpx.Response:
    raise httpx.ReadError("reset")


@pytest.mark.parametrize("name", CAUSES)
def test_an_error_has_its_cause(do: Driver, name: str) -> None:
    call, answer, kind, cause = CAUSES[name]
    client = client_of(do, answer)
    with pytest.raises(kind) as caught:
        do(call(client))
    assert isinstance(caught.value.__cause__, cause)
    if isinstance(caught.value, errors.InvalidAnswer):
        # It names the request.
        assert caught.value.method == "GET"
        assert re.search("/api/v1/(blobs|runs)/[0-9a-f-]{36,64}$", caught.value.url)
    if issubclass(cause, errors.TransportError):
        assert isinstance(caught.value.__cause__.__cause__, httpx.TransportError)
    do(client.close())


@pytest.mark.parametrize(
    ("build", "cause"),
    [
        (lambda: FlowBuilder(1), pydantic.ValidationError),  # type: ignore[arg-type]
        (
            lambda: FlowBuilder("a", input_schema=Callable[[], None]),
            pydantic.errors.PydanticInvalidForJsonSchema,
        ),
        (lambda: FlowBuilder("a").step("a", 1), pydantic.ValidationError),  # type: ignore[arg-type]
        (lambda: FlowBuilder.from_flow(write("a: [")), yaml.YAMLError),
        (lambda: FlowBuilder.from_flow(Path("/nowhere")), FileNotFoundError),
        (lambda: FlowBuilder.from_flow(Path("/")), IsADirectoryError),
    ],
)
def test_an_error_in_a_flow_has_its_cause(build: Callable[[], Any], cause: type[Exception]) -> None:
    with pytest.raises(errors.InvalidInput) as caught:
        build()
    assert isinstance(caught.value.__cause__, cause)


@pytest.mark.parametrize("content", [NO_JSON, BAD_ITEM])
@pytest.mark.parametrize("read", [list, len])
def test_items_that_cannot_be_read_have_their_cause(
    do: Driver, content: bytes, read: Callable[[Any], Any]
) -> None:
    client = client_of(do, always(200, content=content))
    items = do(client.handle(RUN_ID).items())
    if read is len and content is BAD_ITEM:
        # They are counted, not read.
        assert len(items) == 1
    else:
        with pytest.raises(errors.InvalidAnswer) as caught:
            read(items)
        assert isinstance(caught.value.__cause__, ValueError)
    do(client.close())


ASKING: dict[str, Callable[[Any], Any]] = {
    "status": lambda handle: handle.status(),
    "items": lambda handle: handle.items(),
    "steps": lambda handle: handle.steps(),
    "cancel": lambda handle: handle.cancel(),
    "result": lambda handle: handle.result(),
    "result in time": lambda handle: handle.result(timeout=0),
    "results": lambda handle: handle.results(),
    "events": lambda handle: handle.events(),
    "events in time": lambda handle: handle.events(timeout=0),
    "timeline": lambda handle: handle.timeline(),
    "report": lambda handle: handle.report(os.devnull),
    "diff": lambda handle: handle.diff(UUID(int=2)),
}


@pytest.mark.parametrize("name", ASKING)
def test_nothing_is_claimed_of_a_run_that_no_server_was_asked_for(
    do: Driver, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stepflow_client._requests.sending.RECONNECT_SECONDS", 0.0)
    client = client_of(do, lambda request: refuse(), retry=AT_ONCE)
    with pytest.raises((errors.Unreachable, errors.Timeout)) as caught:
        do(ASKING[name](client.handle(RUN_ID)))
    for claim in ("continues", "still", "is running", "has not ended"):
        assert claim not in str(caught.value)
    if name not in ("steps", "cancel"):
        assert isinstance(caught.value, errors.Unreachable | errors.Timeout)
        assert caught.value.run_id == RUN_ID
    assert set(ASKING) >= {
        name
        for name in vars(RunHandle)
        if not name.startswith("_") and callable(getattr(RunHandle, name)) and name != "close"
    }
    do(client.close())

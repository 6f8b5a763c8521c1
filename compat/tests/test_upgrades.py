"""A server that another version replaces under a live client: right data, nothing done twice."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from api.tests.support.flows import UNKNOWN_HASH, message_flow
from compat.tests.calls import Caller, fields
from stepflow_api import models
from stepflow_client import StepflowClient, SyncStepflowClient, errors
from tools.spec.server import StepflowServer

BINARIES = dict(one.split("=") for one in os.environ["STEPFLOW_SERVERS"].split())

MESSAGE = message_flow(name="upgraded").to_dict()
OVERRIDES = {"msg": {"input": {"user_prompt": "other"}}}

CALLS: dict[str, Callable[[Any], Any]] = {
    "server_version": lambda client: client.server_version(),
    "run": lambda client: client.run(MESSAGE, {"prompt": "a"}),
    "run with overrides": lambda client: client.run(MESSAGE, {"prompt": "a"}, overrides=OVERRIDES),
    "submit": lambda client: client.submit(MESSAGE, {"prompt": "a"}),
    "run_batch": lambda client: client.run_batch(MESSAGE, [{"prompt": "a"}, {}]),
    "list_runs": lambda client: client.list_runs(),
    "list_runs by status": lambda client: client.list_runs(status=models.ExecutionStatus.FAILED),
    "list_components": lambda client: client.list_components(),
    "list_components, short": lambda client: client.list_components(include_schemas=False),
    "store_flow": lambda client: client.store_flow({**MESSAGE, "name": "more"}),
    "validate": lambda client: client.validate({**MESSAGE, "name": "valid"}),
    "get_flow": lambda client: client.get_flow(UNKNOWN_HASH),
    "get_variables": lambda client: client.get_variables(UNKNOWN_HASH),
    "put_blob": lambda client: client.put_blob({"a": "b"}),
    "put_blob of bytes": lambda client: client.put_blob(b"\0\xff"),
    "get_blob": lambda client: client.get_blob(UNKNOWN_HASH),
}

ON_A_RUN: dict[str, Callable[[Any], Any]] = {
    "status": lambda handle: handle.status(),
    "result": lambda handle: handle.result(),
    "items": lambda handle: handle.items(),
    "steps": lambda handle: handle.steps(),
    "cancel": lambda handle: handle.cancel(),
}

#: Where a request that has been refused looks otherwise to the new server: the caller is told, and
#: the next call is right.
TOLD = {("run with overrides", "0.9.0")}

PAIRS = [
    ("0.11.1", "0.13.0"),
    ("0.13.0", "0.11.1"),
    ("0.9.0", "0.10.0"),
    ("0.10.0", "0.11.1"),
    ("0.11.1", "0.10.0"),
    ("0.9.0", "0.13.0"),
    ("0.11.1", "0.12.0"),
]


class Live:
    """A client that has spoken to a server, with what it sends from then on.

    Attributes:
        sent: Method and path of each request.
    """

    def __init__(self, cls: type[Any], url: str) -> None:
        self.sent: list[tuple[str, str]] = []
        hook: Any = self._note_async if cls is StepflowClient else self._note
        kind: Any = httpx.AsyncClient if cls is StepflowClient else httpx.Client
        self._http = kind(event_hooks={"request": [hook]}, trust_env=False)
        self.caller = Caller(cls, url, http_client=self._http)
        self.handle = self.caller(self.caller.client.submit(MESSAGE, {"prompt": "old"}))
        self.caller(self.handle.result())
        self.sent.clear()

    def _note(self, request: httpx.Request) -> None:
        self.sent.append((request.method, request.url.path.removeprefix("/api/v1")))

    async def _note_async(self, request: httpx.Request) -> None:
        self._note(request)

    def posts(self) -> list[str]:
        """Return the paths of all POST requests."""
        return [path for method, path in self.sent if method == "POST"]

    def close(self) -> None:
        """Closes the client."""
        if isinstance(self._http, httpx.Client):
            self._http.close()
        else:
            self.caller(self._http.aclose())
        self.caller.close()


def outcome(caller: Caller, call: Callable[[Any], Any]) -> Any:
    """Return the outcome of a call for comparison: its result, or the class of its error."""
    try:
        value = caller(call(caller.client))
    except errors.StepflowError as error:
        assert "\n" not in str(error)
        return type(error).__name__
    if hasattr(value, "cancel"):
        # A handle: its run is made anew each time.
        value = [caller(value.result()), caller(value.status())]
    return fields(
        list(value) if hasattr(value, "__iter__") and not isinstance(value, str) else value
    )


@pytest.mark.parametrize("cls", [SyncStepflowClient, StepflowClient])
@pytest.mark.parametrize(("old", "new"), PAIRS, ids=str)
def test_the_first_call_after(old: str, new: str, cls: type[Any]) -> None:
    first = StepflowServer(BINARIES[old]).start()
    live = {}
    second: StepflowServer | None = None
    try:
        live = {name: Live(cls, first.url) for name in CALLS}
        first.stop()
        second = StepflowServer(BINARIES[new], port=first.port).start()
        fresh = Caller(cls, second.url)
        try:
            fresh(fresh.client.run_batch(MESSAGE, [{}]))
            for name, call in CALLS.items():
                check(name, call, live[name], fresh, old)
        finally:
            fresh.close()
    finally:
        for one in live.values():
            one.close()
        first.kill()
        if second is not None:
            second.kill()


def check(name: str, call: Callable[[Any], Any], live: Live, fresh: Caller, old: str) -> None:
    """Checks a call by a client that knew the old server against one by a client that does not."""
    got = outcome(live.caller, call)
    posts = live.posts()
    assert len(posts) == len({*posts}), f"{name}: sent twice: {posts}"
    if (name, old) in TOLD and got == "InvalidAnswer":
        got = outcome(live.caller, call)
    expected = outcome(fresh, call)
    if name.startswith("list_runs"):
        got, expected = got[:1], expected[:1]
    if name in ("get_variables", "put_blob", "put_blob of bytes", "get_blob"):
        # Without such a response, an operation that is not there is just that.
        got, expected = (
            "lacking" if one in ("Unsupported", "UnsupportedByServer") else one
            for one in (got, expected)
        )
    assert got == expected, f"{name}: not what a new client gets"


@pytest.mark.parametrize("cls", [SyncStepflowClient, StepflowClient])
@pytest.mark.parametrize(("old", "new"), PAIRS, ids=str)
def test_a_run_that_went_with_the_old_server(old: str, new: str, cls: type[Any]) -> None:
    first = StepflowServer(BINARIES[old]).start()
    live = {}
    second: StepflowServer | None = None
    try:
        live = {name: Live(cls, first.url) for name in ON_A_RUN}
        first.stop()
        second = StepflowServer(BINARIES[new], port=first.port).start()
        for name, call in ON_A_RUN.items():
            told = "NotFound|InvalidAnswer" if name == "cancel" else "NotFound"
            with pytest.raises((errors.NotFound, errors.InvalidAnswer)) as raised:
                live[name].caller(call(live[name].handle))
            assert type(raised.value).__name__ in told.split("|"), name
            assert str(live[name].handle.id) in str(raised.value)
            assert len(live[name].posts()) <= 1
    finally:
        for one in live.values():
            one.close()
        first.kill()
        if second is not None:
            second.kill()

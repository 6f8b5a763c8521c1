"""Flows whose course a test decides, and what it takes to run them."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from stepflow_api import Client, models
from stepflow_api.api.flow import store_flow
from stepflow_api.api.health import health_check
from stepflow_api.api.run import create_run, get_run, list_runs
from stepflow_api.errors import TransportError
from tools.pytest.support import release
from tools.pytest.support import wait_until as wait_until

#: Nothing has this id.
UNKNOWN_HASH = "f" * 64
UNKNOWN_RUN = "00000000-0000-7000-8000-000000000000"


def echo_flow(**fields: Any) -> models.Flow:
    """A flow that returns its input."""
    return models.Flow(**{"name": "echo", "output": {"$input": "$"}, **fields})


def message_flow(**fields: Any) -> models.Flow:
    """A flow with one step, `msg`, that makes a message of the input's `prompt`."""
    step = models.Step(
        id="msg", component="/create_messages", input={"user_prompt": {"$input": "prompt"}}
    )
    output = {"$step": "msg", "path": "messages[0].content"}
    return models.Flow(**{"name": "message", "steps": [step], "output": output, **fields})


def file_flow(path: Path | str, **step: Any) -> models.Flow:
    """A flow with one step, `load`, that returns the content of the file at `path`."""
    load = models.Step(id="load", component="/load_file", input={"path": str(path)}, **step)
    return models.Flow(name="file", steps=[load], output={"$step": "load", "path": "data"})


def failing_flow(**step: Any) -> models.Flow:
    """A flow whose step `load` fails at once."""
    return file_flow("/nonexistent", **step)


def store(client: Client, flow: models.Flow) -> str:
    """Stores a flow and returns its id."""
    stored = store_flow.sync(client=client, body=models.StoreFlowRequest(flow=flow))
    assert stored.stored, stored.diagnostics
    return stored.flow_id


def run(client: Client, flow: models.Flow | str, input: Any = None, **fields: Any) -> Any:
    """Runs a flow to its end, and returns the answer."""
    flow_id = flow if isinstance(flow, str) else store(client, flow)
    body = models.CreateRunRequest(flow_id=flow_id, input=input, wait=True, **fields)
    return create_run.sync(client=client, body=body)


class SlowFlow:
    """A flow whose runs last until the test ends them.

    Its step reads a named pipe, and blocks until that is written.
    """

    def __init__(self, client: Client, folder: Path) -> None:
        self._client = client
        self._pipe = folder / "pipe"
        os.mkfifo(self._pipe)
        self._creating: list[threading.Thread] = []
        self.id = store(client, file_flow(self._pipe))

    def start(self, input: Any = None, **fields: Any) -> str:
        """Starts a run, and returns its id."""
        body = models.CreateRunRequest(flow_id=self.id, input=input, **fields)
        if health_check.sync(client=self._client).version.startswith("0.9."):
            return self._start_aside(body)
        return str(create_run.sync(client=self._client, body=body).run_id)

    def _start_aside(self, body: models.CreateRunRequest) -> str:
        """Starts a run on a server that answers when it has ended."""

        def create() -> None:
            # The server may be gone by then.
            with contextlib.suppress(TransportError):
                create_run.sync(client=self._client, body=body)

        known = self._runs()
        thread = threading.Thread(target=create, daemon=True)
        thread.start()
        self._creating.append(thread)
        wait_until(lambda: self._runs() - known, "a run is in progress")
        (run_id,) = self._runs() - known
        return run_id

    def _runs(self) -> set[str]:
        running = models.ExecutionStatus.RUNNING
        runs = list_runs.sync(client=self._client, status=running).runs
        return {str(run.run_id) for run in runs if run.flow_id == self.id}

    def wait_for_run(self) -> None:
        """Waits until a run is in progress: then the request that began it has arrived."""

        wait_until(self._runs, "a run is in progress")

    def end(self, document: Any = None) -> None:
        """Lets the running steps end, one of them with this document, as soon as one reads."""
        wait_until(lambda: release(self._pipe, document), "a step reads the pipe")

    def end_run(self, run_id: str, document: Any = None) -> None:
        """Lets the running steps end, and waits until this run is over."""
        self.end(document)
        wait_until(
            lambda: get_run.sync(run_id, client=self._client).status == "completed",
            f"run {run_id} is completed",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # A reader continues; a later one finds no pipe to block on.
        release(self._pipe, None)
        self._pipe.unlink()
        for thread in self._creating:
            # It uses the client, which is closed next.
            thread.join(30)

"""The context of a component's call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stepflow_runtime.errors import InvalidState

if TYPE_CHECKING:
    from stepflow_client import StepflowClient, SyncStepflowClient
    from stepflow_runtime._clients import Clients


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentContext:
    """The context of a component's call, for a parameter with this type.

    Attributes:
        run_id: The run.
        flow_id: The flow.
        step_id: The step.
        attempt: Number of the attempt; 1 for the first.
    """

    run_id: str | None
    flow_id: str | None
    step_id: str | None
    attempt: int
    _clients: Callable[[], Clients] | None = field(default=None, repr=False, compare=False)

    @property
    def sync_client(self) -> SyncStepflowClient:
        """A client of the server that runs the flow, such as for blobs."""
        return self._server().sync()

    @property
    def client(self) -> StepflowClient:
        """The same for coroutines."""
        return self._server().asynchronous()

    def _server(self) -> Clients:
        if self._clients is None:
            raise InvalidState("this component is not called by a server")
        return self._clients()

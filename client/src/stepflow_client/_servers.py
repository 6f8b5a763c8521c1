"""Several servers that act as one: orchestrators of one store."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from stepflow_api import Client
from stepflow_api.errors import StatusError, StepflowError, TransportError
from stepflow_api.lowlevel import Call, Hidden, Steps, through
from stepflow_client._constants import FIRST_REST, LAST_REST

T = TypeVar("T")


class Servers:
    """Sends each request to one server until that fails, and then to the next.

    It takes the place of a `Client` of one server. Whether a request that failed is sent again is
    the caller's decision, as with one server.
    """

    def __init__(self, clients: Sequence[Client]) -> None:
        self._servers = [_Server(client) for client in clients]
        self._current = self._servers[0]

    @property
    def base_url(self) -> str:
        """The servers' URLs, separated by commas."""
        return ", ".join(server.client.base_url for server in self._servers)

    def __enter__(self) -> Servers:
        return self

    async def __aenter__(self) -> Servers:
        await self._current.client.__aenter__()
        return self

    def close(self) -> None:
        """Close the connections of the sync forms."""
        for server in self._servers:
            server.client.close()

    async def aclose(self) -> None:
        """Close all connections."""
        for server in self._servers:
            await server.client.aclose()

    def run(self, steps: Steps[T], *, headers: Hidden[Mapping[str, str] | None] | None = None) -> T:
        """Run a generator, as `Client.run` does."""
        return self._current.client.run(through(steps, self._perform), headers=headers)

    async def run_async(
        self, steps: Steps[T], *, headers: Hidden[Mapping[str, str] | None] | None = None
    ) -> T:
        """Async version of `run`."""
        routed = through(steps, self._perform)
        return await self._current.client.run_async(routed, headers=headers)

    def _perform(self, effect: Any) -> Steps[Any]:
        if not _is_call(effect):
            return (yield effect)
        server = self._choose()
        try:
            result = yield server.send(effect)
        except StepflowError as error:
            if _is_down(error):
                server.rest()
            raise
        server.failures = 0
        return result

    def _choose(self) -> _Server:
        if not self._current.is_resting:
            return self._current
        start = self._servers.index(self._current) + 1
        others = self._servers[start:] + self._servers[:start]
        # If all have failed, they are tried in turn.
        self._current = next((one for one in others if not one.is_resting), others[0])
        return self._current


class _Server:
    """A server and its number of consecutive failures."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.failures = 0
        self.rests_until = 0.0

    @property
    def is_resting(self) -> bool:
        return self.failures > 0 and time.monotonic() < self.rests_until

    def send(self, call: Call[Any]) -> Call[Any]:
        """Return a call that this server receives."""
        kind = type(call)
        return kind(call.operation, call.request, call.timeout, call.headers, self.client)

    def rest(self) -> None:
        """Avoid the server for a while; requests that failed at the same time count once."""
        if not self.is_resting:
            self.failures += 1
            seconds = min(LAST_REST, FIRST_REST * 2.0 ** min(self.failures - 1, 64))
            self.rests_until = time.monotonic() + seconds


def _is_call(effect: object) -> bool:
    return isinstance(effect, Call)


def _is_down(error: StepflowError) -> bool:
    """Whether another server may answer where this one did not."""
    if isinstance(error, StatusError):
        return error.status_code in (502, 503, 504)
    return isinstance(error, TransportError)

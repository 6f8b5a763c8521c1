"""The clients of the embedded server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from stepflow_client import RetryPolicy, StepflowClient, SyncStepflowClient
from stepflow_client.errors import StepflowError
from stepflow_runtime._constants import CLIENT_RETRIES
from stepflow_runtime._external import client_for_any_loop
from stepflow_runtime._servers import Servers


@dataclass(frozen=True, slots=True, kw_only=True)
class _WhileItLasts(RetryPolicy):
    """Tries again for as long as there is a server, or one is being started again."""

    servers: Servers

    def delay(self, failures: int, error: StepflowError) -> float:
        self.servers.check()
        # Without super(), which does not find its class in a dataclass with slots.
        return RetryPolicy.delay(self, failures, error)


class Clients:
    """One client for all threads, and one for each event loop.

    Args:
        urls: The servers' URLs.
        servers: Raise if no call can succeed; None for a server of another program.
    """

    def __init__(self, urls: Sequence[str], servers: Servers | None) -> None:
        self._urls = list(urls)
        self._retry: RetryPolicy | None = None
        if servers is not None:
            self._retry = _WhileItLasts(max_retries=CLIENT_RETRIES, servers=servers)
        self._made = _Made()

    def sync(self) -> SyncStepflowClient:
        """Return the client for synchronous code."""
        made = self._own()
        with made.lock:
            if made.sync is None:
                made.sync = SyncStepflowClient(self._urls, retry=self._retry)
            return made.sync

    def asynchronous(self) -> StepflowClient:
        """Return the client for the running event loop; outside of one, a client for any."""
        made = self._own()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        with made.lock:
            if loop is None:
                made.unbound = made.unbound or client_for_any_loop(self._urls, self._retry)
                return made.unbound
            if loop not in made.by_loop:
                client = StepflowClient(self._urls, retry=self._retry)
                made.by_loop[loop] = client, _keeper(client, made)
            return made.by_loop[loop][0]

    def close(self) -> None:
        """Close everything that any thread can close."""
        sync = self._own().sync
        if sync is not None:
            sync.close()

    async def aclose(self) -> None:
        """Also close the client of the running event loop."""
        _, keeper = self._own().by_loop.pop(asyncio.get_running_loop(), (None, None))
        if keeper is not None:
            await keeper.aclose()
        self.close()

    def _own(self) -> _Made:
        # A forked child must not talk on its parent's connections.
        if self._made.owner != os.getpid():
            self._made = _Made()
        return self._made


class _Made:
    """The clients of one process."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.lock = threading.Lock()
        self.sync: SyncStepflowClient | None = None
        self.unbound: StepflowClient | None = None
        self.by_loop: dict[
            asyncio.AbstractEventLoop, tuple[StepflowClient, AsyncGenerator[None, None]]
        ] = {}


def _keeper(client: StepflowClient, made: _Made) -> AsyncGenerator[None, None]:
    """Return a generator that closes and forgets a client when the running event loop ends.

    An event loop closes its generators before it closes; the client's connections would otherwise
    outlive their loop.
    """
    keeper = _closing(client, made)
    # The first step registers it with the loop, and waits for nothing.
    with contextlib.suppress(StopIteration):
        keeper.__anext__().send(None)
    return keeper


async def _closing(client: StepflowClient, made: _Made) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        made.by_loop.pop(asyncio.get_running_loop(), None)
        await client.close()

"""Clients, calls and lifetime of an embedded server or cluster."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import threading
import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, NoReturn, Self, Unpack

from stepflow_api.errors import one_line
from stepflow_api.models import FlowResult
from stepflow_api.support import Hidden, asyncio_loop, refuse_trio, running_loop
from stepflow_client import (
    BatchResults,
    FlowSource,
    FlowValidation,
    RunHandle,
    StepflowClient,
    SyncStepflowClient,
)
from stepflow_client.options import (
    RunBatchOptions,
    RunOptions,
    SubmitBatchOptions,
    SubmitOptions,
    show_options,
)
from stepflow_runtime._clients import Clients
from stepflow_runtime._process import HOST
from stepflow_runtime._servers import Servers
from stepflow_runtime._start_errors import in_thread
from stepflow_runtime._starting import start
from stepflow_runtime.errors import InvalidRequest, InvalidState


@show_options
class Embedded:
    """The calls and the lifetime of embedded servers."""

    _noun: ClassVar[str] = "runtime"
    _url_name: ClassVar[str] = "url"

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._clients: Clients | None = None
        self._lock = threading.Lock()
        self._entered = False
        self._starting: concurrent.futures.Future[None] | None = None
        self._finalizer = weakref.finalize(self, servers.abandon)
        self._finalizer.atexit = False
        # `start` is for the class; on an instance it would start other servers unnoticed.
        vars(self)["start"] = self._refuse_start

    @property
    def client(self) -> StepflowClient:
        """A client for the running event loop, closed by `stop`."""
        refuse_trio()
        return self._ready().asynchronous()

    @property
    def sync_client(self) -> SyncStepflowClient:
        """A client for all threads, closed by `stop`."""
        return self._ready().sync()

    def stop(self) -> None:
        """Stop the server, or all servers, and everything that they started.

        Does nothing the second time, and in a forked child, whose parent has the server.
        """
        self._servers.stop()
        if self._clients is not None:
            self._clients.close()

    async def run(self, flow: FlowSource, input: Any, **options: Unpack[RunOptions]) -> FlowResult:
        """Run a flow once and wait for its result; see `StepflowClient.run`."""
        hidden = Hidden(options)
        del options
        client = await self._async_client()
        return await client.run(flow, input, **hidden.value)

    async def submit(
        self, flow: FlowSource, input: Any, **options: Unpack[SubmitOptions]
    ) -> RunHandle:
        """Run a flow once without waiting; see `StepflowClient.submit`."""
        hidden = Hidden(options)
        del options
        client = await self._async_client()
        return await client.submit(flow, input, **hidden.value)

    async def run_batch(
        self, flow: FlowSource, inputs: Iterable[Any], **options: Unpack[RunBatchOptions]
    ) -> BatchResults:
        """Run a flow once for each input and wait; see `StepflowClient.run_batch`."""
        hidden = Hidden(options)
        del options
        client = await self._async_client()
        return await client.run_batch(flow, inputs, **hidden.value)

    async def submit_batch(
        self, flow: FlowSource, inputs: Iterable[Any], **options: Unpack[SubmitBatchOptions]
    ) -> RunHandle:
        """Run a flow once for each input without waiting; see `StepflowClient.submit_batch`."""
        hidden = Hidden(options)
        del options
        client = await self._async_client()
        return await client.submit_batch(flow, inputs, **hidden.value)

    async def validate(self, flow: FlowSource) -> FlowValidation:
        """Validate a flow without storing it; see `StepflowClient.validate`."""
        client = await self._async_client()
        return await client.validate(flow)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._state()}>"

    def _state(self) -> str:
        starting, servers = self._starting, self._servers
        failure = None
        if starting is not None and starting.done() and not starting.cancelled():
            failure = starting.exception()
        # A start that fails also stops the server.
        if servers.was_stopped and (failure is None or isinstance(failure, InvalidState)):
            return "stopped"
        failure = failure or servers.crash
        if failure is not None:
            return f"failed: {one_line(str(failure))}"
        if not servers.has_started:
            return "starting"
        return f"{', '.join(self._addresses())} {servers.state}"

    def __reduce__(self) -> NoReturn:
        name = type(self).__name__
        raise TypeError(f"{name} cannot be copied or pickled; pass its {self._url_name} on")

    def __enter__(self) -> Self:
        if running_loop() is not None:
            # Nothing that `start` began is left.
            self._servers.stop(grace=0)
            raise InvalidState(
                "`with` would hold up the running event loop; write `async with"
                f" {type(self).__name__}.start(...) as {self._noun}:`"
            )
        self._enter()
        self._ready()
        return self

    def __exit__(self, *raised: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        try:
            asyncio_loop()
        except InvalidRequest:
            # Nothing that `start` began is left.
            self._servers.stop(grace=0)
            raise
        self._enter()
        try:
            await self._async_ready()
        except asyncio.CancelledError:
            await _call_aside(functools.partial(self._servers.stop, 0))
            raise
        return self

    async def __aexit__(self, *raised: object) -> None:
        if self._clients is not None:
            await self._clients.aclose()
        await _call_aside(self.stop)

    def _begin(self) -> None:
        if running_loop() is None:
            start(self._servers)
            return
        self._starting = concurrent.futures.Future()
        try:
            in_thread(functools.partial(start, self._servers), self._starting, "stepflow-start")
        except BaseException:
            self._servers.stop(grace=0)
            raise

    @staticmethod
    def _clients_in_call(embedded: Embedded | None) -> Clients:
        if embedded is None:
            raise InvalidState("the runtime of this component no longer exists")
        # A step that the server resumes may begin before the start has ended.
        embedded._servers.wait_until_started()
        return embedded._ready()

    def _enter(self) -> None:
        self._servers.check()
        with self._lock:
            entered, self._entered = self._entered, True
        if entered:
            raise InvalidState(
                f"the {self._noun} is already in use by another `with`; start another"
            )

    def _ready(self) -> Clients:
        if self._starting is not None:
            self._starting.result()
        self._servers.check()
        with self._lock:
            if self._clients is None:
                self._clients = Clients(self._addresses(), self._servers)
            return self._clients

    def _addresses(self) -> list[str]:
        return [f"http://{HOST}:{port}" for port in self._servers.ports]

    async def _async_ready(self) -> Clients:
        asyncio_loop()
        if self._starting is not None:
            await asyncio.shield(asyncio.wrap_future(self._starting))
        return self._ready()

    async def _async_client(self) -> StepflowClient:
        return (await self._async_ready()).asynchronous()

    @classmethod
    def _refuse_start(cls, *_args: object, **_options: object) -> NoReturn:
        raise InvalidState(
            f"this {cls._noun} was already started; {cls.__name__}.start() creates another"
        )


async def _call_aside(function: Callable[[], None]) -> None:
    """Call a function to its end, whatever is cancelled and however busy the threads are."""
    outcome = concurrent.futures.Future[None]()
    try:
        in_thread(function, outcome, "stepflow-stop")
    except OSError:
        # The system has no more threads.
        function()
    else:
        await asyncio.shield(asyncio.wrap_future(outcome))

"""Asynchronous client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack
from uuid import UUID

from stepflow_api.models import ExecutionStatus, FlowResult, RunSummary
from stepflow_api.support import RESPONSE_LIMIT, Hidden
from stepflow_api.types import AsyncTokenTypes, VerifyTypes
from stepflow_client._constants import REQUEST_TIMEOUT
from stepflow_client._core.flow_source import FlowSource
from stepflow_client._core.results import BatchResults
from stepflow_client._core.runs import parse_run_id, pop_headers
from stepflow_client._factory import connect, core
from stepflow_client._requests.retry import RetryPolicy
from stepflow_client._server_methods import ServerMethods
from stepflow_client.handle import RunHandle
from stepflow_client.options import (
    RunBatchOptions,
    RunOptions,
    SubmitBatchOptions,
    SubmitOptions,
    show_options,
)

if TYPE_CHECKING:
    from stepflow_api.support import (
        HttpxAsyncBaseTransport,
        HttpxAsyncClient,
        HttpxLimits,
        HttpxProxy,
    )

__all__ = ["StepflowClient"]


@show_options
class StepflowClient(ServerMethods):
    """Asynchronous client that runs flows on a Stepflow server, whatever the network does.

    One client serves many tasks of one event loop. Use it as a context manager or call `close`.
    Methods raise `Timeout` if there is no response in time, `Unreachable` if the server does not
    respond, and `StatusError` if it rejects the request.

    Args:
        url: The server's URL; by default `$STEPFLOW_URL`, or else `http://localhost:7840`. Several,
            as a list or separated by commas, are orchestrators of one store: requests go to one of
            them until it fails, and then to the next.
        token: Bearer token, or a function that returns it: called for the first request, and again
            if the server refuses the token (401). No log line, repr or error shows it.
        headers: Header fields for every request.
        timeout: Maximum time for one request, in seconds, after which it is retried; a large body
            has one second more for each 10 kB. Waiting for a run is not limited by it.
        retry: How often and how fast requests are retried.
        limits: `Limits` of httpx or httpx2 for the connection pool; by default 100 connections.
        proxy: URL of a proxy, or a `Proxy` of httpx or httpx2.
        verify: Which certificates of servers are trusted: True for the usual authorities, or for
            those in the file that `SSL_CERT_FILE` names; the path of a file or folder with others;
            or an `ssl.SSLContext`, which may have a certificate of the client's own (mutual TLS).
            False disables verification: an attacker can read and change tokens and data.
        http_client: An `AsyncClient` of httpx or httpx2 to send requests with, with its own proxies
            and certificates. It stays open when this client is closed.
        transport: A transport of httpx or httpx2 to send requests with. It stays open when this
            client is closed.
        server_version: The server's version, such as `0.13.0`; by default it is requested once.
            Set it where a proxy responds to `/health` itself.
        max_response_size: Maximum size of a response in bytes, decompressed, such as all results
            of a batch; a larger one raises `TransportError` while it arrives. None for no limit.

    Raises:
        InvalidRequest: An argument is invalid.
        UnsupportedByServer: The server is too old.

    Example:
        >>> async with StepflowClient() as client:
        ...     result = await client.run("flow.yaml", {"name": "World"})
        >>> result.output
        'World'
    """

    def __init__(
        self,
        url: str | Sequence[str] | None = None,
        *,
        token: AsyncTokenTypes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = REQUEST_TIMEOUT,
        retry: RetryPolicy | None = None,
        limits: HttpxLimits | None = None,
        proxy: str | HttpxProxy | None = None,
        verify: VerifyTypes = True,
        http_client: HttpxAsyncClient | None = None,
        transport: HttpxAsyncBaseTransport | None = None,
        server_version: str | None = None,
        max_response_size: int | None = RESPONSE_LIMIT,
    ) -> None:
        address, secret, fields, via = Hidden(url), Hidden(token), Hidden(headers), Hidden(proxy)
        del url, token, headers, proxy
        self._client = connect(
            type(self).__name__,
            "AsyncClient",
            address,
            secret,
            headers=fields,
            limits=limits,
            proxy=via,
            verify=verify,
            http_client=http_client,
            transport=transport,
            server_version=server_version,
            max_response_size=max_response_size,
        )
        self._core = core(self._client, retry, timeout)

    @property
    def url(self) -> str:
        """The server's URL with the API's prefix, without user and password; of several, all."""
        return self._client.base_url

    def __repr__(self) -> str:
        # A traceback may show a client whose creation failed.
        url = self.url if hasattr(self, "_client") else None
        return f"{type(self).__name__}({url!r})"

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; the client cannot be used afterwards."""
        await self._client.aclose()

    async def run(self, flow: FlowSource, input: Any, **options: Unpack[RunOptions]) -> FlowResult:
        """Run a flow once and wait for its result.

        The flow is stored on the server if it is not stored there yet. Once the run is created, a
        lost connection, a restarted server or a proxy in between does not end the wait for it.

        Args:
            flow: Path of a YAML or JSON file, a dict, a `Flow`, or the id of a stored flow.
            input: The flow's input, any JSON value.
            **options: See `RunOptions` of `stepflow_client.options`.

        Returns:
            The flow's result: a success or a failure.

        Raises:
            InvalidInput: The flow or an argument is invalid.
            FlowInvalid: The server rejects the flow.
            FlowFailed: The flow failed, and `raise_on_failure` is set.
            RunCancelled: The run was cancelled.
            RunOutcomeUnknown: The response to creating the run was lost: it may exist or not.
            Timeout: The run did not finish in time; it was not cancelled.
        """
        headers = pop_headers(options, RunOptions)
        steps = self._core.runs.run(flow, input, options)
        return await self._client.run_async(steps, headers=headers)

    async def submit(
        self, flow: FlowSource, input: Any, **options: Unpack[SubmitOptions]
    ) -> RunHandle:
        """Run a flow once without waiting.

        Args:
            flow: Path of a YAML or JSON file, a dict, a `Flow`, or the id of a stored flow.
            input: The flow's input, any JSON value.
            **options: See `SubmitOptions` of `stepflow_client.options`.

        Returns:
            The run.

        Raises:
            InvalidInput: The flow or an argument is invalid.
            FlowInvalid: The server rejects the flow.
            RunOutcomeUnknown: The response to creating the run was lost: it may exist or not.
            Timeout: The run was not created in time, and will not be.

        Example:
            >>> handle = await client.submit("flow.yaml", {"name": "World"})
            >>> result = await handle.result(timeout=60)
            >>> result.output
            'World'
        """
        headers = pop_headers(options, SubmitOptions)
        steps = self._core.runs.create(flow, [input], options)
        run_id = await self._client.run_async(steps, headers=headers)
        return RunHandle(self._client, self._core, run_id)

    async def run_batch(
        self, flow: FlowSource, inputs: Iterable[Any], **options: Unpack[RunBatchOptions]
    ) -> BatchResults:
        """Run a flow once for each input and wait for all results.

        Args:
            flow: Path of a YAML or JSON file, a dict, a `Flow`, or the id of a stored flow.
            inputs: One input (any JSON value) for each item; at most about 2 MiB in total on
                servers up to 0.11.
            **options: See `RunBatchOptions` of `stepflow_client.options`.

        Returns:
            The results in the order of the inputs, each a success or a failure.

        Raises:
            InvalidInput: The flow or an argument is invalid.
            FlowInvalid: The server rejects the flow.
            RunCancelled: The run was cancelled.
            RunOutcomeUnknown: The response to creating the run was lost: it may exist or not.
            Timeout: The run did not finish in time; it was not cancelled.

        Example:
            >>> results = await client.run_batch("flow.yaml", [{"name": "Ada"}, {"name": "Bo"}])
            >>> [result.output for result in results]
            ['Ada', 'Bo']
        """
        headers = pop_headers(options, RunBatchOptions)
        steps = self._core.runs.run_batch(flow, inputs, options)
        return await self._client.run_async(steps, headers=headers)

    async def submit_batch(
        self, flow: FlowSource, inputs: Iterable[Any], **options: Unpack[SubmitBatchOptions]
    ) -> RunHandle:
        """Run a flow once for each input without waiting.

        Args:
            flow: Path of a YAML or JSON file, a dict, a `Flow`, or the id of a stored flow.
            inputs: One input (any JSON value) for each item; at most about 2 MiB in total on
                servers up to 0.11.
            **options: See `SubmitBatchOptions` of `stepflow_client.options`.

        Returns:
            The run; its `results` method waits for the results.

        Raises:
            InvalidInput: The flow or an argument is invalid.
            FlowInvalid: The server rejects the flow.
            RunOutcomeUnknown: The response to creating the run was lost: it may exist or not.
            Timeout: The run was not created in time, and will not be.
        """
        headers = pop_headers(options, SubmitBatchOptions)
        steps = self._core.runs.create(flow, inputs, options)
        run_id = await self._client.run_async(steps, headers=headers)
        return RunHandle(self._client, self._core, run_id)

    def handle(self, run_id: UUID | str) -> RunHandle:
        """Return the handle of a run by its id, without a request.

        Args:
            run_id: Id of the run.

        Raises:
            InvalidInput: It is not a UUID.
        """
        return RunHandle(self._client, self._core, parse_run_id(run_id))

    async def list_runs(
        self,
        *,
        status: ExecutionStatus | None = None,
        flow_name: str | None = None,
        root_run_id: UUID | str | None = None,
        parent_run_id: UUID | str | None = None,
        roots_only: bool | None = None,
        max_depth: int | None = None,
        limit: int | None = None,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[RunSummary]:
        """List runs, newest first; each page is requested when the iteration reaches it.

        Args:
            status: Only runs with this status.
            flow_name: Only runs of flows with this name.
            root_run_id: Only this run and the runs that it started.
            parent_run_id: Only runs that this run started.
            roots_only: Whether to leave out runs that another run started.
            max_depth: Maximum depth of runs started by other runs; 0 for root runs only.
            limit: Maximum number of runs; None for all.
            timeout: Maximum time for each page, in seconds; None to retry as configured.
            headers: Header fields for this call, in place of the client's of the same names.

        Yields:
            One run at a time.

        Raises:
            InvalidInput: The limit is not a number of runs.
            Timeout: A page was not returned in time.
        """
        extra = Hidden(headers)
        del headers
        filters = {
            "status": status,
            "flow_name": flow_name,
            "root_run_id": root_run_id,
            "parent_run_id": parent_run_id,
            "roots_only": roots_only,
            "max_depth": max_depth,
        }
        pages = self._core.runs.pages(filters, limit, timeout)
        while page := await self._client.run_async(pages.next_page(), headers=extra):
            for run in page:
                yield run

"""The client, blocking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import httpx

from stepflow_api._constants import RESPONSE_LIMIT
from stepflow_api._hidden import Hidden
from stepflow_api.models import (
    ComponentInfo,
    ExecutionStatus,
    Flow,
    FlowResult,
    FlowVariablesResponse,
    HealthResponse,
    RunSummary,
    WorkflowOverrides,
)
from stepflow_client._constants import REQUEST_TIMEOUT
from stepflow_client._core.flow_source import FlowSource
from stepflow_client._core.results import BatchResults, FlowValidation, Progress
from stepflow_client._core.runs import Options, parse_run_id
from stepflow_client._factory import api_client, core, own_http_client, server_url
from stepflow_client._requests.drivers import drive
from stepflow_client._requests.effects import Deadline
from stepflow_client._requests.retry import RetryPolicy
from stepflow_client.sync_handle import SyncRunHandle

__all__ = ["SyncStepflowClient"]


class SyncStepflowClient:
    """Runs flows on a Stepflow server, whatever the network does meanwhile.

    One client serves many threads at once. Use it as a context manager,
    or call `close`.

    Args:
        url: Where the server is; by default `$STEPFLOW_URL`, or else `http://localhost:7840`.
        token: Secret that is sent as a bearer token; no log line, repr or error shows it.
        headers: Header fields for every request.
        timeout: Maximum time for one request, in seconds, after which it is sent again; a large
            body has a second more for each 10 kB. Waiting for a run is not bounded by it.
        retry: How often and how fast requests are sent again.
        limits: Limits of the connection pool; by default 100 connections.
        proxy: URL of a proxy.
        http_client: An httpx client to send through, with its own proxies and certificates. It
            stays open when this client is closed.
        transport: An httpx transport to send through. It stays open when this client is closed.
        server_version: The server's version, such as `0.13.0`; by default the server is asked
            once. Give it where a proxy answers `/health` itself.
        max_response_size: Maximum size in bytes of an answer, decompressed, such as all results of
            a batch; a larger one raises `TransportError` while it arrives. None for no limit.

    Raises:
        InvalidRequest: An argument cannot be used.
        UnsupportedByServer: The server is too old.

    Example:
        >>> with SyncStepflowClient() as client:
        ...     result = client.run("flow.yaml", {"name": "World"})
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = REQUEST_TIMEOUT,
        retry: RetryPolicy | None = None,
        limits: httpx.Limits | None = None,
        proxy: str | httpx.Proxy | None = None,
        http_client: httpx.Client | None = None,
        transport: httpx.BaseTransport | None = None,
        server_version: str | None = None,
        max_response_size: int | None = RESPONSE_LIMIT,
    ) -> None:
        address, secret, fields, way = Hidden(url), Hidden(token), Hidden(headers), Hidden(proxy)
        del url, token, headers, proxy
        server = server_url(address)
        self._own_http = own_http_client(httpx.Client, server, limits, way, http_client, transport)
        self._client = api_client(
            server,
            secret,
            fields,
            self._own_http or http_client,
            transport,
            server_version,
            max_response_size,
        )
        self._core = core(self._client, retry, timeout)

    @property
    def url(self) -> str:
        """The server's URL with the API's prefix, without user and password."""
        return self._client.base_url

    def __repr__(self) -> str:
        # A traceback may show a client whose creation failed.
        url = self.url if hasattr(self, "_client") else None
        return f"{type(self).__name__}({url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections; the client cannot be used any more."""
        self._client.close()
        if self._own_http is not None:
            self._own_http.close()

    def run(
        self,
        flow: FlowSource,
        input: Any,
        *,
        overrides: Mapping[str, Any] | WorkflowOverrides | None = None,
        variables: Mapping[str, Any] | None = None,
        variables_from_env: bool = False,
        timeout: float | None = None,
        raise_on_failure: bool = False,
        retry_create: bool = False,
    ) -> FlowResult:
        """Runs a flow once and waits for its result.

        The flow is stored on the server where it is not stored yet. Once the run is created, a lost
        connection, a restarted server or a proxy in between does not end the wait for it.

        Args:
            flow: Path of a YAML or JSON file, a dict, a `Flow`, or the id of a stored flow.
            input: The flow's input, any JSON value.
            overrides: Changes to steps for this run, by step id.
            variables: Values of the flow's variables.
            variables_from_env: Whether variables that the flow maps to environment variables are
                taken from there where `variables` does not give them.
            timeout: Seconds for all of it; None waits to the end.
            raise_on_failure: Whether a flow that failed raises `FlowFailed`.
            retry_create: Whether the run is created again when the answer to creating it is lost.
                It may then run twice.

        Returns:
            The result: a success or a failure of the flow.

        Raises:
            InvalidInput: The flow or an argument cannot be used.
            FlowInvalid: The server refuses the flow.
            FlowFailed: The flow failed, and `raise_on_failure` is set.
            RunCancelled: The run was cancelled.
            RunOutcomeUnknown: The answer to creating the run was lost: it may exist or not.
            Timeout: The run was not seen to end in time; it was not cancelled.
            Unreachable: The server does not answer.
            StatusError: The server refuses the request.
        """
        options = Options(overrides, variables, variables_from_env, retry_create)
        steps = self._core.runs.run(flow, input, options, timeout, raise_on_failure)
        return drive(self._client, steps)

    def submit(
        self,
        flow: FlowSource,
        input: Any,
        *,
        overrides: Mapping[str, Any] | WorkflowOverrides | None = None,
        variables: Mapping[str, Any] | None = None,
        variables_from_env: bool = False,
        timeout: float | None = None,
        retry_create: bool = False,
    ) -> SyncRunHandle:
        """Runs a flow once and does not wait.

        Args:
            flow: Path of a YAML or JSON file, a dict, a `Flow`, or the id of a stored flow.
            input: The flow's input, any JSON value.
            overrides: Changes to steps for this run, by step id.
            variables: Values of the flow's variables.
            variables_from_env: Whether variables that the flow maps to environment variables are
                taken from there where `variables` does not give them.
            timeout: Seconds until the run must be there; None goes by the retries.
            retry_create: Whether the run is created again when the answer to creating it is lost.
                It may then run twice.

        Returns:
            The run.

        Raises:
            InvalidInput: The flow or an argument cannot be used.
            FlowInvalid: The server refuses the flow.
            RunOutcomeUnknown: The answer to creating the run was lost: it may exist or not.
            Timeout: It was not there in time, and was not created.
            Unreachable: The server does not answer.
            StatusError: The server refuses the request.
        """
        options = Options(overrides, variables, variables_from_env, retry_create)
        deadline = Deadline.after(timeout)
        run_id = drive(self._client, self._core.runs.create(flow, [input], options, deadline))
        return SyncRunHandle(self._client, self._core, run_id)

    def run_batch(
        self,
        flow: FlowSource,
        inputs: Iterable[Any],
        *,
        max_concurrency: int | None = None,
        on_progress: Callable[[Progress], object] | None = None,
        overrides: Mapping[str, Any] | WorkflowOverrides | None = None,
        variables: Mapping[str, Any] | None = None,
        variables_from_env: bool = False,
        timeout: float | None = None,
        retry_create: bool = False,
    ) -> BatchResults:
        """Runs a flow once for each input and waits for all results.

        Args:
            flow: Path of a YAML or JSON file, a dict, a `Flow`, or the id of a stored flow.
            inputs: One input, any JSON value, for each item; about 2 MiB in all on servers up to
                0.11.
            max_concurrency: How many items are worked on at once; by default the server decides.
            on_progress: Is called at first, and whenever items have ended since it was called last;
                servers up to 0.11 count them when all have ended.
            overrides: Changes to steps for this run, by step id.
            variables: Values of the flow's variables.
            variables_from_env: Whether variables that the flow maps to environment variables are
                taken from there where `variables` does not give them.
            timeout: Seconds for all of it; None waits to the end.
            retry_create: Whether the run is created again when the answer to creating it is lost.
                It may then run twice.

        Returns:
            The results in the order of the inputs, each a success or a failure.

        Raises:
            InvalidInput: The flow or an argument cannot be used.
            FlowInvalid: The server refuses the flow.
            RunCancelled: The run was cancelled.
            RunOutcomeUnknown: The answer to creating the run was lost: it may exist or not.
            Timeout: The run was not seen to end in time; it was not cancelled.
            Unreachable: The server does not answer.
            StatusError: The server refuses the request.
        """
        options = Options(overrides, variables, variables_from_env, retry_create, max_concurrency)
        steps = self._core.runs.run_batch(flow, inputs, options, timeout, on_progress)
        return drive(self._client, steps)

    def submit_batch(
        self,
        flow: FlowSource,
        inputs: Iterable[Any],
        *,
        max_concurrency: int | None = None,
        overrides: Mapping[str, Any] | WorkflowOverrides | None = None,
        variables: Mapping[str, Any] | None = None,
        variables_from_env: bool = False,
        timeout: float | None = None,
        retry_create: bool = False,
    ) -> SyncRunHandle:
        """Runs a flow once for each input and does not wait.

        Args:
            flow: Path of a YAML or JSON file, a dict, a `Flow`, or the id of a stored flow.
            inputs: One input, any JSON value, for each item; about 2 MiB in all on servers up to
                0.11.
            max_concurrency: How many items are worked on at once; by default the server decides.
            overrides: Changes to steps for this run, by step id.
            variables: Values of the flow's variables.
            variables_from_env: Whether variables that the flow maps to environment variables are
                taken from there where `variables` does not give them.
            timeout: Seconds until the run must be there; None goes by the retries.
            retry_create: Whether the run is created again when the answer to creating it is lost.
                It may then run twice.

        Returns:
            The run; its `results` waits.

        Raises:
            InvalidInput: The flow or an argument cannot be used.
            FlowInvalid: The server refuses the flow.
            RunOutcomeUnknown: The answer to creating the run was lost: it may exist or not.
            Timeout: It was not there in time, and was not created.
            Unreachable: The server does not answer.
            StatusError: The server refuses the request.
        """
        options = Options(overrides, variables, variables_from_env, retry_create, max_concurrency)
        deadline = Deadline.after(timeout)
        run_id = drive(self._client, self._core.runs.create(flow, inputs, options, deadline))
        return SyncRunHandle(self._client, self._core, run_id)

    def handle(self, run_id: UUID | str) -> SyncRunHandle:
        """Gives a run whose id is known, without asking the server.

        Args:
            run_id: Id of the run.

        Raises:
            InvalidInput: It is no UUID.
        """
        return SyncRunHandle(self._client, self._core, parse_run_id(run_id))

    def validate(self, flow: FlowSource) -> FlowValidation:
        """Has the server check a flow, without storing it.

        Args:
            flow: Path of a YAML or JSON file, a dict, a `Flow`, or the id of a stored flow.

        Returns:
            Errors and warnings.

        Raises:
            InvalidInput: The flow cannot be read, or is none.
            Unreachable: The server does not answer.
            StatusError: The server refuses the request.
        """
        return drive(self._client, self._core.flows.validate(flow))

    def store_flow(self, flow: FlowSource) -> str:
        """Stores a flow, unless this client has done so already and the server still has it.

        Args:
            flow: Path of a YAML or JSON file, a dict, a `Flow`, or the id of a stored flow.

        Returns:
            The flow's id.

        Raises:
            InvalidInput: The flow cannot be read, or is none.
            FlowInvalid: The server refuses the flow.
            Unreachable: The server does not answer.
            StatusError: The server refuses the request.
        """
        return drive(self._client, self._core.flows.store(flow))

    def get_flow(self, flow_id: str) -> Flow:
        """Gets a stored flow.

        Args:
            flow_id: Id of the flow.

        Raises:
            NotFound: The server does not know the flow.
            Unreachable: The server does not answer.
            StatusError: The server refuses the request.
        """
        return drive(self._client, self._core.flows.get(flow_id))

    def get_variables(self, flow_id: str) -> FlowVariablesResponse:
        """Gets the schema of a stored flow's variables, and the environment variables they map to.

        Args:
            flow_id: Id of the flow.

        Raises:
            NotFound: The server does not know the flow.
            UnsupportedByServer: The server is older than 0.11.
            Unreachable: The server does not answer.
            StatusError: The server refuses the request.
        """
        return drive(self._client, self._core.flows.get_variables(flow_id))

    def list_runs(
        self,
        *,
        status: ExecutionStatus | None = None,
        flow_name: str | None = None,
        root_run_id: UUID | str | None = None,
        parent_run_id: UUID | str | None = None,
        roots_only: bool | None = None,
        max_depth: int | None = None,
        limit: int | None = None,
    ) -> Iterator[RunSummary]:
        """Lists runs, newest first; pages are asked for when they are reached.

        Args:
            status: Only runs with this status.
            flow_name: Only runs of flows with this name.
            root_run_id: Only this run and those that it started.
            parent_run_id: Only runs that this run started.
            roots_only: Whether to leave out runs that another run started.
            max_depth: How deep to follow runs that were started by others, 0 for roots.
            limit: How many at most; None for all.

        Yields:
            One run after the other.

        Raises:
            InvalidInput: The limit is no number of runs.
            Unreachable: The server does not answer.
            StatusError: The server refuses the request.
        """
        filters = {
            "status": status,
            "flow_name": flow_name,
            "root_run_id": root_run_id,
            "parent_run_id": parent_run_id,
            "roots_only": roots_only,
            "max_depth": max_depth,
        }
        pages = self._core.runs.pages(filters, limit)
        while page := drive(self._client, pages.next_page()):
            yield from page

    def list_components(self, *, include_schemas: bool = True) -> list[ComponentInfo]:
        """Lists the components that flows can use on this server.

        Args:
            include_schemas: Whether to get their schemas as well.

        Raises:
            Unreachable: The server does not answer.
            StatusError: The server refuses the request.
        """
        return drive(self._client, self._core.list_components(include_schemas))

    def put_blob(self, data: Any, *, filename: str | None = None) -> str:
        """Stores a blob.

        Args:
            data: Any JSON value, or bytes; about 2 MiB on servers up to 0.11.
            filename: File name to keep with it, in ASCII.

        Returns:
            The blob's id, the same for the same content.

        Raises:
            UnsupportedByServer: The server is older than 0.10.
            Unreachable: The server does not answer.
            StatusError: The server refuses the request.
        """
        return drive(self._client, self._core.put_blob(data, filename))

    def get_blob(self, blob_id: str) -> Any:
        """Gets a blob.

        Args:
            blob_id: Id of the blob.

        Returns:
            The JSON value or the bytes that were stored.

        Raises:
            NotFound: The server does not know the blob.
            UnsupportedByServer: The server is older than 0.10.
            Unreachable: The server does not answer.
            StatusError: The server refuses the request.
        """
        return drive(self._client, self._core.get_blob(blob_id))

    def health(self) -> HealthResponse:
        """Asks the server for its health.

        Raises:
            Unreachable: The server does not answer.
            InvalidAnswer: It is no Stepflow server.
            StatusError: The server refuses the request.
        """
        return drive(self._client, self._core.health())

    def server_version(self) -> str:
        """Asks the server for its version, such as `0.11.1`.

        Raises:
            Unreachable: The server does not answer.
            InvalidAnswer: It is no Stepflow server.
            StatusError: The server refuses the request.
        """
        return self.health().version

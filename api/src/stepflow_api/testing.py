"""A transport for tests, which answers in place of a server."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, TypeAlias, cast
from urllib.parse import unquote

import httpx
from pydantic import BaseModel

from stepflow_api._bodies import to_json
from stepflow_api._httpx_types import HttpxResponse
from stepflow_api._transport.httpx_libraries import described, httpx_library_of
from stepflow_api.errors import TransportError
from stepflow_api.models._outcome import Outcome
from stepflow_api.spec import API_VERSION, PATH_PREFIX

__all__ = ["Answer", "MockRequest", "MockServer", "Route", "finished_run"]

Route: TypeAlias = str | ModuleType
"""`METHOD /path/{template}` below the API's prefix, or an endpoint module."""

Answer: TypeAlias = (
    BaseModel
    | Mapping[str, Any]
    | Sequence[Any]
    | bytes
    | int
    | HttpxResponse
    | Exception
    | type[TransportError]
    | Callable[["MockRequest"], Any]
)
"""What a route answers, as `MockServer` describes."""

_ROUTE = re.compile(r"[A-Z]+ /[^\s?#]*")
_OF_BODY = ("content-encoding", "content-length", "transfer-encoding")
_EVENTS = "text/event-stream"
_TIME = "2026-01-01T00:00:00Z"
_MINOR_VERSION = API_VERSION[: API_VERSION.rindex(".") + 1]
_RUN_ID = "00000000-0000-7000-8000-000000000001"
_FLOW_ID = "0" * 64


@dataclass(frozen=True)
class MockRequest:
    """A request that a `MockServer` received.

    Attributes:
        method: HTTP method.
        path: Path below the API's prefix, percent-encoded.
        path_parameters: Values by the names in the route's template.
        query: Query parameters; of a repeated one, the first value.
        headers: Header fields by lower-case name.
        content: The body.
    """

    method: str
    path: str
    path_parameters: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)

    def json(self) -> Any:
        """Return the body, parsed as JSON.

        Raises:
            ValueError: It is not JSON.
        """
        return json.loads(self.content)


class MockServer(httpx.MockTransport):
    """A transport that answers requests in place of a server; pass it to a client as `transport=`.

    It serves the sync and the async forms. It answers `GET /health` with its version itself, unless
    there is a route for it; such a request is not recorded.

    Args:
        routes: Answers by route. A route is `METHOD /path/{template}` below the API's prefix, such
            as `GET /runs/{run_id}`, or an endpoint module, such as `stepflow_api.api.run.get_run`.
            A path without parameters precedes a template. An answer is one of:

            - a model, a dict or a list: a JSON document, with status 200
            - a list, for a path that ends in `/events`: a stream of events, each a model or a dict
              with the attributes of a `stepflow_client.events.RunEvent`
            - bytes: a binary body, with status 200
            - a status code; from 400 on, with the error document that servers send
            - an `httpx.Response`, or one of httpx2, for everything else
            - an exception to raise, or a subclass of `TransportError`, such as `ConnectionLost`
            - a function that returns one of these for a `MockRequest`; for the async forms also a
              coroutine function
        version: The version of the server. Clients translate for versions other than the default,
            and expect the documents of such a server.

    Attributes:
        requests: The requests received, in order.

    Raises:
        ValueError: A route is invalid, or an answer of `finished_run` is not one of the version.

    Example:
        >>> from stepflow_api.api.flow import get_flow
        >>> server = MockServer({"GET /flows/{flow_id}": 404})
        >>> with Client("http://server", transport=server) as client:
        ...     get_flow.sync_detailed("f1", client=client).status_code
        404
        >>> server.requests[0].path_parameters
        {'flow_id': 'f1'}
    """

    def __init__(
        self, routes: Mapping[Any, Answer] | None = None, *, version: str = API_VERSION
    ) -> None:
        super().__init__(self.handle_request)
        self.requests: list[MockRequest] = []
        self._routes: dict[str, Answer] = {}
        self._health = {"status": "healthy", "timestamp": _TIME, "version": version}
        for route, answer in (routes or {}).items():
            self.add(route, answer)

    def add(self, route: Route, answer: Answer) -> None:
        """Add a route, or replace its answer.

        Args:
            route: As for the class.
            answer: As for the class.

        Raises:
            ValueError: The route is invalid, or an answer of `finished_run` is not one of the
                version.
        """
        operation = getattr(route, "OPERATION", None)
        text = route if operation is None else f"{operation.method} {operation.path}"
        if not isinstance(text, str) or not _ROUTE.fullmatch(text):
            raise ValueError(
                f"the route is {route!r}; pass 'METHOD /path' without a query, such as"
                " 'GET /runs/{run_id}', or an endpoint module that has an OPERATION"
            )
        version = self._health["version"]
        if isinstance(answer, _OfFinishedRun) and not f"{version}.".startswith(_MINOR_VERSION):
            raise ValueError(
                f"finished_run has the documents of server {API_VERSION}, not of {version}; leave"
                " out version=, or write those documents"
            )
        self._routes[text.replace(f" {PATH_PREFIX}/", " /", 1)] = answer

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of a sync client, of httpx or httpx2."""
        request.read()
        received, answer = self._receive(request)
        while _is_function(answer):
            answer = answer(received)
            if inspect.isawaitable(answer):
                if inspect.iscoroutine(answer):
                    # Python warns of one that is never awaited.
                    answer.close()
                raise TypeError(
                    f"MockServer cannot await its answer to {received.method} {received.path} in a"
                    " sync call; use a function that is not async, or asyncio(...) forms"
                )
        return self._respond(answer, received, request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Async version of `handle_request`."""
        await request.aread()
        received, answer = self._receive(request)
        while _is_function(answer):
            answer = answer(received)
            if inspect.isawaitable(answer):
                answer = await answer
        return self._respond(answer, received, request)

    def _receive(self, request: httpx.Request) -> tuple[MockRequest, Any]:
        """Record a request, and return it with its answer."""
        path = request.url.raw_path.decode().partition("?")[0]
        path = path.partition(PATH_PREFIX)[2] or path
        route, parameters = self._match(request.method, path)
        received = MockRequest(
            request.method,
            path,
            parameters,
            dict(request.url.params),
            dict(request.headers),
            request.content,
        )
        if route is None and (request.method, path) == ("GET", "/health"):
            return received, self._health
        self.requests.append(received)
        if route is None:
            has = ", ".join(sorted(self._routes)) or "none"
            raise AssertionError(
                f"MockServer has no route for {request.method} {path}; its routes: {has}"
            )
        return received, self._routes[route]

    def _match(self, method: str, path: str) -> tuple[str | None, dict[str, str]]:
        """Return the route of a request, None if there is none, and the path parameters."""
        found: tuple[str | None, dict[str, str]] = (None, {})
        for route in self._routes:
            parameters = _parameters(route, f"{method} {path}")
            if parameters is not None and (found[0] is None or len(parameters) < len(found[1])):
                found = (route, parameters)
        return found

    def _respond(
        self, answer: Any, received: MockRequest, request: httpx.Request
    ) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, type) and issubclass(answer, TransportError):
            raise answer("simulated by MockServer", method=request.method, url=str(request.url))
        if isinstance(answer, list | tuple) and received.path.endswith("/events"):
            events = cast("Sequence[Any]", answer)
            content = b"".join(b"data: %b\n\n" % _event(event) for event in events)
            answer = httpx.Response(200, content=content, headers={"content-type": _EVENTS})
        # A copy, since a response can be read once, and its content is decompressed. The client may
        # be one of httpx2.
        response = _response(answer)
        fields = [field for field in response.headers.multi_items() if field[0] not in _OF_BODY]
        library: Any = httpx_library_of(request, "Request") or httpx
        copy: httpx.Response = library.Response(
            response.status_code, headers=fields, content=response.content
        )
        return copy


def _is_function(answer: object) -> bool:
    return callable(answer) and not isinstance(answer, type)


def _parameters(route: str, request: str) -> dict[str, str] | None:
    """Return the path parameters of a request; None if the route is another."""
    names, values = route.split("/"), request.split("/")
    if len(names) != len(values):
        return None
    found: dict[str, str] = {}
    for name, value in zip(names, values, strict=True):
        if name.startswith("{") and name.endswith("}") and value:
            found[name[1:-1]] = unquote(value)
        elif name != value:
            return None
    return found


def _response(answer: Any) -> httpx.Response:
    if httpx_library_of(answer, "Response"):
        return cast("httpx.Response", answer)
    if isinstance(answer, bytes):
        headers = {"content-type": "application/octet-stream"}
        return httpx.Response(200, headers=headers, content=answer)
    if isinstance(answer, BaseModel | Mapping | list | tuple):
        return _json_response(200, cast("object", answer))
    if isinstance(answer, int) and not isinstance(answer, bool):
        error = {"code": answer, "message": httpx.codes.get_reason_phrase(answer)}
        return httpx.Response(answer) if answer < 400 else _json_response(answer, error)
    raise TypeError(
        f"an answer of MockServer is {described(answer)}; use a model, a dict, a list, bytes, a"
        " status code, an httpx.Response, an exception, a subclass of TransportError, or a function"
        " that returns one"
    )


def _json_response(status: int, value: object) -> httpx.Response:
    headers = {"content-type": "application/json"}
    return httpx.Response(status, headers=headers, content=_json(value))


def _json(value: object) -> bytes:
    """Return JSON as servers write it: without spaces, and only what was set of a model."""
    try:
        return to_json(value)
    except ValueError as error:
        raise ValueError(f"the answer of a MockServer {error}") from error.__cause__


def _event(event: Any) -> bytes:
    """Return the data of an event as servers send it."""
    given: dict[str, Any] = json.loads(_json(event))
    fields = {_camel(name): value for name, value in given.items()} if type(given) is dict else {}
    try:
        number, time, kind = (fields.pop(name) for name in ("sequenceNumber", "timestamp", "kind"))
    except KeyError as error:
        raise TypeError(
            f"MockServer cannot answer with an event without {error}; use models, or dicts with the"
            " attributes of a stepflow_client.events.RunEvent"
        ) from None
    if [*fields] == ["data"]:
        # An OtherEvent has the fields of its kind there.
        fields = fields["data"]
    return _json({"sequenceNumber": number, "timestamp": time, "event": {kind: fields}})


def _camel(name: str) -> str:
    return re.sub("_([a-z])", lambda match: match[1].upper(), name)


class _OfFinishedRun(dict[str, Any]):
    """A document of `finished_run`."""


def finished_run(*results: Any) -> dict[str, Answer]:
    """Return the routes of a server where every run has finished, for a `MockServer`.

    They serve storing a flow, creating a run, its status and its results, such as
    `stepflow_client` needs them for `run` and `run_batch`, with the documents of the server of the
    default version.

    Args:
        *results: The result of each item of a run: a `FlowResult`, or the output of a success.

    Example:
        >>> server = MockServer(finished_run("Hello!"))
        >>> with SyncStepflowClient("http://server", transport=server) as client:
        ...     client.run("flow.yaml", {"name": "World"}).output
        'Hello!'
    """
    documents = [
        document if isinstance(one, Outcome) else {"outcome": "success", "result": document}
        for one in results
        for document in [json.loads(_json(one))]
    ]
    statuses = ["completed" if one["outcome"] == "success" else "failed" for one in documents]
    items = [
        {"itemIndex": index, "status": status, "result": document}
        for index, (status, document) in enumerate(zip(statuses, documents, strict=True))
    ]
    failed = statuses.count("failed")
    run: dict[str, Any] = {
        "runId": _RUN_ID,
        "rootRunId": _RUN_ID,
        "flowId": _FLOW_ID,
        "status": "failed" if failed else "completed",
        "items": {
            "total": len(items),
            "completed": len(items) - failed,
            "running": 0,
            "failed": failed,
            "cancelled": 0,
        },
        "createdAt": _TIME,
        "completedAt": _TIME,
        "createdAtSeqno": 0,
    }
    diagnostics: dict[str, Any] = {"diagnostics": [], "numFatal": 0, "numError": 0, "numWarning": 0}
    answers: dict[str, dict[str, Any]] = {
        "POST /flows": {"flowId": _FLOW_ID, "stored": True, "diagnostics": diagnostics},
        "POST /runs": {**run, "results": items},
        "GET /runs": {"runs": [run]},
        "GET /runs/{run_id}": run,
        "GET /runs/{run_id}/items": {"itemCount": len(items), "items": items},
    }
    return {route: _OfFinishedRun(answer) for route, answer in answers.items()}

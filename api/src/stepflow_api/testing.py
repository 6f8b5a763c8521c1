"""A transport for tests, which answers in place of a server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, TypeAlias, cast
from urllib.parse import unquote

import httpx
from pydantic import BaseModel, TypeAdapter

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
    | httpx.Response
    | Exception
    | type[TransportError]
    | Callable[["MockRequest"], Any]
)
"""What a route answers, as `MockServer` describes."""

_ROUTE = re.compile(r"[A-Z]+ /\S*")
_OF_BODY = ("content-encoding", "content-length", "transfer-encoding")
_EVENTS = "text/event-stream"
_JSON = TypeAdapter[Any](Any)
_TIME = "2026-01-01T00:00:00Z"
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
            - a function that returns one of these for a `MockRequest`
        version: The version of the server. Clients translate for versions other than the default,
            and expect the documents of such a server.

    Attributes:
        requests: The requests received, in order.

    Raises:
        ValueError: A route is invalid.

    Example:
        >>> server = MockServer({"GET /runs/{run_id}": 404})
        >>> with Client("http://server", transport=server) as client:
        ...     get_run.sync_detailed(run_id, client=client).status_code
        404
        >>> server.requests[0].path_parameters == {"run_id": run_id}
        True
    """

    def __init__(
        self, routes: Mapping[Any, Answer] | None = None, *, version: str = API_VERSION
    ) -> None:
        super().__init__(self._handle)
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
            ValueError: The route is invalid.
        """
        operation = getattr(route, "OPERATION", None)
        text = route if operation is None else f"{operation.method} {operation.path}"
        if not isinstance(text, str) or not _ROUTE.fullmatch(text):
            raise ValueError(
                f"the route is {route!r}; give 'METHOD /path', such as 'GET /runs/{{run_id}}', or"
                " an endpoint module that has an OPERATION"
            )
        self._routes[text.replace(f" {PATH_PREFIX}/", " /", 1)] = answer

    def _handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().partition("?")[0]
        path = path.partition(PATH_PREFIX)[2] or path
        route, parameters = self._match(request.method, path)
        if route is None and (request.method, path) == ("GET", "/health"):
            return _response(self._health)
        received = MockRequest(
            request.method,
            path,
            parameters,
            dict(request.url.params),
            dict(request.headers),
            request.content,
        )
        self.requests.append(received)
        if route is None:
            has = ", ".join(sorted(self._routes)) or "none"
            raise AssertionError(
                f"MockServer has no route for {request.method} {path}; its routes: {has}"
            )
        return self._answer(self._routes[route], received, str(request.url))

    def _match(self, method: str, path: str) -> tuple[str | None, dict[str, str]]:
        """Return the route of a request, None if there is none, and the path parameters."""
        found: tuple[str | None, dict[str, str]] = (None, {})
        for route in self._routes:
            parameters = _parameters(route, f"{method} {path}")
            if parameters is not None and (found[0] is None or len(parameters) < len(found[1])):
                found = (route, parameters)
        return found

    def _answer(self, answer: Any, request: MockRequest, url: str) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, type) and issubclass(answer, TransportError):
            raise answer("simulated by MockServer", method=request.method, url=url)
        if callable(cast("object", answer)) and not isinstance(answer, type):
            return self._answer(answer(request), request, url)
        if isinstance(answer, list | tuple) and request.path.endswith("/events"):
            events = cast("Sequence[Any]", answer)
            content = b"".join(b"data: %b\n\n" % _event(event) for event in events)
            return httpx.Response(200, content=content, headers={"content-type": _EVENTS})
        return _response(answer)


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
        # A copy, since a response can be read once. Its content is decompressed.
        fields = [field for field in answer.headers.multi_items() if field[0] not in _OF_BODY]
        return httpx.Response(answer.status_code, headers=fields, content=answer.content)
    if isinstance(answer, bytes):
        headers = {"content-type": "application/octet-stream"}
        return httpx.Response(200, headers=headers, content=answer)
    if isinstance(answer, BaseModel | Mapping | list | tuple):
        return _json_response(200, cast("object", answer))
    if isinstance(answer, int) and not isinstance(answer, bool):
        error = {"code": answer, "message": httpx.codes.get_reason_phrase(answer)}
        return httpx.Response(answer) if answer < 400 else _json_response(answer, error)
    raise TypeError(
        f"MockServer cannot answer with {described(answer)}; use a model, a dict, a list, bytes, a"
        " status code, an httpx.Response, an exception, a subclass of TransportError, or a function"
        " that returns one"
    )


def _json_response(status: int, value: object) -> httpx.Response:
    headers = {"content-type": "application/json"}
    return httpx.Response(status, headers=headers, content=_json(value))


def _json(value: object) -> bytes:
    """Return JSON as servers write it: without spaces, and only what was set of a model."""
    return _JSON.dump_json(value, by_alias=True, exclude_unset=True)


def _event(event: Any) -> bytes:
    """Return the data of an event as servers send it."""
    given = json.loads(_json(event))
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


def finished_run(*results: Any) -> dict[str, Answer]:
    """Return the routes of a server where every run has finished, for a `MockServer`.

    They serve storing a flow, creating a run, its status and its results, such as
    `stepflow_client` needs them for `run` and `run_batch`.

    Args:
        *results: The result of each item of a run: a `FlowResult`, or the output of a success.

    Example:
        >>> server = MockServer(finished_run("Hello!"))
        >>> with SyncStepflowClient("http://server", transport=server) as client:
        ...     client.run("flow.yaml", {"name": "World"}).output
        'Hello!'
    """
    documents = [
        json.loads(_json(one))
        if isinstance(one, Outcome)
        else {"outcome": "success", "result": one}
        for one in results
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
    return {
        "POST /flows": {"flowId": _FLOW_ID, "stored": True, "diagnostics": diagnostics},
        "POST /runs": {**run, "results": items},
        "GET /runs": {"runs": [run]},
        "GET /runs/{run_id}": run,
        "GET /runs/{run_id}/items": {"itemCount": len(items), "items": items},
    }

"""Serves components to servers up to 0.11, which call a worker with JSON-RPC over HTTP."""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import socket
import threading
from typing import IO, Any, Final

from stepflow_runtime._components.calls import CallFailed, Calls, Failure, Step
from stepflow_runtime._start_errors import start_thread

_log = logging.getLogger("stepflow_runtime")

#: Error codes of the worker protocol, without those of its transport, which a server retries.
_CODES: Final = {
    Failure.NOT_FOUND: -32001,
    Failure.INVALID_INPUT: -32602,
    Failure.RAISED: -32100,
}
_METHOD_NOT_FOUND: Final = -32601
_LONGEST_LINE: Final = 1 << 16
#: Between two attempts to accept a connection.
_ACCEPT_SECONDS: Final = 0.5
_HEALTH: Final = "/health"
_BLOBS_PATH: Final = "/api/v1/blobs"


class JsonRpcWorker:
    """Answers the requests of a server, each connection in a thread of its own.

    Args:
        calls: Executes the calls.
        prefix: Prefix of the components' paths in flows.
        path: Path of its URL; by default one that web pages and other programs of this machine
            cannot guess.

    Attributes:
        server_url: Where the server listens, once it has said so; servers before 0.10 do not.
    """

    def __init__(self, calls: Calls, prefix: str, *, path: str | None = None) -> None:
        self._calls = calls
        self._prefix = prefix
        self.server_url: str | None = None
        self._path = path or f"/{secrets.token_urlsafe(16)}"
        self._id = secrets.token_hex(8)
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._address: tuple[str, int] = self._listener.getsockname()
        self._thread = threading.Thread(
            target=self._accept, name="stepflow-components", daemon=True
        )

    def start(self, _address: str = "") -> None:
        """Answer requests; those that came earlier have waited.

        Raises:
            OSError: The system has no more threads.
        """
        if self._thread.ident is None:
            start_thread(self._thread)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._address[1]

    @property
    def url(self) -> str:
        """The URL for the server's config."""
        host, port = self._address
        return f"http://{host}:{port}{self._path}"

    def close(self) -> None:
        """Close all connections. Calls in progress run on, and their results are lost."""
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
            for connection in self._connections:
                # Not close, which would not wake the thread that reads.
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        if self._thread.ident is None:
            self._listener.close()
            return
        with contextlib.suppress(OSError):
            # Wakes the thread that accepts.
            socket.create_connection(self._address, 1).close()

    def _accept(self) -> None:
        with self._listener:
            while True:
                try:
                    connection, _ = self._listener.accept()
                except OSError as error:
                    # Such as too many open files. What wants to connect waits in the meantime.
                    _log.error("a call of a component is delayed: %s", error)
                    if self._closed.wait(_ACCEPT_SECONDS):
                        return
                    continue
                with self._lock:
                    if self._closed.is_set():
                        connection.close()
                        return
                    self._connections.add(connection)
                thread = threading.Thread(
                    target=self._serve, args=(connection,), name="stepflow-component", daemon=True
                )
                try:
                    start_thread(thread)
                except OSError as error:
                    _log.error("a call of a component was refused: %s", error)
                    self._drop(connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection.makefile("rb") as stream:
                while (request := _read_request(stream)) is not None:
                    connection.sendall(self._respond(*request))
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            # The server is gone, or this is not one.
            pass
        finally:
            self._drop(connection)

    def _drop(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)
        connection.close()

    def _respond(self, path: str, body: bytes) -> bytes:
        if path == _HEALTH:
            # A server asks for it that has started the worker.
            return self._ok(b'{"status":"healthy"}')
        if path != self._path:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        request: dict[str, Any] = json.loads(body)
        if "id" not in request:
            return b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
        answer = self._answer(request)
        try:
            content = _encode(request, answer)
        except ValueError as error:
            problem = f"the output is not JSON: {error}"
            content = _encode(request, _error(_CODES[Failure.RAISED], problem))
        return self._ok(content)

    def _ok(self, content: bytes) -> bytes:
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            f"Stepflow-Instance-Id: {self._id}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        return head.encode("ascii") + content

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        parameters: dict[str, Any] = request.get("params") or {}
        match request["method"]:
            case "initialize":
                self._read_server_url(parameters)
                # The names of 0.9, and of later servers.
                return {"result": {"server_protocol_version": 1, "serverProtocolVersion": 1}}
            case "components/list":
                names = self._calls.components
                return {"result": {"components": [self._describe(name) for name in names]}}
            case "components/info":
                name = _name(parameters)
                if name in self._calls.components:
                    return {"result": {"info": self._describe(name)}}
                return _error(_CODES[Failure.NOT_FOUND], f"there is no component {name!r}")
            case "components/execute":
                return self._execute(parameters)
            case method:
                return _error(_METHOD_NOT_FOUND, f"method {method} is not supported")

    def _execute(self, parameters: dict[str, Any]) -> dict[str, Any]:
        observed = _camel_case(parameters.get("observability") or {})
        step = Step(
            run_id=observed.get("runId"),
            flow_id=observed.get("flowId"),
            step_id=observed.get("stepId"),
            attempt=parameters.get("attempt", 1),
        )
        try:
            output = self._calls.execute(_name(parameters), parameters["input"], step)
        except CallFailed as error:
            return _error(_CODES[error.failure], str(error))
        return {"result": {"output": output}}

    def _describe(self, name: str) -> dict[str, Any]:
        function = self._calls.components[name].listed_interface()
        schemas = {"Input": function.input_schema, "Output": function.output_schema}
        return {
            "component": f"{self._prefix}/{name}",
            "description": function.description,
            # The names of 0.9, and of later servers.
            **{f"{kind.lower()}_schema": schema for kind, schema in schemas.items()},
        }

    def _read_server_url(self, parameters: dict[str, Any]) -> None:
        capabilities: dict[str, Any] = parameters.get("capabilities") or {}
        url: str = capabilities.get("blobApiUrl") or ""
        if url.endswith(_BLOBS_PATH):
            self.server_url = url.removesuffix(_BLOBS_PATH)


def _read_request(stream: IO[bytes]) -> tuple[str, bytes] | None:
    """Return the path and the body of the next request; None if there is no other one."""
    line = stream.readline(_LONGEST_LINE)
    if not line:
        return None
    _, path, _ = line.decode("ascii").split(" ")
    length = 0
    while (header := stream.readline(_LONGEST_LINE).strip()) != b"":
        name, _, value = header.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    body = stream.read(length)
    if len(body) < length:
        return None
    return path, body


def _name(parameters: dict[str, Any]) -> str:
    # A server may pass on the path that its list of components has.
    return str(parameters["component"]).rpartition("/")[2]


def _camel_case(values: dict[str, Any]) -> dict[str, Any]:
    # Servers up to 0.11 differ in how they write names.
    return {
        first + "".join(map(str.capitalize, rest)): value
        for key, value in values.items()
        for first, *rest in [key.split("_")]
    }


def _encode(request: dict[str, Any], answer: dict[str, Any]) -> bytes:
    document = {"jsonrpc": "2.0", "id": request["id"], **answer}
    return json.dumps(document, ensure_ascii=False).encode()


def _error(code: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}

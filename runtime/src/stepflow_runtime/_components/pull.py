"""Serves components to servers from 0.12 on, from which a worker pulls its tasks.

The services are gRPC's. The server also accepts them over HTTP/1.1, so that neither grpcio, whose
threads do not survive a fork, nor an HTTP/2 library is needed.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import socket
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from stepflow_runtime._components import protobuf
from stepflow_runtime._components.calls import CallFailed, Calls, Failure, Step
from stepflow_runtime._start_errors import start_thread

_log = logging.getLogger("stepflow_runtime")

_TASKS: Final = "/stepflow.v1.TasksService/"
_ORCHESTRATOR: Final = "/stepflow.v1.OrchestratorService/"
_HEADERS: Final = {"Content-Type": "application/grpc", "TE": "trailers"}
_UNAVAILABLE: Final = "14"

#: TaskErrorCode of stepflow/v1/common.proto.
_CODES: Final = {Failure.INVALID_INPUT: 2, Failure.RAISED: 3, Failure.NOT_FOUND: 6}

#: Calls that are executed at the same time; each needs a thread.
_MAX_CALLS: Final = 64
_RECONNECT_SECONDS: Final = 0.1
#: A server listens some milliseconds after its start.
_START_SECONDS: Final = 2.0
_START_RECONNECT_SECONDS: Final = 0.005
_REQUEST_SECONDS: Final = 30.0
#: Attempts of a request while the server resumes its runs, one per second.
_ATTEMPTS: Final = 30


@dataclass(frozen=True, slots=True)
class _Task:
    """A task that the server assigned; fields of TaskAssignment in stepflow/v1/tasks.proto."""

    id: str
    orchestrator: str
    heartbeat_seconds: float
    call: tuple[str, Any, Step] | None


class PullWorker:
    """Pulls tasks, executes each in a thread of its own, and reports the results.

    Args:
        calls: Executes the calls.
        queue: The queue that the config's plugin names.
        prefix: Prefix of the components' paths that the list of components lacks.
    """

    def __init__(self, calls: Calls, queue: str, prefix: str) -> None:
        self._calls = calls
        self._queue = queue
        self._prefix = prefix
        self._id = str(uuid.uuid4())
        self._disconnected = threading.Event()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._slots = threading.Semaphore(_MAX_CALLS)
        self._stream: http.client.HTTPConnection | None = None
        # With the address of each, since tasks may come from several orchestrators.
        self._idle: list[tuple[str, http.client.HTTPConnection]] = []
        # With the last assignment of each, and the time of its last heartbeat.
        self._executed: dict[str, tuple[_Task, float]] = {}
        self._is_started = False

    def start(self, address: str) -> None:
        """Connect to the server, and again whenever the connection ends.

        Raises:
            OSError: The system has no more threads.
        """
        if self._is_started:
            return
        self._is_started = True
        for target, name in ((self._run, "components"), (self._beat, "heartbeats")):
            start_thread(
                threading.Thread(
                    target=target, args=(address,), name=f"stepflow-{name}", daemon=True
                )
            )

    def disconnect(self) -> None:
        """Pull no more tasks; calls in progress still report their results."""
        self._disconnected.set()
        with self._lock:
            stream = self._stream
        if stream is not None and stream.sock is not None:
            # Not close, which would not wake the thread that reads.
            with contextlib.suppress(OSError):
                stream.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Disconnect. Calls in progress run on, and their results are lost."""
        self._closed.set()
        self.disconnect()
        with self._lock:
            idle, self._idle = self._idle, []
        for _, connection in idle:
            connection.close()

    def _run(self, address: str) -> None:
        first = time.monotonic()
        while not self._disconnected.is_set():
            try:
                self._pull(address)
            except (OSError, http.client.HTTPException, protobuf.Malformed) as error:
                _log.debug("the components lost the server: %s", error)
            starts = time.monotonic() - first < _START_SECONDS
            self._disconnected.wait(_START_RECONNECT_SECONDS if starts else _RECONNECT_SECONDS)

    def _pull(self, address: str) -> None:
        connection = _connection(address, None)
        with self._lock:
            self._stream = connection
        try:
            connection.connect()
            # `disconnect` shuts down the socket, if there is one by then.
            if self._disconnected.is_set():
                return
            request = protobuf.text(1, self._queue) + protobuf.text(2, self._id)
            connection.request("POST", f"{_TASKS}PullTasks", _frame(request), _HEADERS)
            response = connection.getresponse()
            if not _is_grpc(response):
                raise protobuf.Malformed(f"status {response.status}, and no gRPC")
            while not self._disconnected.is_set():
                head = response.read(5)
                if len(head) < 5:
                    return
                self._accept(_task(response.read(int.from_bytes(head[1:])), address))
        finally:
            with self._lock:
                self._stream = None
            connection.close()

    def _accept(self, task: _Task) -> None:
        if task.call is not None:
            while not self._slots.acquire(timeout=1):
                if self._disconnected.is_set():
                    return
        thread = threading.Thread(
            target=self._work, args=(task,), name="stepflow-component", daemon=True
        )
        try:
            start_thread(thread)
        except OSError as error:
            # The server fails the task when nobody claims it.
            _log.error("a call of a component was refused: %s", error)
            if task.call is not None:
                self._slots.release()

    def _work(self, task: _Task) -> None:
        try:
            if task.call is None:
                self._complete(task, protobuf.message(5, self._list()))
                return
            if not self._claim(task):
                return
            with self._lock:
                is_executed = task.id in self._executed
                self._executed[task.id] = task, time.monotonic()
            if is_executed:
                # The server was restarted, or missed heartbeats.
                _log.debug("a call in progress was assigned again")
                return
            try:
                result = self._execute(*task.call)
            finally:
                with self._lock:
                    task, _ = self._executed.pop(task.id)
            self._complete(task, result)
        except (OSError, http.client.HTTPException) as error:
            if not self._closed.is_set():
                _log.error("the result of a component's call could not be sent: %s", error)
        finally:
            if task.call is not None:
                self._slots.release()

    def _claim(self, task: _Task) -> bool:
        answer = self._request(task.orchestrator, "TaskHeartbeat", self._heartbeat(task))
        # Without an answer the task belongs to a run that is gone, or to another worker.
        return answer is not None and not dict(protobuf.fields(answer)).get(1)

    def _execute(self, name: str, input: Any, step: Step) -> bytes:
        try:
            output = protobuf.encode_value(self._calls.execute(name, input, step))
        except CallFailed as error:
            code, problem = _CODES[error.failure], str(error)
        except (ValueError, OverflowError) as error:
            code, problem = _CODES[Failure.RAISED], f"the output is not JSON: {error}"
        else:
            return protobuf.message(2, protobuf.message(1, output))
        return protobuf.message(3, protobuf.integer(1, code) + protobuf.text(2, problem))

    def _complete(self, task: _Task, result: bytes) -> None:
        run_id = None if task.call is None else task.call[2].run_id
        request = protobuf.text(1, task.id) + result + protobuf.text(4, run_id)
        self._request(task.orchestrator, "CompleteTask", request)

    def _list(self) -> bytes:
        listed = b""
        for name, component in self._calls.components.items():
            function = component.listed_interface()
            listed += protobuf.message(
                1,
                protobuf.text(1, f"{self._prefix}{name}")
                + protobuf.text(2, function.description)
                + protobuf.text(3, json.dumps(function.input_schema))
                + protobuf.text(4, json.dumps(function.output_schema))
                + protobuf.text(5, f"/{name}"),
            )
        return listed

    def _heartbeat(self, task: _Task) -> bytes:
        run_id = None if task.call is None else task.call[2].run_id
        return protobuf.text(1, task.id) + protobuf.text(2, self._id) + protobuf.text(5, run_id)

    def _beat(self, _address: str) -> None:
        """Report calls in progress, which the server otherwise takes for lost after 10 s."""
        while not self._closed.wait(0.5):
            with self._lock:
                executed = list(self._executed.values())
            now = time.monotonic()
            for task, last in executed:
                if now - last < task.heartbeat_seconds:
                    continue
                with contextlib.suppress(OSError, http.client.HTTPException):
                    self._request(task.orchestrator, "TaskHeartbeat", self._heartbeat(task), 1)
                with self._lock:
                    if task.id in self._executed:
                        self._executed[task.id] = self._executed[task.id][0], now

    def _request(
        self, address: str, method: str, request: bytes, attempts: int = _ATTEMPTS
    ) -> bytes | None:
        """Return a method's response; None if the server refused the request."""
        for _ in range(attempts):
            status, body = self._exchange(address, method, request)
            if status == "0":
                return body[5:]
            if status != _UNAVAILABLE or self._closed.wait(1):
                _log.debug("the server refused %s: status %s", method, status)
                return None
        return None

    def _exchange(self, address: str, method: str, request: bytes) -> tuple[str, bytes]:
        connection = self._idle_connection(address)
        if connection is not None:
            try:
                return self._send(address, connection, method, request)
            except (OSError, http.client.HTTPException):
                # The server may have closed it, or restarted, in the meantime.
                connection.close()
        return self._send(address, _connection(address, _REQUEST_SECONDS), method, request)

    def _idle_connection(self, address: str) -> http.client.HTTPConnection | None:
        with self._lock:
            for at, (other, _) in enumerate(self._idle):
                if other == address:
                    return self._idle.pop(at)[1]
        return None

    def _send(
        self, address: str, connection: http.client.HTTPConnection, method: str, request: bytes
    ) -> tuple[str, bytes]:
        try:
            connection.request("POST", _ORCHESTRATOR + method, _frame(request), _HEADERS)
            response = connection.getresponse()
            body = response.read()
        except BaseException:
            connection.close()
            raise
        with self._lock:
            self._idle.append((address, connection))
            # Orchestrators that are gone use up no more connections than calls do.
            if self._closed.is_set() or len(self._idle) > _MAX_CALLS:
                self._idle.pop(0)[1].close()
        if not _is_grpc(response):
            return _UNAVAILABLE, b""
        # A response without a message has its status in the headers, another one in the trailers,
        # where the status of a single message is always 0.
        return response.headers.get("grpc-status", "0"), body


def _connection(address: str, timeout: float | None) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(address, timeout=timeout)


def _is_grpc(response: http.client.HTTPResponse) -> bool:
    """Whether the server itself responded, rather than a gateway while the server is down."""
    kind = response.headers.get_content_type()
    return response.status == 200 and kind.startswith("application/grpc")


def _frame(request: bytes) -> bytes:
    return b"\0" + len(request).to_bytes(4) + request


def _task(data: bytes, address: str) -> _Task:
    try:
        return _assignment(data, address)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise protobuf.Malformed("no task") from error


def _assignment(data: bytes, address: str) -> _Task:
    assigned = dict(protobuf.fields(data))
    context = dict(protobuf.fields(assigned.get(4, b"")))
    call = None
    if 2 in assigned:
        call = _call(assigned[2])
    return _Task(
        id=assigned[1].decode(),
        orchestrator=context.get(1, b"").decode() or address,
        heartbeat_seconds=assigned.get(5) or 1,
        call=call,
    )


def _call(data: bytes) -> tuple[str, Any, Step]:
    request = dict(protobuf.fields(data))
    observed: Mapping[int, bytes] = dict(protobuf.fields(request.get(4, b"")))
    run_id, flow_id, step_id = (
        observed[number].decode() if number in observed else None for number in (3, 4, 5)
    )
    step = Step(run_id=run_id, flow_id=flow_id, step_id=step_id, attempt=request.get(3, 1))
    # Server 0.12 sends the path, later ones the id.
    name = request[1].decode().rpartition("/")[2]
    return name, protobuf.decode_value(request.get(2, b"")), step

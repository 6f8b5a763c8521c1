"""Functions that can be components, and those that cannot."""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import functools
import http.client
import json
import socket
import struct
import threading
import types
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any
from urllib.parse import urlsplit

import pydantic
import pytest

from runtime.tests.component_flows import flow, problem
from runtime.tests.support import leaving_nothing, wait_until
from stepflow_runtime import ComponentContext, StepflowRuntime, component
from stepflow_runtime._components import protobuf
from stepflow_runtime._components.calls import CallFailed, Calls, Step
from stepflow_runtime._components.functions import find_components
from stepflow_runtime._components.json_rpc import JsonRpcWorker
from stepflow_runtime._components.service import ComponentService
from stepflow_runtime.errors import InvalidInput, InvalidState


def f(text: str) -> str:
    return text


def start(*components: Any) -> None:
    """Start a runtime that must not start."""
    with leaving_nothing():
        StepflowRuntime.start(components=components).stop()


def test_a_config_that_cannot_be_used_leaves_no_service() -> None:
    with leaving_nothing(), pytest.raises(InvalidInput, match="not JSON"):
        StepflowRuntime.start({"x-odd": float("nan")}, components=[f])


def test_the_decorator_returns_the_function() -> None:
    assert component(f) is f
    assert component(name="other")(f) is f
    assert f("a") == "a"


def star(*values: int) -> None: ...
def stars(**values: int) -> None: ...
def generator() -> Iterator[int]:
    yield 1


async def async_generator() -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (star, r"component 'star' has the parameter \*values; name each parameter"),
        (stars, r"component 'stars' has the parameter \*\*values; name each parameter"),
        (generator, "component 'generator' is a generator; return a list"),
        (async_generator, "component 'async_generator' is a generator; return a list"),
        (lambda: 1, r"has the name '<lambda>'; name it with @component\(name=...\)"),
        (functools.partial(f), "has the name None"),
        (max, "component 'max' has no signature; write a function around it"),
        (str, "component <class 'str'> is not a function"),
        ("f", "component 'f' is not a function"),
    ],
)
def test_functions_that_cannot_be_components(function: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        component(function)
    with pytest.raises(InvalidInput, match=message):
        start(function)


@pytest.mark.parametrize("function", [len, "".join, threading.Event().wait])
def test_functions_that_cannot_be_decorated(function: Any) -> None:
    with pytest.raises(InvalidInput, match="cannot be decorated; write a function around it"):
        component(function)


def with_socket(connection: socket.socket) -> None: ...
def with_function(text: str, function: Callable[[int], str]) -> None: ...
def returns_socket() -> socket.socket: ...  # type: ignore[empty-body] # pyright: ignore
def misspelled(value: "1 +") -> None: ...  # type: ignore[valid-type] # pyright: ignore # noqa: F722
def unresolved(value: Missing) -> None: ...  # type: ignore[name-defined] # pyright: ignore # noqa: F821


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (with_socket, "component 'with_socket': parameter 'connection' has the type socket, which"),
        (with_function, "component 'with_function': parameter 'function' has the type collections"),
        (returns_socket, "component 'returns_socket': the return value has the type socket, which"),
        (misspelled, "component 'misspelled': its type hints cannot be resolved: "),
        (unresolved, "component 'unresolved': its type hints cannot be resolved: name 'Missing'"),
    ],
)
def test_types_without_a_schema(function: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        start(function)


def both(first: int, second: int = 2, /) -> list[int]:
    return [first, second]


def nothing(context: ComponentContext) -> str | None:
    return context.step_id


KEPT: list[int] = []


def default(kept: Any = KEPT) -> bool:
    return kept is KEPT


def limited(number: Annotated[int, pydantic.Field(ge=1)]) -> int:
    return number


class Times:
    """An object that is called."""

    def __init__(self, times: int) -> None:
        self._times = times

    def __call__(self, number: int) -> int:
        return self._times * number


@dataclasses.dataclass
class Plus:
    """An object whose attributes have annotations too."""

    number: str

    def __call__(self, number: int) -> int:
        return int(self.number) + number


@functools.lru_cache
def cached(number: int) -> int:
    return number + 6


class Wrapper:
    """A decorator that is a class."""

    def __init__(self, function: Callable[[int], int]) -> None:
        functools.update_wrapper(self, function)
        self._function = function

    def __call__(self, *arguments: Any, **named: Any) -> int:
        return self._function(*arguments, **named)


@Wrapper
def wrapped(number: int) -> int:
    return number + 7


def times(number: int, times: int) -> int:
    return times * number


class Later:
    """An object whose call is a coroutine."""

    async def __call__(self, number: int) -> int:
        return number + 1

    def method(self, number: int) -> int:
        return number + 5


async def later(number: int, plus: int) -> int:
    return number + plus


def whole_and_context(context: ComponentContext, input: Any) -> Any:
    return [context.step_id, input]


def odd_names(copy: int, _x: int, *, model_fields: int, schema: int = 4) -> list[int]:
    return [copy, _x, model_fields, schema]


def two_contexts(one: ComponentContext, number: int, other: ComponentContext) -> bool:
    return one == other


def test_functions_of_all_kinds() -> None:
    given: list[Any] = [both, nothing, default, limited, component(name="object")(Times(3))]
    given.append(component(name="partial")(functools.partial(times, times=4)))
    given += [component(name="later-1.b")(Later()), whole_and_context, odd_names, two_contexts]
    given += [component(name="partial_later")(functools.partial(later, plus=2)), Later().method]
    # A module that is loaded from a file need not be one that can be imported.
    loaded: dict[str, Any] = {"__name__": "not_imported"}
    exec("def loaded(number: int) -> int: return number + 8", loaded)
    given += [component(name="annotated")(Plus("5")), cached, wrapped, loaded["loaded"]]
    with StepflowRuntime.start(components=given) as runtime:

        def call(name: str, input: Any) -> Any:
            return runtime.sync_client.run(flow(name, input), None)

        assert call("both", {"first": 1}).output == [1, 2]
        assert call("both", {"first": 1, "second": 3}).output == [1, 3]
        # Steps often pass null to a function without parameters.
        for empty in (None, dict[str, Any]()):
            assert call("nothing", empty).output == "call"
        # The default itself, and no copy of it.
        assert call("default", {}).output is True
        assert "greater than or equal to 1" in problem(call("limited", {"number": 0}))
        # Type hints are found, so that text becomes a number.
        outputs = {"object": 6, "partial": 8, "later-1.b": 3, "partial_later": 4, "method": 7}
        outputs |= {"annotated": 7, "cached": 8, "wrapped": 9, "loaded": 10}
        for name, output in outputs.items():
            assert call(name, {"number": "2"}).output == output
        assert call("whole_and_context", [1]).output == ["call", [1]]
        assert call("odd_names", {"copy": 1, "_x": 2, "model_fields": 3}).output == [1, 2, 3, 4]
        assert call("two_contexts", {"number": 1}).output is True


def test_a_context_outside_of_a_call() -> None:
    context = ComponentContext(run_id="r", flow_id=None, step_id=None, attempt=1)
    assert context == ComponentContext(run_id="r", flow_id=None, step_id=None, attempt=1)
    for use in (lambda: context.sync_client, lambda: context.client):
        with pytest.raises(InvalidState, match="not called by a server"):
            use()


def test_asynchronous_functions_are_cancelled_at_the_end() -> None:
    ended: list[str] = []
    started = threading.Event()

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            ended.append("generator")

    left_open = numbers()

    async def wait() -> None:
        await anext(left_open)
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("coroutine")

    with StepflowRuntime.start(components=[wait]) as runtime:
        runtime.sync_client.submit(flow("wait", {}), None)
        assert started.wait(60)
    wait_until(lambda: ended == ["coroutine", "generator"], "both have ended")


@pytest.mark.filterwarnings("error")
def test_a_coroutine_after_the_end_is_not_started() -> None:
    calls = Calls(find_components([later]))
    calls.close()
    step = Step(run_id=None, flow_id=None, step_id=None, attempt=1)
    with pytest.raises(CallFailed, match="the runtime is stopped"):
        calls.execute("later", {"number": 1, "plus": 2}, step)


def test_requests_on_one_connection() -> None:
    def echo(text: str) -> str:
        return text

    worker = JsonRpcWorker(Calls(find_components([echo])), "/python")
    worker.start()
    connection = socket.create_connection(("127.0.0.1", worker.port))
    stream = connection.makefile("rb")

    def send(document: dict[str, Any], name: str) -> tuple[int, Any]:
        """Send a request; the name of the length is written as given."""
        body = json.dumps(document).encode()
        path = urlsplit(worker.url).path
        head = f"POST {path} HTTP/1.1\r\nhost: a\r\n{name}: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        status = int(stream.readline().split()[1])
        length = 0
        while line := stream.readline().strip():
            header, _, value = line.lower().partition(b":")
            length = int(value) if header == b"content-length" else length
        return status, json.loads(stream.read(length) or b"null")

    def component(method: str, name: str) -> dict[str, Any]:
        return {"id": 3, "method": f"components/{method}", "params": {"component": name}}

    try:
        status, answer = send({"id": "a", "method": "components/list"}, "Content-Length")
        assert (status, answer["id"], answer["jsonrpc"]) == (200, "a", "2.0")
        (listed,) = answer["result"]["components"]
        assert listed["component"] == "/python/echo"
        assert send({"id": 0, "method": "initialize"}, "Content-Length")[1]["id"] == 0
        # A notification has no answer.
        assert send({"method": "initialized", "params": {}}, "content-length") == (202, None)
        for name in ("echo", "/echo", "/python/echo"):
            status, answer = send(component("info", name), "CONTENT-LENGTH")
            assert answer["result"]["info"] == listed
        _, answer = send(component("info", "/python/g"), "content-length")
        assert answer["error"]["code"] == -32001 and "'g'" in answer["error"]["message"]
        _, answer = send({"id": 1, "method": "other"}, "content-length")
        assert answer["error"]["code"] == -32601 and "other" in answer["error"]["message"]
        # Servers of some versions do not send all of it.
        call = component("execute", "echo")
        call["params"]["input"] = {"text": "é"}
        assert send(call, "content-length")[1]["result"] == {"output": "é"}
        worker.close()
        # No connection is left.
        connection.settimeout(60)
        assert connection.recv(1) == b""
    finally:
        worker.close()
        stream.close()
        connection.close()


@pytest.mark.parametrize("version", [(0, 12, 0), (0, 13, 0)])
def test_a_task_waits_as_long_as_it_takes(version: tuple[int, ...]) -> None:
    """Servers end tasks that no worker has begun after a time, and each call needs a thread."""
    services = [ComponentService(find_components([f]), version) for _ in range(2)]
    one, other = (service.add_to({})["plugins"]["python"] for service in services)
    for service in services:
        service.close()
    assert one["queueTimeoutSecs"] == other["queueTimeoutSecs"] > 30 * 24 * 3600
    # A server that has the port of another one has none of its tasks.
    assert one["queueName"] != other["queueName"]


def test_only_the_server_can_call() -> None:
    """Its config alone has the path: other programs of this machine find the port."""
    worker = JsonRpcWorker(Calls({}), "/python")
    worker.start()
    url = urlsplit(worker.url)
    body = json.dumps({"id": 1, "method": "initialize"})

    def answer(path: str, length: int = len(body)) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", worker.port)
        try:
            connection.request("POST", path, body, {"Content-Length": str(length)})
            assert connection.sock is not None
            connection.sock.shutdown(socket.SHUT_WR)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    try:
        assert len(url.path) > 16
        for path in ("/", url.path[:-1], f"{url.path}x"):
            assert answer(path) == (404, b"")
        status, content = answer(url.path)
        assert (status, json.loads(content)["id"]) == (200, 1)
        assert answer("/health") == (200, b'{"status":"healthy"}')
        with socket.create_connection(("127.0.0.1", worker.port)) as odd:
            odd.sendall(b"no request\r\n\r\n")
            assert odd.recv(1) == b""
        # Nor what is no request of a server, such as JSON of any other kind.
        for content in (b"5", b"{", b'{"id": 1}', b'{"id": 1, "method": "components/info"}'):
            head = f"POST {url.path} HTTP/1.1\r\ncontent-length: {len(content)}\r\n\r\n"
            with socket.create_connection(("127.0.0.1", worker.port), 60) as odd:
                odd.sendall(head.encode() + content)
                assert odd.recv(1) == b""
        # A request that was cut off is not executed.
        with pytest.raises(http.client.RemoteDisconnected):
            answer(url.path, len(body) + 1)
    finally:
        worker.close()


@pytest.mark.parametrize("is_thread", [True, False], ids=["no thread", "no file"])
def test_a_connection_that_cannot_be_served(
    is_thread: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and the next one is served."""
    refused: list[str] = []
    start, accept = threading.Thread.start, socket.socket.accept

    def start_or_refuse(thread: threading.Thread) -> None:
        if is_thread and thread.name == "stepflow-component" and not refused:
            refused.append("thread")
            raise RuntimeError("can't start new thread")
        start(thread)

    def accept_or_refuse(listener: socket.socket) -> Any:
        if not is_thread and not refused:
            refused.append("file")
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(listener)

    monkeypatch.setattr(threading.Thread, "start", start_or_refuse)
    monkeypatch.setattr(socket.socket, "accept", accept_or_refuse)
    monkeypatch.setattr("stepflow_runtime._components.json_rpc._ACCEPT_SECONDS", 0.01)
    worker = JsonRpcWorker(Calls({}), "/python")
    worker.start()
    try:
        if is_thread:
            with socket.create_connection(("127.0.0.1", worker.port)) as connection:
                connection.settimeout(60)
                assert connection.recv(1) == b""
        client = http.client.HTTPConnection("127.0.0.1", worker.port, timeout=60)
        client.request("POST", "/health", b"")
        assert client.getresponse().status == 200
        client.close()
    finally:
        worker.close()
    assert caplog.messages == [
        "a call of a component was refused: [Errno 11] can't start new thread"
        if is_thread
        else "a call of a component is delayed: [Errno 24] Too many open files"
    ]


@pytest.mark.parametrize(
    "data",
    [
        # An incomplete number, one of more than 64 bits, a length beyond the end, incomplete
        # numbers of 8 and 4 bytes, and a kind that does not exist.
        *(b"\x80", b"\x08" + b"\x80" * 10 + b"\x01", b"\x0a\x05abcd", b"\x09\0\0", b"\x0d\0"),
        b"\x0f",
    ],
)
def test_malformed_messages(data: bytes) -> None:
    with pytest.raises(protobuf.Malformed):
        list(protobuf.fields(data))


def test_fields_of_every_kind() -> None:
    data = b"\x09" + struct.pack("<d", 1.5) + b"\x15" + struct.pack("<f", 2.5) + b"\x18\xac\x02"
    assert list(protobuf.fields(data)) == [(1, 1.5), (2, 2.5), (3, 300)]


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 16_383, 16_384, 2_097_152])
def test_lengths_of_every_size(length: int) -> None:
    """A length of 128 is the first that takes two bytes."""
    encoded = protobuf.text(1, "x" * length)
    assert list(protobuf.fields(encoded)) == [(1, b"x" * length)]
    size = max(1, -(-length.bit_length() // 7))
    assert len(encoded) == 1 + size + length
    assert list(protobuf.fields(protobuf.integer(20, length))) == [(20, length)]


def test_whole_numbers_stay_whole() -> None:
    values = {"a": [1, 1.5, None, True, "x", {}], "b": -3}
    decoded = protobuf.decode_value(protobuf.encode_value(values))
    assert repr(decoded) == repr(values)
    # A member without a value.
    members = protobuf.message(5, protobuf.message(1, protobuf.text(1, "a")))
    assert protobuf.decode_value(members) == {"a": None}


@pytest.mark.parametrize("name", ["", "a/b", "a b", "{x}", "1", 3])
def test_names_that_no_path_can_have(name: Any) -> None:
    with pytest.raises(InvalidInput, match="has the name"):
        component(name=name)(f)


class Everything:
    """An object with every attribute."""

    def __getattr__(self, name: str) -> str:
        return name

    def __call__(self) -> None: ...


def test_two_components_of_one_name() -> None:
    def one() -> None: ...
    def other() -> None: ...

    with pytest.raises(InvalidInput, match="two components are named 'one'; rename one"):
        start(one, component(name="one")(other))
    # A function and the module that defines it do not conflict. An object with every attribute is
    # no component.
    module = types.ModuleType("m")
    vars(module).update(one=component(one), other=Everything())
    StepflowRuntime.start(components=[one, module]).stop()


def test_lists_that_are_none() -> None:
    for given, message in (
        (f, "components is of type function; use a list"),
        ("f", "components is of type str; use a list"),
        (b"f", "components is of type bytes; use a list"),
        ([types.ModuleType("m")], "module 'm' has no components; decorate its functions"),
    ):
        with pytest.raises(InvalidInput, match=message):
            StepflowRuntime.start(components=given)  # type: ignore[arg-type] # pyright: ignore

"""Functions that can be components, and those that cannot."""

from __future__ import annotations

import asyncio
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
from stepflow_runtime._components.calls import Calls
from stepflow_runtime._components.json_rpc import JsonRpcWorker
from stepflow_runtime.errors import InvalidInput


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
        (str, "component <class 'str'> is not a function"),
        ("f", "component 'f' is not a function"),
    ],
)
def test_functions_that_cannot_be_components(function: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        component(function)
    with pytest.raises(InvalidInput, match=message):
        start(function)


def with_socket(connection: socket.socket) -> None: ...
def with_function(text: str, function: Callable[[int], str]) -> None: ...
def returns_socket() -> socket.socket: ...  # type: ignore[empty-body] # pyright: ignore
def unresolved(value: Missing) -> None: ...  # type: ignore[name-defined] # pyright: ignore # noqa: F821


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (with_socket, "component 'with_socket': parameter 'connection' has the type socket, which"),
        (with_function, "component 'with_function': parameter 'function' has the type collections"),
        (returns_socket, "component 'returns_socket': the return value has the type socket, which"),
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


def times(number: int, times: int) -> int:
    return times * number


def test_functions_of_all_kinds() -> None:
    given: list[Any] = [both, nothing, default, limited, component(name="object")(Times(3))]
    given.append(component(name="partial")(functools.partial(times, times=4)))
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
        for name, output in (("object", 6), ("partial", 8)):
            assert call(name, {"number": "2"}).output == output


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
        # A request that was cut off is not executed.
        with pytest.raises(http.client.RemoteDisconnected):
            answer(url.path, len(body) + 1)
    finally:
        worker.close()


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


def test_whole_numbers_stay_whole() -> None:
    values = {"a": [1, 1.5, None, True, "x", {}], "b": -3}
    decoded = protobuf.decode_value(protobuf.encode_value(values))
    assert repr(decoded) == repr(values)


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

"""Functions that can be components, and those that cannot."""

from __future__ import annotations

import functools
import socket
import types
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from runtime.tests.support import leaving_nothing
from stepflow_runtime import StepflowRuntime, component
from stepflow_runtime.errors import InvalidInput


def f(text: str) -> str:
    return text


def start(*components: Any) -> None:
    """Start a runtime that must not start."""
    with leaving_nothing():
        StepflowRuntime.start(components=components).stop()


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


@pytest.mark.parametrize("name", ["", "a/b", "a b", "{x}", "1", 3])
def test_names_that_no_path_can_have(name: Any) -> None:
    with pytest.raises(InvalidInput, match="has the name"):
        component(name=name)(f)


def test_two_components_of_one_name() -> None:
    def one() -> None: ...
    def other() -> None: ...

    with pytest.raises(InvalidInput, match="two components are named 'one'; rename one"):
        start(one, component(name="one")(other))
    # A function and the module that defines it do not conflict.
    StepflowRuntime.start(components=[one, one]).stop()


def test_lists_that_are_none() -> None:
    for given, message in (
        (f, "components is of type function; use a list"),
        ("f", "components is of type str; use a list"),
        ([types.ModuleType("m")], "module 'm' has no components; decorate its functions"),
    ):
        with pytest.raises(InvalidInput, match=message):
            StepflowRuntime.start(components=given)  # type: ignore[arg-type] # pyright: ignore

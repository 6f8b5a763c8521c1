"""The functions that become components."""

from __future__ import annotations

import contextlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, Final, TypeVar, cast, overload

from stepflow_runtime._components.interface import Interface, refuse_signature
from stepflow_runtime.errors import InvalidInput

F = TypeVar("F", bound=Callable[..., Any])

#: Attribute of a decorated function; its value is the component's name.
_MARK: Final = "__stepflow_component__"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


@overload
def component(function: F, /) -> F: ...


@overload
def component(*, name: str | None = None) -> Callable[[F], F]: ...


def component(function: F | None = None, /, *, name: str | None = None) -> F | Callable[[F], F]:
    """Mark a function or coroutine as a component that flows can call.

    `StepflowRuntime.start(components=[...])` serves it as `/python/NAME`. The step's input has a
    field for each parameter; a parameter without a default is required, and one with a type hint is
    validated by pydantic. If the only parameter is named `input`, it receives the whole input. A
    parameter annotated with `ComponentContext` receives the context of the call. The return value
    becomes the step's output; an exception fails the step with its message.

    The function itself is returned unchanged and can still be called as usual.

    Args:
        function: The function, if the decorator is used without parentheses.
        name: The component's name; by default the function's.

    Raises:
        InvalidInput: The function cannot be a component.

    Example:
        >>> @component
        ... def shout(text: str, times: int = 1) -> str:
        ...     return " ".join([text.upper()] * times)
        >>> b = FlowBuilder()
        >>> flow = b.build(output=b.step("shout", "/python/shout", b.input))
        >>> with StepflowRuntime.start(components=[shout]) as runtime:
        ...     runtime.sync_client.run(flow, {"text": "hello", "times": 2}).output
        'HELLO HELLO'
    """

    def mark(function: F) -> F:
        found = _checked_name(function, name)
        refuse_signature(function)
        try:
            setattr(function, _MARK, found)
        except AttributeError:
            raise InvalidInput(
                f"component {function!r} cannot be decorated; write a function around it"
            ) from None
        return function

    return mark if function is None else mark(function)


class Component:
    """A component, whose function may be redefined while it is served."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.name = _name(function)
        self._function = function
        self._interface = Interface(function, self.name)

    def interface(self) -> Interface:
        """Return the interface of the function as it is defined now.

        Raises:
            InvalidInput: The new definition cannot be a component.
        """
        latest = _latest(self._function)
        interface = self._interface
        if interface.function is not latest:
            self._interface = interface = Interface(latest, self.name)
        return interface

    def listed_interface(self) -> Interface:
        """Return the interface for lists: while a new definition is wrong, that of the last one."""
        with contextlib.suppress(InvalidInput):
            self.interface()
        return self._interface


def find_components(components: Iterable[Any]) -> dict[str, Component]:
    """Return the components by name.

    Args:
        components: Functions, and modules whose decorated functions are meant.

    Raises:
        InvalidInput: One of them cannot be a component, or two have the same name.
    """
    if isinstance(components, str | bytes) or not isinstance(components, Iterable):
        raise InvalidInput(
            f"components is of type {type(components).__name__}; use a list of functions and"
            " modules"
        )
    found: dict[str, Component] = {}
    for one in components:
        for function in _functions(one):
            component = Component(function)
            other = found.get(component.name)
            if other is None:
                found[component.name] = component
            elif other.interface().function is not component.interface().function:
                raise InvalidInput(
                    f"two components are named {component.name!r}; rename one with"
                    " @component(name=...)"
                )
    return found


def _functions(given: Any) -> list[Callable[..., Any]]:
    if not isinstance(given, ModuleType):
        return [given]
    found = [value for value in vars(given).values() if _is_marked(value)]
    if not found:
        raise InvalidInput(
            f"module {given.__name__!r} has no components; decorate its functions with @component"
        )
    return found


def _is_marked(value: Any) -> bool:
    # Not hasattr, since a module may contain objects that have every attribute.
    return callable(value) and isinstance(getattr(value, "__dict__", {}).get(_MARK), str)


def _latest(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what a function's module has under its name now.

    A cell of a notebook that runs again, or a reloaded module, defines another function.
    """
    name, module = getattr(function, "__qualname__", ""), getattr(function, "__module__", None)
    latest = vars(sys.modules[module]).get(name) if module in sys.modules else None
    if inspect.isfunction(latest) and (latest.__qualname__, latest.__module__) == (name, module):
        return latest
    return function


def _name(function: Any) -> str:
    if _is_marked(function):
        return cast(str, vars(function)[_MARK])
    return _checked_name(function, None)


def _checked_name(function: Any, name: str | None) -> str:
    if not callable(function) or isinstance(function, type):
        raise InvalidInput(f"component {function!r} is not a function; pass functions and modules")
    found: Any = getattr(function, "__name__", None) if name is None else name
    if not isinstance(found, str) or not _NAME.fullmatch(found):
        raise InvalidInput(
            f"component {function!r} has the name {found!r}; name it with @component(name=...), in"
            " letters, digits, '_', '-' and '.'"
        )
    return found

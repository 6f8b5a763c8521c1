"""Arguments and return value of a component's function."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any, Final

from stepflow_runtime._components.context import ComponentContext
from stepflow_runtime.errors import InvalidInput

_VARIADIC: Final[dict[Any, str]] = {
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}
#: Name of a parameter that receives the whole input, if it is the only one.
_WHOLE: Final = "input"


class Interface:
    """Parameters and return value of a function.

    Raises:
        InvalidInput: The function cannot be a component.

    Attributes:
        function: The function.
        description: Its docstring; None if it has none.
        input_schema: JSON schema of the step's input.
        output_schema: JSON schema of the step's output.
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self.function = function
        self._name = name
        self.description = inspect.getdoc(function)
        parameters = refuse_signature(function, name)
        hints = _hints(function, name)
        self._contexts = [one for one in parameters if hints.get(one) is ComponentContext]
        self._parameters = {
            key: value for key, value in parameters.items() if key not in self._contexts
        }
        self._is_whole = list(self._parameters) == [_WHOLE]
        accepted = {key: hints.get(key, Any) for key in self._parameters}
        self._adapter: Any
        self._adapter, self.input_schema = self._explained(
            lambda: self._accepts(accepted),
            {f"parameter {key!r}": hint for key, hint in accepted.items()},
        )
        returned = hints.get("return", Any)
        _, self.output_schema = self._explained(
            lambda: _schema(returned, "serialization"), {"the return value": returned}
        )

    def arguments(
        self, input: Any, context: Callable[[], ComponentContext]
    ) -> tuple[list[Any], dict[str, Any]]:
        """Return the positional and keyword arguments for a step's input.

        `context` creates the context of the call, if the function needs it.

        Raises:
            InvalidInput: The input does not fit the function.
        """
        from pydantic import ValidationError

        try:
            # Steps often pass null or nothing to a function without parameters.
            valid = self._adapter.validate_python(
                {} if input is None and not self._parameters else input
            )
        except ValidationError as error:
            problems = "; ".join(
                ": ".join(filter(None, (".".join(map(str, one["loc"])), one["msg"])))
                for one in error.errors(
                    include_url=False, include_context=False, include_input=False
                )
            )
            raise InvalidInput(
                f"the input of component {self._name!r} is invalid: {problems}"
            ) from None
        if self._is_whole:
            values = {_WHOLE: valid}
        else:
            values = {
                key: getattr(valid, f"p{number}")
                for number, key in enumerate(self._parameters)
                if f"p{number}" in valid.model_fields_set
            }
        values |= {key: context() for key in self._contexts}
        positional = [
            values.pop(key, parameter.default)
            for key, parameter in inspect.signature(self.function).parameters.items()
            if parameter.kind is inspect.Parameter.POSITIONAL_ONLY
        ]
        return positional, values

    def _accepts(self, hints: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        from pydantic import BaseModel, ConfigDict, Field, create_model

        if self._is_whole:
            return _schema(hints[_WHOLE], "validation")
        fields: dict[str, Any] = {}
        for number, (key, parameter) in enumerate(self._parameters.items()):
            required = parameter.default is inspect.Parameter.empty
            default: Any = ... if required else parameter.default
            # Names such as `copy` and `_x` cannot be names of a model's fields, but aliases.
            fields[f"p{number}"] = (hints[key], Field(default=default, alias=key))
        model: type[BaseModel] = create_model(
            self._name, __config__=ConfigDict(extra="forbid"), **fields
        )
        return _schema(model, "validation")

    def _explained(self, build: Callable[[], Any], hints: dict[str, Any]) -> Any:
        from pydantic import PydanticUserError
        from pydantic.errors import PydanticSchemaGenerationError

        errors = PydanticUserError, PydanticSchemaGenerationError
        try:
            return build()
        except errors:
            for what, hint in hints.items():
                try:
                    _schema(hint, "validation")
                except errors:
                    raise InvalidInput(
                        f"component {self._name!r}: {what} has the type {_shown(hint)}, which has"
                        " no JSON schema; use JSON types, dataclasses or pydantic models"
                    ) from None
            raise


def refuse_signature(
    function: Callable[..., Any], name: str | None = None
) -> dict[str, inspect.Parameter]:
    """Return a function's parameters.

    Raises:
        InvalidInput: The function cannot be a component.
    """
    shown = name or getattr(function, "__name__", repr(function))
    try:
        parameters = dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        raise InvalidInput(
            f"component {shown!r} has no signature; write a function around it"
        ) from None
    for key, parameter in parameters.items():
        if stars := _VARIADIC.get(parameter.kind):
            raise InvalidInput(
                f"component {shown!r} has the parameter {stars}{key}; name each parameter, since"
                " each is a field of the step's input"
            )
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise InvalidInput(f"component {shown!r} is a generator; return a list")
    return parameters


def _hints(function: Callable[..., Any], name: str) -> dict[str, Any]:
    target: Any = function
    if isinstance(target, functools.partial):
        target = target.func
    if not (inspect.isfunction(target) or inspect.ismethod(target)):
        target = inspect.unwrap(target)
        if not inspect.isroutine(target):
            # The annotations of an object that is called are those of its attributes.
            target = type(target).__call__
    try:
        return typing.get_type_hints(target, include_extras=True)
    except Exception as error:
        raise InvalidInput(
            f"component {name!r}: its type hints cannot be resolved: {error}; define the types at"
            " the top of the module"
        ) from None


def _schema(hint: Any, mode: typing.Literal["validation", "serialization"]) -> tuple[Any, Any]:
    from pydantic import TypeAdapter

    adapter: TypeAdapter[Any] = TypeAdapter(hint)
    return adapter, adapter.json_schema(mode=mode)


def _shown(hint: Any) -> str:
    return hint.__qualname__ if isinstance(hint, type) else str(hint)

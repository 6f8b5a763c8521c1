"""The values in a flow that is written in Python: JSON, and expressions in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NoReturn, cast

from pydantic import BaseModel

from stepflow_api.errors import one_line
from stepflow_client.errors import InvalidInput

__all__ = ["Expression", "Reference", "flow_value", "path_key", "plain_json"]

_EXPRESSIONS = ("$literal", "$if", "$coalesce", "$from", "$step", "$input", "$variable")


class Expression:
    """A value that is known only when the flow runs; made by a `FlowBuilder`.

    Attributes:
        builder: The builder that made it.
        document: The expression as in a flow file.
    """

    # Python would otherwise iterate by index, without end.
    __iter__ = None
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, builder: object, document: dict[str, Any]) -> None:
        self.builder = builder
        self.document = document

    def __bool__(self) -> NoReturn:
        raise TypeError(f"{self!r} has no value before the flow runs; use if_() of the builder")

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError(
            f"{self!r} has no value before the flow runs, and expressions cannot compare; compare"
            " in a component"
        )

    def __format__(self, spec: str) -> NoReturn:
        raise TypeError(
            f"{self!r} has no value before the flow runs, so it cannot be a part of a text; make"
            " the text in a component"
        )

    def __repr__(self) -> str:
        return one_line(f"<expression {self.document}>")


class Reference(Expression):
    """A reference to the flow's input, a variable or a step's output.

    `reference["messages"][0]` is a reference to a part of it: a member of an object, an element of
    a list.
    """

    def __init__(
        self, builder: object, kind: str, step: str | None, keys: tuple[str | int, ...]
    ) -> None:
        document: dict[str, Any] = {kind: path(keys) if step is None else step}
        if step is not None and keys:
            document["path"] = path(keys)
        super().__init__(builder, document)
        self._kind, self._step, self._keys = kind, step, keys

    def __getitem__(self, key: str | int) -> Reference:
        if "default" in self.document:
            raise InvalidInput(
                "a variable with a default has no parts; pass the keys as arguments:"
                " variable(name, key, default=...)"
            )
        return Reference(self.builder, self._kind, self._step, (*self._keys, path_key(key)))


def path_key(key: Any) -> str | int:
    """Return the key of a part of a value, checked.

    Raises:
        InvalidInput: The servers' paths cannot express it.
    """
    if isinstance(key, int) and not isinstance(key, bool):
        if key >= 0:
            return key
        problem = "servers count elements from the start only"
    elif not isinstance(key, str):
        problem = "use the name of a member or the index of an element"
    # Quoted in brackets, servers read the name as if it were not.
    elif not key or "." in key or "[" in key or key != key.rstrip():
        problem = (
            "paths cannot express an empty name, one with '.' or '[', or a space at its end; pass"
            " on the whole object"
        )
    else:
        return key
    raise InvalidInput(f"the key {key!r} cannot be referred to: {problem}")


def path(keys: tuple[str | int, ...]) -> str:
    """Return the path of a part: one name as it is, as a person would write it."""
    if len(keys) == 1 and isinstance(keys[0], str) and not keys[0].lstrip().startswith("$"):
        return keys[0]
    return "$" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)


def flow_value(value: Any, where: str, builder: object) -> Any:
    """Return a value of a flow as JSON, in which expressions are as in a flow file.

    Args:
        value: JSON with expressions in it.
        where: Its place, for messages.
        builder: The builder whose expressions it may have.

    Raises:
        InvalidInput: It is neither JSON nor an expression of this builder.
    """
    return _converted(value, where, builder)


def plain_json(value: Any, where: str) -> Any:
    """Return a copy of a JSON value, in which nothing is an expression.

    Raises:
        InvalidInput: It is not JSON.
    """
    return _converted(value, where, None)


def _converted(value: Any, where: str, builder: object) -> Any:
    try:
        return _convert(value, where, builder)
    except RecursionError:
        raise InvalidInput(
            f"{where} is nested too deeply or contains itself; JSON cannot express that"
        ) from None


def _convert(value: Any, where: str, builder: object) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidInput(
                f"{where} has half a surrogate pair; JSON cannot express it"
            ) from None
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise InvalidInput(f"{where} is {value}, which JSON cannot express; use null or a text")
    if isinstance(value, Expression):
        return _expression(value, where, builder)
    if isinstance(value, BaseModel):
        data = _convert(value.model_dump(mode="json", by_alias=True), where, None)
        return {"$literal": data} if builder is not None and _has_expression(data) else data
    if isinstance(value, list | tuple):
        items: list[Any] = cast("Any", value)
        return [_convert(one, f"{where}[{at}]", builder) for at, one in enumerate(items)]
    if not isinstance(value, Mapping):
        raise InvalidInput(
            f"{where} is of type {type(value).__name__}, which JSON cannot express; convert it"
            " first"
        )
    members: Mapping[Any, Any] = cast("Any", value)
    for name in members:
        if not isinstance(name, str):
            raise InvalidInput(f"{where} has the key {name!r}; keys in JSON are texts")
    if builder is not None:
        _check_form(members, where)
        if "$literal" in members:
            return _convert(members, where, None)
    return {name: _convert(one, f"{where}.{name}", builder) for name, one in members.items()}


def _expression(value: Expression, where: str, builder: object) -> Any:
    if builder is None:
        raise InvalidInput(f"{where} is {value!r}; only plain JSON is possible there")
    if value.builder is not builder:
        raise InvalidInput(f"{where} is {value!r} of another flow; use the same builder")
    # Copied, so that a change of the flow changes one place.
    return _convert(value.document, where, None)


def _check_form(members: Mapping[str, Any], where: str) -> None:
    """Check an expression in the form of flow files, which servers would reject."""
    form = next((name for name in _EXPRESSIONS if name in members), None)
    if form == "$from":
        problem = "servers from 0.13 on reject it: use $step or $input, or literal() for data"
    elif form == "$if" and "then" not in members:
        problem = "it needs `then`"
    elif form == "$coalesce" and not isinstance(members[form], list | tuple):
        problem = "it needs a list"
    elif form in ("$step", "$input", "$variable") and not isinstance(members[form], str):
        problem = "it needs a text; use literal() if this is data"
    else:
        return
    raise InvalidInput(f"{where} has the expression {form}: {problem}")


def _has_expression(value: Any) -> bool:
    if isinstance(value, list):
        return any(_has_expression(one) for one in cast("Any", value))
    if not isinstance(value, dict):
        return False
    members: dict[str, Any] = cast("Any", value)
    return any(name in members for name in _EXPRESSIONS) or any(
        map(_has_expression, members.values())
    )

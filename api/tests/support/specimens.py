"""An instance of every model, made from what its fields say."""

from __future__ import annotations

import datetime
import enum
import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel
from typing_extensions import TypeAliasType

from stepflow_api import models
from stepflow_api.base import Model

_VALUES: Mapping[Any, Any] = {
    str: "text",
    int: 7,
    bool: True,
    Any: {"any": [1, None]},
    UUID: "01a205b5-0a0a-7542-9354-0c70a04a73df",
    datetime.datetime: "2026-11-23T00:01:20.394215421Z",
    type(None): None,
}


def model_classes() -> Iterator[type[Model]]:
    """Return every model of the package."""
    for name in models.__all__:
        found = getattr(models, name)
        if isinstance(found, type) and issubclass(found, BaseModel):
            assert issubclass(found, Model)
            yield found


def enumerations() -> Iterator[type[enum.StrEnum]]:
    """Return every enumeration of the package."""
    for name in models.__all__:
        found = getattr(models, name)
        if isinstance(found, type) and issubclass(found, enum.StrEnum):
            yield found


def document(model: type[Model], *, full: bool = True) -> dict[str, Any]:
    """Return a JSON document of a model, under the wire's names.

    Args:
        model: The model.
        full: Whether it has every field, rather than the required ones.
    """
    # What a field's type is, is known once the model is built.
    model.model_rebuild()
    fields = model.model_fields.items()
    wire = {
        field.alias or name: _value(field.annotation, full)
        for name, field in fields
        if full or field.is_required() or get_origin(field.annotation) is Literal
    }
    if model is models.CreateRunRequest:
        # Its field takes anything, and the wire has a list of it.
        wire["input"] = [wire["input"]]
    return wire


def _value(annotation: Any, full: bool) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, TypeAliasType):
        # A union with a tag: any of its variants will do.
        value: Any = {
            "FlowResult": {"outcome": "success", "result": 1},
            "ErrorAction": {"action": "useDefault", "defaultValue": 1},
        }[annotation.__name__]
        return value
    if origin is Annotated:
        return _value(arguments[0], full)
    if origin in (Union, types.UnionType):
        return _value(arguments[0], full)
    if origin is Literal:
        return arguments[0]
    if origin is list:
        return [_value(arguments[0], full)]
    if origin is dict:
        return {"key": _value(arguments[1], full)}
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return document(annotation, full=full)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return next(iter(annotation)).value
    return _VALUES[annotation]

"""Base classes of models, here and in packages compiled from other specs."""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable, Collection, Mapping
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Final,
    Literal,
    Self,
    TypeVar,
    cast,
    get_args,
    get_origin,
)

from pydantic import (
    VERSION,
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    model_validator,
)
from pydantic_core import CoreSchema, ValidationError, core_schema

from stepflow_api._constants import UNKNOWN_VALUES_LIMIT

__all__ = [
    "AnswerModel",
    "FreeKeys",
    "IntEnum",
    "Model",
    "OpenUnion",
    "RequestModel",
    "SendsConstants",
    "StrEnum",
    "complete",
]

if TYPE_CHECKING:
    from pydantic.functional_validators import ModelWrapValidatorHandler

E = TypeVar("E", bound=enum.Enum)

# Before 2.14, two threads that are the first to use a model can break it, and an instance of a
# model that is not built yet cannot be serialized in a field of type Any. There, each model is
# built as it is defined: Python's import lock keeps other threads from it until it is complete.
_PYDANTIC = tuple(int(part) for part in VERSION.split(".")[:2])
_CAN_DEFER = _PYDANTIC >= (2, 14)

BY_ALIAS: Final[dict[str, Any]] = (
    {"by_alias": True, "by_name": False} if _PYDANTIC >= (2, 11) else {}
)
"""How a JSON document is read: a key that is spelled as an attribute is another key.

Before 2.11, pydantic cannot tell them apart where attributes can be passed by their names.
"""

# The context of a validation whose document is an answer.
_RECEIVED: Final = {"received": True}


class Model(BaseModel):
    """Base of all models. One that is both sent and received, such as a flow, keeps unknown fields.

    Attributes are in snake_case, JSON in camelCase; the constructor accepts both.
    """

    model_config = ConfigDict(
        extra="allow",
        populate_by_name=True,
        protected_namespaces=(),
        # JSON has no NaN, and null instead would silently change the data.
        ser_json_inf_nan="constants",
        # Most programs use a few models of many: each is built when it is first used.
        defer_build=_CAN_DEFER,
    )

    # pytest would otherwise take TestCase for a test where one imports it.
    __test__: ClassVar[bool] = False

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document that is sent: fields that were set, None as null."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def to_json(self) -> bytes:
        """Return `to_dict` as JSON text in UTF-8."""
        return self.__pydantic_serializer__.to_json(self, by_alias=True, exclude_unset=True)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Self:
        """Create a model from a JSON document, with camelCase or snake_case names.

        Raises:
            pydantic.ValidationError: The document does not fit the model.
        """
        return cls.model_validate(document)

    @classmethod
    def model_rebuild(
        cls,
        *,
        force: bool = False,
        raise_errors: bool = True,
        _parent_namespace_depth: int = 2,
        _types_namespace: Mapping[str, Any] | None = None,
    ) -> bool | None:
        """Build the model, as pydantic does when the model is first used.

        Types of inherited fields are looked up in the modules of the base classes as well.
        """
        names: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            if issubclass(base, Model) and base.__module__ in sys.modules:
                names.update(vars(sys.modules[base.__module__]))
        return super().model_rebuild(
            force=force,
            raise_errors=raise_errors,
            _types_namespace={**names, **(_types_namespace or {})},
        )

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[BaseModel], handler: GetCoreSchemaHandler, /
    ) -> CoreSchema:
        # As a part of another type a model is built without model_rebuild.
        if hasattr(cls, "__pydantic_fields_complete__"):
            if not cls.__pydantic_fields_complete__:
                cls.model_rebuild(raise_errors=False)
        # Before 2.11, the names of fields are looked up for each schema anew, so that the schema
        # of the model itself must be used. It has none while it is being built.
        elif "__pydantic_core_schema__" in vars(cls) and (
            cls.__pydantic_complete__ or cls.model_rebuild(raise_errors=False)
        ):
            return cls.__pydantic_core_schema__
        return handler(source)


class RequestModel(Model):
    """Base of models that are only sent: an unknown field is an error."""

    model_config = ConfigDict(extra="forbid")


class AnswerModel(Model):
    """Base of models that are only received: unknown fields, of newer servers, are ignored."""

    model_config = ConfigDict(extra="ignore")

    if not TYPE_CHECKING:

        @classmethod
        def from_dict(cls, document: Mapping[str, Any]) -> Self:
            """Create a model from a JSON document, which may have values of newer servers."""
            return cls.model_validate(document, context=_RECEIVED)


class FreeKeys(BaseModel):
    """Mixin for models whose JSON may have keys that the spec does not name."""

    if not TYPE_CHECKING:

        @classmethod
        def from_dict(cls, document: Mapping[str, Any]) -> Self:
            """Create a model from a JSON document, with camelCase names only."""
            return cls.model_validate(document, **BY_ALIAS)

    @model_validator(mode="wrap")
    @classmethod
    def _keep_apart(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Distinguish a free key from a field whose attribute has its name."""
        model = handler(data)
        for name in (model.model_extra or {}).keys() & type(model).model_fields.keys():
            alias = type(model).model_fields[name].alias
            if isinstance(data, Mapping) and alias not in data:
                # pydantic has one set of names for both.
                model.model_fields_set.discard(name)
        return model


def complete(*models: type[Model]) -> None:
    """Build models that refer to each other, after the last was defined."""
    if not _CAN_DEFER:
        for model in models:
            model.model_rebuild(raise_errors=False)


# Where pydantic keeps the names of the fields that are set.
_FIELDS_SET: Any = vars(BaseModel)["__pydantic_fields_set__"]


def _fields_set(model: BaseModel) -> set[str]:
    found: set[str] = _FIELDS_SET.__get__(model)
    cls = cast("type[SendsConstants]", type(model))
    # Not those of a base class: this one may have more.
    if "__constants__" not in vars(cls):
        cls.__constants__ = frozenset(
            name
            for name, field in cls.model_fields.items()
            if get_origin(field.annotation) is Literal and not field.is_required()
        )
    found.update(cls.__constants__)
    return found


class SendsConstants(BaseModel):
    """Mixin for models with constant fields, such as a union's tag, which are always sent."""

    __constants__: ClassVar[frozenset[str]]

    # Constants are added when the set fields are read: a Python call for each new model would
    # take half as long as pydantic needs for a short model.
    if not TYPE_CHECKING:
        __pydantic_fields_set__ = property(_fields_set, _FIELDS_SET.__set__)


class OpenUnion:
    """Annotation of a union whose last member accepts tags that the others do not have.

    Without it, a new tag of a newer server would make the whole response invalid.

    Args:
        names: Names of the tag in JSON and, if different, as an attribute.
        known: Tags of the other members, which the last one does not accept.
        is_sent: Whether requests have the union too: unknown tags are then accepted only in JSON
            text, in responses, and as models.
    """

    def __init__(self, *names: str, known: Collection[str], is_sent: bool = False) -> None:
        self._names = names
        self._known = known
        self._is_sent = is_sent

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        closed, other = get_args(source)
        return core_schema.union_schema(
            [
                # With a label, since pydantic would name all members in the place of an error.
                (handler.generate_schema(closed), ""),
                core_schema.with_info_wrap_validator_function(
                    self._validate_other, handler.generate_schema(other)
                ),
            ],
            mode="left_to_right",
        )

    def _validate_other(
        self, value: Any, validate: Callable[[Any], Any], info: core_schema.ValidationInfo
    ) -> Any:
        is_received = info.mode == "json" or info.context is _RECEIVED
        is_new = not self._is_sent or is_received or isinstance(value, BaseModel)
        if isinstance(value, Mapping):
            document = cast("Mapping[str, Any]", value)
            is_new = is_new and not any(document.get(name) in self._known for name in self._names)
        if is_new:
            return validate(value)
        # The errors of the other members say all.
        raise ValidationError.from_exception_data(type(self).__name__, [])


class StrEnum(enum.StrEnum):
    """Open enumeration: an unknown value, of a newer server, becomes a member of that name."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return _open_member(cls, str, value)

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        # Python before 3.11.4 pickles a member by its name, which the class does not know here.
        return type(self), (self._value_,)


class IntEnum(enum.IntEnum):
    """Open enumeration of integers, like `StrEnum`."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return _open_member(cls, int, value)

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return type(self), (self._value_,)


def _open_member(cls: type[E], kind: Any, value: object) -> E | None:
    if type(value) is not kind:
        return None
    make: Any = kind.__new__
    member: E = make(cls, value)
    member._name_ = str(value)
    member._value_ = value
    # Kept, so that equal values are one member; limited, so that a hostile server cannot fill the
    # memory. Iteration and `__members__` are not affected.
    kept: dict[Any, Any] = cls._value2member_map_
    unknown = len(kept) - len(cls.__members__)
    if unknown >= UNKNOWN_VALUES_LIMIT or len(member._name_) > UNKNOWN_VALUES_LIMIT:
        return cast("E", kept.get(value, member))
    return cast("E", kept.setdefault(value, member))

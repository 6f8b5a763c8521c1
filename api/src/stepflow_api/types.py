"""Types that clients, endpoints and models share, such as `UNSET`, `Response` and `Timestamp`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Generic,
    Literal,
    Protocol,
    SupportsIndex,
    TypeAlias,
    TypeVar,
)

from pydantic_core import CoreSchema, SchemaValidator, core_schema

if TYPE_CHECKING:
    import os
    import ssl
    from collections.abc import Awaitable, Callable, Mapping

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

__all__ = [
    "UNSET",
    "AsyncTokenTypes",
    "HttpxTimeout",
    "Response",
    "TimeoutTypes",
    "Timestamp",
    "TokenTypes",
    "Unset",
    "VerifyTypes",
]

T_co = TypeVar("T_co", covariant=True)


class Unset(Enum):
    """The type of `UNSET`, an argument that was not passed; it is false."""

    UNSET = "UNSET"
    """Not given."""

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""Not given. It differs from None, which a request sends as null."""


class HttpxTimeout(Protocol):
    """An `httpx.Timeout` or `httpx2.Timeout`."""

    @property
    def connect(self) -> float | None:
        """Seconds for a connection."""
        ...

    @property
    def read(self) -> float | None:
        """Seconds without a byte of the response."""
        ...

    @property
    def write(self) -> float | None:
        """Seconds without progress in sending."""
        ...

    @property
    def pool(self) -> float | None:
        """Seconds for a connection to come free."""
        ...


TimeoutTypes: TypeAlias = float | HttpxTimeout | Unset | None
"""What a call takes as its `timeout`: see `stepflow_api.Client`."""

TokenTypes: TypeAlias = "str | Callable[[], str]"
"""What a synchronous client takes as `token`: see `stepflow_api.AuthenticatedClient`."""

AsyncTokenTypes: TypeAlias = "str | Callable[[], str | Awaitable[str]]"
"""What an asynchronous client takes as `token`: a function may be a coroutine function."""

VerifyTypes: TypeAlias = "bool | str | os.PathLike[str] | ssl.SSLContext"
"""What a client takes as `verify`: see `stepflow_api.Client`."""


@dataclass(frozen=True, slots=True)
class Response(Generic[T_co]):
    """A complete response of the server, whatever its status.

    Attributes:
        status_code: HTTP status, such as 200.
        headers: Header fields, case-insensitive; several values of a name are joined by commas.
        content: The body's bytes, as the server sent them.
        parsed: The body as the type that the spec documents for this status; None where it
            documents no body or not the status, or where an error's body is not what it documents.
    """

    status_code: int
    headers: Mapping[str, str]
    content: bytes
    parsed: T_co | None

    @property
    def is_success(self) -> bool:
        """Whether the status is of the 2xx class."""
        return 200 <= self.status_code < 300

    @property
    def text(self) -> str:
        """The body as text, undecodable bytes replaced."""
        return self.content.decode("utf-8", "replace")


class _ServerTime(datetime):
    """A point in time that remembers how the server wrote it, nanoseconds and all."""

    __slots__ = ("text",)

    text: str

    def __repr__(self) -> str:
        return super().__repr__().replace(type(self).__name__, "datetime.datetime", 1)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        text = getattr(self, "text", None)
        if text is not None:
            return _server_time, (text,)
        return super().__reduce_ex__(protocol)  # type: ignore[return-value]


_parse = _ServerTime.fromisoformat


def _server_time(text: str) -> _ServerTime:
    time = _parse(text)
    time.text = text
    return time


class _TimestampSchema:
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        # What pydantic.AwareDatetime is, importing which takes longer than all else here.
        aware = core_schema.datetime_schema(tz_constraint="aware")
        read_aware = SchemaValidator(aware).validate_python
        read_any = SchemaValidator(core_schema.datetime_schema()).validate_python

        def read_other(value: Any) -> Any:
            # Of JSON, which servers write, a time without a zone is better than no answer at all.
            return (read_any if isinstance(value, str) and len(value) > 18 else read_aware)(value)

        def validate(value: Any, otherwise: Callable[[Any], Any] = read_other) -> Any:
            try:
                time = _parse(value)
                # It takes dates and other spellings as well; those go the strict way.
                if time.tzinfo is not None and value[19] in ".Z+-":
                    time.text = value
                    return time
            except (LookupError, TypeError, ValueError):
                pass
            return otherwise(value)

        def serialize(value: datetime, otherwise: core_schema.SerializerFunctionWrapHandler) -> Any:
            text = getattr(value, "text", None)
            return otherwise(value) if text is None else text

        usual = core_schema.no_info_wrap_validator_function(validate, aware)
        # A function that wraps nothing is called in less time, which a long answer has many of; it
        # is not told of a validation that is strict.
        of_json = core_schema.json_or_python_schema(
            core_schema.no_info_plain_validator_function(validate), usual
        )
        return core_schema.lax_or_strict_schema(
            of_json,
            usual,
            serialization=core_schema.wrap_serializer_function_ser_schema(
                serialize, schema=core_schema.datetime_schema(), when_used="json"
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(core_schema.datetime_schema())


Timestamp = Annotated[datetime, _TimestampSchema]
"""A point in time with a zone (RFC 3339), unless a server sends one without.

A value from the server has microseconds, as every `datetime` has, and is written back with the
nanoseconds that the server sent.
"""

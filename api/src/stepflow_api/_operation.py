"""One operation of the API, without I/O: arguments to a request, an answer to a value.

The generated endpoint modules hold one `Operation` each. A client moves its request over the
network, through the dialect of the server, and hands the answer back.
"""

from __future__ import annotations

import datetime
import enum
import json
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast
from urllib.parse import quote

from pydantic_core import (
    PydanticSerializationError,
    SchemaSerializer,
    core_schema,
    from_json,
)

from stepflow_api._collector import COLLECTOR
from stepflow_api._constants import ERROR_BODY_LIMIT
from stepflow_api._error_message import error_message
from stepflow_api._fork import reset_after_fork
from stepflow_api._messages import Answer, Request
from stepflow_api.errors import (
    InvalidAnswer,
    InvalidRequest,
    StatusError,
    UnexpectedStatus,
    body_cause,
    body_problem,
    one_line,
    status_error_class,
)
from stepflow_api.types import UNSET, Response

if TYPE_CHECKING:
    from pydantic import TypeAdapter

# Endpoint modules import these from here.
__all__ = ["Answer", "Json", "Operation", "Parser", "Request", "nothing", "raw", "text"]

S = TypeVar("S")
R = TypeVar("R")

Parser = Callable[[bytes], Any]

# JSON has no NaN; written as such, it can be told and refused.
_ANY = SchemaSerializer(
    core_schema.any_schema(), core_schema.CoreConfig(ser_json_inf_nan="constants")
)


# Shorter bodies make too few models for the garbage collector to run often.
_LONG_BODY = 64 * 1024


class Json:
    """Parse a JSON body to a type, which is prepared when it is first needed."""

    def __init__(self, type_: Any) -> None:
        self._type = type_
        self._adapter: TypeAdapter[Any] | None = None
        self._begin()
        reset_after_fork(self, Json._begin)

    def _begin(self) -> None:
        """Create the state that no two processes share."""
        self._lock = threading.Lock()

    def __call__(self, content: bytes) -> Any:
        """Parse; raises ValueError where the body is not of the type."""
        if self._adapter is None:
            from pydantic import TypeAdapter

            with self._lock:
                self._adapter = self._adapter or TypeAdapter(self._type)
        if len(content) < _LONG_BODY:
            return self._adapter.validate_json(content)
        with COLLECTOR.paused():
            return self._adapter.validate_json(content)


def raw(content: bytes) -> bytes:
    """Parse a binary body: to itself."""
    return content


def text(content: bytes) -> str:
    """Parse a text body; raises ValueError where it is not UTF-8."""
    return content.decode()


def nothing(content: bytes) -> None:
    """Parse the body of an answer that has none to speak of.

    Raises ValueError for a page of something else; what JSON a newer server puts there is ignored.
    """
    if content:
        from_json(content)


@dataclass(frozen=True)
class Operation(Generic[S, R]):
    """One operation of the spec: `S` is what success gives, `R` what any documented status gives.

    Attributes:
        id: The spec's operationId.
        method: HTTP method.
        path: Path template below the API's prefix, such as `/runs/{run_id}`.
        answers: Parser by status: `200`, a class such as `4XX`, or `default`.
        accepts: Media types of the request body, in the order of preference.
        comma_separated: Parameters whose lists are sent as one value, with commas.
    """

    id: str
    method: str
    path: str
    answers: Mapping[str, Parser]
    accepts: tuple[str, ...] = ()
    comma_separated: frozenset[str] = frozenset()

    def request(
        self,
        *,
        path: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
        body: Any = UNSET,
    ) -> Request:
        """Build the request.

        Args:
            path: Path parameters under the spec's names.
            query: Query parameters; `UNSET` and None are left out.
            headers: Header parameters; `UNSET` and None are left out.
            body: A model, any value that JSON can hold, bytes or text.

        Raises:
            InvalidRequest: An argument cannot be sent.
        """
        target = self.path
        for name, value in (path or {}).items():
            target = target.replace(f"{{{name}}}", self._path_segment(name, value))
        pairs: list[tuple[str, str]] = []
        for name, value in (query or {}).items():
            values = self._values(name, value)
            pairs += (
                [(name, ",".join(values))]
                if name in self.comma_separated and values
                else [(name, one) for one in values]
            )
        fields: dict[str, str] = {}
        for name, value in (headers or {}).items():
            if values := self._values(name, value):
                fields[name] = self._header_value(name, ",".join(values))
        content = None
        if body is not UNSET:
            fields["content-type"], content = self._encode(body)
        return Request(self.method, target, tuple(pairs), fields, content, self.path)

    def response(self, answer: Answer) -> Response[R]:
        """Parse an answer.

        Raises:
            InvalidAnswer: A documented success whose body is not what the spec says.
        """
        parsed: R | None = self._parsed(answer)
        return Response(answer.status_code, answer.headers.to_dict(), answer.content, parsed)

    def result(self, answer: Answer) -> S:
        """Return what a success is parsed to.

        Raises:
            StatusError: The status is not a documented success.
            InvalidAnswer: The body is not what the spec says.
        """
        parsed: S = self._parsed(answer)
        if not 200 <= answer.status_code < 300:
            raise self.error(answer, parsed, status_error_class(answer.status_code))
        if parsed is None and not self.documents(answer.status_code):
            raise self.error(answer, parsed, UnexpectedStatus)
        return parsed

    def pieces(self, answer: Answer) -> Response[list[bytes]]:
        """Return a success with the body in pieces as its `parsed`, and no `content`.

        Raises:
            StatusError: The status is not a documented success.
            InvalidAnswer: The body is not what the spec says.
        """
        kind = answer.headers.get("content-type")
        if not 200 <= answer.status_code < 300 or kind.startswith("application/grpc"):
            self.result(answer)
        return Response(answer.status_code, answer.headers.to_dict(), b"", answer.pieces)

    def stream(self, opened: Any) -> Any:
        """Return an event stream as it is, and raise the error for an answer in its place.

        Raises:
            StatusError: The status is not a documented success.
            InvalidAnswer: It is not a stream of events.
        """
        return self.result(opened) if isinstance(opened, Answer) else opened

    def documents(self, status_code: int) -> bool:
        """Whether the spec documents this status."""
        return self._parser(status_code) is not None

    def error(self, answer: Answer, parsed: Any, cls: type[StatusError]) -> StatusError:
        """Make the error of an answer, with what the server said in its message."""
        return cls(
            error_message(answer),
            method=self.method,
            url=answer.url,
            status_code=answer.status_code,
            content=answer.content,
            parsed=parsed,
            headers=answer.headers.to_dict(),
        )

    def _parsed(self, answer: Answer) -> Any:
        parser = self._parser(answer.status_code)
        is_success = 200 <= answer.status_code < 300
        if parser is None or (not is_success and len(answer.content) > ERROR_BODY_LIMIT):
            return None
        try:
            if answer.headers.get("content-type").startswith("application/grpc"):
                # A server without this API answers every path so, with status 200.
                raise ValueError("it is gRPC")
            return parser(answer.content)
        except ValueError as error:
            if is_success:
                raise self._invalid(answer, error) from body_cause(error)
            return None

    def _parser(self, status_code: int) -> Parser | None:
        answers = self.answers
        return (
            answers.get(str(status_code))
            or answers.get(f"{status_code // 100}XX")
            or answers.get("default")
        )

    def _path_segment(self, name: str, value: Any) -> str:
        values = self._values(name, value)
        try:
            segment = quote(",".join(values), safe=",")
        except UnicodeEncodeError as error:
            raise InvalidRequest(f"{self.id}: {name} is no text: {one_line(str(error))}") from error
        if not segment:
            raise InvalidRequest(f"{self.id}: {name} is empty; give the {name} to ask for")
        # A client resolves "." and ".." before it sends; escaped they arrive.
        return segment.replace(".", "%2E") if segment in (".", "..") else segment

    def _header_value(self, name: str, value: str) -> str:
        if value != value.strip() or not (value.isascii() and value.isprintable()):
            raise InvalidRequest(
                f"{self.id}: the {name} header cannot hold {value!r}; give ASCII text without line"
                " breaks, or spaces at an end"
            )
        return value

    def _values(self, name: str, value: Any) -> list[str]:
        if value is UNSET or value is None:
            return []
        if isinstance(value, list | tuple | set | frozenset):
            return [self._scalar(name, one) for one in cast("Iterable[Any]", value)]
        return [self._scalar(name, value)]

    def _scalar(self, name: str, value: Any) -> str:
        if isinstance(value, enum.Enum):
            value = value.value
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, datetime.date):
            return value.isoformat()
        if isinstance(value, str | int | float | uuid.UUID):
            return str(value)
        raise InvalidRequest(
            f"{self.id}: {name} is a {type(value).__name__}; give text, a number, a bool or a UUID"
        )

    def _encode(self, body: Any) -> tuple[str, bytes]:
        json_types = [media_type for media_type in self.accepts if _is_json(media_type)]
        others = [media_type for media_type in self.accepts if not _is_json(media_type)]
        if isinstance(body, bytes | bytearray | memoryview):
            if not others:
                raise InvalidRequest(f"{self.id}: the body is bytes; it takes JSON alone")
            return others[0], bytes(cast("bytes", body))
        if not json_types:
            if isinstance(body, str) and others[0].startswith("text/"):
                return others[0], body.encode()
            raise InvalidRequest(f"{self.id}: the body is a {type(body).__name__}; give bytes")
        try:
            return json_types[0], to_json(body)
        except ValueError as error:
            raise InvalidRequest(f"{self.id}: the body {error}") from error.__cause__

    def _invalid(self, answer: Answer, error: ValueError) -> InvalidAnswer:
        kind = answer.headers.get("content-type", "no content type")
        return InvalidAnswer(
            f"{answer.status_code}, but the body ({kind}, {len(answer.content)} bytes) is not what"
            f" {self.id} answers: {body_problem(error)};"
            " is this a Stepflow server of a supported version?",
            method=self.method,
            url=answer.url,
            status_code=answer.status_code,
            content=answer.content,
        )


def to_json(value: object) -> bytes:
    """Return a value as JSON, of models only what was set.

    Raises:
        ValueError: JSON cannot hold it.
    """
    try:
        content = _ANY.to_json(value, by_alias=True, exclude_unset=True)
        if b"NaN" in content or b"Infinity" in content:
            json.loads(content, parse_constant=_refuse_constant)
    except (PydanticSerializationError, ValueError, TypeError, RecursionError) as error:
        raise ValueError(
            f"cannot be written as JSON ({one_line(str(error))}); give values that JSON can hold"
        ) from error
    return content


def _is_json(media_type: str) -> bool:
    return media_type == "application/json" or media_type.endswith("+json")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")

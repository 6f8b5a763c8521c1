"""One operation of the API, without I/O: arguments to a request, an answer to a value.

The generated endpoint modules hold one `Operation` each. A client moves its request over the
network, through the dialect of the server, and hands the answer back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast
from urllib.parse import urlencode

from pydantic_core import from_json

from stepflow_api._bodies import charset, is_json, to_json
from stepflow_api._constants import ERROR_BODY_LIMIT, USUAL_ACCEPT
from stepflow_api._error_message import error_message
from stepflow_api._messages import Answer, Request
from stepflow_api._parameters import (
    FORM,
    USUAL,
    USUAL_QUERY,
    Style,
    cookie_pairs,
    form,
    header_text,
    path_text,
    query_text,
)
from stepflow_api._parsers import ByType, Event, Json, Parser, nothing, raw, text
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
from stepflow_api.types import UNSET, Response, Unset

# Endpoint modules import these from here.
__all__ = [
    "Answer",
    "ByType",
    "Event",
    "Json",
    "Operation",
    "Parser",
    "Request",
    "Style",
    "nothing",
    "raw",
    "text",
]

S = TypeVar("S")
R = TypeVar("R")
T = TypeVar("T")


@dataclass(frozen=True)
class Operation(Generic[S, R]):
    """One operation of the spec: `S` is the result of a success, `R` that of any documented status.

    Attributes:
        id: The spec's operationId.
        method: HTTP method.
        path: Path template below the API's prefix, such as `/runs/{run_id}`.
        answers: Parser by status: `200`, a class such as `4XX`, or `default`.
        accepts: Media types of the request body, in the order of preference.
        produces: Media types of the responses, preferred ones first; none without a body.
        styles: How parameters are written that are not written in the usual way, by where they
            are (`path`, `query`, `header`, `cookie`) and their names.
        event: Parser of each event of a stream.
    """

    id: str
    method: str
    path: str
    answers: Mapping[str, Parser]
    accepts: tuple[str, ...] = ()
    produces: tuple[str, ...] = (USUAL_ACCEPT,)
    styles: Mapping[str, Mapping[str, Style]] = field(
        default_factory=dict[str, Mapping[str, Style]]
    )
    event: Parser = from_json

    def request(
        self,
        *,
        path: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, Any] | None = None,
        cookies: Mapping[str, Any] | None = None,
        body: Any = UNSET,
        content_type: str | Unset = UNSET,
        accept: str | Unset = UNSET,
    ) -> Request:
        """Build the request.

        Args:
            path: Path parameters under the spec's names.
            query: Query parameters; `UNSET` and None are left out.
            headers: Header parameters; `UNSET` and None are left out.
            cookies: Cookies; `UNSET` and None are left out.
            body: A model, any value that JSON can hold, bytes or text.
            content_type: Media type of the body, which is then sent as it is if it is bytes or
                text; by default the first one of the operation that fits.
            accept: Media type to ask for, in place of all that the operation documents.

        Raises:
            InvalidRequest: An argument cannot be sent.
        """
        target = self.path
        for name, value in (path or {}).items():
            target = target.replace(f"{{{name}}}", self._path_segment(name, value))
        pairs: list[tuple[str, str]] = []
        encoded: list[str] = []
        for name, value in (query or {}).items():
            if (value is UNSET or value is None) and "query" not in self.styles:
                continue
            some, written = self._written(query_text, "query", name, value, USUAL_QUERY)
            pairs += some
            if written:
                # What is encoded already would be encoded once more; the order stays.
                encoded += [urlencode(pairs), written] if pairs else [written]
                pairs = []
        if encoded:
            encoded += [urlencode(pairs)] if pairs else []
            target += f"{'&' if '?' in target else '?'}{'&'.join(encoded)}"
            pairs = []
        fields: dict[str, str] = {}
        for name, value in (headers or {}).items():
            given = self._written(header_text, "header", name, value, USUAL)
            if given is not None:
                fields[name] = self._header_value(name, given)
        if found := [
            pair
            for name, value in (cookies or {}).items()
            for pair in self._written(cookie_pairs, "cookie", name, value, USUAL_QUERY)
        ]:
            fields["cookie"] = "; ".join(found)
        if accept is not UNSET:
            fields["accept"] = self._header_value("accept", accept)
        elif "accept" not in fields and self.produces != (USUAL_ACCEPT,):
            first, *others = self.produces or ("*/*",)
            fields["accept"] = ", ".join([first, *(f"{other};q=0.9" for other in others)])
        content = None
        if body is not UNSET:
            fields["content-type"], content = self._encode(body, content_type)
        template = self.path.partition("?")[0]
        return Request(self.method, target, tuple(pairs), fields, content, template)

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
        if not isinstance(opened, Answer):
            return opened
        self.result(opened)
        raise self._invalid(opened, ValueError("it is no stream of events"))

    def documents(self, status_code: int) -> bool:
        """Whether the spec documents this status."""
        return self._parser(status_code) is not None

    def error(self, answer: Answer, parsed: Any, cls: type[StatusError]) -> StatusError:
        """Return the error for a response, with the text of the server in its message."""
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
            kind = answer.headers.get("content-type")
            if kind.startswith("application/grpc"):
                # A server without this API answers every path so, with status 200.
                raise ValueError("it is gRPC")
            if isinstance(parser, ByType):
                parser = parser.choose(kind)
            return text(answer.content, charset(kind)) if parser is text else parser(answer.content)
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

    def _written(
        self, write: Callable[[str, Any, Style], T], where: str, name: str, value: Any, usual: Style
    ) -> T:
        style = self.styles[where].get(name, usual) if where in self.styles else usual
        try:
            return write(name, value, style)
        except UnicodeEncodeError as error:
            raise InvalidRequest(
                f"{self.id}: {name} is no valid text: {one_line(str(error))}"
            ) from error
        except ValueError as error:
            raise InvalidRequest(f"{self.id}: {name} {error}") from error.__cause__

    def _path_segment(self, name: str, value: Any) -> str:
        segment = self._written(path_text, "path", name, value, USUAL)
        if not segment:
            raise InvalidRequest(f"{self.id}: {name} is empty; pass the {name} to ask for")
        # A client resolves "." and ".." before it sends; escaped they arrive.
        return segment.replace(".", "%2E") if segment in (".", "..") else segment

    def _header_value(self, name: str, value: str) -> str:
        if value != value.strip() or not (value.isascii() and value.isprintable()):
            raise InvalidRequest(
                f"{self.id}: the {name} header cannot hold {value!r}; pass ASCII text without line"
                " breaks, or spaces at an end"
            )
        return value

    def _encode(self, body: Any, content_type: str | Unset) -> tuple[str, bytes]:
        wanted = self.accepts if content_type is UNSET else (content_type,)
        if content_type is not UNSET:
            self._header_value("content-type", content_type)
        json_types = [media_type for media_type in wanted if is_json(media_type)]
        others = [media_type for media_type in wanted if not is_json(media_type)]
        if isinstance(body, bytes | bytearray | memoryview):
            if not others and content_type is UNSET:
                raise InvalidRequest(f"{self.id}: the body is bytes; it takes JSON alone")
            return (others or json_types)[0], bytes(cast("bytes", body))
        if isinstance(body, str) and not json_types:
            if content_type is not UNSET or others[0].startswith(("text/", FORM)):
                return others[0], self._encoded_text(body, others[0])
            raise InvalidRequest(
                f"{self.id}: the body is of type str; pass bytes, or a content_type with it"
            )
        try:
            if json_types:
                return json_types[0], to_json(body)
            for media_type in others:
                if media_type.startswith(FORM):
                    return media_type, form(body)
        except ValueError as error:
            raise InvalidRequest(f"{self.id}: the body {error}") from error.__cause__
        raise InvalidRequest(f"{self.id}: the body is of type {type(body).__name__}; pass bytes")

    def _encoded_text(self, body: str, media_type: str) -> bytes:
        try:
            return body.encode(charset(media_type))
        except (LookupError, UnicodeEncodeError) as error:
            raise InvalidRequest(
                f"{self.id}: the body cannot be written as {media_type!r}: {one_line(str(error))}"
            ) from error

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

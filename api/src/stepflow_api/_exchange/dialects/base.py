"""What a dialect is made of."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, TypeAlias, TypeGuard

from pydantic_core import from_json, to_json

from stepflow_api._operation import Answer, Request
from stepflow_api.errors import StepflowError


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait before going on.

    Attributes:
        seconds: How long.
    """

    seconds: float


#: What is said to the server for one request of the spec, and the answer that the spec describes.
Exchange: TypeAlias = Generator[Request | Pause, Any, Answer]

#: Makes the exchange for a request to a server of a version.
Translation: TypeAlias = Callable[[str, Request], Exchange]


class Foreign(Exception):
    """An answer that only a server of another version gives.

    Attributes:
        request: What it answers.
        answer: The answer.
    """

    def __init__(self, request: Request, answer: Answer) -> None:
        super().__init__()
        self.request = request
        self.answer = answer


@dataclass
class Dialect:
    """How one line of servers speaks the API.

    Attributes:
        version: The server's version, for people.
        translations: By operation id; what is not here goes through as it is.
        is_newer: Whether the server is newer than all that are known.
    """

    version: str
    translations: Mapping[str, Translation] = field(default_factory=dict[str, Translation])
    is_newer: bool = False

    def exchange(self, operation_id: str, request: Request) -> Exchange:
        """Gives all that is to be said for one request.

        Raises:
            Foreign: The server at hand speaks another dialect.
            UnsupportedByServer: Servers of this version cannot do it.
        """
        translation = self.translations.get(operation_id)
        if translation is not None:
            return (yield from _guarded(translation(self.version, request)))
        answer: Answer = yield request
        if is_foreign(answer):
            raise Foreign(request, answer)
        return answer


def _guarded(exchange: Exchange) -> Exchange:
    """Go through an exchange; an answer that lacks what a translation reads is foreign."""
    foreign: Foreign | None = None
    came: Any = None
    try:
        while True:
            try:
                wanted = exchange.send(came)
            except StopIteration as stop:
                done: Answer = stop.value
                return done
            except (LookupError, TypeError, AttributeError, ArithmeticError, ValueError) as error:
                # Before the first answer, it is no fault of the server.
                if foreign is None or isinstance(error, StepflowError):
                    raise
                raise foreign from error
            came = yield wanted
            if isinstance(wanted, Request):
                foreign = Foreign(wanted, came)
    finally:
        exchange.close()


def is_foreign(answer: Answer) -> bool:
    """Tells whether an answer that is not translated is one of a server whose answers are."""
    kind = answer.headers.get("content-type")
    return looks_foreign(kind, answer.status_code, answer.content)


def looks_foreign(kind: str, status_code: int, beginning: bytes) -> bool:
    """Tells what `is_foreign` tells, of an answer that is not there as a whole.

    Args:
        kind: Its content type.
        status_code: Its status.
        beginning: Its body, or the beginning of it.
    """
    if not kind and status_code == 404:
        # No such blob, or no such path.
        return not beginning
    if not kind.startswith("application/"):
        # What only an enumeration that is sent by its names, rather than by its numbers, makes.
        return status_code == 400 and beginning.endswith(b"status: invalid digit found in string")
    if status_code >= 400:
        return beginning.startswith(b'{"error":{"code":')
    if kind == "application/json":
        if beginning.startswith(b'{"components":['):
            return b'"complete":' in beginning
        return beginning.startswith((b'{"summary":{', b'{"results":[', b'{"steps":['))
    return kind.startswith("application/grpc")


def document(content: bytes | None) -> Any:
    """Parses JSON.

    Raises:
        ValueError: It is none.
    """
    return from_json(content or b"")


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Tells whether a JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    """Tells whether a JSON value is an array."""
    return isinstance(value, list)


def with_document(answer: Answer, value: Any, status: int | None = None) -> Answer:
    """Gives the answer with another body, and perhaps another status."""
    return replace(answer, status_code=int(status or answer.status_code), content=to_json(value))


def refusal(answer: Answer, status: HTTPStatus, message: str) -> Answer:
    """Gives the answer with the spec's error in the place of what it holds."""
    return with_document(answer, {"code": status.value, "message": message}, status)


def with_body(request: Request, value: Any) -> Request:
    """Gives the request with another JSON body."""
    return replace(request, content=to_json(value))

"""Base class of dialects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

from pydantic_core import from_json, to_json

from stepflow_api._exchange.effects import Effect, Steps
from stepflow_api._messages import Answer, Request
from stepflow_api.errors import UnsupportedByServer

if TYPE_CHECKING:
    from http import HTTPStatus

#: Makes the steps of one request to a server of a version; they return what the spec describes.
Translation: TypeAlias = Callable[[str, Request], Steps[Answer]]


class UnrecognisedResponse(Exception):
    """A response that only a server of another version sends.

    Attributes:
        request: The request that it answers.
        answer: The response.
    """

    def __init__(self, request: Request, answer: Answer) -> None:
        super().__init__()
        self.request = request
        self.answer = answer

    def answer_to(self, request: Effect) -> Answer:
        """Return the response if it answers this request; raise this exception otherwise."""
        if request != self.request:
            raise self
        return self.answer


def lacking(feature: str, since: str) -> Translation:
    """Return the translation of what servers before a version do not support."""

    def refuse(version: str, _request: Request) -> Steps[Answer]:
        raise UnsupportedByServer(feature, server_version=version, since=since)
        yield

    return refuse


class Dialect:
    """Translation for one line of server versions.

    Attributes:
        version: The server's version, for people.
        translations: By operation id; other operations need none.
        is_newer: Whether the server is newer than all known ones.
    """

    def __init__(
        self, version: str, translations: Mapping[str, Translation], *, is_newer: bool = False
    ) -> None:
        self.version = version
        self.translations = translations
        self.is_newer = is_newer

    def exchange(
        self, name: str, request: Request, sent: UnrecognisedResponse | None = None
    ) -> Steps[Answer]:
        """Return the response to one request, both as in the stored spec.

        Args:
            name: Id of the operation.
            request: The request.
            sent: The response to the first request, if that has been sent already.

        Raises:
            UnrecognisedResponse: Another dialect, or not the first request.
            UnsupportedByServer: Servers of this version do not support it.
        """
        if name in self.translations:
            steps = self.translations[name](self.version, request)
            return (yield from _checked(steps, sent))
        answer = (yield request) if sent is None else sent.answer_to(request)
        if is_unrecognised(answer):
            raise UnrecognisedResponse(request, answer)
        return answer


def _checked(steps: Steps[Answer], sent: UnrecognisedResponse | None) -> Steps[Answer]:
    """Go through a translation; a response without what it reads is an unrecognised one."""
    last: UnrecognisedResponse | None = None
    value: Any = None
    try:
        while True:
            try:
                effect = steps.send(value)
            except StopIteration as stop:
                answer: Answer = stop.value
                return answer
            except (LookupError, TypeError, AttributeError, ArithmeticError, ValueError) as error:
                # Before the first response, it is no fault of the server.
                if last is None:
                    raise
                raise last from error
            if sent is None:
                value = yield effect
            else:
                value, sent = sent.answer_to(effect), None
            if isinstance(effect, Request):
                last = UnrecognisedResponse(effect, value)
    finally:
        steps.close()


def is_unrecognised(answer: Answer) -> bool:
    """Return whether a response that is not translated comes from a server that needs it."""
    kind = answer.headers.get("content-type")
    if not kind and answer.status_code == 404:
        # No such blob, or no such path.
        return not answer.content
    if not kind.startswith("application/"):
        # Only an enumeration that is sent by its names, rather than by its numbers, makes this.
        return answer.status_code == 400 and answer.content.endswith(
            b"status: invalid digit found in string"
        )
    beginning = answer.beginning
    if answer.status_code >= 400:
        return beginning.startswith(b'{"error":{"code":')
    if kind != "application/json":
        # gRPC, which later servers send for an unknown path, is refused when it is parsed.
        return False
    if beginning.startswith(b'{"components":['):
        return b'"complete":' in answer.content
    return beginning.startswith((b'{"summary":{', b'{"results":[', b'{"steps":['))


def document(content: bytes | None) -> Any:
    """Parse JSON.

    Raises:
        ValueError: The text is not JSON.
    """
    return from_json(content or b"")


def json_object(content: bytes | None) -> dict[str, Any]:
    """Parse a JSON object; return an empty one for any other text."""
    try:
        value = document(content)
    except ValueError:
        return {}
    return value if is_object(value) else {}


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Return whether a JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    """Return whether a JSON value is an array."""
    return isinstance(value, list)


def with_document(answer: Answer, value: Any, status: int | None = None) -> Answer:
    """Return the answer with another body, and perhaps another status."""
    return answer._replace(status_code=int(status or answer.status_code), pieces=[to_json(value)])


def refusal(answer: Answer, status: HTTPStatus, message: str) -> Answer:
    """Return the answer with the spec's error in the place of what it holds."""
    return with_document(answer, {"code": status.value, "message": message}, status)


def request_of_owner(request: Request) -> Request:
    """Return the request for the run or flow that a request is about: its path without the end."""
    path, template = (one.rpartition("/")[0] for one in (request.path, request.template))
    return Request("GET", path, template=template)


def with_body(request: Request, value: Any) -> Request:
    """Return the request with another JSON body."""
    return replace(request, content=to_json(value))

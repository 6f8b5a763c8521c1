"""A token that a function returns: called for the first request, and again after a 401."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from stepflow_api._exchange.effects import Ask, Effect, OpenStream, Steps, Wait, through
from stepflow_api._fork import reset_after_fork
from stepflow_api._hidden import Hidden
from stepflow_api._messages import Answer, Request
from stepflow_api._transport.settings import header_fields, token_value

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")


class TokenSource:
    """Sends a token with every request.

    Args:
        given: The function that returns the token, and what to send before it.
        name: The header field that carries it.

    Raises:
        InvalidRequest: There is no such header field, or it cannot hold the prefix.
    """

    def __init__(self, given: Hidden[tuple[Any, str]], name: str) -> None:
        # Checks the name and the prefix: what refuses them later shows the token.
        header_fields(Hidden({name: token_value(Hidden(("token", given.value[1]))).value}))
        self._given = given
        self._name = name.lower()
        self._token: Hidden[str] | None = None
        self._begin()
        reset_after_fork(self, TokenSource._begin)

    def _begin(self) -> None:
        """Create the state that no two processes share."""
        self._lock = threading.Lock()
        self._asking: Future[None] | None = None

    def steps(self, steps: Steps[T]) -> Steps[T]:
        """Send the requests of a generator with the token.

        Raises:
            InvalidRequest: No header field can hold the token.
        """
        return through(steps, self._perform)

    def _perform(self, effect: Effect) -> Steps[Any]:
        if not isinstance(effect, Request | OpenStream):
            return (yield effect)
        request = effect.request if isinstance(effect, OpenStream) else effect
        # A call may have a token of its own.
        if self._name in request.headers:
            return (yield effect)
        token = self._token or (yield from self._ask(None, request))
        answer = yield self._signed(effect, token)
        if not isinstance(answer, Answer) or answer.status_code != 401:
            return answer
        # A server that does not know the caller has not acted.
        new = yield from self._ask(token, request)
        return answer if new.value == token.value else (yield self._signed(effect, new))

    def _signed(self, effect: Request | OpenStream, token: Hidden[str]) -> Request | OpenStream:
        if isinstance(effect, OpenStream):
            return effect._replace(request=self._with(effect.request, token))
        return self._with(effect, token)

    def _with(self, request: Request, token: Hidden[str]) -> Request:
        return replace(request, headers={**request.headers, self._name: token.value})

    def _ask(self, refused: Hidden[str] | None, request: Request) -> Steps[Hidden[str]]:
        """Return a token, requested once for all concurrent callers."""
        while True:
            with self._lock:
                if self._token is not None and self._token is not refused:
                    return self._token
                asking = self._asking
                leads = asking is None
                if asking is None:
                    # Importing it takes as long as the rest of a small program.
                    from concurrent.futures import Future

                    asking = self._asking = Future()
            if not leads:
                # Another caller's error is its own: this one asks again then.
                yield Wait(asking, request)
                continue
            try:
                token = yield Ask(Hidden(self._given.value[0]))
                given = Hidden((token.value, self._given.value[1]))
                self._token = token_value(given)
                return self._token
            finally:
                with self._lock:
                    self._asking = None
                asking.set_result(None)

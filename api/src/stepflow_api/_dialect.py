"""The seam between endpoints and transport, where other versions of the server are translated.

Everything in this package speaks the API of the stored spec. Each request passes `Dialect.request`
on its way out and each answer `Dialect.answer` on its way in; nothing else touches them in between.
"""

from __future__ import annotations

from typing import Protocol

from stepflow_api._operation import Answer, Request


class Dialect(Protocol):
    """How one line of servers speaks the API; both methods are pure."""

    def request(self, operation_id: str, request: Request) -> Request:
        """Turns a request of the stored spec into the one that this server takes."""
        ...

    def answer(self, operation_id: str, answer: Answer) -> Answer:
        """Turns an answer of this server into the one that the stored spec describes."""
        ...


class Native:
    """The dialect of the servers that serve the stored spec: nothing changes."""

    def request(self, operation_id: str, request: Request) -> Request:
        """Gives the request."""
        return request

    def answer(self, operation_id: str, answer: Answer) -> Answer:
        """Gives the answer."""
        return answer


NATIVE: Dialect = Native()

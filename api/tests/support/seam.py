"""Dialects that watch or change what passes the seam between endpoints and transport."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from stepflow_api import Client
from stepflow_api._dialect import Dialect
from stepflow_api._operation import Answer, Request


class Recorder(Dialect):
    """Lets everything through, and keeps it.

    Attributes:
        requests: Operation ids and requests, in their order.
        answers: Operation ids and answers, in their order.
    """

    def __init__(self, client: Client | None = None) -> None:
        self.requests: list[tuple[str, Request]] = []
        self.answers: list[tuple[str, Answer]] = []
        if client is not None:
            client._dialect = self

    def request(self, operation_id: str, request: Request) -> Request:
        self.requests.append((operation_id, request))
        return request

    def answer(self, operation_id: str, answer: Answer) -> Answer:
        self.answers.append((operation_id, answer))
        return answer

    @property
    def last_request(self) -> Request:
        """The last request."""
        return self.requests[-1][1]

    @property
    def sent(self) -> Any:
        """The JSON document of the last request."""
        return json.loads(self.last_request.content or b"")

    @property
    def last_answer(self) -> Answer:
        """The last answer."""
        return self.answers[-1][1]

    @property
    def received(self) -> Any:
        """The JSON document of the last answer."""
        return json.loads(self.last_answer.content)


class Changing(Recorder):
    """Changes fields of each request, as no endpoint would."""

    def __init__(self, client: Client, **changes: Any) -> None:
        super().__init__(client)
        self._changes = changes

    def request(self, operation_id: str, request: Request) -> Request:
        changed = dataclasses.replace(request, **self._changes)
        return super().request(operation_id, changed)

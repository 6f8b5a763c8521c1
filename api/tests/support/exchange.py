"""Dialects that record or change what passes the exchange."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from typing import Any

from stepflow_api import Client
from stepflow_api._exchange.dialects.base import Dialect
from stepflow_api._exchange.dialects.versions import dialect_of
from stepflow_api._exchange.effects import Steps
from stepflow_api._messages import Answer, Request
from stepflow_api.spec import OPERATIONS

#: The version of the server that a test is for.
SERVER_VERSION = os.environ.get("STEPFLOW_SERVER_VERSION", "0.11.1")

#: The same, to compare with.
SERVER = tuple(int(part) for part in SERVER_VERSION.split("."))


class Recorder(Dialect):
    """Lets everything through in the server's dialect, and keeps what the endpoints see of it.

    Attributes:
        requests: Operation ids and requests, in their order.
        answers: Operation ids and answers, in their order.
    """

    def __init__(self, client: Client | None = None, version: str = SERVER_VERSION) -> None:
        self.requests: list[tuple[str, Request]] = []
        self.answers: list[tuple[str, Answer]] = []
        translations = {name: functools.partial(self._pass, name) for name in OPERATIONS}
        super().__init__(version, translations)
        self._server = dialect_of(version)
        if client is not None:
            client._exchange.dialect = self

    def _pass(self, operation_id: str, version: str, request: Request) -> Steps[Answer]:
        self.requests.append((operation_id, request))
        answer = yield from self._server.exchange(operation_id, request)
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

    def _pass(self, operation_id: str, version: str, request: Request) -> Steps[Answer]:
        changed = dataclasses.replace(request, **self._changes)
        return super()._pass(operation_id, version, changed)

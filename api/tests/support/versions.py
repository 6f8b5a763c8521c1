"""A server with prepared responses, which can change its version at any time."""

from __future__ import annotations

import json
from typing import Any

import httpx

from stepflow_api import models

ID = "01a205b5-0a0a-7542-9354-0c70a04a73df"
OLD = {"status": "healthy", "timestamp": "t", "version": "0.11.1"}
NEW = {"status": "healthy", "timestamp": "t", "build": {"gitVersion": "dd82fa7"}}
LATER = {"status": "healthy", "timestamp": "t", "build": {"gitVersion": "1234567"}}

FLAT = {
    "runId": ID,
    "flowId": "f",
    "status": "running",
    "items": {"total": 1, "completed": 0, "running": 1, "failed": 0, "cancelled": 0},
    "createdAt": "2026-11-23T00:01:20.394215421Z",
    "completedAt": None,
    "rootRunId": ID,
    "createdAtSeqno": 0,
}
SUMMARY = {k: v for k, v in FLAT.items() if k != "completedAt"} | {"status": 1}
BODY = models.CreateRunRequest(flow_id="f", input=1)


def compact(document: Any) -> httpx.Response:
    """Return a response as servers write it: httpx before 0.28 puts spaces into JSON."""
    content = json.dumps(document, separators=(",", ":"))
    return httpx.Response(200, content=content, headers={"content-type": "application/json"})


class Wire(httpx.MockTransport):
    """A server with a prepared response for each path.

    Attributes:
        paths: Method and path of each request.
    """

    def __init__(self, health: Any, answer: Any) -> None:
        self.paths: list[str] = []
        self.health = health
        self.answer = answer

        def handle(request: httpx.Request) -> httpx.Response:
            path = request.url.path.removeprefix("/api/v1")
            self.paths.append(f"{request.method} {path}")
            given = self.health if path == "/health" else self.answer
            given = given(request) if callable(given) else given
            return given if isinstance(given, httpx.Response) else compact(given)

        super().__init__(handle)

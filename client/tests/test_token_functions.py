"""A token that a function returns, for either client."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from api.tests.support.odd_server import OddServer, answer
from client.tests.support import Driver
from stepflow_client import errors

HEALTH = answer('{"status":"healthy","timestamp":"2026-01-01T00:00:00Z","version":"0.11.1"}')
REFUSAL = answer('{"code":401,"message":"who are you?"}', status="401 Unauthorized")


@pytest.mark.parametrize("kind", ["function", "coroutine function"])
def test_it_is_called_again_after_a_refusal(do: Driver, kind: str) -> None:
    tokens = ["new", "old"]

    async def asynchronous() -> str:
        return tokens.pop()

    def handle(connection: socket.socket) -> None:
        (HEALTH if server.headers()["authorization"] == "Bearer new" else REFUSAL)(connection)

    function: Any = tokens.pop if kind == "function" else asynchronous
    with OddServer(handle) as server:
        client = do.client(server.url, token=function, server_version=None)
        if kind == "function" or do.is_async:
            assert do(client.health()).status == "healthy"
            assert do(client.server_version()) == "0.11.1"
            assert (len(server.requests), tokens) == (3, [])
        else:
            with pytest.raises(errors.InvalidRequest, match="the token's function is asynchronous"):
                do(client.health())
        do(client.close())

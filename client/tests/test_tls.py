"""`verify=`: which certificates a client trusts."""

from __future__ import annotations

import ssl
from typing import Any

import httpx
import pytest

from api.tests.support.odd_server import CERTIFICATE, OddServer, answer
from client.tests.support import Driver
from stepflow_client import RetryPolicy, errors

HEALTH = answer('{"status":"healthy","timestamp":"2026-01-01T00:00:00Z","version":"0.11.1"}')

by_limits = pytest.mark.parametrize(
    "options", [{}, {"limits": httpx.Limits(max_connections=2)}], ids=["own", "limits"]
)


@by_limits
@pytest.mark.parametrize("kind", ["path", "context", "False"])
def test_a_certificate_is_trusted(do: Driver, kind: str, options: dict[str, Any]) -> None:
    verify: Any = {"path": str(CERTIFICATE), "False": False}.get(kind)
    if kind == "context":
        verify = ssl.create_default_context(cafile=CERTIFICATE)
    with OddServer(HEALTH, tls=True) as server:
        client = do.client(server.url, token="token", verify=verify, **options)
        assert do(client.health()).status == "healthy"
        do(client.close())
    assert server.headers()["authorization"] == "Bearer token"


@by_limits
def test_no_certificate_is_trusted_by_default(do: Driver, options: dict[str, Any]) -> None:
    with OddServer(HEALTH, tls=True) as server:
        client = do.client(server.url, retry=RetryPolicy(max_retries=0), **options)
        with pytest.raises(errors.Unreachable, match="certificate is not trusted"):
            do(client.health())
        do(client.close())
    assert not server.requests


@by_limits
def test_what_cannot_be_used(do: Driver, options: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidRequest, match=r"^verify is 'missing\.pem', which cannot be"):
        do.client("https://localhost", verify="missing.pem", **options)


def test_what_has_its_own_verification(do: Driver) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(500))
    with pytest.raises(errors.InvalidRequest, match=r"^verify cannot be combined with transport; "):
        do.client("https://localhost", verify=False, transport=transport)

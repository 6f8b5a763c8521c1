"""What is logged, and what is not."""

from __future__ import annotations

import logging
import re
from types import SimpleNamespace
from typing import Any

import pytest

from client.tests.fault_proxy import Fault, FaultProxy
from client.tests.support import ECHO, Driver
from stepflow_api.testing import MockRequest, MockServer
from stepflow_client import errors


def test_one_line_a_request_at_debug_and_a_retry_at_info(
    do: Driver, proxy: FaultProxy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="stepflow_client")
    faults = iter([Fault.RESET_BEFORE, Fault.BUSY])
    proxy.plan = lambda seen: next(faults, Fault.NONE)
    client = do.client(proxy.url, token="sesame", headers={"x-secret": "sesame"})
    do(client.run(ECHO, "a secret input: sesame"))
    do(client.close())
    lines = [r.getMessage() for r in caplog.records if r.name == "stepflow_client"]
    levels = [r.levelno for r in caplog.records if r.name == "stepflow_client"]
    assert levels.count(logging.DEBUG) == len(proxy.seen)
    assert levels.count(logging.INFO) == 2
    assert re.fullmatch(r"POST /flows: ConnectionLost after [\d.]+ ms", lines[0])
    assert re.fullmatch(
        r"POST /flows: ConnectionLost; sending it again in [\d.]+ s \(failure 1\)", lines[1]
    )
    assert re.fullmatch(r"POST /flows: ServerError 503 after [\d.]+ ms", lines[2])
    assert re.fullmatch(r"POST /flows: done after [\d.]+ ms", lines[4])
    assert all("sesame" not in line for line in lines)


def test_the_time_of_a_request_is_in_milliseconds(
    do: Driver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0

    def slow(request: MockRequest) -> dict[str, Any]:
        nonlocal now
        now += 1.25
        return {"components": []}

    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr("stepflow_client._requests.sending.time", clock)
    caplog.set_level(logging.DEBUG, logger="stepflow_client")
    client = do.client("http://server.invalid", transport=MockServer({"GET /components": slow}))
    do(client.list_components())
    do(client.close())
    lines = [r.getMessage() for r in caplog.records if r.name == "stepflow_client"]
    assert lines == ["GET /components: done after 1250.0 ms"]


def test_no_error_shows_a_secret(do: Driver, proxy: FaultProxy) -> None:
    proxy.plan = lambda seen: Fault.RESET_BEFORE
    url = proxy.url.replace("//", "//user:sesame@")
    client = do.client(url, headers={"x-secret": "sesame"})
    with pytest.raises(errors.Unreachable) as caught:
        do(client.health())
    error: BaseException | None = caught.value
    while error is not None:
        assert "sesame" not in str(error) + repr(error)
        error = error.__cause__
    assert "sesame" not in repr(client)
    do(client.close())

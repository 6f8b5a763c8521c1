"""What differs on Windows and macOS, as far as it can be shown on Linux."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from types import SimpleNamespace

import pytest

from api.tests.support.completions import proactor_loop
from api.tests.support.forms import PLAIN, Form
from api.tests.support.odd_server import OddServer, answer, hang_up
from stepflow_api import Client
from stepflow_api._transport.network_errors import ReadTimeout
from stepflow_api._transport.timeouts import Timeouts, limited
from stepflow_api.api.health import health_check
from stepflow_api.errors import ConnectionFailed, ConnectionLost

HEALTH = json.dumps({"status": "healthy", "timestamp": "2026-01-01T00:00:00Z", "version": "0.11.1"})


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http", "https", "all"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name.upper()}_PROXY", raising=False)


@pytest.mark.anyio
async def test_a_clock_that_ticks_rarely_makes_no_timeout_a_lost_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As on Windows with Python before 3.13, where event loops end a wait up to a tick early.
    tick = 1 / 64
    clock = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() // tick * tick)
    monkeypatch.setattr(time, "get_clock_info", lambda _: SimpleNamespace(resolution=tick))

    async def overdue() -> Exception:
        timeouts = Timeouts.for_total(0.05)
        try:
            async with limited(timeouts):
                await asyncio.sleep(30)
        except TimeoutError as error:
            return timeouts.error(error)
        raise AssertionError

    def errors() -> list[Exception]:
        with asyncio.Runner() as runner:
            found = []
            for part in range(8):
                time.sleep(part * tick / 8)
                found.append(runner.run(overdue()))
            return found

    assert {type(error) for error in await asyncio.to_thread(errors)} == {ReadTimeout}


@pytest.mark.parametrize("form", PLAIN, ids=lambda form: form.name)
@pytest.mark.anyio
async def test_a_system_without_an_option_of_keepalive(
    form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "TCP_KEEPCNT", 9999)
    with OddServer(answer(HEALTH)) as server:
        async with Client(server.url, server_version="0.11.1") as client:
            assert (await form("health.health_check", client=client)).status == "healthy"


def test_requests_over_the_event_loop_of_windows() -> None:
    async def main(url: str) -> None:
        async with Client(url, server_version="0.11.1") as client:
            for _ in range(3):
                found = await asyncio.gather(
                    *(health_check.asyncio(client=client) for _ in range(20))
                )
                assert {one.status for one in found} == {"healthy"}
        async with Client("http://127.0.0.1:1", server_version="0.11.1") as client:
            with pytest.raises(ConnectionFailed):
                await health_check.asyncio(client=client)

    with OddServer(answer(HEALTH)) as server, asyncio.Runner(loop_factory=proactor_loop) as runner:
        runner.run(main(server.url))
    with (
        OddServer(hang_up) as server,
        asyncio.Runner(loop_factory=proactor_loop) as runner,
        pytest.raises(ConnectionLost),
    ):
        runner.run(main(server.url))

"""Clients of a server that runs elsewhere, which tests use through `--stepflow-url`."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from runtime.tests.support import ECHO
from stepflow_api.support import default_httpx_library
from stepflow_runtime import StepflowRuntime
from stepflow_runtime._external import ExternalServer, client_for_any_loop
from stepflow_runtime.errors import StepflowError


@pytest.mark.parametrize("scheme", ["http", "https", "HTTPS"])
def test_certificates_are_verified_and_proxies_used(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    library: Any = default_httpx_library()
    transport, made = library.AsyncHTTPTransport, list[dict[str, Any]]()

    def make(**options: Any) -> Any:
        made.append(options)
        return transport(**options)

    monkeypatch.setattr(library, "AsyncHTTPTransport", make)
    monkeypatch.setenv(f"{scheme.lower()}_proxy", "http://proxy.example:3128")
    server = ExternalServer(f"{scheme}://server.example/")
    server.stop()
    assert server.url == f"{scheme}://server.example"
    (options,) = made
    # Without TLS, reading the certificates would only take time.
    assert options["verify"] is (scheme != "http")
    assert "proxy.example" in str(vars(options["proxy"]) if options["proxy"] else None)


def test_it_has_the_calls_of_a_runtime() -> None:
    async def use(server: Any) -> dict[str, Any]:
        return {
            "run": (await server.run(ECHO, 1)).output,
            "run_batch": [one.output for one in await server.run_batch(ECHO, [2, 3])],
            "submit": (await (await server.submit(ECHO, 4)).result()).output,
            "submit_batch": [
                one.output for one in await (await server.submit_batch(ECHO, [5])).results()
            ],
            "validate": (await server.validate(ECHO)).is_valid,
        }

    with StepflowRuntime.start() as runtime:
        server = ExternalServer(runtime.url)
        called = asyncio.run(use(server))
        assert called == asyncio.run(use(runtime))
        assert called == {
            "run": 1,
            "run_batch": [2, 3],
            "submit": 4,
            "submit_batch": [5],
            "validate": True,
        }
        server.stop()
        with pytest.raises(StepflowError, match="closed"):
            server.sync_client.health()
    coroutines = inspect.getmembers(StepflowRuntime, inspect.iscoroutinefunction)
    assert [name for name, _ in coroutines if not name.startswith("_")] == list(called)


def test_a_client_for_any_loop_uses_all_servers() -> None:
    with StepflowRuntime.start() as other:
        stopped = other.url
    with StepflowRuntime.start() as runtime:
        client = client_for_any_loop([stopped, runtime.url])
        for _ in range(2):
            assert asyncio.run(client.run(ECHO, 1)).output == 1

"""Clients of a server that runs elsewhere, which tests use through `--stepflow-url`."""

from __future__ import annotations

from typing import Any

import pytest

from stepflow_api.support import default_httpx_library
from stepflow_runtime._external import ExternalServer


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_certificates_are_verified_and_proxies_used(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    library: Any = default_httpx_library()
    transport, made = library.AsyncHTTPTransport, list[dict[str, Any]]()

    def make(**options: Any) -> Any:
        made.append(options)
        return transport(**options)

    monkeypatch.setattr(library, "AsyncHTTPTransport", make)
    monkeypatch.setenv(f"{scheme}_proxy", "http://proxy.example:3128")
    server = ExternalServer(f"{scheme}://server.example/")
    server.stop()
    assert server.url == f"{scheme}://server.example"
    (options,) = made
    # Without TLS, reading the certificates would only take time.
    assert options["verify"] is (scheme == "https")
    assert "proxy.example" in str(vars(options["proxy"]) if options["proxy"] else None)

"""Helpers that the packages above this one share: secrets, addresses, proxies, TLS, event loops.

Names are imported when they are first used, since most callers need one of them.
"""

from __future__ import annotations

# Type checkers know this name; importing it from typing would double what this import costs.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from stepflow_api._constants import RESPONSE_LIMIT
    from stepflow_api._exchange.dialects.versions import is_known_version, parse_version
    from stepflow_api._hidden import Hidden
    from stepflow_api._html_table import html_table
    from stepflow_api._httpx_types import (
        HttpxAsyncBaseTransport,
        HttpxAsyncClient,
        HttpxBaseTransport,
        HttpxClient,
        HttpxLimits,
        HttpxProxy,
    )
    from stepflow_api._transport.event_loops import asyncio_loop, refuse_trio, running_loop
    from stepflow_api._transport.httpx_libraries import default_httpx_library, httpx_library_of
    from stepflow_api._transport.proxies import checked_proxy, environment_proxy
    from stepflow_api._transport.settings import split_address
    from stepflow_api._transport.tls import TLS

__all__ = [
    "RESPONSE_LIMIT",
    "TLS",
    "Hidden",
    "HttpxAsyncBaseTransport",
    "HttpxAsyncClient",
    "HttpxBaseTransport",
    "HttpxClient",
    "HttpxLimits",
    "HttpxProxy",
    "asyncio_loop",
    "checked_proxy",
    "default_httpx_library",
    "environment_proxy",
    "html_table",
    "httpx_library_of",
    "is_known_version",
    "parse_version",
    "refuse_trio",
    "running_loop",
    "split_address",
]

_MODULES = {
    "Hidden": "_hidden",
    "HttpxAsyncBaseTransport": "_httpx_types",
    "HttpxAsyncClient": "_httpx_types",
    "HttpxBaseTransport": "_httpx_types",
    "HttpxClient": "_httpx_types",
    "HttpxLimits": "_httpx_types",
    "HttpxProxy": "_httpx_types",
    "RESPONSE_LIMIT": "_constants",
    "TLS": "_transport.tls",
    "asyncio_loop": "_transport.event_loops",
    "checked_proxy": "_transport.proxies",
    "default_httpx_library": "_transport.httpx_libraries",
    "environment_proxy": "_transport.proxies",
    "html_table": "_html_table",
    "httpx_library_of": "_transport.httpx_libraries",
    "is_known_version": "_exchange.dialects.versions",
    "parse_version": "_exchange.dialects.versions",
    "refuse_trio": "_transport.event_loops",
    "running_loop": "_transport.event_loops",
    "split_address": "_transport.settings",
}


def __getattr__(name: str) -> object:
    import importlib

    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"stepflow_api.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

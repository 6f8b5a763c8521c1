"""The proxy for a server, from the environment or the system's settings.

`NO_PROXY` is read as curl reads it, since httpx raises on IPv6 networks and ignores IPv4 networks.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from stepflow_api._constants import DEFAULT_PORTS
from stepflow_api._hidden import Hidden
from stepflow_api._transport.httpx_libraries import default_httpx_library, httpx_library_of
from stepflow_api.errors import InvalidRequest

if TYPE_CHECKING:
    from stepflow_api._httpx_types import HttpxProxy


# A host or network, in brackets if it is IPv6 and a port follows.
_ENTRY = re.compile(r"(?P<host>\[[^]]*\](?:/\d+)?|[^:]*)(?::(?P<port>\d{1,5}))?")


def environment_proxy(base_url: str) -> HttpxProxy | None:
    """Return the proxy that the environment or the system sets for a server.

    Args:
        base_url: The server's URL.

    Returns:
        The proxy; None if no proxy is set, `NO_PROXY` lists the server, or the server runs on this
        machine, which a proxy on another machine cannot reach.

    Raises:
        InvalidRequest: The proxy cannot be used; the message contains no password.
    """
    url = urlsplit(base_url)
    host = (url.hostname or "").rstrip(".")
    address = _address(host)
    if host == "localhost" or host.endswith(".localhost") or _is_this_machine(address):
        return None
    # Importing it takes half as long as importing this package.
    from urllib.request import getproxies, getproxies_environment, proxy_bypass

    proxies = Hidden(getproxies())
    scheme = next((name for name in (url.scheme, "all") if proxies.value.get(name)), None)
    port = url.port or DEFAULT_PORTS[url.scheme]
    entries = re.split(r"[\s,]+", proxies.value.get("no", "").lower())
    if scheme is None or any(_matches(entry, host, address, port) for entry in entries):
        return None
    # The proxy is one of the system's settings (Windows, macOS), which have their own exceptions.
    if not getproxies_environment() and proxy_bypass(host):
        return None
    proxy = Hidden(proxies.value[scheme])
    if "://" not in proxy.value:
        proxy.value = f"http://{proxy.value}"
    return checked_proxy(proxy, _setting(scheme))


def checked_proxy(proxy: Hidden[str] | Hidden[str | HttpxProxy], name: str) -> HttpxProxy:
    """Return a proxy that httpx and httpx2 can use.

    Args:
        proxy: The proxy or its URL.
        name: Name of the setting or argument, for the message.

    Raises:
        InvalidRequest: The proxy cannot be used; the message contains no password.
    """
    checked: HttpxProxy | None = None
    if httpx_library_of(proxy.value, "Proxy"):
        checked = cast("HttpxProxy", proxy.value)
    library = default_httpx_library()
    with contextlib.suppress(ValueError, TypeError, library.InvalidURL):
        checked = checked or library.Proxy(proxy.value)
    if checked is None or not checked.url.host or (checked.url.port or 0) >= 2**16:
        # Not raised in an except block, whose exception quotes the URL with the password.
        raise InvalidRequest(
            f"{name} is not a proxy URL; write http://HOST:PORT or socks5://HOST:PORT"
        )
    if checked.url.scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        raise InvalidRequest(
            f"{name} is a SOCKS proxy, which needs the package socksio; run `pip install"
            " 'httpx[socks]'`, or use an HTTP proxy"
        )
    return checked


def _setting(scheme: str) -> str:
    names = (name for name in os.environ if name.lower() == f"{scheme}_proxy")
    # urllib prefers the lower-case name, which is also the greatest.
    return max(names, default="the system's proxy setting")


def _matches(entry: str, host: str, address: IPv4Address | IPv6Address | None, port: int) -> bool:
    """Return whether an entry of `NO_PROXY` matches a host and port."""
    if entry == "*":
        return True
    found = _ENTRY.fullmatch(entry)
    # No match is an IPv6 address without brackets, and so without a port.
    name = entry if found is None else re.sub(r"[][]", "", found["host"])
    if found is not None and found["port"] and int(found["port"]) != port:
        return False
    if address is not None:
        try:
            return address in ip_network(name, strict=False)
        except ValueError:
            return False
    domain = name.removeprefix("*").strip(".")
    return f".{host}".endswith(f".{domain}")


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_this_machine(address: IPv4Address | IPv6Address | None) -> bool:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    address = mapped or address
    # Connecting to the unspecified address reaches this machine.
    return address is not None and (address.is_loopback or address.is_unspecified)

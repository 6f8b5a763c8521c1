"""Creates the parts that both clients share."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from threading import TIMEOUT_MAX
from typing import TYPE_CHECKING, Any

from stepflow_api import AuthenticatedClient, Client
from stepflow_api.errors import InvalidRequest
from stepflow_api.support import (
    RESPONSE_LIMIT,
    TLS,
    Hidden,
    checked_proxy,
    default_httpx_library,
    environment_proxy,
    httpx_library_of,
    split_address,
)
from stepflow_api.types import AsyncTokenTypes, TokenTypes, VerifyTypes
from stepflow_client._constants import (
    DEFAULT_URL,
    REQUEST_TIMEOUT,
    TOKEN_VARIABLE,
    URL_VARIABLE,
)
from stepflow_client._core.core import Core
from stepflow_client._requests.retry import RetryPolicy
from stepflow_client._requests.sending import Sender
from stepflow_client._servers import Servers
from stepflow_client.errors import InvalidInput

if TYPE_CHECKING:
    from stepflow_api.support import (
        HttpxAsyncBaseTransport,
        HttpxAsyncClient,
        HttpxBaseTransport,
        HttpxClient,
        HttpxLimits,
        HttpxProxy,
    )


def connect(
    owner: str,
    http_class: str,
    url: Hidden[str | Sequence[str] | None],
    token: Hidden[AsyncTokenTypes | None] | Hidden[TokenTypes | None],
    *,
    headers: Hidden[Mapping[str, str] | None],
    limits: HttpxLimits | None,
    proxy: Hidden[str | HttpxProxy | None],
    verify: VerifyTypes,
    http_client: HttpxClient | HttpxAsyncClient | None,
    transport: HttpxBaseTransport | HttpxAsyncBaseTransport | None,
    server_version: str | None,
    max_response_size: int | None,
) -> Client | Servers:
    """Return what sends the requests of a client of the class `owner`.

    `http_class` is the name of httpx's class of clients; the other arguments are the client's.

    Raises:
        InvalidInput: Arguments contradict each other, or that of the environment is invalid.
        InvalidRequest: An argument is invalid.
    """
    clients: list[Client] = []
    for address in _server_urls(url):
        own_http = _own_http_client(
            http_class, address, limits, proxy, verify, http_client, transport
        )
        client = _api_client(
            address,
            token,
            headers=headers,
            http_client=own_http or http_client,
            transport=transport,
            verify=True if own_http else verify,
            server_version=server_version,
            max_response_size=max_response_size,
        )
        client.belong_to(owner, with_http_client=own_http is not None)
        clients.append(client)
    return clients[0] if len(clients) == 1 else Servers(clients)


def _server_urls(url: Hidden[str | Sequence[str] | None]) -> list[Hidden[str]]:
    """Return the servers' URLs: the argument's, the environment's, or the default.

    Raises:
        InvalidInput: The argument is not a text or a list, or the environment's are invalid.
    """
    given = url.value or os.environ.get(URL_VARIABLE) or DEFAULT_URL
    if isinstance(given, bytes) or not isinstance(given, Sequence):
        kind = type(given).__name__
        del given
        raise InvalidInput(
            f"url is of type {kind}; pass text, such as http://HOST:PORT, or a list of such"
        )
    # A comma may be part of a password.
    pattern = r"\s*,\s*(?=https?://)"
    urls = re.split(pattern, given, flags=re.I) if isinstance(given, str) else list(given)
    found = [Hidden(one) for one in urls]
    del given, urls
    if not url.value:
        try:
            for one in found:
                split_address(one)
        except InvalidRequest as error:
            raise InvalidInput(f"${URL_VARIABLE}: {error}") from None
    return found


def _own_http_client(
    class_name: str,
    url: Hidden[str],
    limits: HttpxLimits | None,
    proxy: Hidden[str | HttpxProxy | None],
    verify: VerifyTypes,
    http_client: object,
    transport: object,
) -> Any:
    """Return an httpx client with the limits and the proxy; None if neither is given.

    It is a client of the library, httpx or httpx2, that the limits or the proxy are from.

    Raises:
        InvalidInput: There is also an http_client or transport, which have their own, or the limits
            or the proxy are invalid.
        InvalidRequest: The URL, `verify`, or the proxy that the environment sets is invalid.
    """
    if limits is None and proxy.value is None:
        return None
    if http_client is not None or transport is not None:
        option = "limits" if proxy.value is None else "proxy"
        raise InvalidInput(
            f"{option} cannot be combined with http_client or transport; set it on that, or remove"
            " that"
        )
    if limits is not None and httpx_library_of(limits, "Limits") is None:
        raise InvalidInput(f"limits is {limits!r}; pass an httpx.Limits or httpx2.Limits")
    if proxy.value is None:
        chosen = environment_proxy(split_address(url)[0])
    else:
        try:
            chosen = checked_proxy(Hidden(proxy.value), "proxy")
        except InvalidRequest as error:
            raise InvalidInput(str(error)) from None
    library: Any = (
        httpx_library_of(limits, "Limits")
        or httpx_library_of(chosen, "Proxy")
        or default_httpx_library()
    )
    cls = getattr(library, class_name)
    # Passed, since httpx ignores SSL_CERT_FILE with trust_env=False.
    context = TLS(verify).context()
    return cls(limits=limits or library.Limits(), proxy=chosen, verify=context, trust_env=False)


def _api_client(
    url: Hidden[str],
    token: Hidden[AsyncTokenTypes | None] | Hidden[TokenTypes | None],
    *,
    headers: Hidden[Mapping[str, str] | None] | None = None,
    http_client: HttpxClient | HttpxAsyncClient | None = None,
    transport: HttpxBaseTransport | HttpxAsyncBaseTransport | None = None,
    verify: VerifyTypes = True,
    server_version: str | None = None,
    max_response_size: int | None = RESPONSE_LIMIT,
) -> Client:
    """Return the client of `stepflow_api`."""
    options: dict[str, Any] = {
        "http_client": http_client,
        "transport": transport,
        "verify": verify,
        "server_version": server_version,
        "max_response_size": max_response_size,
    }
    headers = headers or Hidden(None)
    if token.value is None:
        return Client(url.value, headers=headers.value, **options)
    return AuthenticatedClient(url.value, token.value, headers=headers.value, **options)


def restored(url: str, owner: str) -> tuple[Client | Servers, Core]:
    """Return the client and the core of a handle that was unpickled.

    Args:
        url: The server's URL, without user and password, or several, separated by commas.
        owner: Name of the handle's class.

    Raises:
        InvalidInput: The URL is invalid, or the token of the environment cannot be sent.
    """
    token: Hidden[TokenTypes | None] = Hidden(os.environ.get(TOKEN_VARIABLE) or None)
    addresses = _server_urls(Hidden(url))
    try:
        for address in addresses:
            split_address(address)
    except InvalidRequest as error:
        raise InvalidInput(f"the pickled {owner} cannot be used: {error}") from None
    try:
        clients = [_api_client(address, token) for address in addresses]
    except InvalidRequest as error:
        raise InvalidInput(f"${TOKEN_VARIABLE}: {error}") from None
    for one in clients:
        one.belong_to(owner)
    client = clients[0] if len(clients) == 1 else Servers(clients)
    return client, core(client, None, REQUEST_TIMEOUT)


def core(client: Client | Servers, retry: RetryPolicy | None, timeout: Any) -> Core:
    """Return the core of a client.

    Raises:
        InvalidInput: The timeout or the retry policy is invalid.
    """
    is_number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    if not (is_number and timeout > 0):
        raise InvalidInput(f"timeout is {timeout!r}; pass seconds above 0")
    if not isinstance(retry, RetryPolicy | None):
        raise InvalidInput(f"retry is {retry!r}; pass a RetryPolicy")
    return Core(Sender(client.base_url, retry or RetryPolicy(), min(timeout, TIMEOUT_MAX)))

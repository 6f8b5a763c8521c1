"""What both clients are created from."""

from __future__ import annotations

import os
from collections.abc import Mapping
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


def server_url(url: Hidden[str | None]) -> Hidden[str]:
    """Return the server's URL: the argument, the environment's, or the default.

    Raises:
        InvalidInput: The environment's is invalid.
    """
    chosen = Hidden(url.value or os.environ.get(URL_VARIABLE) or DEFAULT_URL)
    if not url.value:
        try:
            split_address(chosen)
        except InvalidRequest as error:
            raise InvalidInput(f"${URL_VARIABLE}: {error}") from None
    return chosen


def own_http_client(
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
        raise InvalidInput(f"limits is {limits!r}; give an httpx.Limits or httpx2.Limits")
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


def api_client(
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


def restored(url: str, owner: str) -> tuple[Client, Core]:
    """Return the client and the core of a handle that was unpickled.

    Args:
        url: The server's URL, without user and password.
        owner: Name of the handle's class.

    Raises:
        InvalidInput: The URL is invalid, or the token of the environment cannot be sent.
    """
    token: Hidden[TokenTypes | None] = Hidden(os.environ.get(TOKEN_VARIABLE) or None)
    try:
        split_address(Hidden(url))
    except InvalidRequest as error:
        raise InvalidInput(f"the pickled {owner} cannot be used: {error}") from None
    try:
        client = api_client(Hidden(url), token)
    except InvalidRequest as error:
        raise InvalidInput(f"${TOKEN_VARIABLE}: {error}") from None
    client.belong_to(owner)
    return client, core(client, None, REQUEST_TIMEOUT)


def core(client: Client, retry: RetryPolicy | None, timeout: Any) -> Core:
    """Return the core of a client.

    Raises:
        InvalidInput: The timeout is invalid.
    """
    is_number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    if not (is_number and timeout > 0):
        raise InvalidInput(f"timeout is {timeout!r}; give seconds above 0")
    return Core(Sender(client.base_url, retry or RetryPolicy(), min(timeout, TIMEOUT_MAX)))

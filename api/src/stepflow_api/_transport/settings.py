"""Arguments of a client: checked, and in the form that requests need."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any, cast

from stepflow_api._constants import DEFAULT_PORTS
from stepflow_api._headers import FIELD_NAME, FIELD_VALUE, Fields
from stepflow_api._hidden import Hidden
from stepflow_api._transport.httpx_libraries import (
    default_httpx_library,
    described,
    httpx_library_of,
)
from stepflow_api.errors import InvalidRequest
from stepflow_api.spec import PATH_PREFIX
from stepflow_api.types import UNSET

# The URLs that most programs have, which need no httpx to be taken apart.
_PLAIN_URL = re.compile(
    r"https?://[a-z0-9.-]+(?::(?P<port>[1-9][0-9]{0,4}))?(?:/[\w-]+)*/?", re.ASCII
)

# With others than the body's, the server would wait for more, or misread the next request.
_FRAMING = (b"content-length", b"transfer-encoding")


def split_address(base_url: Hidden[str]) -> tuple[str, Hidden[str] | None]:
    """Return the API's URL without user and password, and these as an `Authorization` value.

    Args:
        base_url: Where the server is, with or without the API's prefix.

    Raises:
        InvalidRequest: The URL is not a valid server URL; the message quotes no part of it.
    """
    found = _split(base_url.value)
    if isinstance(found, str):
        # Raised here, where no variable holds the URL.
        raise InvalidRequest(found)
    return found


def _split(base_url: str) -> tuple[str, Hidden[str] | None] | str:
    """Return the parts of a URL, or what is wrong with it."""
    if not isinstance(base_url, str):
        return f"base_url is {described(base_url)}; pass text, such as http://HOST:PORT"
    if _is_plain(base_url):
        return _with_prefix(base_url), None
    # Most programs have a plain URL, and need none of these.
    import base64
    from urllib.parse import unquote, urlsplit

    httpx = default_httpx_library()
    url = httpx.URL()
    try:
        url = httpx.URL(base_url)
        # Requests are sent to what urlsplit finds, which refuses some of what httpx accepts; httpx
        # decodes the host, and may fail to, whenever it is read.
        ascii_url = urlsplit(str(url).encode("ascii"))
        valid = (
            not re.search(r"\s", base_url)
            and ascii_url.port != 0
            # No name has one: it is an escaped @ or : of a password. Zones of IPv6 have.
            and ("%" not in url.host or ":" in url.host)
        )
    except (httpx.InvalidURL, ValueError):
        valid = False
    if not valid:
        # Outside of the handler, since httpx's error may quote a part of the password. No part of
        # the URL is quoted here, since any may be a secret if it is not written as it must be.
        return "the server's URL is not valid; write http://HOST:PORT"
    if url.scheme not in ("http", "https") or not url.host:
        return "the server's URL has no http:// or https:// and host; write http://HOST:PORT"
    if url.query or url.fragment:
        return (
            "the server's URL has a query or a fragment; leave it out: a token belongs in a header"
            " field"
        )
    if "@" in url.path:
        return "the server's URL has an @ in its path; write a / in a password as %2F"
    authorization = None
    if url.userinfo:
        user, _, password = url.userinfo.decode().partition(":")
        pair = f"{unquote(user)}:{unquote(password)}".encode()
        authorization = Hidden(f"Basic {base64.b64encode(pair).decode()}")
    return _with_prefix(str(url.copy_with(username=None, password=None))), authorization


def _is_plain(url: str) -> bool:
    """Return whether a URL is one that httpx would leave as it is."""
    found = _PLAIN_URL.fullmatch(url)
    port = int(found["port"] or 8080) if found is not None else 0
    # It leaves out those that the scheme has anyway.
    return 0 < port < 2**16 and port not in DEFAULT_PORTS.values()


def _with_prefix(url: str) -> str:
    bare = url.rstrip("/")
    return bare if bare.endswith(PATH_PREFIX) else bare + PATH_PREFIX


def header_fields(headers: Hidden[Any], authorization: Hidden[str] | None = None) -> Fields:
    """Return header fields that can be sent.

    Args:
        headers: A mapping of names to values, or pairs of them.
        authorization: Value of `Authorization`, unless the headers have one.

    Raises:
        InvalidRequest: A field cannot be sent; the message shows no value.
    """
    found = _fields(headers.value)
    if isinstance(found, str):
        # Raised here, where no variable holds a value, and what was raised is no part of it.
        raise InvalidRequest(f"headers cannot be sent: {found}")
    if authorization is not None:
        found.value.setdefault(b"authorization", (b"authorization", authorization.value.encode()))
    return found


def _fields(headers: Any) -> Fields | str:
    """Return header fields, or what is wrong with them."""
    try:
        mapping = isinstance(headers, Mapping)
        pairs: Iterable[Any] = (
            cast(Mapping[Any, Any], headers).items() if mapping else headers or ()
        )
        raw = [(_as_bytes(name), _as_bytes(value)) for name, value in pairs]
    except (TypeError, ValueError, AttributeError):
        return "pass a mapping of names to values, both in ASCII"
    for name, value in raw:
        if not FIELD_NAME.fullmatch(name):
            return f"{name.decode()!r} is no header name"
        if name.lower() in _FRAMING:
            return f"{name.decode()} is for the client to set, from the body; leave it out"
        if not FIELD_VALUE.fullmatch(value):
            return (
                f"the value of {name.decode()} has a control character, one beyond ASCII, or a"
                " space or line break at an end; strip it"
            )
    return Hidden({name.lower(): (name, value) for name, value in raw})


def token_value(given: Hidden[tuple[str, str]]) -> Hidden[str]:
    """Return the value of the header field that carries a token.

    Raises:
        InvalidRequest: No header field can hold the token; the message does not show it.
    """
    if not _is_token(given.value[0]):
        raise InvalidRequest(
            "the token cannot be sent: it is not a text, is empty, or has spaces, line breaks or"
            " characters outside ASCII; remove them"
        )
    return Hidden(f"{given.value[1]} {given.value[0]}" if given.value[1] else given.value[0])


def _is_token(token: Any) -> bool:
    if not isinstance(token, str) or not token:
        return False
    return token.isascii() and FIELD_VALUE.fullmatch(token.encode()) is not None


def check_timeout(timeout: Any) -> None:
    """Reject what is no timeout.

    Raises:
        InvalidRequest: The value is invalid.
    """
    # The comparisons also refuse NaN.
    if timeout is UNSET or timeout is None or (_is_number(timeout) and timeout > 0):
        return
    if httpx_library_of(timeout, "Timeout"):
        waits = (timeout.connect, timeout.read, timeout.write, timeout.pool)
        if all(wait is None or (_is_number(wait) and wait >= 0) for wait in waits):
            return
    raise InvalidRequest(
        f"timeout is {timeout!r}; pass seconds above 0, an httpx.Timeout or httpx2.Timeout, or"
        " None for no timeout"
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_limit(limit: Any) -> None:
    """Reject what is no maximum size of a response.

    Raises:
        InvalidRequest: The value is invalid.
    """
    is_number = isinstance(limit, int) and not isinstance(limit, bool)
    if limit is not None and not (is_number and limit > 0):
        raise InvalidRequest(
            f"max_response_size is {limit!r}; pass bytes above 0, or None for no limit"
        )


def check_connection(http_client: Any, transport: Any, verify: Any) -> ModuleType | None:
    """Return the library of what requests are sent through, None if nothing is given.

    Raises:
        InvalidRequest: More than one is given, or one is of a wrong class.
    """
    if http_client is not None and transport is not None:
        raise InvalidRequest("http_client and transport cannot be combined; pass one of them")
    if http_client is None and transport is None:
        return None
    name, given, classes = "http_client", http_client, ("Client", "AsyncClient")
    if http_client is None:
        name, given, classes = "transport", transport, ("BaseTransport", "AsyncBaseTransport")
    if verify is not True:
        raise InvalidRequest(
            f"verify cannot be combined with {name}; set it on that, or remove that"
        )
    library = httpx_library_of(given, *classes)
    if library is None:
        raise InvalidRequest(
            f"{name} is {described(given)}; pass an httpx.{classes[0]} or"
            f" httpx.{classes[1]}, or one of httpx2"
        )
    return library


def _as_bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("ascii")

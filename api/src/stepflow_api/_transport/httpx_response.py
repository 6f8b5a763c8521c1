"""Exchanges through httpx, bounded as those of this package's own connections are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from stepflow_api._constants import DEFAULT_PORTS
from stepflow_api._transport.body import Decoder, check_fields
from stepflow_api._transport.network_errors import TooManyRedirects

if TYPE_CHECKING:
    import httpx


def send(http: httpx.Client, request: httpx.Request) -> httpx.Response:
    """Send a request, and return the response as soon as its head has arrived.

    Redirects are followed if the httpx client follows them, but not to another server, which would
    receive the body and all header fields except `Authorization`.

    Raises:
        HTTPError: There is no response, or there are too many redirects.
    """
    response = http.send(request, stream=True, follow_redirects=False)
    for _ in range(http.max_redirects):
        following = _redirect(http, response)
        if following is None:
            return response
        response.close()
        response = http.send(following, stream=True, follow_redirects=False)
    if _redirect(http, response) is not None:
        response.close()
        raise TooManyRedirects("too many redirects")
    return response


async def send_async(http: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    """Async version of `send`."""
    response = await http.send(request, stream=True, follow_redirects=False)
    for _ in range(http.max_redirects):
        following = _redirect(http, response)
        if following is None:
            return response
        await response.aclose()
        response = await http.send(following, stream=True, follow_redirects=False)
    if _redirect(http, response) is not None:
        await response.aclose()
        raise TooManyRedirects("too many redirects")
    return response


def body_parts(response: httpx.Response) -> Iterator[bytes]:
    """Yield the body, decompressed, in parts of a limited size.

    Raises:
        HTTPError: It does not arrive.
        Unreadable: It cannot be decompressed, or there are too many header fields.
    """
    if response.is_stream_consumed:
        # By a hook of the httpx client, or its transport made the response of bytes.
        yield response.content
        return
    decoder = _decoder(response)
    for piece in response.iter_raw():
        yield from decoder.decode(piece)
    decoder.end()


async def body_parts_async(response: httpx.Response) -> AsyncIterator[bytes]:
    """Async version of `body_parts`."""
    if response.is_stream_consumed:
        yield response.content
        return
    decoder = _decoder(response)
    async for piece in response.aiter_raw():
        for part in decoder.decode(piece):
            yield part
    decoder.end()


def _decoder(response: httpx.Response) -> Decoder:
    check_fields(len(response.headers.raw))
    return Decoder(response.headers.get("content-encoding", ""))


def _redirect(
    http: httpx.Client | httpx.AsyncClient, response: httpx.Response
) -> httpx.Request | None:
    """Return the request that follows a redirect; None if it is not to be followed."""
    following = response.next_request
    if following is None or not http.follow_redirects:
        return None
    here, there = _origin(response.request.url), _origin(following.url)
    # The same host over TLS is the same server, which httpx treats alike.
    is_upgrade = (here[0], there) == ("http", ("https", here[1], 443)) and here[2] == 80
    return following if there == here or is_upgrade else None


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or DEFAULT_PORTS.get(url.scheme)

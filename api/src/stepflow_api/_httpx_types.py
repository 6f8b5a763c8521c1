"""Types of httpx and httpx2 as type checkers see them: each stands for that of either library.

They are protocols, so that a program is checked the same whichever of the two is installed: the
name of a class in a library that is not there would stand for anything.
"""

from __future__ import annotations

from typing import Any, Protocol


class HttpxLimits(Protocol):
    """An `httpx.Limits` or `httpx2.Limits`."""

    @property
    def max_connections(self) -> int | None:
        """Maximum number of connections."""
        ...

    @property
    def max_keepalive_connections(self) -> int | None:
        """Maximum number of idle connections."""
        ...

    @property
    def keepalive_expiry(self) -> float | None:
        """Seconds that an idle connection is kept."""
        ...


class HttpxProxy(Protocol):
    """An `httpx.Proxy` or `httpx2.Proxy`."""

    @property
    def url(self) -> Any:
        """The URL, without user and password."""
        ...

    @property
    def raw_auth(self) -> tuple[bytes, bytes] | None:
        """User and password."""
        ...


class HttpxClient(Protocol):
    """An `httpx.Client` or `httpx2.Client`."""

    def build_request(self, method: str, url: str) -> Any:
        """Build a request."""

    def close(self) -> None:
        """Close its connections."""


class HttpxAsyncClient(Protocol):
    """An `httpx.AsyncClient` or `httpx2.AsyncClient`."""

    def build_request(self, method: str, url: str) -> Any:
        """Build a request."""

    async def aclose(self) -> None:
        """Close its connections."""


class HttpxBaseTransport(Protocol):
    """An `httpx.BaseTransport` or `httpx2.BaseTransport`."""

    def handle_request(self, request: Any, /) -> Any:
        """Send a request, and return its response."""

    def close(self) -> None:
        """Close its connections."""


class HttpxAsyncBaseTransport(Protocol):
    """An `httpx.AsyncBaseTransport` or `httpx2.AsyncBaseTransport`."""

    async def handle_async_request(self, request: Any, /) -> Any:
        """Send a request, and return its response."""

    async def aclose(self) -> None:
        """Close its connections."""


class HttpxResponse(Protocol):
    """An `httpx.Response` or `httpx2.Response`."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Any:
        """The header fields."""
        ...

    @property
    def content(self) -> bytes:
        """The body, decompressed."""
        ...

"""Requests and answers as values, apart from any transport."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from stepflow_api._headers import Headers


@dataclass(frozen=True, slots=True)
class Request:
    """A request before it meets a transport.

    Attributes:
        method: HTTP method.
        path: Path below the API's prefix, percent-encoded. It may have a query of its own.
        query: Pairs of names and values, added to that of the path.
        headers: Header fields.
        content: The body, None for none.
        template: Path template, such as `/runs/{run_id}`; empty if unknown.
        resend_count: How often the request has been sent before.
        expected_statuses: Statuses from 400 on that are no error of the request's span.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    content: bytes | None = field(default=None, repr=False)
    template: str = field(default="", repr=False, compare=False)
    resend_count: int = field(default=0, repr=False, compare=False)
    expected_statuses: tuple[int, ...] = field(default=(), repr=False, compare=False)

    def url(self, base_url: str) -> str:
        """Return the URL, for messages; what a query cannot hold becomes a question mark.

        Args:
            base_url: The server's URL with the API's prefix.
        """
        return base_url + self.target(errors="replace")

    def target(self, errors: str = "strict") -> str:
        """Return the path with the query; `errors` is that of `str.encode` for the query.

        Raises:
            UnicodeEncodeError: UTF-8 cannot encode the query.
        """
        if not self.query:
            return self.path
        # Imported here, so that creating a client does not load it.
        from urllib.parse import urlencode

        sign = "&" if "?" in self.path else "?"
        return f"{self.path}{sign}{urlencode(self.query, errors=errors)}"


class Answer(NamedTuple):
    """A response after it left the transport.

    Attributes:
        url: URL of the request, without a password.
        status_code: HTTP status.
        headers: Header fields.
        pieces: The body, in pieces as they arrived.
    """

    url: str
    status_code: int
    headers: Headers
    pieces: list[bytes]

    @property
    def content(self) -> bytes:
        """The complete body."""
        pieces = self.pieces
        if len(pieces) != 1:
            # Kept, since the body is read more than once.
            pieces[:] = [b"".join(pieces)]
        return pieces[0]

    @property
    def beginning(self) -> bytes:
        """The first bytes of the body: enough to see what it is."""
        beginning = b""
        for piece in self.pieces:
            beginning += piece
            if len(beginning) >= _BEGINNING:
                break
        return beginning


# The least number of bytes that `Answer.beginning` has, if there are as many.
_BEGINNING = 64

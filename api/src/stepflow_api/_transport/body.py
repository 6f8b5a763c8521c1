"""Bodies of answers: no longer than the client allows, and decompressed a part at a time."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterator
from typing import Any

from stepflow_api._constants import HEADER_FIELDS_LIMIT

ACCEPTED = "gzip, deflate"
"""Value of `Accept-Encoding`: encodings whose decoders stop after a given number of bytes."""

# Bytes to decompress at a time: those of a bomb become a thousand times as many.
_STEP = 64 * 1024

# Pieces that are kept as they came; more of them are joined if they are smaller on average.
_FEW = 1024
_SMALL = 1024


class Unreadable(Exception):
    """An answer that is too large, or whose encoding cannot be decoded."""


class Body:
    """The body of one answer while it arrives.

    Args:
        limit: Maximum size in bytes, as received and decompressed; None for no limit.

    Attributes:
        pieces: The body so far, as received.
        size: Its size in bytes.
    """

    __slots__ = ("_limit", "pieces", "size")

    def __init__(self, limit: int | None) -> None:
        self._limit = sys.maxsize if limit is None else limit
        self.size = 0
        self.pieces: list[bytes] = []

    def add(self, piece: bytes) -> None:
        """Add a piece.

        Raises:
            Unreadable: The body is larger than the limit.
        """
        self.size += len(piece)
        if self.size > self._limit:
            raise Unreadable(
                f"the response is larger than {self._limit} bytes; request less at a time, or raise"
                " the client's max_response_size"
            )
        pieces = self.pieces
        pieces.append(piece)
        # Each piece takes memory beside its bytes, of which it may have a single one.
        if len(pieces) > _FEW and len(pieces) > _FEW + self.size // _SMALL:
            self.pieces = [b"".join(pieces)]

    def decoded(self, encoding: str) -> list[bytes]:
        """Return the whole body, decompressed.

        Args:
            encoding: Value of `Content-Encoding`.

        Raises:
            Unreadable: It cannot be decoded, or is larger than the limit.
        """
        if not encoding:
            return self.pieces
        decoder = Decoder(encoding)
        body = Body(self._limit)
        for piece in self.pieces:
            for part in decoder.decode(piece):
                body.add(part)
        decoder.end()
        return body.pieces


class Decoder:
    """Decoder for a body that arrives in pieces.

    Args:
        encoding: Value of `Content-Encoding`; empty for none.

    Raises:
        Unreadable: The encoding is not one of those that were accepted.
    """

    def __init__(self, encoding: str) -> None:
        names = [name.strip().lower() for name in encoding.split(",")]
        names = [name for name in names if name not in ("", "identity")]
        if len(names) > 1 or not {*names} <= {"gzip", "x-gzip", "deflate"}:
            raise Unreadable(
                f"the response has the content encoding {encoding[:100]!r}, which this client does"
                " not decode; configure the server, or the proxy before it, to send gzip or none"
            )
        self._encoding = "".join(names)
        self._zlib: Any = None

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded bytes of a piece, in parts of a limited size.

        Raises:
            Unreadable: It cannot be decoded.
        """
        if not self._encoding:
            yield data
            return
        for start in range(0, len(data), _STEP):
            rest = data[start : start + _STEP]
            if self._zlib is None:
                self._zlib = zlib.decompressobj(self._window(rest[0]))
            part = b""
            while rest or len(part) == _STEP:
                try:
                    part = self._zlib.decompress(rest, _STEP)
                except zlib.error as error:
                    raise Unreadable(
                        f"the answer cannot be read ({error}); is this a Stepflow server?"
                    ) from error
                if part:
                    yield part
                if self._zlib.unused_data:
                    raise Unreadable("the answer continues after the end of its compressed data")
                rest = self._zlib.unconsumed_tail

    def end(self) -> None:
        """Check that the body is complete.

        Raises:
            Unreadable: It is not.
        """
        # None if there was no body.
        if self._zlib is not None and not self._zlib.eof:
            raise Unreadable("the answer ends in the middle of its compressed data")

    def _window(self, first: int) -> int:
        """Return the window size for zlib, which also selects the format."""
        if self._encoding != "deflate":
            return 16 + zlib.MAX_WBITS
        # Some servers send deflate without zlib's header, which begins so.
        return zlib.MAX_WBITS if first & 0x0F == zlib.DEFLATED else -zlib.MAX_WBITS


def check_fields(count: int) -> None:
    """Reject a response with so many header fields that they are slow to process.

    Raises:
        Unreadable: There are too many.
    """
    if count > HEADER_FIELDS_LIMIT:
        raise Unreadable(
            f"the response has {count} header fields, more than {HEADER_FIELDS_LIMIT}; is this a"
            " Stepflow server?"
        )

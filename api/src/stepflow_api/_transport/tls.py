"""Which certificates a client trusts, and the one that it presents itself."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from stepflow_api._transport.httpx_libraries import default_httpx_library, described
from stepflow_api.errors import InvalidRequest, one_line

if TYPE_CHECKING:
    import ssl

    from stepflow_api.types import VerifyTypes

# What `openssl rehash` names the files of a folder, the only ones that OpenSSL finds there.
_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")


class TLS:
    """The TLS settings of a client.

    Args:
        verify: As of `Client`.

    Raises:
        InvalidRequest: It is nothing that certificates can be verified by.
    """

    def __init__(self, verify: VerifyTypes) -> None:
        # The system's certificates take longer to load than all else that a client does.
        self._context = None if verify is True else _context(verify)

    def context(self) -> ssl.SSLContext:
        """Return the context that all connections share.

        Raises:
            InvalidRequest: The certificates that the environment names cannot be used.
        """
        if self._context is None:
            self._context = _usual_context()
        self._context.set_alpn_protocols(["http/1.1"])
        return self._context


def _usual_context() -> ssl.SSLContext:
    file = os.environ.get("SSL_CERT_FILE")
    try:
        if file:
            # httpx 0.27 would trust other certificates instead.
            os.stat(file)
        context: ssl.SSLContext = default_httpx_library().create_ssl_context()
    except (OSError, ValueError) as error:
        problem = one_line(str(error))
    else:
        return context
    # A program that was frozen to one file may lack those of certifi.
    what = (
        f"$SSL_CERT_FILE is {file!r}, which" if file else "the file of CA certificates of certifi"
    )
    raise InvalidRequest(
        f"{what} cannot be used: {problem}; set SSL_CERT_FILE to a file of CA certificates in PEM"
        " format, or pass verify="
    )


def _context(verify: VerifyTypes) -> ssl.SSLContext:
    import ssl

    if verify is False:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if isinstance(verify, ssl.SSLContext):
        if verify.protocol is ssl.PROTOCOL_TLS_SERVER:
            raise InvalidRequest(
                "verify is an ssl.SSLContext for servers; use ssl.create_default_context()"
            )
        return verify
    if not isinstance(verify, str | os.PathLike):
        raise InvalidRequest(
            f"verify is {described(verify)}; pass True, False, an ssl.SSLContext, or the path"
            " of a file or folder with CA certificates"
        )
    try:
        if not os.fspath(verify):
            # The ssl module would use the system's certificates.
            raise ValueError("it is empty")
        if not os.path.isdir(verify):
            return ssl.create_default_context(cafile=verify)
        if any(_HASHED.fullmatch(name) for name in os.listdir(verify)):
            return ssl.create_default_context(capath=verify)
        problem = "no file in this folder is named by its hash; run `openssl rehash` on it"
    except (OSError, ValueError) as error:
        problem = f"{one_line(str(error))}; pass a file of CA certificates in PEM format"
    raise InvalidRequest(f"verify is {str(verify)!r}, which cannot be used: {problem}")

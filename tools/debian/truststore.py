"""Turns a PEM bundle, its input, into a Java key store that trusts the bundle's certificates.

The argument is the bundle's name in messages. Debian's own program rewrites the host's store.
"""

import base64
import hashlib
import re
import struct
import sys

_MAGIC = 0xFEEDFEED
_VERSION = 2
_TRUSTED_CERTIFICATE = 2
_PASSWORD = "changeit"  # what Java expects of a trust store


def _string(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode("ascii")


def key_store(bundle: str) -> bytes:
    """Return a Java key store that trusts every certificate in `bundle`, which is PEM text.

    Raises:
        ValueError: `bundle` has no certificate.
    """
    certificates = [
        base64.b64decode("".join(body.split()))
        for body in re.findall(
            "-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", bundle, re.DOTALL
        )
    ]
    if not certificates:
        raise ValueError("it has none in PEM")
    store = struct.pack(">III", _MAGIC, _VERSION, len(certificates))
    for number, certificate in enumerate(certificates):
        store += struct.pack(">I", _TRUSTED_CERTIFICATE) + _string(f"ca{number}") + bytes(8)
        store += _string("X.509") + struct.pack(">I", len(certificate)) + certificate
    # The format names the salt; the digest guards against damage, not against people.
    digest = hashlib.sha1(_PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite" + store).digest()
    return store + digest


def main() -> None:
    """Read the bundle, and write the store to standard output."""
    bundle = sys.stdin.buffer.read().decode("ascii", errors="replace")
    try:
        sys.stdout.buffer.write(key_store(bundle))
    except ValueError as error:
        sys.exit(
            f"tools/bazel: cannot take certificates from {sys.argv[1]}: {error}:"
            " correct the file, or have SSL_CERT_FILE name another"
        )


if __name__ == "__main__":
    main()

"""Writes the certificates of a PEM bundle as a Java key store, which Java can trust without its own tools.

Usage: truststore.py BUNDLE KEYSTORE
"""

import base64
import hashlib
import re
import struct
import sys
from pathlib import Path

_MAGIC = 0xFEEDFEED
_VERSION = 2
_TRUSTED_CERTIFICATE = 2
_PASSWORD = "changeit"  # what Java expects of a trust store


def _utf(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode("ascii")


def key_store(bundle: str) -> bytes:
    """Returns a Java key store that trusts every certificate in `bundle`, which is PEM text."""
    certificates = [
        base64.b64decode("".join(body.split()))
        for body in re.findall(
            "-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", bundle, re.DOTALL
        )
    ]
    store = struct.pack(">III", _MAGIC, _VERSION, len(certificates))
    for number, certificate in enumerate(certificates):
        store += struct.pack(">I", _TRUSTED_CERTIFICATE) + _utf(f"ca{number}") + bytes(8)
        store += _utf("X.509") + struct.pack(">I", len(certificate)) + certificate
    # The format's own salt; the digest guards against damage, not against people.
    digest = hashlib.sha1(_PASSWORD.encode("utf-16-be") + b"Mighty Aphrodite" + store).digest()
    return store + digest


def main() -> None:
    """Runs the command line above."""
    bundle, destination = map(Path, sys.argv[1:])
    destination.write_bytes(key_store(bundle.read_text(encoding="ascii", errors="replace")))


if __name__ == "__main__":
    main()

"""The output is a Java key store, which is read here as Java's documentation describes it."""

import base64
import hashlib
import io
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tools.debian.truststore import key_store

CERTIFICATES = [b"first certificate", b"\x30\x82 second" * 40]


def pem(certificate: bytes) -> str:
    text = base64.encodebytes(certificate).decode()
    return f"-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"


def read_key_store(store: bytes) -> list[tuple[str, str, bytes]]:
    content, digest = store[:-20], store[-20:]
    salt = "changeit".encode("utf-16-be") + b"Mighty Aphrodite"
    assert hashlib.sha1(salt + content).digest() == digest
    stream = io.BytesIO(content)

    def number() -> int:
        return int(struct.unpack(">I", stream.read(4))[0])

    def string() -> str:
        return stream.read(struct.unpack(">H", stream.read(2))[0]).decode()

    assert (number(), number()) == (0xFEEDFEED, 2)
    entries = []
    for _ in range(number()):
        assert number() == 2  # a certificate to trust
        alias = string()
        stream.read(8)  # when it was made
        entries.append((alias, string(), stream.read(number())))
    assert stream.read() == b""
    return entries


def test_round_trip() -> None:
    bundle = "# My authority\n" + "\n".join(pem(certificate) for certificate in CERTIFICATES)

    entries = read_key_store(key_store(bundle))

    assert entries == [
        ("ca0", "X.509", CERTIFICATES[0]),
        ("ca1", "X.509", CERTIFICATES[1]),
    ]


@pytest.mark.parametrize("bundle", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_no_certificate(bundle: str) -> None:
    with pytest.raises(ValueError, match="it has none in PEM"):
        key_store(bundle)


def test_command_line() -> None:
    # Names of authorities in comments may be in any encoding.
    bundle = "# Autorité\n".encode("latin-1") + pem(CERTIFICATES[0]).encode()

    done = subprocess.run(
        [sys.executable, Path("tools/debian/truststore.py"), "bundle.pem"],
        input=bundle,
        capture_output=True,
        check=True,
    )

    assert read_key_store(done.stdout) == [("ca0", "X.509", CERTIFICATES[0])]

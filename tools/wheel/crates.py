"""Reads which Rust crates a program is made of, as far as it says so itself."""

from __future__ import annotations

import json
import re
import struct
import zlib
from dataclasses import dataclass

# Where cargo-auditable puts its list of all crates.
_SECTION = b".dep-v0"
# Messages of a panic name the file that it is in; Cargo unpacks each crate into such a folder.
_SOURCE = re.compile(
    rb"/registry/src/[^/\0]+/([A-Za-z0-9_-]+)-(\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?)/"
)


@dataclass(frozen=True, order=True)
class Crate:
    """One crate."""

    name: str
    version: str


@dataclass(frozen=True)
class Crates:
    """The crates of a program."""

    crates: tuple[Crate, ...]
    complete: bool
    """Whether it is cargo-auditable's list of all, and not only of those whose code can panic."""


def crates_of(program: bytes) -> Crates:
    """Return the crates that a program names, sorted.

    Args:
        program: The bytes of an executable file.
    """
    data = _section(program, _SECTION)
    if data is not None:
        packages = json.loads(zlib.decompress(data))["packages"]
        found = {
            Crate(one["name"], one["version"])
            for one in packages
            if one.get("kind", "runtime") == "runtime" and not one.get("root")
        }
        return Crates(tuple(sorted(found)), complete=True)
    paths = _SOURCE.findall(program)
    found = {Crate(name.decode(), version.decode()) for name, version in paths}
    return Crates(tuple(sorted(found)), complete=False)


def _section(program: bytes, wanted: bytes) -> bytes | None:
    # The ELF of 64-bit little-endian machines, which is what the servers are.
    if program[:6] != b"\x7fELF\x02\x01":
        return None
    (table,) = struct.unpack_from("<Q", program, 0x28)
    size, count, names = struct.unpack_from("<HHH", program, 0x3A)
    headers = [
        struct.unpack_from("<IIQQQQ", program, table + size * number) for number in range(count)
    ]
    if names >= count:
        return None
    names_at = headers[names][4]
    for name, _kind, _flags, _address, offset, length in headers:
        begin = names_at + name
        if program[begin : program.index(b"\0", begin)] == wanted:
            return program[offset : offset + length]
    return None

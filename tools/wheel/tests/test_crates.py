"""Which crates a program says that it has."""

from __future__ import annotations

import json
import os
import struct
import zlib
from pathlib import Path

from tools.wheel.crates import Crate, crates_of

PATHS = (
    b"\0/home/build/.cargo/registry/src/registry-1949cf8c6b5b557f/h2-0.4.13/src/lib.rs"
    b"/home/build/.cargo/registry/src/registry-1949cf8c6b5b557f/aide-0.16.0-alpha.2/src/a.rs"
    b"/home/build/.cargo/registry/src/registry-1949cf8c6b5b557f/h2-0.4.13/src/other.rs"
    b"/home/me/registry/src/no-version/lib.rs /tokio-1.0.0/src/lib.rs\0"
)


def elf(**sections: bytes) -> bytes:
    """Makes a program of 64 bits with these sections; `_` in a name stands for `.` or `-`."""
    named = {b"." + name.replace("_", "-").encode(): data for name, data in sections.items()}
    names = b"\0" + b"".join(name + b"\0" for name in [*named, b".shstrtab"])
    body, headers, at = b"", [bytes(64)], 64
    for name, data in [*named.items(), (b".shstrtab", names)]:
        begin = names.index(name + b"\0")
        headers.append(struct.pack("<IIQQQQ24x", begin, 1, 0, 0, at + len(body), len(data)))
        body += data
    header = b"\x7fELF\x02\x01".ljust(0x28, b"\0") + struct.pack("<Q", at + len(body))
    header = header.ljust(0x3A, b"\0") + struct.pack("<HHH", 64, len(headers), len(headers) - 1)
    return header + body + b"".join(headers)


def test_the_list_of_cargo_auditable() -> None:
    packages = [
        {"name": "tokio", "version": "1.52.0", "source": "registry"},
        {"name": "axum", "version": "0.8.8", "source": "registry", "dependencies": [0]},
        {"name": "cc", "version": "1.2.0", "source": "registry", "kind": "build"},
        {"name": "stepflow-server", "version": "0.14.0", "source": "local", "root": True},
    ]
    data = zlib.compress(json.dumps({"packages": packages}).encode())

    found = crates_of(elf(text=PATHS, dep_v0=data, comment=b"rustc"))

    assert found.complete
    assert found.crates == (Crate("axum", "0.8.8"), Crate("tokio", "1.52.0"))


def test_paths_of_sources() -> None:
    for program in (elf(rodata=PATHS), PATHS):
        found = crates_of(program)

        assert not found.complete
        assert found.crates == (Crate("aide", "0.16.0-alpha.2"), Crate("h2", "0.4.13"))


def test_a_program_that_names_none() -> None:
    for program in (b"", b"#!/bin/sh\n", elf()):
        assert crates_of(program).crates == ()


def test_the_pinned_server() -> None:
    found = crates_of(Path(os.environ["STEPFLOW_SERVER"]).read_bytes())

    # If the list is ever complete, the SBOM must no longer say that crates may be missing.
    assert not found.complete
    names = {one.name for one in found.crates}
    assert {"axum", "hyper", "sqlx-core", "tokio"} <= names
    assert len(names) > 100

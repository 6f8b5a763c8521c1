"""The README's table says what becomes of every operation on every server's binary."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tools.files import marked_part
from tools.spec.compat.probe import CALLS, Support, probe
from tools.spec.compat.table import BEGIN, END, read
from tools.spec.normalise import SpecError, parse
from tools.spec.served import served_spec

SERVERS = dict(server.split("=", 1) for server in os.environ["SERVERS"].split())
README = Path(os.environ["README"])
REMEDY = "To fix it: tools/bazel run //tools/spec:compat"


def supports() -> dict[str, dict[str, Support]]:
    """Return what the README says, by version and then by call."""
    return read(marked_part(README.read_text(encoding="utf-8"), BEGIN, END)[1])


def operations(spec: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Return the names of a spec's operations by method and path."""
    return {
        (method, path): definition["operationId"]
        for path, item in spec["paths"].items()
        for method, definition in item.items()
        if method in ("get", "post", "put", "delete", "patch")
    }


@pytest.fixture(scope="session")
def stored() -> dict[tuple[str, str], str]:
    """The operations of the stored spec."""
    return operations(parse(Path(os.environ["SPEC"]).read_bytes()))


@pytest.mark.parametrize("version", SERVERS)
def test_the_table_is_true(version: str, stored: dict[tuple[str, str], str]) -> None:
    told = supports().get(version, {})
    found = probe(SERVERS[version])
    wrong = [
        f"{call} on {version}: the table says {told.get(call, 'nothing')}, and it is {support}"
        for call, support in found.items()
        if told.get(call) != support
    ]
    wrong += [f"{call} on {version}: no such operation" for call in told if call not in found]
    if wrong:
        pytest.fail("\n".join([*wrong, REMEDY]), pytrace=False)
    try:
        served = operations(parse(served_spec(SERVERS[version])))
    except SpecError:
        # From 0.12 on they serve no spec.
        assert tuple(map(int, version.split("."))) >= (0, 12)
        return
    # The server's own word: the SDK refuses what a server does not have, and nothing else.
    lacking = {name for address, name in stored.items() if address not in served}
    assert {n for n in stored.values() if found[n] is Support.UNSUPPORTED} == lacking


def test_every_operation_is_called(stored: dict[tuple[str, str], str]) -> None:
    assert {call.partition(",")[0] for call in CALLS} == set(stored.values())


def test_every_server_has_a_column() -> None:
    assert list(supports()) == list(SERVERS)

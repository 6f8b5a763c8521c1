"""The command that draws flows."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from stepflow_api.models import Flow
from stepflow_client import SyncStepflowClient, cli
from tools.spec.server import StepflowServer

FLOW = {
    "name": "f",
    "steps": [{"id": "a", "component": "/create_messages", "input": {"$input": "x"}}],
    "output": {"$step": "a"},
}
MODEL = Flow.from_dict(FLOW)

#: Half of a surrogate pair, which JSON can have.
NAME = "a\ud800b"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "flow.json"
    path.write_bytes(MODEL.to_json())
    return path


@pytest.mark.parametrize(
    ("format", "expected"),
    [
        ((), MODEL.to_mermaid()),
        (("--format", "mermaid"), MODEL.to_mermaid()),
        (("--format", "svg"), MODEL.to_svg()),
        (("--format", "dot"), MODEL.to_dot()),
    ],
)
def test_a_flow_is_drawn(
    path: Path, format: tuple[str, ...], expected: str, capfd: pytest.CaptureFixture[str]
) -> None:
    # Needs no server.
    assert cli.run(["--url", "http://127.0.0.1:9", "graph", str(path), *format]) == 0
    sys.stdout.flush()
    assert capfd.readouterr() == (expected, "")
    file = path.with_name("out")
    assert cli.run(["graph", str(path), *format, "-o", str(file)]) == 0
    assert file.read_text(encoding="utf-8") == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.svg", MODEL.to_svg()),
        ("a.SVG", MODEL.to_svg()),
        ("a.gv", MODEL.to_dot()),
        ("a.dot", MODEL.to_dot()),
        ("a.mmd", MODEL.to_mermaid()),
    ],
)
def test_the_name_of_the_file_says_the_format(path: Path, name: str, expected: str) -> None:
    file = path.with_name(name)
    assert cli.run(["graph", str(path), "--output", str(file)]) == 0
    assert file.read_text(encoding="utf-8") == expected


def test_the_format_that_is_named_wins(path: Path) -> None:
    file = path.with_name("a.svg")
    assert cli.run(["graph", str(path), "--output", str(file), "--format", "dot"]) == 0
    assert file.read_text(encoding="utf-8") == MODEL.to_dot()


@pytest.mark.parametrize("format", ["mermaid", "svg", "dot"])
def test_a_name_that_no_encoding_has(
    path: Path, format: str, capfd: pytest.CaptureFixture[str]
) -> None:
    flow = {"name": NAME, "steps": [{"id": NAME, "component": NAME}], "output": {"$step": NAME}}
    path.write_text(json.dumps(flow), encoding="utf-8")
    file = path.with_name("out")
    assert cli.run(["graph", str(path), "--format", format, "-o", str(file)]) == 0
    assert cli.run(["graph", str(path), "--format", format]) == 0
    sys.stdout.flush()
    assert capfd.readouterr() == (file.read_text(encoding="utf-8"), "")
    shown = "a#65533;b" if format == "mermaid" else "a\ufffdb"
    assert shown in file.read_text(encoding="utf-8")


def test_a_stored_flow_is_drawn(server: StepflowServer, capfd: pytest.CaptureFixture[str]) -> None:
    with SyncStepflowClient(server.url) as client:
        flow_id = client.store_flow(FLOW)
    assert cli.run(["--url", server.url, "graph", flow_id]) == 0
    sys.stdout.flush()
    assert capfd.readouterr().out == MODEL.to_mermaid()


def test_what_cannot_be_drawn(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    missing = str(path.with_name("missing.yaml"))
    assert cli.run(["graph", missing]) == 2
    assert "there is no such file" in capfd.readouterr().err
    assert cli.run(["graph", str(path), "-o", str(path.parent)]) == 2
    assert "cannot write" in capfd.readouterr().err
    assert cli.run(["graph", str(path), "--format", "png"]) == 2
    assert "png" in capfd.readouterr().err

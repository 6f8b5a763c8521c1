"""The example notebook, executed by a kernel as a notebook application does it."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from runtime.tests.programs import MARK, marked
from runtime.tests.support import wait_until

NOTEBOOK = Path("runtime/examples/notebook.ipynb")


def read() -> Any:
    """Return the notebook."""
    text = NOTEBOOK.read_text(encoding="utf-8")
    notebook: Any = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    return notebook


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the kernel works in: it is this Python, with the packages of this test."""
    kernel = tmp_path / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    launch = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    document = {"argv": launch, "display_name": "Python 3", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(document), encoding="utf-8")
    # The settings and kernels of the user are not read.
    for name in ("JUPYTER_PATH", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "jupyter"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    paths = [os.path.abspath(path) for path in sys.path if path]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    monkeypatch.setenv(*MARK.split("="))
    work = tmp_path / "work"
    work.mkdir()
    return work


def outputs(notebook: Any) -> list[str]:
    """Return what each cell of code shows: its text, and its last value as HTML if it can."""
    shown: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            texts: list[str] = []
            for output in cell.outputs:
                data: dict[str, str] = output.get("data", {})
                texts += [output.get("text", ""), data.get("text/html", data.get("text/plain", ""))]
            shown.append("".join(texts))
    return shown


def test_it_is_stored_without_outputs() -> None:
    cells = [cell for cell in read().cells if cell.cell_type == "code"]
    assert cells
    assert all((cell.outputs, cell.execution_count) == ([], None) for cell in cells)


def test_every_cell_runs_and_shows_what_it_says(folder: Path) -> None:
    notebook = read()
    # A cell that fails raises an error with its traceback.
    NotebookClient(
        notebook, timeout=120, startup_timeout=120, resources={"metadata": {"path": str(folder)}}
    ).execute()
    functions, flow, first, again, batch, handle, timeline, report, stopped = outputs(notebook)
    assert functions == ""
    assert flow.startswith("<svg")
    assert all(f">{step}</text>" in flow for step in ("words", "longest", "loud"))
    assert first.startswith("<table>")
    assert "&quot;loud&quot;: &quot;NOTEBOOK&quot;" in first
    assert "&quot;loud&quot;: &quot;NOTEBOOK!&quot;" in again
    assert "4 items: 3 completed, 1 failed" in batch
    assert "ValueError: the text has no words (code -32100)" in batch
    run_id = re.search("run ([0-9a-f-]{36})", batch)
    assert run_id is not None
    assert run_id[1] in handle
    assert run_id[1] in timeline
    assert timeline.count('<tr class="item">') == 4
    assert timeline.count('<tr class="step inner">') == 4 * 3
    assert '<td>item 2</td><td class="status"><span class="status failed">' in timeline
    assert "report.html" in report
    assert "ValueError: the text has no words" in (folder / "report.html").read_text("utf-8")
    assert stopped == "<StepflowRuntime stopped>"
    # A thread writes it, so a later cell may show it.
    assert 'raise ValueError("the text has no words")' in "".join(outputs(notebook))
    wait_until(lambda: not marked(), "the kernel and its server have exited")

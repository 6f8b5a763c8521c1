"""The page about a run: complete, self-contained, and harmless whatever the run's data are."""

from __future__ import annotations

import html.parser
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from client.tests.support import READ_FILE, VERSION, Driver
from stepflow_api.testing import MockServer, finished_run
from stepflow_client import SyncStepflowClient, cli, errors
from tools.spec.server import StepflowServer

NUMBERS = tuple(map(int, VERSION.split(".")))
HAS_EVENTS = NUMBERS >= (0, 12)
HAS_OUTPUTS = HAS_EVENTS or NUMBERS < (0, 10)
HAS_INPUTS = (0, 10) <= NUMBERS < (0, 12)

EVIL = "</pre><script>alert(1)</script>\x1b\u202e"

#: The second step reads the first, the third fails, and the last is not needed.
FLOW = {
    "name": "shown",
    "steps": [
        {
            "id": "ask",
            "component": "/create_messages",
            "input": {"user_prompt": {"$input": "prompt"}},
        },
        {
            "id": EVIL,
            "component": "/create_messages",
            "input": {"user_prompt": {"$step": "ask", "path": "messages[0].content"}},
        },
        {"id": "read", "component": "/load_file", "input": {"path": "/nowhere"}},
        {"id": "unused", "component": "/create_messages", "input": {"user_prompt": "x"}},
    ],
    "output": [{"$step": EVIL}, {"$step": "read"}],
}


class Page(html.parser.HTMLParser):
    """Elements, links, anchors and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.anchors: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        self.text = " ".join("".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an element."""
        self.tags.add(tag)
        values = dict(attrs)
        if anchor := values.get("id"):
            self.anchors.append(anchor)
            if "open" in values:
                self.open.append(anchor)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        """Record text."""
        self.words.append(data)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.html"


def read(path: Path) -> Page:
    text = path.read_text(encoding="utf-8")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "default-src 'none'" in text
    page = Page(text)
    # Nothing is loaded or run, and every link is one inside of the page.
    assert page.tags.isdisjoint({"script", "img", "link", "iframe", "object"})
    assert {link[:1] for link in page.links} <= {"#"}
    assert {link[1:] for link in page.links} <= set(page.anchors)
    assert len(page.anchors) == len(set(page.anchors))
    return page


def test_a_failed_run(do: Driver, client: Any, path: Path) -> None:
    handle = do(client.submit(FLOW, {"prompt": "the prompt"}))
    do(handle.result(timeout=60))
    assert do(handle.report(path)) is None
    page = read(path)
    assert "shown ✗ failed after" in page.text
    assert str(handle.id) in page.text
    # The failing step is named on top, linked to, and open.
    assert 'step read: step "read" failed' in page.text
    assert page.open == ["item-0-step-2"]
    assert "#item-0-step-2" in page.links
    assert "/nowhere" in page.text
    assert "unused not run" in page.text
    if HAS_INPUTS:
        assert '"prompt": "the prompt"' in page.text
    else:
        assert "This server does not report the inputs of runs." in page.text
    if HAS_OUTPUTS:
        assert '"content": "the prompt"' in page.text
        # What the second step read, taken from the output of the first.
        assert '"user_prompt": "the prompt"' in page.text
    else:
        assert '"$step": "ask"' in page.text
        assert "This server does not report the outputs of steps." in page.text
    # The backtrace is folded away.
    text = path.read_text(encoding="utf-8")
    assert re.search(r"<details><summary>details</summary>\n<pre>step", text) or HAS_EVENTS
    graph = text[text.index("<svg") : text.index("</svg>")]
    assert graph.count('class="box status completed"') == 2
    assert graph.count('class="box status failed"') == 1
    assert graph.count('class="not-run"') == 1


def test_a_batch(do: Driver, client: Any, path: Path, tmp_path: Path) -> None:
    (tmp_path / "file.json").write_text('"read"', encoding="utf-8")
    good = {"path": str(tmp_path / "file.json")}
    inputs = [good if number % 5 else {"path": "/nowhere"} for number in range(50)]
    handle = do(client.submit_batch(READ_FILE, inputs))
    do(handle.results(timeout=60))
    do(handle.report(path, items=8))
    page = read(path)
    items = [int(one.removeprefix("item-")) for one in page.anchors if "step" not in one]
    assert items[:4] == [0, 5, 10, 15]
    assert len(items) == 8
    assert all(number % 5 for number in items[4:])
    assert "50 items: 40 completed, 10 failed" in page.text
    assert "42 items left out, 6 of the 10 failed ones among them" in page.text
    assert "Item 0 ✗ failed" in page.text
    # Each item that is shown has its own data.
    parts = re.split(r"Item (?=\d+ [✓✗])", page.text)[1:]
    assert [int(part.split()[0]) for part in parts] == items
    for number, part in zip(items, parts, strict=True):
        assert ('step "read" failed' in part) is (number % 5 == 0)
        assert ("Output (text)read" in part) is (number % 5 > 0)
    if VERSION != "0.9.0":
        # Of a step's statuses, the graph shows the worst.
        assert 'class="box status failed"' in path.read_text(encoding="utf-8")


@pytest.mark.skipif(VERSION == "0.9.0", reason="it creates no run in progress")
def test_a_run_in_progress(do: Driver, client: Any, path: Path, fifo: Callable[[], Path]) -> None:
    handle = do(client.submit(READ_FILE, {"path": str(fifo())}))
    do(handle.report(path))
    assert "read-file ▸ running, 1 item" in read(path).text


def test_a_long_value_is_cut(do: Driver, client: Any, path: Path) -> None:
    handle = do(client.submit({"steps": [], "output": {"$input": "$"}}, "x" * 100_000))
    do(handle.result(timeout=60))
    do(handle.report(path))
    assert path.stat().st_size < 100_000
    page = read(path)
    assert "… (100,000 characters)" in page.text
    assert "unnamed flow" in page.text


@pytest.mark.parametrize("status", ["completed", "running"])
def test_a_run_whose_flow_the_server_has_lost(do: Driver, path: Path, status: str) -> None:
    routes: dict[str, Any] = finished_run("the output")
    run = routes["GET /runs/{run_id}"] | {"status": status}
    items = routes["GET /runs/{run_id}/items"]["items"]
    step: dict[str, Any] = {"stepId": "the step", "component": "/c", "status": "completed"}
    step["result"] = {"outcome": "success", "result": "of the step"}
    if status == "running":
        items = [{"itemIndex": 0, "status": status}]
    server = MockServer(
        {
            "GET /runs": {"runs": [run]},
            "GET /runs/{run_id}": run | {"itemDetails": []},
            "GET /runs/{run_id}/items": {"itemCount": 1, "items": items},
            "GET /runs/{run_id}/steps": {"steps": {"the step": step}},
            "GET /runs/{run_id}/events": httpx.Response(404),
            "GET /flows/{flow_id}": 404,
        }
    )
    client = do.client("http://server.invalid", server_version="0.11.1", transport=server)
    handle = client.handle(run["runId"])
    do(handle.report(path))
    page = read(path)
    assert "The server does not have the flow any more." in page.text
    assert "the step ✓ completed" in page.text
    assert "(text)of the step" in page.text
    assert ("(text)the output" in page.text) is (status == "completed")
    assert do(handle.diff(handle.id)).is_equal
    do(client.close())


def test_a_report_that_cannot_be_written(do: Driver, client: Any, tmp_path: Path) -> None:
    handle = do(client.submit({"steps": [], "output": 1}, {}))
    do(handle.result(timeout=60))
    with pytest.raises(
        errors.InvalidInput, match=r"cannot write .*: Is a directory; check the path"
    ):
        do(handle.report(tmp_path))
    with pytest.raises(errors.InvalidInput, match=r"cannot write .*: embedded null byte; check"):
        do(handle.report(tmp_path / "a\0b"))
    with pytest.raises(errors.NotFound):
        do(client.handle(uuid4()).report(tmp_path / "none.html"))
    assert not (tmp_path / "none.html").exists()


def test_the_command(
    server: StepflowServer,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("STEPFLOW_URL", server.url)
    with SyncStepflowClient(server.url) as client:
        handle = client.submit(FLOW, {"prompt": "x"})
        handle.result(timeout=60)
    monkeypatch.chdir(path.parent)
    for arguments in ((), ("-o", "other.html")):
        name = arguments[-1] if arguments else "run.html"
        assert cli.run(["report", str(handle.id), *arguments]) == 0
        sys.stdout.flush()
        assert capfd.readouterr() == ("", f"wrote {name}\n")
        assert str(handle.id) in read(path.with_name(name)).text
    assert cli.run(["report", str(uuid4())]) == 1
    assert capfd.readouterr().err.count("\n") == 1

"""What results, batches and handles say of themselves, in consoles and notebooks."""

from __future__ import annotations

import re
from typing import Any

from client.tests.support import READ_FILE, Driver
from stepflow_api.models import FlowResultFailed, FlowResultSuccess
from stepflow_api.testing import MockServer, finished_run
from stepflow_client import SyncStepflowClient

ECHO: dict[str, Any] = {"name": "echo", "steps": [], "output": {"$input": "a"}}


def test_a_success(do: Driver, client: Any) -> None:
    result = do(client.run(ECHO, {"a": {"text": "<b>\x1b"}}))
    assert repr(result) == "FlowResultSuccess(outcome='success', result={'text': '<b>\\x1b'})"
    page = result._repr_html_()
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "\x1b" not in page
    assert "\n" not in page
    letters: Any = FlowResultSuccess(outcome="success", result=["é😀"])
    assert "é😀" in letters._repr_html_()
    several: Any = FlowResultSuccess(outcome="success", result=list(range(50)))
    assert several._repr_html_().count("\n") == 51
    long = FlowResultSuccess(outcome="success", result="x" * 100_000)
    shown: Any = long
    assert len(shown._repr_html_()) < 3000
    assert "… (100,000 characters)" in shown._repr_html_()


def test_a_failure(do: Driver, client: Any) -> None:
    result = do(client.run(READ_FILE, {"path": "/nowhere"}))
    assert "code=-32300" in repr(result)
    assert "step='read'" in repr(result)
    assert "invalid input" in repr(result)
    # A server with RUST_BACKTRACE=1 sends more than a thousand characters beside this.
    assert len(repr(result)) < 300
    assert "Component: /load_file" in result.error.details
    page = result._repr_html_()
    assert ">-32300<" in page
    assert ">read<" in page
    assert "backtrace" not in page


def test_a_handle(do: Driver, client: Any) -> None:
    handle = do(client.submit(ECHO, {"a": 1}))
    name = "RunHandle" if do.is_async else "SyncRunHandle"
    assert repr(handle) == f"{name}('{handle.id}', server='{client.url}')"
    assert str(handle.id) in handle._repr_html_()
    assert client.url in handle._repr_html_()


def test_a_handle_has_no_password(do: Driver) -> None:
    client = do.client("http://user:secret@localhost:1")
    handle = client.handle("00000000-0000-0000-0000-000000000001")
    assert "secret" not in repr(handle) + handle._repr_html_()
    do(client.close())


def test_a_client_that_could_not_be_made(do: Driver) -> None:
    # A traceback shows it.
    client = do.client("http://localhost:1")
    cls: Any = type(client)
    assert repr(client) == f"{cls.__name__}('http://localhost:1/api/v1')"
    assert repr(cls.__new__(cls)) == f"{cls.__name__}(None)"
    do(client.close())


def test_a_batch(do: Driver, client: Any) -> None:
    flow = {**READ_FILE, "output": {"$step": "read", "path": "data"}}
    results = do(client.run_batch(flow, [{"path": "/nowhere"}, {}] * 20))
    assert repr(results) == f"BatchResults(run_id='{results.run_id}', 40 items: 40 failed)"
    page = results._repr_html_()
    assert page.count("<tr>") == 12
    assert "step read: step &quot;read&quot; failed: " in page
    assert "30 more" in page
    assert "backtrace" not in page


def test_failed_items_come_first_if_items_are_left_out(do: Driver, client: Any) -> None:
    inputs = [{"a": number} if number != 30 else {} for number in range(40)]
    results = do(client.run_batch(ECHO, inputs))
    assert "40 items: 39 completed, 1 failed" in repr(results)
    page = results._repr_html_()
    assert page.index(">30<") < page.index(">0<")
    few = do(client.run_batch(ECHO, [{"a": "one"}, {}, {"a": "two"}]))._repr_html_()
    assert few.index(">0<") < few.index(">1<") < few.index(">2<")
    one = do(client.run_batch(ECHO, [{"a": 1}]))
    assert "1 item: 1 completed" in repr(one)
    assert "more" not in one._repr_html_()
    none = do(client.run_batch(ECHO, []))
    assert "0 items)" in repr(none)


def test_results_that_cannot_be_parsed() -> None:
    answers = finished_run(
        FlowResultFailed.from_dict({"outcome": "failed", "error": {"code": 1, "message": "x"}})
    )
    answers["GET /runs/{run_id}/items"] = {"itemCount": 2, "items": [{"itemIndex": 0}]}
    server = MockServer(answers)
    with SyncStepflowClient("http://localhost:7840", transport=server) as client:
        results: Any = client.run_batch(ECHO, [1, 2])
        assert repr(results) == f"BatchResults(run_id='{results.run_id}')"
        assert "cannot be parsed" in results._repr_html_()


def test_items_without_a_result() -> None:
    answers = finished_run("a", "b")
    items: list[dict[str, Any]] = [
        {"itemIndex": 0, "status": "completed", "result": {"outcome": "success", "result": "<a>"}},
        {"itemIndex": 1, "status": "cancelled"},
        {"itemIndex": 2, "status": "failed", "result": None},
    ]
    answers["GET /runs/{run_id}/items"] = {"itemCount": 3, "items": items}
    with SyncStepflowClient("http://localhost:7840", transport=MockServer(answers)) as client:
        results: Any = client.run_batch(ECHO, [1, 2, 3])
    counts = "3 items: 1 cancelled, 1 completed, 1 failed"
    assert repr(results) == f"BatchResults(run_id='{results.run_id}', {counts})"
    page = re.sub(r"<[^>]*>", " ", results._repr_html_()).split()
    assert " ".join(page) == (
        f"run {results.run_id}: {counts} item status output or error"
        " 0 completed &lt;a&gt; 1 cancelled 2 failed"
    )
    items_of: Any = results.items
    assert repr(items_of) == f"Items(run_id='{results.run_id}')"

"""The text of the page about a run, to the letter, of a server that reports everything."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from client.tests.support import RUNNING
from stepflow_api import __version__
from stepflow_api.testing import MockServer
from stepflow_client import SyncStepflowClient

START = datetime(2026, 1, 1, tzinfo=UTC)
RUN_ID = str(UUID(int=1))

FLOW: dict[str, Any] = {
    "name": "pages",
    "steps": [
        {"id": "ask", "component": "/ask", "input": {"q": {"$input": "q"}}},
        {"id": "use", "component": "/use", "input": {"text": {"$step": "ask", "path": "texts[0]"}}},
        {"id": "not needed", "component": "/other", "input": {"text": {"$step": "use"}}},
    ],
    "output": {"$step": "use"},
}


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


def event(number: int, seconds: float, kind: str, item: int, step: int, **fields: Any) -> Any:
    place = {"runId": RUN_ID, "itemIndex": item, "stepIndex": step}
    return {
        "sequenceNumber": number,
        "timestamp": at(seconds),
        "kind": kind,
        **place,
        "stepId": FLOW["steps"][step]["id"],
        **fields,
    }


def server(items: int, error: dict[str, Any], failures: int = 1) -> MockServer:
    """A server with a run whose first items have failed."""
    failed = {"outcome": "failed", "error": error}
    outputs = [{"outcome": "success", "result": {"texts": ["an <answer>"]}}] * items
    completed = items - failures
    results = [*[failed] * failures, *[{"outcome": "success", "result": "fine"}] * completed]
    statuses = [*["failed"] * failures, *["completed"] * completed]
    counts = {"completed": completed, "failed": failures, "running": 0, "cancelled": 0}
    run = {
        **RUNNING["summary"],
        "flowName": "pages",
        "status": "failed",
        "createdAt": at(0),
        "completedAt": at(90),
        "items": {"total": items, **counts},
    }
    events: list[Any] = []
    for item in range(items):
        events += [
            event(5 * item, 1, "StepStarted", item, 0),
            event(5 * item + 1, 2, "StepCompleted", item, 0, status="completed"),
            event(5 * item + 2, 2, "StepStarted", item, 1, attempt=1),
            event(5 * item + 3, 3, "StepStarted", item, 1, attempt=2),
            event(5 * item + 4, 70 + item, "StepCompleted", item, 1, status=statuses[item]),
        ]
    last = {
        "sequenceNumber": 5 * items,
        "timestamp": at(90),
        "kind": "RunCompleted",
        "runId": RUN_ID,
    }
    events.append({**last, "status": "failed"})

    def steps(request: Any) -> dict[str, Any]:
        item = int(request.query["itemIndex"])
        shown = [(outputs[item], "completed"), (results[item], statuses[item])]
        return {
            "steps": {
                FLOW["steps"][index]["id"]: {
                    "stepIndex": index,
                    "stepId": FLOW["steps"][index]["id"],
                    "component": FLOW["steps"][index]["component"],
                    "status": status,
                    "result": result,
                }
                for index, (result, status) in enumerate(shown)
            }
        }

    return MockServer(
        {
            "GET /flows/{flow_id}": {"flowId": "0" * 64, "flow": FLOW},
            "GET /runs": {"runs": [run]},
            "GET /runs/{run_id}": {
                **run,
                "itemDetails": [
                    {
                        "itemIndex": item,
                        "status": statuses[item],
                        "input": {"q": f"question {item}"},
                        "steps": [],
                    }
                    for item in range(items)
                ],
            },
            "GET /runs/{run_id}/items": {
                "itemCount": items,
                "items": [
                    {"itemIndex": item, "status": statuses[item], "result": results[item]}
                    for item in range(items)
                ],
            },
            "GET /runs/{run_id}/steps": steps,
            "GET /runs/{run_id}/events": events,
        }
    )


def page_of(tmp_path: Path, transport: MockServer) -> str:
    """Return the page without its head and its picture."""
    path = tmp_path / "run.html"
    with SyncStepflowClient(
        "http://server.invalid", server_version="0.11.1", transport=transport
    ) as client:
        client.handle(RUN_ID).report(path)
    page = path.read_text(encoding="utf-8").partition("<body>")[2]
    return re.sub("<svg.*</svg>", "", page, flags=re.DOTALL)


def words(page: str) -> str:
    """Return the texts of the elements."""
    texts = (" ".join(html.unescape(text).split()) for text in re.split("<[^>]*>", page))
    return " | ".join(text for text in texts if text)


def links(page: str) -> list[str]:
    """Return each link's text and the id that it leads to."""
    found = re.findall('<a href="#([^"]*)">(.*?)</a>', page)
    return [f"{text}: {anchor}" for anchor, text in found]


HEAD = (
    f"run | {RUN_ID} | flow | {'0' * 64} | created | 2026-01-01 00:00:00.000 UTC"
    " | finished | 2026-01-01 00:01:30.000 UTC"
)


def test_a_run(tmp_path: Path) -> None:
    page = page_of(tmp_path, server(1, {"code": 7, "message": "no <luck>"}))
    assert words(page) == (
        f"pages | ✗ failed | after 1 min 30 s, 1 item | {HEAD}"
        " | step use | : no <luck> (code 7) | Flow"
        " | Timeline | step | status | start | duration | 0 | 1 min 30 s"
        " | ask | ✓ completed | +1.00 s | 1.00 s"
        " | use | ✗ failed | (2×) | +2.00 s | 1 min 8 s"
        ' | Steps | Input | { "q": "question 0" } | Error 7 | no <luck>'
        ' | ask | ✓ completed | 1.00 s | /ask | Input | { "q": "question 0" }'
        ' | Output | { "texts": [ "an <answer>" ] }'
        " | started 2026-01-01 00:00:01.000 UTC, finished 2026-01-01 00:00:02.000 UTC"
        ' | use | ✗ failed | 1 min 8 s | /use | Input | { "text": "an <answer>" }'
        " | Error 7 | no <luck>"
        " | started 2026-01-01 00:00:02.000 UTC, finished 2026-01-01 00:01:10.000 UTC, 2 attempts"
        ' | not needed | not run | /other | Input | { "text": { "$step": "use" } }'
        f" | stepflow-client {__version__}"
    )
    assert links(page) == ["step use: item-0-step-1", "ask: item-0-step-0", "use: item-0-step-1"]


def test_a_batch(tmp_path: Path) -> None:
    error = {"code": 7, "message": "step use failed", "data": {"a": 1}}
    page = page_of(tmp_path, server(2, error))
    text = words(page)
    for part in (
        f"pages | ✗ failed | after 1 min 30 s, 2 items: 1 completed, 1 failed | {HEAD}"
        " | item 0, step use | : step use failed (code 7)"
        " | Flow | A step has the worst status that it has in the items below."
        " | Timeline | item, step | status | start | duration | 0 | 1 min 30 s"
        " | item 0 | ✗ failed | +1.00 s | 1 min 9 s | ask | ✓ completed | +1.00 s | 1.00 s"
        " | use | ✗ failed | (2×) | +2.00 s | 1 min 8 s"
        " | item 1 | ✓ completed | +1.00 s | 1 min 10 s | ask | ✓ completed | +1.00 s | 1.00 s"
        " | use | ✓ completed | (2×) | +2.00 s | 1 min 9 s | Items"
        " | Item 0 | ✗ failed | 1 min 9 s | Input",
        ' | Error 7 | step use failed | details | step use failed (code 7) { "a": 1 } | ask',
        ' | Item 1 | ✓ completed | 1 min 10 s | Input | { "q": "question 1" }'
        " | Output (text) | fine | ask | ",
    ):
        assert part in text
    assert links(page) == [
        "item 0, step use: item-0-step-1",
        *("item 0: item-0", "ask: item-0-step-0", "use: item-0-step-1"),
        *("item 1: item-1", "ask: item-1-step-0", "use: item-1-step-1"),
    ]


def test_the_first_failures(tmp_path: Path) -> None:
    for failures, more in ((5, 0), (6, 1), (7, 2)):
        text = words(page_of(tmp_path, server(8, {"code": 7, "message": "no"}, failures)))
        listed, _, _ = text.partition(" | Flow")
        assert listed.count(", step use | : no (code 7)") == 5
        assert (" | and " in listed) is bool(more)
        assert f" | and {more} failed item" in listed or not more

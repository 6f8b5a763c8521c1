"""The text of the page about a run, to the letter, of a server that reports everything."""

from __future__ import annotations

import html
import json
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


def page_of(tmp_path: Path, transport: MockServer, items: int = 20) -> str:
    """Return the page without its head and its picture."""
    path = tmp_path / "run.html"
    with SyncStepflowClient(
        "http://server.invalid", server_version="0.11.1", transport=transport
    ) as client:
        client.handle(RUN_ID).report(path, items=items)
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


def test_one_item_of_a_batch(tmp_path: Path) -> None:
    error = {"code": 7, "message": "step use failed"}
    page = page_of(tmp_path, server(3, error), items=1)
    text = words(page)
    assert " | item 0, step use | : step use failed (code 7) | Flow | A step has the worst" in text
    note = "2 items left out: shown are failed items, then the slowest"
    assert f" | {note} | Items | Item 0 | ✗ failed | 1 min 9 s | Input" in text
    assert links(page)[1:] == ["item 0: item-0", "ask: item-0-step-0", "use: item-0-step-1"]


def test_the_first_failures(tmp_path: Path) -> None:
    for failures, more in ((5, 0), (6, 1), (7, 2)):
        text = words(page_of(tmp_path, server(8, {"code": 7, "message": "no"}, failures)))
        listed, _, _ = text.partition(" | Flow")
        assert listed.count(", step use | : no (code 7)") == 5
        assert (" | and " in listed) is bool(more)
        assert f" | and {more} failed item" in listed or not more


def mock(
    run: dict[str, Any],
    results: dict[int, Any],
    events: list[Any],
    *,
    flow: Any = None,
    inputs: dict[int, Any] | None = None,
    steps: dict[int, list[tuple[str, str, Any]]] | None = None,
) -> MockServer:
    """A server with a run that has not finished; results and steps have a status and a result."""
    statuses = {index: status for index, (status, _) in results.items()}
    items = {"total": len(results), "completed": 0, "running": 0, "failed": 0, "cancelled": 0}
    for status in statuses.values():
        items[status] += 1
    summary = {**RUNNING["summary"], "status": "running", "items": items, **run}

    def of_item(request: Any) -> dict[str, Any]:
        found = (steps or {}).get(int(request.query["itemIndex"]), [])
        return {
            "steps": {
                name: {
                    "stepIndex": number,
                    "stepId": name,
                    "component": "/x",
                    "status": status,
                    "result": result,
                }
                for number, (name, status, result) in enumerate(found)
            }
        }

    return MockServer(
        {
            "GET /health": {"status": "healthy", "timestamp": at(60), "version": "0.11.1"},
            "GET /flows/{flow_id}": 404 if flow is None else {"flowId": "0" * 64, "flow": flow},
            "GET /runs": {"runs": [summary]},
            "GET /runs/{run_id}": {
                **summary,
                "itemDetails": [
                    {"itemIndex": index, "status": statuses[index], "input": input, "steps": []}
                    for index, input in (inputs or {}).items()
                ],
            },
            "GET /runs/{run_id}/items": {
                "itemCount": len(results),
                "items": [
                    {"itemIndex": index, "status": status, **({"result": result} if result else {})}
                    for index, (status, result) in results.items()
                ],
            },
            "GET /runs/{run_id}/steps": of_item,
            "GET /runs/{run_id}/events": [
                {
                    "sequenceNumber": number,
                    "timestamp": at(seconds),
                    "kind": kind,
                    "runId": RUN_ID,
                    "itemIndex": item,
                    "stepIndex": 0,
                    **fields,
                }
                for number, (seconds, kind, item, fields) in enumerate(events)
            ],
        }
    )


def test_a_run_in_progress_whose_flow_is_gone(tmp_path: Path) -> None:
    parent = str(UUID(int=2))
    events = [
        (1, "StepsNeeded", 0, {"stepIds": ["<a>", "later"]}),
        (1, "StepStarted", 0, {"stepId": "<a>", "attempt": 1}),
    ]
    server = mock(
        {"parentRunId": parent, "flowName": "<f>", "flowId": "<id>"},
        {0: ("running", None)},
        events,
        steps={0: [("<a>", "running", None), ("soon", "runnable", None)]},
    )
    page = page_of(tmp_path, server)
    assert words(page) == (
        f"<f> | ▸ running | , 1 item | run | {RUN_ID} | flow | <id>"
        f" | created | 2026-01-01 00:00:00.000 UTC | created by run | {parent}"
        " | The server does not have the flow any more."
        " | Timeline | step | status | start | duration | 0 | 1.00 s"
        " | <a> | ▸ running | +1.00 s | - | later | ○ blocked | - | -"
        " | Steps | <a> | ▸ running | started 2026-01-01 00:00:01.000 UTC"
        f" | later | not run | stepflow-client {__version__}"
    )
    assert links(page) == ["&lt;a&gt;: item-0-step-0", "later: item-0-step-1"]
    assert " open>" not in page
    head = (tmp_path / "run.html").read_text(encoding="utf-8").partition("<style>")[0]
    assert (
        head
        == """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>&lt;f&gt;: running</title>
"""
    )


def test_steps_that_have_not_started(tmp_path: Path) -> None:
    flow = {"steps": [{"id": name, "component": "/<x>"} for name in "abcd"]}
    events = [
        (1, "StepStarted", 0, {"stepId": "a"}),
        (2, "StepCompleted", 0, {"stepId": "a", "status": "completed"}),
        # In the other item, it has not started.
        (1, "StepsNeeded", 1, {"stepIds": ["a"]}),
        *((1, "StepStarted", item, {"stepId": "d"}) for item in range(2)),
        (2, "StepCompleted", 0, {"stepId": "d", "status": "skipped"}),
        (2, "StepCompleted", 1, {"stepId": "d", "status": "completed"}),
    ]
    results = {0: ("completed", None), 1: ("running", None)}
    steps = {1: [("b", "runnable", None), ("c", "blocked", None)]}
    page = page_of(tmp_path, mock({}, results, events, flow=flow, steps=steps))
    assert (
        "Item 1 | ▸ running | This server does not report the inputs of runs."
        " | a | not run | /<x> | b | not run | /<x> | c | not run | /<x>"
        " | d | ✓ completed | 1.00 s | /<x> | This server"
    ) in words(page)
    whole = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert re.findall('class="box status ([^"]*)"', whole) == ["completed", "skipped"]
    assert whole.count('class="not-run"') == 2


def test_a_step_that_has_ended_meanwhile(tmp_path: Path) -> None:
    """Its events and its own status are requested one after the other; the page has one of both."""
    flow = {"steps": [{"id": "a", "component": "/x"}]}
    started = (1, "StepStarted", 0, {"stepId": "a"})
    for events, shown in (
        ([started, (2, "StepCompleted", 0, {"stepId": "a", "status": "failed"})], "✗ failed"),
        ([started], "▸ running"),
    ):
        steps = [("a", "completed", None)]
        server = mock({}, {0: ("running", None)}, events, flow=flow, steps={0: steps})
        text = words(page_of(tmp_path, server))
        assert text.count(f" | a | {shown} | ") == 2
        assert "✓ completed" not in text


def test_times_in_another_zone(tmp_path: Path) -> None:
    server = mock({"createdAt": "2025-12-31T22:00:00.5-02:00"}, {}, [], flow={"steps": []})
    assert " | created | 2026-01-01 00:00:00.500 UTC | " in words(page_of(tmp_path, server))


def test_items_without_steps(tmp_path: Path) -> None:
    flow = {"steps": [{"id": "s", "component": "/x", "input": {"$input": "$"}}]}
    message = 'step "s" failed'
    error = {"code": 7, "message": message, "data": {"stack": [{"error": "a\n" + "b" * 1000}]}}
    failed = "failed", {"outcome": "failed", "error": error}
    page = page_of(tmp_path, mock({}, {0: failed, 1: failed}, [], flow=flow))
    # A link leads to what is there.
    assert links(page)[:2] == ["item 0, step s: item-0", "item 1, step s: item-1"]
    assert words(page).count("This server does not report the steps.") == 2
    assert f"| : {message}: a {'b' * 481}… (1019 characters) (code 7) |" in words(page)
    # The input of a step is not known.
    steps = [("s", "running", None)]
    page = page_of(tmp_path, mock({}, {0: ("running", None)}, [], flow=flow, steps={0: steps}))
    assert 's | ▸ running | /x | Input | { "$input": "$" } | stepflow' in words(page)


def test_the_place_of_a_failure(tmp_path: Path) -> None:
    flow = {"steps": [{"id": name, "component": "/x"} for name in "ab"]}
    events = [
        # The first one has a default in the place of its output.
        *((1, "StepStarted", 0, {"stepId": name}) for name in "ab"),
        *((2, "StepCompleted", 0, {"stepId": name, "status": "failed"}) for name in "ab"),
    ]
    for message, events_of, link in (
        ('step "b" failed', events, "step b: item-0-step-1"),
        ("no", events, "step a: item-0-step-0"),
        ("no", [], "run: item-0"),
    ):
        failed = "failed", {"outcome": "failed", "error": {"code": 1, "message": message}}
        page = page_of(tmp_path, mock({}, {0: failed}, events_of, flow=flow))
        assert links(page)[0] == link


def test_an_error_that_names_no_step(tmp_path: Path) -> None:
    error = {
        "code": 7,
        "message": 'step "other" failed',
        "data": {"stack": [{"error": "x"}, {"error": "<y>"}]},
    }
    failed = "failed", {"outcome": "failed", "error": error}
    skipped = "completed", {"outcome": "skipped"}
    events = [
        (1, "StepStarted", 1, {"stepId": "a", "attempt": 1}),
        (1, "StepCompleted", 1, {"stepId": "a", "status": "completed"}),
        (1, "StepStarted", 1, {"stepId": "b", "attempt": 1}),
        (2, "StepCompleted", 1, {"stepId": "b", "status": "failed"}),
        (2, "StepStarted", 2, {"stepId": "a", "attempt": 1}),
        (2, "StepStarted", 2, {"stepId": "b", "attempt": 1}),
        (3, "StepCompleted", 2, {"stepId": "b", "status": "completed"}),
    ]
    flow = {"steps": [{"id": "a", "component": "/a"}, {"id": "b", "component": "/b"}]}
    server = mock({}, {0: skipped, 1: failed, 2: failed}, events, flow=flow)
    page = page_of(tmp_path, server)
    # The step that the error names is none of the flow, so the first failed one is meant.
    assert links(page)[:2] == ["item 1, step b: item-1-step-1", "item 2: item-2"]
    text = words(page)
    reason = ': step "other" failed: x: <y> (code 7)'
    assert f" | item 1, step b | {reason} | item 2 | {reason} | Flow | " in text
    assert ' | Error 7 | step "other" failed x <y> | details | step "other" failed (code 7)' in text
    # The outcome of a skipped item is no output, and a step without an input has none.
    assert "Item 0 | ✓ completed | This server does not report the inputs" in text
    assert "Output" not in text
    assert re.findall('<details id="([^"]*)" open>', page) == ["item-1-step-1"]
    # In the picture, a step has the worst of its statuses.
    whole = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert re.findall('class="box status ([^"]*)"', whole) == ["running", "failed"]
    # Its steps are links to the first item that is shown, which is a failed one.
    page_of(tmp_path, server, items=2)
    whole = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert re.findall('<a href="(#[^"]*)">\n<g', whole) == ["#item-1-step-0", "#item-1-step-1"]
    # As in the timeline, failed items come first.
    assert re.findall('<article id="([^"]*)"', whole) == ["item-1", "item-0"]


def test_the_inputs_of_steps(tmp_path: Path) -> None:
    known = {"zero": 0, "none": None, "list": [[1, 2]], "a b": {"c": "é"}, "$x": True}
    # What a step reads, and what the page shows of it.
    forms: dict[str, tuple[Any, Any]] = {
        "whole": ({"$input": "$"}, known),
        "zero": ([{"$input": "zero"}, {"$input": "$.none"}], [0, None]),
        "element": ({"$input": "list[0][1]"}, 2),
        "quoted": ({"$input": "$['a b'].c"}, "é"),
        "quoted too": ({"$input": '$["a b"]["c"]'}, "é"),
        "dollar": ({"$input": "$.$x"}, True),
        "output": ({"$step": "ok"}, {"n": [3]}),
        "part": ({"in": {"$step": "ok", "path": "n[0]"}}, {"in": 3}),
        "literal": ({"$literal": {"$step": "ok"}}, {"$step": "ok"}),
    }
    # What is not known is shown as it is in the flow.
    for name, unknown in {
        "no member": {"$input": "nothing"},
        "no element": {"$input": "list[1]"},
        "no object": {"$input": "zero.n"},
        "no path": {"$input": "zero]"},
        "failed": {"$step": "bad", "path": "n"},
        "not run": {"$step": "other"},
        "condition": {"$if": True, "then": {"$input": "zero"}},
    }.items():
        forms[name] = unknown, unknown
    steps: list[Any] = [{"id": one, "component": "/x"} for one in ("ok", "bad", "other")]
    steps.append({"id": "use", "component": "/x", "input": {n: f for n, (f, _) in forms.items()}})
    success = {"outcome": "success", "result": {"n": [3]}}
    failure = {"outcome": "failed", "error": {"code": 1, "message": "no", "data": {"n": 1}}}
    server = mock(
        {},
        {0: ("running", None)},
        [(1, "StepStarted", 0, {"stepId": "use"})],
        flow={"steps": steps},
        inputs={0: known},
        steps={0: [("ok", "completed", success), ("bad", "failed", failure)]},
    )
    page = page_of(tmp_path, server)
    last = page.partition('<details id="item-0-step-3">')[2]
    (shown,) = re.findall("<h4>Input</h4><pre>(.*?)</pre>", last, flags=re.DOTALL)
    assert json.loads(html.unescape(shown)) == {n: value for n, (_, value) in forms.items()}
    assert "é" in shown


def test_long_values_and_errors_are_cut(tmp_path: Path) -> None:
    for length, is_cut in ((20_000, False), (30_000, True)):
        error = {"code": 1, "message": "m" * length, "data": {"n": "d" * length}}
        results = {
            0: ("completed", {"outcome": "success", "result": "r" * length}),
            1: ("failed", {"outcome": "failed", "error": error}),
        }
        text = words(page_of(tmp_path, mock({}, results, [], flow={"steps": []})))
        for letter in "rm":
            assert f" | {letter * 20_000}{f'… ({length:,} characters)' * is_cut} | " in text
        assert "d" * 20_001 not in text
        # No step could have been reported, and there is no picture.
        assert "does not report" not in text and "Flow" not in text


def test_a_step_whose_output_is_not_reported(tmp_path: Path) -> None:
    flow = {"steps": [{"id": name, "component": "/x"} for name in "abcd"]}
    statuses = ("completed", "failed", "running", "skipped")
    steps = [(name, status, None) for name, status in zip("abcd", statuses, strict=True)]
    text = words(
        page_of(tmp_path, mock({}, {0: ("running", None)}, [], flow=flow, steps={0: steps}))
    )
    note = " | This server does not report the outputs of steps."
    assert (
        f" | a | ✓ completed | /x{note} | b | ✗ failed | /x{note} | c | ▸ running | /x"
        " | d | ⤼ skipped | /x | stepflow-client"
    ) in text


def test_a_run_of_no_items(tmp_path: Path) -> None:
    flow = {"steps": [{"id": "a", "component": "/a"}]}
    text = words(page_of(tmp_path, mock({}, {}, [], flow=flow)))
    assert " | , 0 items | " in text
    assert " | Flow | Timeline | Steps | stepflow-client" in text
    whole = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert whole.count('class="not-run"') == 1
    # A picture stays readable on a small screen: three quarters of its size, and scrolled.
    assert '<div class="graph">\n<div style="min-width:78px">\n<svg' in whole
    assert 'width="104"' in whole


def test_a_value_of_json_that_is_false(tmp_path: Path) -> None:
    flow = {"steps": [{"id": "a", "component": "/a", "input": 0}, {"id": "b", "component": "/b"}]}
    results = {0: ("completed", {"outcome": "success", "result": None})}
    ended = ("a", "completed", {"outcome": "success", "result": False})
    server = mock({}, results, [], flow=flow, inputs={0: ""}, steps={0: [ended]})
    text = words(page_of(tmp_path, server))
    assert (
        " | Steps | Input (text) | Output | null"
        " | a | ✓ completed | /a | Input | 0 | Output | false"
        " | b | not run | /b | stepflow-client"
    ) in text


def test_the_style_of_a_page(tmp_path: Path) -> None:
    page_of(tmp_path, server(2, {"code": 7, "message": "step use failed", "data": {"a": 1}}))
    page = (tmp_path / "run.html").read_text(encoding="utf-8")
    style, _, body = page.partition("<style>")[2].partition("</style>")
    body = re.sub("<svg.*</svg>", "", body, flags=re.DOTALL)
    ruled = set(re.findall(r"\.([a-zA-Z][\w-]*)", " ".join(re.findall(r"([^{}]+)\{", style))))
    used = {one for names in re.findall('class="([^"]*)"', body) for one in names.split()}
    assert {"headline", "failures", "graph", "note"} <= used <= ruled
    # Long lines are broken, and long values scrolled.
    rules = dict(
        re.findall(r"(\.stepflow-report [^{}]*)\{([^{}]*)\}", style.split("@media print")[0])
    )
    assert "white-space:pre-wrap;overflow-wrap:anywhere;max-height" in rules[".stepflow-report pre"]
    # On paper nothing is folded or scrolled.
    printed = style.rpartition("@media print{")[2]
    for rule in (
        "details::details-content{content-visibility:visible;height:auto}",
        "pre{max-height:none;overflow:visible}",
        ".graph{overflow:visible}",
    ):
        assert f".stepflow-report {rule}" in printed

"""Differences of two runs, and their text, to the letter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from client.tests.support import RUNNING
from stepflow_api.models import ExecutionStatus, RunSummary
from stepflow_api.testing import MockRequest, MockServer
from stepflow_client import SyncStepflowClient
from stepflow_client.difference import Difference, RunDiff

START = datetime(2026, 1, 1, tzinfo=UTC)
RUN = "00000000-0000-0000-0000-00000000000"


def run(number: int, status: str, completed: int, failed: int, name: str | None = "f") -> Any:
    counts = {"completed": completed, "failed": failed, "running": 0, "cancelled": 0}
    return RunSummary.model_validate(
        {
            **RUNNING["summary"],
            "runId": f"{RUN}{number}",
            "status": status,
            "flowName": name,
            "createdAt": START,
            "completedAt": START + timedelta(seconds=1.5),
            "items": {"total": completed + failed, **counts},
        }
    )


def test_runs_of_one_item() -> None:
    before = {"a": [1, 2], "b": {"d": "é", "c": 1}}
    differences = (
        Difference("flow", None, None, before, {**before, "a": [1, 3]}),
        Difference("status", 0, "a\nstep", "completed", "failed"),
        Difference("output", 0, "b", "1\n2\n3\n4\n5\n6\n7\t", "1\n2!\n3\n4\n5\n6\n7\x1b"),
        Difference("error", 0, None, None, {"code": 1}),
    )
    found = RunDiff(run(1, "completed", 1, 0), run(2, "failed", 0, 1, None), differences, ("one",))
    assert (
        found.to_text()
        == f"""\
- run {RUN}1, f: completed after 1.50 s, 1 item
+ run {RUN}2, unnamed flow: failed after 1.50 s, 1 item

run: flow
   "a": [
     1,
-    2
+    3
   ],
   "b": {{

step a step: status
-completed
+failed

step b: output
 1
-2
+2!
 3
 4
 5
 6
-7\\t
+7\\x1b

run: error
+{{
+  "code": 1
+}}

not compared: one
4 differences"""
    )


def test_the_document() -> None:
    differences = (
        Difference("items", None, None, 1, 2),
        Difference("output", 0, "a", None, [0]),
        Difference("error", 1, None, {"code": 1}, None),
    )
    first, second = run(1, "completed", 1, 0), run(2, "failed", 0, 1)
    found = RunDiff(first, second, differences, ("one", "two"))
    assert found.to_dict() == {
        "first": f"{RUN}1",
        "second": f"{RUN}2",
        "equal": False,
        "differences": [
            {"what": "items", "item": None, "step": None, "first": 1, "second": 2},
            {"what": "output", "item": 0, "step": "a", "first": None, "second": [0]},
            {"what": "error", "item": 1, "step": None, "first": {"code": 1}, "second": None},
        ],
        "notCompared": ["one", "two"],
    }
    assert RunDiff(first, second, (), ("one", "two")).to_dict()["equal"] is True


def test_runs_of_several_items() -> None:
    numbers = [[*range(one, one + 40)] for one in (0, 100)]
    differences = (
        Difference("items", None, None, 1, 4),
        *(Difference("output", item, None, "a", "b") for item in range(3)),
        Difference("output", 1, "s", *numbers),
    )
    found = RunDiff(run(1, "completed", 1, 0), run(2, "failed", 3, 1), differences, ())
    lines = [" [", *(f"-  {one}," for one in range(39)), "-  39"]
    lines += [f"+  {one}," for one in range(100, 118)]
    shown = "\n".join(lines)
    assert (
        found.to_text(items=2)
        == f"""\
- run {RUN}1, f: completed after 1.50 s, 1 item
+ run {RUN}2, f: failed after 1.50 s, 4 items: 3 completed, 1 failed

run: items
-1
+4

item 0: output
-a
+b

item 1: output
-a
+b

item 1, step s: output
{shown}
  ... and 23 lines more

1 item that differ too left out
5 differences"""
    )


def test_a_distant_change_in_a_value() -> None:
    values = [*range(9)], [-1, *range(1, 8), -8]
    one = run(1, "completed", 1, 0)
    text = RunDiff(one, one, (Difference("output", 0, None, *values),), ()).to_text()
    assert "\n+  -1,\n   1,\n   2,\n  ...\n   6,\n   7,\n-  8\n" in text


@pytest.mark.parametrize(
    ("first", "second", "lines"),
    [
        (1, "1", ["-1", '+"1"']),
        ("a", "a\n", ['-"a"', '+"a\\n"']),
        ("a\nb", "a\rb", ['-"a\\nb"', '+"a\\rb"']),
        (None, "", ["-null", '+""']),
        (True, 1, ["-true", "+1"]),
        ({}, [], ["-{}", "+[]"]),
        # A value that is false is one, and the order of members is none.
        (0, 5, ["-0", "+5"]),
        ([], 5, ["-[]", "+5"]),
        (False, None, ["-false"]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 3}, [" {", '-  "a": 1,', '+  "a": 3,', '   "b": 2', " }"]),
    ],
)
def test_values_that_look_the_same(first: Any, second: Any, lines: list[str]) -> None:
    one = run(1, "completed", 1, 0)
    found = RunDiff(one, one, (Difference("output", 0, None, first, second),), ())
    assert found.to_text().split("run: output\n")[1].splitlines() == [*lines, "", "1 difference"]


def test_no_difference() -> None:
    one = run(1, "completed", 1, 0)
    assert str(RunDiff(one, one, (), ())).endswith("1 item\n\nno difference")
    running = one.model_copy(update={"status": ExecutionStatus.RUNNING, "completed_at": None})
    assert str(RunDiff(one, running, (), ())).splitlines()[1] == f"+ run {RUN}1, f: running, 1 item"


def test_names_and_times_of_a_server() -> None:
    early = START - timedelta(seconds=1)
    one = run(1, "completed", 2, 0, "two\n\x1blines").model_copy(update={"completed_at": early})
    shown = str(RunDiff(one, run(2, "completed", 1, 0), (Difference("output", 1, None, 1, 2),), ()))
    # Clocks of two machines differ.
    name = f"- run {RUN}1, two lines: completed after 0.00 ms, 2 items: 2 completed"
    assert shown.splitlines()[0] == name
    assert "\nitem 1: output\n" in shown


IDS = UUID(int=1), UUID(int=2)
FLOW_STEPS = [{"id": name, "component": "/x"} for name in ("one", "two", "three")]


def served(
    results: list[tuple[str, Any]],
    *,
    inputs: list[Any] | None = None,
    steps: list[tuple[str, str, Any]] | None = None,
    flow: Any = None,
) -> dict[str, Any]:
    """Return what a server reports of a run: statuses and results of items, and of its steps."""
    return {"results": results, "inputs": inputs, "steps": steps or [], "flow": flow}


def success(output: Any) -> dict[str, Any]:
    return {"outcome": "success", "result": output}


def failure(code: int, *causes: str) -> dict[str, Any]:
    stack = [{"error": cause} for cause in causes]
    return {"outcome": "failed", "error": {"code": code, "message": "no", "data": {"stack": stack}}}


def compared(first: dict[str, Any], second: dict[str, Any], *, item: int | None = None) -> RunDiff:
    """Return what differs between two runs of servers that report this."""
    runs = {str(run_id): run for run_id, run in zip(IDS, (first, second), strict=True)}

    def summary(run_id: str) -> dict[str, Any]:
        total = len(runs[run_id]["results"])
        counts = {"completed": total, "failed": 0, "running": 0, "cancelled": 0}
        return {
            **RUNNING["summary"],
            **{"runId": run_id, "rootRunId": run_id, "flowId": run_id, "status": "completed"},
            "items": {"total": total, **counts},
        }

    def details(request: MockRequest) -> dict[str, Any]:
        run_id = request.path_parameters["run_id"]
        inputs = enumerate(runs[run_id]["inputs"] or ())
        found = [
            {"itemIndex": n, "status": "completed", "input": i, "steps": []} for n, i in inputs
        ]
        return {**summary(run_id), "itemDetails": found}

    def items(request: MockRequest) -> dict[str, Any]:
        results = runs[request.path_parameters["run_id"]]["results"]
        found = [
            {"itemIndex": index, "status": status, **({} if one is None else {"result": one})}
            for index, (status, one) in enumerate(results)
        ]
        return {"itemCount": len(results), "items": found}

    def steps(request: MockRequest) -> dict[str, Any]:
        found = runs[request.path_parameters["run_id"]]["steps"]
        common = {"stepIndex": 0, "component": "/x"}
        return {
            "steps": {
                name: {"stepId": name, "status": status, "result": one, **common}
                for name, status, one in found
            }
        }

    def flow(request: MockRequest) -> Any:
        flow_id = request.path_parameters["flow_id"]
        found = runs[flow_id]["flow"]
        return 404 if found is None else {"flowId": flow_id, "flow": found}

    transport = MockServer(
        {
            "GET /runs": lambda request: {"runs": [summary(request.query["rootRunId"])]},
            "GET /runs/{run_id}": details,
            "GET /runs/{run_id}/items": items,
            "GET /runs/{run_id}/steps": steps,
            "GET /flows/{flow_id}": flow,
        }
    )
    with SyncStepflowClient(
        "http://server.invalid", server_version="0.11.1", transport=transport
    ) as client:
        return client.handle(IDS[0]).diff(IDS[1], item=item)


INPUTS = "inputs of runs, which servers of 0.9, and from 0.12 on, do not report"
OUTPUTS = "outputs of steps, which servers of 0.10 and 0.11 do not report"
STEPS = "steps, which are compared for one item at a time"


def test_items_that_only_one_run_has() -> None:
    done = "completed", success(0)
    for counts in ((3, 1), (1, 3)):
        runs = [served([done] * count, inputs=[1] * count) for count in counts]
        found = compared(*runs)
        differences = [Difference("items", None, None, *counts)]
        for index in (1, 2):
            values = ("completed", None) if counts[0] > index else (None, "completed")
            differences.append(Difference("status", index, None, *values))
            # An output that is false is one.
            outputs = (0, None) if counts[0] > index else (None, 0)
            differences.append(Difference("output", index, None, *outputs))
        assert found.differences == tuple(differences)
        assert found.not_compared == (STEPS,)


def test_a_flow_that_one_server_has_lost() -> None:
    done = "completed", success(1)
    flow = {"name": "f", "steps": FLOW_STEPS}
    kept, lost = served([done], flow=flow), served([done])
    assert compared(kept, lost).differences == (Difference("flow", None, None, flow, None),)
    assert compared(lost, kept).differences == (Difference("flow", None, None, None, flow),)
    assert compared(lost, lost).is_equal


def test_steps_are_compared_in_the_order_of_the_flow() -> None:
    flow = {"steps": FLOW_STEPS}
    first = [
        ("other", "completed", success("o")),
        ("three", "completed", success(False)),
        ("one", "failed", failure(1, "a")),
    ]
    second = [
        ("three", "completed", success(0)),
        ("two", "blocked", None),
        ("one", "failed", failure(1, "b")),
        ("more", "running", None),
    ]
    done = "completed", success(1)
    found = compared(
        served([done], steps=first, flow=flow), served([done], steps=second, flow=flow)
    )
    errors = [{"code": 1, "causes": ["no", cause]} for cause in "ab"]
    assert found.differences == (
        Difference("error", 0, "one", *errors),
        Difference("output", 0, "three", False, 0),
        Difference("status", 0, "other", "completed", None),
        Difference("output", 0, "other", "o", None),
        Difference("status", 0, "more", None, "running"),
    )
    assert found.not_compared == (INPUTS,)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (failure(1, "a"), failure(2, "a")),
        (failure(1, "a"), failure(1, "a", "b")),
        (failure(1), None),
    ],
)
def test_errors_differ_by_code_and_causes(first: Any, second: Any) -> None:
    found = compared(served([("failed", first)]), served([("failed", second)]))
    (error,) = found.differences
    assert (error.what, error.item, error.step) == ("error", 0, None)
    assert error.first == {
        "code": first["error"]["code"],
        "causes": ["no", *(one["error"] for one in first["error"]["data"]["stack"])],
    }


def test_one_item_of_two_runs() -> None:
    results = (
        [("completed", success(n)) for n in range(2)],
        [("completed", success(n)) for n in "ab"],
    )
    steps = [[("one", "completed", success(n))] for n in (1, 2)]
    inputs = [1, 2], [3, 4]
    runs = [
        served(result, steps=step, inputs=input)
        for result, step, input in zip(results, steps, inputs, strict=True)
    ]
    for item in (0, 1):
        found = compared(*runs, item=item)
        assert found.differences == (
            Difference("input", item, None, inputs[0][item], inputs[1][item]),
            Difference("output", item, "one", 1, 2),
            Difference("output", item, None, item, "ab"[item]),
        )
        assert found.not_compared == ()
    assert {one.step for one in compared(*runs).differences} == {None}


def test_what_is_not_compared() -> None:
    done = "completed", success(1)
    known = served([done], inputs=[1], steps=[("one", "completed", success(1))])
    # What one of the servers does not report.
    assert compared(known, known).not_compared == ()
    without_inputs = {**known, "inputs": None}
    assert compared(known, without_inputs).not_compared == (INPUTS,)
    assert compared(without_inputs, known).not_compared == (INPUTS,)
    assert compared(served([]), served([])).not_compared == ()
    assert compared(served([]), without_inputs).not_compared == ()
    # Servers report the errors of steps whose outputs they do not report.
    steps = [("one", "completed", None), ("two", "failed", failure(1))]
    assert compared({**known, "steps": steps}, {**known, "steps": steps}).not_compared == (OUTPUTS,)
    some = {**known, "steps": [*known["steps"], ("two", "completed", None)]}
    assert compared(some, some).not_compared == ()
    one = {**known, "steps": [("two", "failed", failure(1))]}
    assert compared(one, one).not_compared == ()
    many = served([done] * 2, inputs=[1, 1])
    assert compared(many, many).not_compared == (STEPS,)
    assert compared(known, many).not_compared == (STEPS,)

"""Differences of two runs as text, to the letter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from client.tests.support import RUNNING
from stepflow_api.models import ExecutionStatus, RunSummary
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

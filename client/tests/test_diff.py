"""What differs between two runs, on every server."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from client.tests.support import ECHO, READ_FILE, VERSION, Driver
from stepflow_api.models import Flow
from stepflow_client import SyncStepflowClient, cli, errors
from stepflow_client.difference import Difference, RunDiff
from tools.spec.server import StepflowServer

NUMBERS = tuple(map(int, VERSION.split(".")))
HAS_OUTPUTS = NUMBERS >= (0, 12) or NUMBERS < (0, 10)
HAS_INPUTS = (0, 10) <= NUMBERS < (0, 12)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file.json"
    path.write_text('"old"', encoding="utf-8")
    return path


def kinds(diff: RunDiff) -> list[tuple[str, str | None]]:
    """Return what differs, and in which step, without what the version may not report."""
    return [(one.what, one.step) for one in diff.differences]


def run(do: Driver, client: Any, flow: Any, *inputs: Any) -> Any:
    """Return the handle of a finished run."""
    handle = do(client.submit_batch(flow, list(inputs)))
    do(handle.results(timeout=60))
    return handle


def test_a_run_does_not_differ_from_itself(do: Driver, client: Any, path: Path) -> None:
    handle = run(do, client, READ_FILE, {"path": str(path)})
    found: RunDiff = do(handle.diff(str(handle.id)))
    assert found.is_equal
    assert found.differences == ()
    assert found.first == found.second == do(handle.status())
    assert ("inputs of runs" in found.to_text()) is not HAS_INPUTS
    assert ("outputs of steps" in found.to_text()) is not HAS_OUTPUTS
    assert found.to_text().endswith("no difference")


def test_another_output(do: Driver, client: Any, path: Path) -> None:
    first = run(do, client, READ_FILE, {"path": str(path)})
    path.write_text('"new"', encoding="utf-8")
    second = run(do, client, READ_FILE, {"path": str(path)})
    found: RunDiff = do(first.diff(second.id))
    expected: list[tuple[str, str | None]] = [("output", "read")] if HAS_OUTPUTS else []
    assert kinds(found) == [*expected, ("output", None)]
    assert found.differences[-1] == Difference("output", 0, None, "old", "new")
    assert "\nrun: output\n-old\n+new\n" in found.to_text()
    if HAS_OUTPUTS:
        assert '-  "data": "old",\n+  "data": "new",' in found.to_text()


def test_a_failure(do: Driver, client: Any, path: Path) -> None:
    first = run(do, client, READ_FILE, {"path": str(path)})
    second = run(do, client, READ_FILE, {"path": "/nowhere"})
    found: RunDiff = do(first.diff(second.id))
    of_item = {what for what, step in kinds(found) if step is None}
    assert of_item == {"status", "output", "error"} | ({"input"} if HAS_INPUTS else set())
    assert ("status", "read") in kinds(found)
    status = next(one for one in found.differences if one.what == "status")
    assert (status.first, status.second) == ("completed", "failed")
    assert "step read: status\n-completed\n+failed\n" in found.to_text()
    # Not its backtrace, which says nothing and differs from build to build.
    assert "backtrace" not in json.dumps(found.to_dict())


def test_other_flows(do: Driver, client: Any, path: Path) -> None:
    first = run(do, client, READ_FILE, {"path": str(path)})
    second = run(do, client, {**READ_FILE, "name": "other"}, {"path": str(path)})
    found: RunDiff = do(first.diff(second.id))
    assert kinds(found) == [("flow", None)]
    text = found.to_text()
    assert '-  "name": "read-file",\n+  "name": "other",' in text
    assert text.endswith("1 difference")
    flows = [do(client.get_flow(do(one.status()).flow_id)).to_dict() for one in (first, second)]
    difference = {"what": "flow", "item": None, "step": None}
    difference |= {"first": flows[0], "second": flows[1]}
    assert found.to_dict() == {
        "first": str(first.id),
        "second": str(second.id),
        "equal": False,
        "differences": [difference],
        "notCompared": list(found.not_compared),
    }


def test_steps_that_only_one_run_has(do: Driver, client: Any, path: Path) -> None:
    text = {"id": "text", "component": "/create_messages", "input": {"user_prompt": "x"}}
    # The last one is not needed.
    steps = [*READ_FILE["steps"], text, {**text, "id": "idle"}]
    output = {"data": {"$step": "read", "path": "data"}, "text": {"$step": "text"}}
    first = run(do, client, READ_FILE, {"path": str(path)})
    second = run(do, client, {**READ_FILE, "steps": steps, "output": output}, {"path": str(path)})
    for one, other, values in (
        (first, second, (None, "completed")),
        (second, first, ("completed", None)),
    ):
        found: RunDiff = do(one.diff(other.id))
        statuses = [difference for difference in found.differences if difference.what == "status"]
        assert statuses == [Difference("status", 0, "text", *values)]


def test_steps_of_a_run_without_any(do: Driver, client: Any, path: Path) -> None:
    first = run(do, client, ECHO, {"path": str(path)})
    second = run(do, client, READ_FILE, {"path": str(path)})
    for one, other, values in (
        (first, second, (None, "completed")),
        (second, first, ("completed", None)),
    ):
        found: RunDiff = do(one.diff(other.id))
        statuses = [difference for difference in found.differences if difference.what == "status"]
        assert statuses == [Difference("status", 0, "read", *values)]


def test_batches(do: Driver, client: Any, path: Path) -> None:
    good, bad = {"path": str(path)}, {"path": "/nowhere"}
    first = run(do, client, READ_FILE, *[good] * 10)
    second = run(do, client, READ_FILE, *[good, bad] * 5, good)
    found: RunDiff = do(first.diff(second.id))
    assert found.differences[0] == Difference("items", None, None, 10, 11)
    assert {one.item for one in found.differences[1:]} == {1, 3, 5, 7, 9, 10}
    assert {one.step for one in found.differences} == {None}
    assert "steps, which are compared for one item at a time" in found.not_compared
    text = found.to_text(items=2)
    assert "item 3: status" in text
    assert "item 5" not in text
    assert "\n4 items that differ too left out\n" in text
    of_item: RunDiff = do(first.diff(second.id, item=3))
    assert {one.item for one in of_item.differences} == {None, 3}
    if VERSION != "0.9.0":
        assert ("status", "read") in kinds(of_item)


@pytest.mark.parametrize(
    ("first", "second", "differ"),
    [
        (True, 1, True),
        ({"a": [0]}, {"a": [False]}, True),
        ({"a": 1}, {"a": 1, "b": 1}, True),
        ([1], [1, 1], True),
        ([1], {"a": 1}, True),
        ({"a": [None, "x"]}, {"a": [None, "x"]}, False),
        # Some servers return integers as floats.
        (1, 1.0, False),
    ],
)
def test_the_same_json(do: Driver, client: Any, first: Any, second: Any, differ: bool) -> None:
    runs = [run(do, client, ECHO, value) for value in (first, second)]
    found: RunDiff = do(runs[0].diff(runs[1].id))
    assert (("output", None) in kinds(found)) is differ
    assert found.is_equal is not differ


@pytest.mark.parametrize(("first", "second"), [(None, 1), (0, None), ("", []), (False, 0)])
def test_inputs_and_outputs_that_count_as_false(
    do: Driver, client: Any, first: Any, second: Any
) -> None:
    runs = [run(do, client, ECHO, value) for value in (first, second)]
    found: RunDiff = do(runs[0].diff(runs[1].id))
    expected = ["input"] * HAS_INPUTS + ["output"]
    assert [(one.what, one.first, one.second) for one in found.differences] == [
        (what, first, second) for what in expected
    ]


def test_runs_without_steps_or_items(do: Driver, client: Any) -> None:
    found: RunDiff = do(run(do, client, ECHO, 1).diff(run(do, client, ECHO, 2).id))
    assert not any("steps" in one for one in found.not_compared)
    if VERSION not in ("0.9.0", "0.10.0"):
        empty: RunDiff = do(run(do, client, ECHO).diff(run(do, client, ECHO).id))
        assert (empty.differences, empty.not_compared) == ((), ())


def test_wrong_arguments(do: Driver, client: Any) -> None:
    handle = run(do, client, ECHO, 1)
    with pytest.raises(errors.NotFound):
        do(handle.diff(uuid4()))
    with pytest.raises(errors.InvalidInput, match="the run id is 'one'"):
        do(handle.diff("one"))
    for item in (1, -1, True, False):
        with pytest.raises(errors.InvalidInput, match=r"has no item .* it has 1 item"):
            do(handle.diff(handle.id, item=item))


def test_the_command(
    server: StepflowServer,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("STEPFLOW_URL", server.url)
    with SyncStepflowClient(server.url) as client:
        echo = Flow(name="echo", steps=[], output={"$input": "$"})
        handles = [client.submit(echo, text) for text in ("a", "b\x1b[1m")]
        for handle in handles:
            handle.result(timeout=60)
        found = handles[0].diff(handles[1].id)
    first, second = (str(handle.id) for handle in handles)

    def command(*arguments: str, code: int) -> str:
        assert cli.run(["diff", *arguments]) == code
        sys.stdout.flush()
        return capfd.readouterr().out

    assert command(first, second, code=1) == found.to_text() + "\n"
    assert "+b\\x1b[1m" in found.to_text()
    assert json.loads(command(first, second, "--json", code=1)) == found.to_dict()
    assert command(first, first, code=0).endswith("no difference\n")
    with SyncStepflowClient(server.url) as client:
        batches = [str(run(Driver("sync"), client, echo, *texts).id) for texts in ("abc", "xyz")]
        of_all = client.handle(batches[0]).diff(batches[1])
        of_one = client.handle(batches[0]).diff(batches[1], item=0)
    texts = [found.to_text() + "\n" for found in (of_all, of_one)]
    texts.append(of_all.to_text(items=1) + "\n")
    assert len(set(texts)) == 3
    options = ((), ("--item", "0"), ("--items", "1"))
    assert [command(*batches, *some, code=1) for some in options] == texts
    assert cli.run(["diff", first, str(uuid4())]) == 1
    assert capfd.readouterr().err.count("\n") == 1
    assert (
        repr(found)
        == f"RunDiff(first='{first}', second='{second}', {len(found.differences)} differences)"
    )

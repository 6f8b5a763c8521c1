"""Each word that the command prints, and its exit code, for answers that the test chooses."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import pytest

from client.tests.commands import Screen
from stepflow_api.errors import printable
from stepflow_api.models import FlowResultFailed, OtherFlowResult
from stepflow_api.testing import MockRequest, MockServer, finished_run
from stepflow_client import Progress, SyncRunHandle, SyncStepflowClient, cli, errors
from stepflow_client.events import parse_event

FLOW = "0" * 64
RUN: Any = finished_run(1)["GET /runs/{run_id}"]
ID = RUN["runId"]
OTHER_ID = str(UUID(int=2))
AT = "2026-01-01T00:00:00Z"


class Printed(NamedTuple):
    """How the command ended, and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., MockServer]:
    """Let the command call a server with these answers."""

    def serve(routes: Any, version: str = "0.11.1") -> MockServer:
        server = MockServer(routes, version=version)
        cls = partial(SyncStepflowClient, transport=server, server_version=version)
        monkeypatch.setattr("stepflow_client.cli._app.SyncStepflowClient", cls)
        monkeypatch.setenv("STEPFLOW_URL", "http://server.invalid")
        return server

    return serve


@pytest.fixture
def printed(capfd: pytest.CaptureFixture[str]) -> Callable[..., Printed]:
    """Run the command with its output in pipes."""

    def run(*arguments: str) -> Printed:
        code = cli.run(list(arguments))
        sys.stdout.flush()
        return Printed(code, *capfd.readouterr())

    return run


def failed(message: str, *causes: str) -> FlowResultFailed:
    stack = [{"error": cause} for cause in causes]
    data = {"stack": stack} if stack else None
    error = {"code": 5, "message": message, "data": data}
    return FlowResultFailed.from_dict({"outcome": "failed", "error": error})


NO = failed("no", "no", "because", 'step "read" failed')
NO_JSON = json.dumps(NO.to_dict()) + "\n"
NO_DETAILS = 'no (code 5)\ncaused by: because\ncaused by: step "read" failed\n'
LATER = OtherFlowResult(outcome="postponed")

#: The result of a run, options, and what is printed.
RESULTS: list[tuple[Any, str, Printed]] = [
    ("done", "", Printed(0, "done\n", "")),
    ("done", "--json", Printed(0, '{"outcome": "success", "result": "done"}\n', "")),
    ("done", "--json --verbose", Printed(0, '{"outcome": "success", "result": "done"}\n', "")),
    (["é"], "", Printed(0, '[\n  "é"\n]\n', "")),
    (None, "--verbose", Printed(0, "null\n", "")),
    (NO, "--json -v", Printed(1, NO_JSON, NO_DETAILS)),
    (
        NO,
        "",
        Printed(
            1,
            "",
            'stepflow-client: the flow failed: no: because: step "read" failed (code 5)'
            f" (run {ID})\n",
        ),
    ),
    (NO, "--json", Printed(1, NO_JSON, "")),
    (NO, "--json --verbose", Printed(1, NO_JSON, NO_DETAILS)),
    (
        NO,
        "--verbose",
        Printed(
            1,
            "",
            'stepflow-client: the flow failed: no: because: step "read" failed (code 5)'
            f" (run {ID})\n{NO_DETAILS}",
        ),
    ),
    (LATER, "", Printed(1, "", f"stepflow-client: unknown outcome 'postponed' (run {ID})\n")),
    (LATER, "--json", Printed(1, '{"outcome": "postponed"}\n', "")),
    (
        LATER,
        "--verbose",
        Printed(1, "", f"stepflow-client: unknown outcome 'postponed' (run {ID})\n"),
    ),
]


@pytest.mark.parametrize("command", ["run", "wait"])
@pytest.mark.parametrize(("result", "options", "expected"), RESULTS)
def test_a_result(
    serve: Callable[..., MockServer],
    printed: Callable[..., Printed],
    command: str,
    result: Any,
    options: str,
    expected: Printed,
) -> None:
    serve(finished_run(result))
    argument = FLOW if command == "run" else ID
    assert printed(command, argument, *options.split()) == expected


@pytest.mark.parametrize("options", [(), ("--json",)])
@pytest.mark.parametrize("command", ["run", "wait"])
def test_the_results_of_a_batch(
    serve: Callable[..., MockServer],
    printed: Callable[..., Printed],
    tmp_path: Path,
    command: str,
    options: tuple[str, ...],
) -> None:
    serve(finished_run("é", NO, LATER, NO, NO, NO, NO, NO, 7))
    (tmp_path / "inputs").write_text("1\n" * 9, encoding="utf-8")
    inputs = ("--inputs", str(tmp_path / "inputs"))
    arguments = (command, FLOW, *inputs) if command == "run" else (command, ID)
    code, out, err = printed(*arguments, *options)
    success = '{{"outcome": "success", "result": {}}}\n'.format
    later = '{"outcome": "postponed"}\n'
    assert (code, out) == (
        1,
        success('"é"') + NO_JSON + later + NO_JSON * 5 + success(7),
    )
    progress, *lines = err.splitlines()
    assert progress.startswith(f"run {ID}: 9/9 done, 7 failed, ")
    reason = 'no: because: step "read" failed (code 5)'
    assert lines == [
        f"item 1 failed: {reason}",
        "item 2 has the unknown outcome 'postponed'",
        *(f"item {index} failed: {reason}" for index in (3, 4, 5)),
        f"stepflow-client: 7 of 9 items failed (run {ID})",
    ]


def test_a_batch_without_failures(
    serve: Callable[..., MockServer], printed: Callable[..., Printed]
) -> None:
    serve(finished_run(1, 2))
    code, out, err = printed("wait", ID)
    assert (code, out.count("\n")) == (0, 2)
    assert err.startswith(f"run {ID}: 2/2 done, 0 failed, ")
    assert err.count("\n") == 1


def test_the_failing_step_is_named_where_the_message_does_not(
    serve: Callable[..., MockServer], printed: Callable[..., Printed]
) -> None:
    attached = {
        "stack": [{"error": "it broke", "attachments": ["execution failed for step 'read'"]}]
    }
    error = {"code": 5, "message": "it broke", "data": attached}
    serve(finished_run(FlowResultFailed.from_dict({"outcome": "failed", "error": error})))
    message = f"the flow failed: step read: it broke (code 5) (run {ID})"
    assert printed("wait", ID) == (1, "", f"stepflow-client: {message}\n")


def test_a_status(serve: Callable[..., MockServer], printed: Callable[..., Printed]) -> None:
    items = {"total": 31, "completed": 1, "failed": 2, "cancelled": 4, "running": 8}
    run = {**RUN, "status": "running", "items": items}
    serve({"GET /runs/{run_id}": run, "POST /runs/{run_id}/cancel": {**run, "status": "cancelled"}})
    words = "running: 1 of 31 items completed, 2 failed, 8 running\n"
    assert printed("status", ID) == (0, words, "")
    code, out, err = printed("status", ID, "--json")
    assert (code, json.loads(out)["items"], err) == (0, items, "")
    assert printed("cancel", ID) == (0, "cancelled\n", "")
    code, out, err = printed("cancel", ID, "--json")
    assert (code, json.loads(out)["status"], err) == (0, "cancelled", "")


def test_components(serve: Callable[..., MockServer], printed: Callable[..., Printed]) -> None:
    found = [
        {"component": "/b\t", "description": "What\nit does.", "input_schema": {"type": "object"}},
        {"component": "/a"},
    ]
    serve({"GET /components": {"components": found}})
    assert printed("components") == (0, "/b\\t\tWhat\\nit does.\n/a\t\n", "")
    code, out, err = printed("components", "--json")
    assert ([json.loads(line) for line in out.splitlines()], code, err) == (found, 0, "")


@pytest.mark.parametrize("fatal", [0, 1])
def test_the_findings_in_a_flow(
    serve: Callable[..., MockServer], printed: Callable[..., Printed], tmp_path: Path, fatal: int
) -> None:
    levels = {"warning": None, "error": "$.steps", "fatal": "$.output"}
    found = [
        {"kind": level, "code": 1, "level": level, "formatted": f"the {level}", "data": {}}
        | ({"path": path} if path else {})
        for level, path in levels.items()
    ]
    counts = {"numFatal": fatal, "numError": 1, "numWarning": 1}
    answer = {"flowId": FLOW, "stored": False, "diagnostics": {"diagnostics": found, **counts}}
    serve({"POST /flows": answer})
    flow = tmp_path / "flow.json"
    flow.write_text("{}", encoding="utf-8")
    code, out, err = printed("validate", str(flow))
    assert (code, err) == (fatal, "")
    assert out.splitlines() == [
        "error: $.steps: the error",
        "fatal: $.output: the fatal",
        "warning: $: the warning",
        "invalid" if fatal else "valid",
    ]
    code, out, err = printed("validate", str(flow), "--json")
    assert (code, err) == (fatal, "")
    document = json.loads(out)
    assert (document["valid"], document["flowId"]) == (not fatal, FLOW)
    assert [one["kind"] for one in document["errors"]] == ["error", "fatal"]
    assert [one["kind"] for one in document["warnings"]] == ["warning"]


def test_runs(serve: Callable[..., MockServer], printed: Callable[..., Printed]) -> None:
    items = {"total": 3, "completed": 1, "failed": 2, "cancelled": 0, "running": 0}
    created = "2026-01-01T00:00:00.123456789Z"
    named = {**RUN, "flowName": "a flow", "status": "failed", "items": items, "createdAt": created}
    serve({"GET /runs": {"runs": [named, {**RUN, "runId": OTHER_ID}]}})
    assert printed("runs").out.splitlines() == [
        f"{ID}\tfailed\t1/3\ta flow\t2026-01-01T00:00:00+00:00",
        f"{OTHER_ID}\tcompleted\t1/1\t\t2026-01-01T00:00:00+00:00",
    ]
    # Programs need no note of the next page.
    for options in ((), ("--json",)):
        code, out, err = printed("runs", "--limit", "1", *options)
        assert (code, out.count("\n"), err) == (0, 1, "")


PLACE = {"runId": ID, "itemIndex": 3, "stepIndex": 4}

#: Events, as a server sends them, and their lines.
EVENTS: list[tuple[str, dict[str, Any], str]] = [
    ("RunCreated", {"runId": ID, "flowId": FLOW, "itemCount": 5}, "RunCreated"),
    (
        "SubRunCreated",
        {"runId": ID, "parentRunId": ID, "flowId": FLOW, "itemCount": 5},
        "SubRunCreated",
    ),
    (
        "StepsNeeded",
        {"runId": ID, "itemIndex": 3, "stepIds": ["a", "b\nc"]},
        "StepsNeeded item 3 a, b c",
    ),
    ("StepReady", {**PLACE, "stepId": "a\nb"}, "StepReady item 3 step a b"),
    ("StepStarted", {**PLACE, "stepId": "a", "attempt": 1}, "StepStarted item 3 step a"),
    ("StepStarted", {**PLACE, "stepId": "a", "attempt": 2}, "StepStarted item 3 step a attempt 2"),
    ("StepCompleted", {**PLACE, "status": 3}, "StepCompleted item 3 failed"),
    ("ItemCompleted", {"runId": ID, "itemIndex": 3}, "ItemCompleted item 3"),
    ("StepSlept", {"forHow": {"long": 1}}, "StepSlept"),
    ("RunCompleted", {"runId": ID, "status": 3}, "RunCompleted failed"),
]


def serve_events(serve: Callable[..., MockServer]) -> MockServer:
    stream = [
        {"sequence_number": number, "timestamp": AT, "kind": kind, "data": fields}
        for number, (kind, fields, _) in enumerate(EVENTS)
    ]
    run = {**RUN, "status": 1}
    routes = {"GET /runs": {"runs": [run]}, "GET /runs/{run_id}/events": stream}
    return serve(routes, version="0.13.0")


def test_events(serve: Callable[..., MockServer], printed: Callable[..., Printed]) -> None:
    serve_events(serve)
    code, out, err = printed("events", ID, "--follow")
    assert (code, err) == (0, "")
    words = [line for _, _, line in EVENTS]
    assert out.splitlines() == [f"2026-01-01T00:00:00.000Z {line}" for line in words]
    code, out, err = printed("events", ID, "--follow", "--json")
    assert (code, err) == (0, "")
    assert [json.loads(line)["kind"] for line in out.splitlines()] == [one[0] for one in EVENTS]
    assert json.loads(out.splitlines()[8])["data"] == {"forHow": {"long": 1}}


def blob(content: bytes, kind: str) -> Any:
    return httpx.Response(200, headers={"x-blob-type": kind}, content=content)


def test_blobs(
    serve: Callable[..., MockServer],
    printed: Callable[..., Printed],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "out"
    serve({"GET /blobs/{blob_id}": blob('{"a":"é"}'.encode(), "data")})
    assert printed("blob", "get", "b") == (0, '{\n  "a": "é"\n}\n', "")
    assert printed("blob", "get", "b", "--json") == (0, '{"a": "é"}\n', "")
    assert printed("blob", "get", "b", "--output", str(file)) == (0, "", "")
    assert file.read_text(encoding="utf-8") == '{"a": "é"}\n'
    serve({"GET /blobs/{blob_id}": blob(b'"text"', "data")})
    assert printed("blob", "get", "b") == (0, "text\n", "")
    assert printed("blob", "get", "b", "--json") == (0, '"text"\n', "")
    serve({"GET /blobs/{blob_id}": blob(b"text\n\n", "binary")})
    assert printed("blob", "get", "b") == (0, "text\n\n", "")
    assert printed("blob", "get", "b", "--output", str(file)) == (0, "", "")
    assert file.read_bytes() == b"text\n\n"
    problem = "blob b is bytes, which JSON cannot hold; leave out --json"
    for options in ((), ("--output", str(file))):
        found = printed("blob", "get", "b", "--json", *options)
        assert found == (2, "", f"stepflow-client: {problem}\n")
    # On a terminal, one line break at the end is the command's own.
    assert Screen(monkeypatch)("blob", "get", "b") == "text\n\n"


def test_a_stored_blob(
    serve: Callable[..., MockServer],
    printed: Callable[..., Printed],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = serve({"POST /blobs": {"blobId": "b"}})
    path = tmp_path / "data.yaml"
    path.write_text("a: é", encoding="utf-8")
    assert printed("blob", "put", str(path)) == (0, "b\n", "")
    assert server.requests[-1].content == "a: é".encode()
    assert printed("blob", "put", str(path), "--data") == (0, "b\n", "")
    assert server.requests[-1].json()["data"] == {"a": "é"}
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"[1]")))
    assert printed("blob", "put", "-", "--data", "--json") == (0, '{"blobId": "b"}\n', "")
    assert server.requests[-1].json()["data"] == [1]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("--input 1 --input-file x", "--input excludes --input-file; use one of them"),
        ("--input 1 --inputs x", "--inputs excludes --input and --input-file; use one of them"),
        ("--input-file x --inputs x", "--inputs excludes --input and --input-file; use one of"),
        ("--variable =1", "--variable '=1' is not NAME=VALUE; write it that way"),
        ("--variable n", "--variable 'n' is not NAME=VALUE; write it that way"),
        ("--overrides null", "--overrides is null; pass an object of step ids"),
        ("--max-concurrency 2", "--max-concurrency requires --inputs; add that or remove it"),
        ("--inputs x --max-concurrency 0", "--max-concurrency"),
        ("--timeout -1", "--timeout"),
        ("--input-file none.json", "cannot read the input file 'none.json': there is no such"),
        ("--inputs none.json", "cannot read the input file 'none.json': there is no such file"),
    ],
)
def test_wrong_usage(printed: Callable[..., Printed], arguments: str, problem: str) -> None:
    code, out, err = printed("run", FLOW, *arguments.split())
    assert (code, out) == (2, "")
    assert problem in err


@pytest.mark.parametrize("option", ["--input", "--overrides"])
def test_an_argument_that_is_not_text(printed: Callable[..., Printed], option: str) -> None:
    # How Python passes a byte on that is not UTF-8.
    code, out, err = printed("run", FLOW, option, '{"a": "\udcff"}')
    assert (code, out) == (2, "")
    assert f"{option} is not valid JSON" in err
    assert err.count("\n") == 1


def test_the_input(
    serve: Callable[..., MockServer], printed: Callable[..., Printed], tmp_path: Path
) -> None:
    server = serve(finished_run(1))

    def sent(*arguments: str) -> Any:
        server.requests.clear()
        assert printed("submit", FLOW, *arguments) == (0, f"{ID}\n", "")
        return server.requests[-1].json()["input"]

    assert sent() == [{}]
    assert sent("--input", "null") == [None]
    # JSON, not YAML: there is no quiet other meaning of a mistake.
    assert printed("submit", FLOW, "--input", "a: 1").code == 2
    upper, yaml = tmp_path / "A.JSON", tmp_path / "a.yml"
    upper.write_text('{"a":\t1}', encoding="utf-8")
    assert sent("--input-file", str(upper)) == [{"a": 1}]
    yaml.write_text("a: 1", encoding="utf-8")
    assert sent("--input-file", str(yaml)) == [{"a": 1}]
    upper.write_text("a: 1", encoding="utf-8")
    assert printed("submit", FLOW, "--input-file", str(upper)).code == 2
    # Only line breaks separate inputs, and no other characters that Python takes for some.
    yaml.write_text('"a\u2028b\x85c"\r\n2', encoding="utf-8")
    assert sent("--inputs", str(yaml)) == ["a\u2028b\x85c", 2]


def test_ctrl_c(serve: Callable[..., MockServer], printed: Callable[..., Printed]) -> None:
    def interrupt(request: object) -> None:
        raise KeyboardInterrupt

    serve({"GET /components": interrupt, "GET /runs": interrupt})
    assert printed("components") == (130, "", "stepflow-client: interrupted\n")
    ended = f"interrupted while waiting for run {ID}, which was not cancelled;"
    ended += f" wait again: stepflow-client wait {ID}"
    for options in ((), ("--follow",)):
        assert printed("events", ID, *options) == (130, "", f"stepflow-client: {ended}\n")


#: Commands that wait, and the method of the run that waits in each.
WAITING = {
    f"run {FLOW}": "result",
    f"run {FLOW} --follow": "events",
    f"run {FLOW} --inputs inputs": "results",
    f"run {FLOW} --inputs inputs --follow": "events",
    f"wait {ID}": "result",
    f"wait {ID} --follow": "events",
    f"wait {ID} -f": "events",
    f"events {ID} --follow": "events",
}

ENDS: list[tuple[BaseException, int, str]] = [
    (
        KeyboardInterrupt(),
        130,
        f"interrupted while waiting for run {ID}, which was not cancelled; ",
    ),
    (
        errors.Timeout("x", run_id=UUID(ID), seconds=3.5),
        3,
        f"run {ID} did not finish within --timeout 1000 s; ",
    ),
    (
        errors.Unreachable("x", method="GET", url="http://h", attempts=7, run_id=UUID(ID)),
        3,
        f"the server stopped responding during the wait for run {ID}, whose status is unknown; ",
    ),
]


@pytest.mark.parametrize("line", WAITING)
@pytest.mark.parametrize(("error", "code", "message"), ENDS, ids=lambda one: type(one).__name__)
def test_a_wait_that_ends_otherwise(
    serve: Callable[..., MockServer],
    printed: Callable[..., Printed],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    line: str,
    error: BaseException,
    code: int,
    message: str,
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise error

    def iterate(*arguments: Any, **options: Any) -> Iterator[None]:
        yield from ()
        raise error

    monkeypatch.chdir(tmp_path)
    Path("inputs").write_text("1\n2\n", encoding="utf-8")
    name = WAITING[line]
    monkeypatch.setattr(SyncRunHandle, name, iterate if name == "events" else fail)
    serve(finished_run(1))
    found = printed(*line.split(), "--timeout", "1000")
    assert (found.code, found.out) == (code, "")
    assert found.err.endswith(f"{message}wait again: stepflow-client wait {ID}\n")
    assert found.err.count("\n") == 1


#: Subcommands, and with what they call the method of a run that has the same name.
CALLED: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("report", (Path("run.html"),), {"items": 20}),
    ("report --items 3 -o x.html", (Path("x.html"),), {"items": 3}),
    ("timeline", (), {"items": 20}),
    ("timeline --items 3", (), {"items": 3}),
    (f"diff {OTHER_ID}", (OTHER_ID,), {"item": None}),
    (f"diff {OTHER_ID} --item 0", (OTHER_ID,), {"item": 0}),
    ("events", (), {"since": 0, "follow": False, "timeout": None}),
    (
        "events -f --since 3 --timeout 5",
        (),
        {"since": 3, "follow": True, "timeout": 5},
    ),
]


@pytest.mark.parametrize(("line", "arguments", "options"), CALLED)
def test_what_a_command_passes_on(
    printed: Callable[..., Printed],
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    arguments: tuple[Any, ...],
    options: dict[str, Any],
) -> None:
    called: list[Any] = []

    def refuse(handle: SyncRunHandle, *arguments: Any, **options: Any) -> None:
        called.append((str(handle.id), arguments, options))
        raise errors.InvalidInput("no")

    name, *given = line.split()
    monkeypatch.setattr(SyncRunHandle, name, refuse)
    assert printed(name, ID, *given) == (2, "", "stepflow-client: no\n")
    assert called == [(ID, arguments, options)]


@pytest.mark.parametrize("command", ["run", "wait"])
def test_following_takes_of_the_same_time(
    serve: Callable[..., MockServer],
    printed: Callable[..., Printed],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    limits: list[float | None] = []

    def events(handle: SyncRunHandle, *, timeout: float | None = None) -> Any:
        limits.append(timeout)
        yield from ()

    monkeypatch.setattr(SyncRunHandle, "events", events)
    serve(finished_run("done"))
    argument = FLOW if command == "run" else ID
    assert printed(command, argument, "--follow") == (0, "done\n", "")
    assert printed(command, argument, "--follow", "--timeout", "1000").code == 0
    assert limits[0] is None
    assert limits[1] is not None and 900 < limits[1] <= 1000


def test_an_event_is_printed_when_it_happens(
    serve: Callable[..., MockServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = io.BytesIO()

    def events(handle: SyncRunHandle, **options: Any) -> Any:
        for number in range(3):
            assert pipe.getvalue().count(b"\n") == number
            yield parse_event(
                {"sequenceNumber": number, "timestamp": AT, "kind": "StepSlept", "a": 1}
            )

    monkeypatch.setattr(SyncRunHandle, "events", events)
    serve({})
    for options in ((), ("--json",)):
        pipe.truncate(0)
        pipe.seek(0)
        stdout = io.TextIOWrapper(pipe, encoding="utf-8")
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", stdout)
            assert cli.run(["events", ID, *options]) == 0
        # It would close the pipe with it.
        stdout.detach()
        assert pipe.getvalue().count(b"\n") == 3


def test_the_time_of_an_event_in_another_zone(
    printed: Callable[..., Printed], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = "2025-12-31T22:00:00.5-02:00"
    event = parse_event({"sequenceNumber": 0, "timestamp": at, "kind": "StepSlept"})
    monkeypatch.setattr(SyncRunHandle, "events", lambda *_, **__: (one for one in [event]))
    assert printed("events", ID) == (0, "2026-01-01T00:00:00.500Z StepSlept\n", "")


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    monkeypatch.setenv("COLUMNS", "800")
    monkeypatch.setenv("TERM", "xterm")
    return Screen(monkeypatch)


@pytest.mark.parametrize("items", [1, 2])
def test_the_names_of_steps_on_a_terminal(
    serve: Callable[..., MockServer], screen: Screen, monkeypatch: pytest.MonkeyPatch, items: int
) -> None:
    step = "[bold]a[/bold] \x1b[2J [/x]\nb"
    place = {"runId": ID, "itemIndex": 0, "stepIndex": 0, "stepId": step}
    happened = [
        parse_event({"sequenceNumber": 0, "timestamp": AT, "kind": kind, **fields})
        for kind, fields in (
            ("RunCreated", {"runId": ID, "flowId": FLOW, "itemCount": items}),
            ("StepStarted", place),
            ("StepCompleted", {**place, "status": "completed"}),
            # There is no column for it.
            (
                "StepCompleted",
                {**place, "itemIndex": items - 1, "stepId": "s", "status": "skipped"},
            ),
        )
    ]
    monkeypatch.setattr(SyncRunHandle, "events", lambda *_, **__: (one for one in happened))
    serve(finished_run(*range(items)))
    shown = Screen(monkeypatch, "stderr")("wait", ID, "--follow")
    header, *rows = [
        " ".join(row.split())
        for row in shown.splitlines()
        if "step" in row or "bold" in row or row.startswith("s ")
    ]
    assert header.endswith(
        "step running completed failed" if items == 2 else "step status duration"
    )
    expected = "0 1 0" if items == 2 else "completed 0.00 ms"
    assert rows[-2].endswith(f"[bold]a[/bold] [2J [/x] b {expected}")
    assert rows[-1] == ("s 0 0 0" if items == 2 else "s skipped -")


def test_components_on_a_terminal(serve: Callable[..., MockServer], screen: Screen) -> None:
    found = [{"component": "/a[/x]", "description": "[bold]d\x1b[2J"}]
    found += [{"component": f"/{n}", "description": "d" * n} for n in (500, 501)]
    serve({"GET /components": {"components": [*found, {"component": "/z"}]}})
    header, *rows = screen("components").splitlines()
    assert header.split() == ["component", "description"]
    assert [row.split() for row in rows] == [
        ["/a[/x]", "[bold]d\\x1b[2J"],
        ["/500", "d" * 500],
        ["/501", "d" * 500 + "…"],
        ["/z"],
    ]


#: Statuses, and their codes of colours.
COLOURS = {
    "completed": "32",
    "failed": "1;31",
    "recoveryFailed": "1;31",
    "running": "34",
    "cancelled": "33",
    "paused": None,
}


def test_the_colours_of_statuses(serve: Callable[..., MockServer], screen: Screen) -> None:
    runs = [{**RUN, "status": status} for status in COLOURS]
    ids = [str(UUID(int=number)) for number in range(len(runs))]
    serve(
        {"GET /runs": {"runs": [{**run, "runId": id} for run, id in zip(runs, ids, strict=True)]}}
    )
    screen("runs")
    for status, code in COLOURS.items():
        styled = f"\x1b[{code}m{status:14}\x1b[0m" if code else f"  {status:14} "
        assert styled in screen.styled


def test_whether_there_is_another_page(
    serve: Callable[..., MockServer], screen: Screen, capfd: pytest.CaptureFixture[str]
) -> None:
    ids = [str(UUID(int=number)) for number in range(4)]

    def page(request: MockRequest) -> Any:
        return {"runs": [{**RUN, "runId": id} for id in ids[: int(request.query["limit"])]]}

    serve({"GET /runs": page})
    for options, number in (
        ("-L 1", 2),
        ("-L 3", 2),
        ("-L 4", None),
        ("-L 1 --page 3", 4),
        ("-L 1 --page 4", None),
        ("-L 1 --page 5", None),
        ("-L 0", None),
        ("", None),
    ):
        screen("runs", *options.split())
        note = f"There are more runs: --page {number}\n" if number else ""
        assert capfd.readouterr().err == note


def test_a_backtrace_cannot_control_a_terminal(
    serve: Callable[..., MockServer], printed: Callable[..., Printed]
) -> None:
    evil = "\x1b[2J\x9b1m"
    stack = [{"error": "no", "attachments": [evil], "backtrace": f"a\tb{evil}\nc"}]
    error = {"code": 5, "message": "no", "data": {"stack": stack}}
    serve(finished_run(FlowResultFailed.from_dict({"outcome": "failed", "error": error})))
    _, _, err = printed("wait", ID, "--verbose")
    shown = printable(evil)
    assert err.splitlines()[1:] == [
        "no (code 5)",
        f"  {shown}",
        "  backtrace:",
        f"  a\tb{shown}",
        "  c",
    ]


def test_progress_in_a_pipe(
    serve: Callable[..., MockServer],
    printed: Callable[..., Printed],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    clock = SimpleNamespace(monotonic=lambda: now)
    original = SyncRunHandle.results

    def results(handle: SyncRunHandle, *, timeout: Any, on_progress: Any) -> Any:
        nonlocal now
        steps = ((0, 0), (1, 1), (4.9, 2), (5, 3), (6, 4), (9.9, 5), (10, 6), (10.1, 9))
        for seconds, done in steps:
            now = seconds
            on_progress(Progress(9, done, 0, 0, 9 - done))
        return original(handle, timeout=timeout)

    monkeypatch.setattr("stepflow_client.cli._output.time", clock)
    monkeypatch.setattr(SyncRunHandle, "results", results)
    serve(finished_run(*range(9)))
    lines = printed("wait", ID).err.splitlines()
    # At the start, every five seconds, and at the end.
    assert [line.split()[2] for line in lines] == ["0/9", "3/9", "6/9", "9/9"]


@pytest.mark.parametrize(("done", "length"), [(0, {1}), (2, {19, 20}), (4, {40})])
def test_a_bar_of_progress(
    serve: Callable[..., MockServer], monkeypatch: pytest.MonkeyPatch, done: int, length: set[int]
) -> None:
    """It pulses, each piece in a colour of its own, while the number is not known."""
    original = SyncRunHandle.results

    def results(handle: SyncRunHandle, *, timeout: Any, on_progress: Any) -> Any:
        on_progress(Progress(4, done, 0, 0, 4 - done))
        return original(handle, timeout=timeout)

    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(SyncRunHandle, "results", results)
    serve(finished_run(*range(4)))
    screen = Screen(monkeypatch, "stderr")
    screen("wait", ID)
    last = screen.styled.rpartition("\r")[2]
    assert f"{done}/4 done, 0 failed, " in last
    assert max(map(len, re.findall("━+", last))) in length


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_timeline_on_a_terminal_of_any_encoding(
    serve: Callable[..., MockServer], monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    received = io.BytesIO()
    terminal = Terminal(received, encoding=encoding)
    happened: dict[str, dict[str, Any]] = {
        "StepStarted": {"stepId": "a", "attempt": 1},
        "StepCompleted": {"stepId": "a", "status": 2},
        "RunCompleted": {"status": 2},
    }
    journal = [
        {
            "sequence_number": number,
            "timestamp": AT,
            "kind": kind,
            "data": {**PLACE, "itemIndex": 0, **fields},
        }
        for number, (kind, fields) in enumerate(happened.items())
    ]
    item = {"itemIndex": 0, "status": 2, "output": 1}
    serve(
        {
            "GET /runs": {"runs": [{**RUN, "status": 2, "finishedAtSeqno": 2}]},
            "GET /runs/{run_id}/items": {"results": [item]},
            "GET /runs/{run_id}/events": journal,
        },
        version="0.13.0",
    )
    monkeypatch.setenv("TERM", "xterm")
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal)
        assert cli.run(["timeline", ID]) == 0
    terminal.flush()
    text = received.getvalue().decode(encoding)
    assert "completed" in text
    assert text.isascii() is (encoding != "utf-8")


@pytest.mark.parametrize("arguments", [(), ("blob",)])
def test_a_command_without_arguments_explains_itself(
    printed: Callable[..., Printed], arguments: tuple[str, ...]
) -> None:
    _, out, err = printed(*arguments)
    assert "Usage: stepflow-client" in out + err
    assert (
        "Store a file as a blob" if arguments else "Run a flow and print its result"
    ) in out + err

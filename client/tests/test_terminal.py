"""Text of servers and flows cannot control a terminal, or programs behind a pipe."""

from __future__ import annotations

import errno
import http.server
import io
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from client.tests.commands import Screen
from client.tests.support import ECHO
from stepflow_api.errors import printable
from stepflow_client import SyncStepflowClient, cli
from stepflow_client.cli._output import OutputClosed, print_json, print_text, write_line
from stepflow_client.errors import InvalidAnswer, InvalidInput
from tools.spec.server import StepflowServer

#: Markup of rich, 7-bit and 8-bit terminal commands, a change of direction, and line breaks.
NAMES = (
    "build [/x] failed",
    "[link=http://evil.example]click[/link] :smile:",
    "\x1b]0;owned\x07\x1b[2Jgone\x7f",
    "a\x9b31mred\x9b0m",
    "\u202egnp.exe\u2066",
    "tab\there\nand line\rover\u2028end",
)


@pytest.fixture
def screen(server: StepflowServer, monkeypatch: pytest.MonkeyPatch) -> Screen:
    monkeypatch.setenv("STEPFLOW_URL", server.url)
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setenv("TERM", "xterm")
    return Screen(monkeypatch)


@pytest.fixture
def piped(
    server: StepflowServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    monkeypatch.setenv("STEPFLOW_URL", server.url)

    def run(*arguments: str, code: int = 0) -> str:
        assert cli.run(list(arguments)) == code
        sys.stdout.flush()
        return capfd.readouterr().out

    return run


def written(tmp_path: Path, flow: dict[str, Any]) -> str:
    path = tmp_path / "flow.json"
    path.write_text(json.dumps(flow))
    return str(path)


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_a_flow_in_a_table(
    server: StepflowServer, screen: Screen, piped: Callable[..., str], name: str
) -> None:
    with SyncStepflowClient(server.url) as client:
        run_id = str(client.submit({**ECHO, "name": name}, 1).id)
    shown = screen("runs", "--flow-name", name)
    assert shown.replace("\n", "").isprintable()
    assert len(shown.splitlines()) == 2
    assert printable(name) in shown
    assert run_id in shown
    (line,) = piped("runs", "--flow-name", name).splitlines()
    assert line.split("\t")[0::3] == [run_id, printable(name)]
    assert len(line.split("\t")) == 5
    document = piped("runs", "--flow-name", name, "--json")
    assert document.removesuffix("\n").isprintable()
    assert json.loads(document)["flowName"] == name


def test_a_narrow_terminal_shows_whole_ids(
    server: StepflowServer, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SyncStepflowClient(server.url) as client:
        run_id = str(client.submit({**ECHO, "name": "n" * 900}, 1).id)
    for columns in ("40", "60", "80"):
        monkeypatch.setenv("COLUMNS", columns)
        header, line = screen("runs", "--flow-name", "n" * 900).splitlines()
        assert header.split() == ["run", "status", "items", "age", "flow"]
        assert line.startswith(run_id)
        # A long name does not fill the screen.
        assert len(line) <= 80
        assert "nnn…" in line


def test_runs_that_are_shown_in_colour(
    server: StepflowServer,
    screen: Screen,
    piped: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    # Words in it that are no status.
    step = "un-failed failed-over step that is cut"
    ask = {"id": step, "component": "/create_messages", "input": {"user_prompt": {"$input": "$"}}}
    output = {"$step": step, "path": "messages[0].content"}
    flow = {"name": "f" * 90, "steps": [ask], "output": output}
    with SyncStepflowClient(server.url) as client:
        first, second = (client.submit(flow, text) for text in ("a", "b"))
        first.result()
        second.result()
        run, timeline, diff = str(first.id), first.timeline(), first.diff(second.id)
    assert screen("timeline", run) == timeline.to_text(width=70) + "\n"
    assert "\x1b[32mcompleted\x1b[0m" in screen.styled and "\x1b[1;31m" not in screen.styled
    # Without the times, which are those of detection.
    events = [[line[24:] for line in show("events", run).splitlines()] for show in (screen, piped)]
    assert events[0] == events[1] != []
    assert "\x1b[32mcompleted\x1b[0m\n" in screen.styled
    assert screen("diff", run, str(second.id), code=1) == diff.to_text() + "\n"
    assert "\x1b[31m-a\x1b[0m\n\x1b[32m+b\x1b[0m\n" in screen.styled
    assert "\x1b" not in piped("timeline", run) + piped("diff", run, run)


@pytest.mark.parametrize(
    ("seconds", "age"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (86399, "23 h"),
        (86400, "1 d"),
        (-5, "0 s"),
    ],
)
def test_the_age_of_a_run(
    seconds: float, age: str, hostile: type[Hostile], monkeypatch: pytest.MonkeyPatch
) -> None:
    # By the real clock, a run would grow older meanwhile.
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Clock:
            return cls(2026, 1, 2, tzinfo=tz)

    monkeypatch.setattr("stepflow_client.cli._output.datetime", Clock)
    created = Clock.now(UTC) - timedelta(seconds=seconds)
    hostile.answer = {"runs": [RUN | {"status": "failed", "createdAt": created.isoformat()}]}
    monkeypatch.setenv("COLUMNS", "100")
    header, line = Screen(monkeypatch)("runs").splitlines()
    assert header.split() == ["run", "status", "items", "age", "flow"]
    assert line.split() == [RUN["runId"], "failed", "1/1", *age.split()]


@pytest.mark.parametrize("name", NAMES)
def test_the_output_of_a_flow(
    screen: Screen, piped: Callable[..., str], tmp_path: Path, name: str
) -> None:
    flow = written(tmp_path, ECHO)
    arguments = ("run", flow, "--input", json.dumps(name))
    shown = screen(*arguments)
    assert shown.replace("\n", "").expandtabs().isprintable()
    assert "\x1b" not in shown
    # Programs receive the text unchanged.
    assert piped(*arguments) == f"{name}\n"
    arguments = ("run", flow, "--input", json.dumps({name: [name]}))
    for document in (screen(*arguments), piped(*arguments), piped(*arguments, "--json")):
        assert document.replace("\n", "").isprintable()
    assert json.loads(piped(*arguments)) == {name: [name]}


def test_text_keeps_its_lines_on_a_terminal(screen: Screen, tmp_path: Path) -> None:
    text = "a\tb\r\n日本語\u3000 é 👩\u200d💻\nend"
    shown = screen("run", written(tmp_path, ECHO), "--input", json.dumps(text))
    assert shown == text.replace("\r\n", "\n") + "\n"


def test_a_blob_on_a_terminal(
    server: StepflowServer,
    screen: Screen,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with SyncStepflowClient(server.url) as client:
        text = client.put_blob(b"a\x1b[2J\nb\n")
        binary = client.put_blob(b"\x00\xff")
    assert screen("blob", "get", text) == "a\\x1b[2J\nb\n"
    assert screen("blob", "get", binary, code=2) == ""
    assert "is binary, which a terminal cannot show; use --output FILE" in capfd.readouterr().err


def test_what_a_server_says_of_a_flow(screen: Screen, tmp_path: Path) -> None:
    flow = {"steps": [], "output": {"$step": "[/x]\x1b[2J\x9b1m"}}
    shown = screen("validate", written(tmp_path, flow), code=1)
    assert "[/x]" in shown
    assert shown.replace("\n", "").isprintable()


@pytest.mark.parametrize("text", ["\ud800", "a\udc9bb"])
def test_half_of_a_surrogate_pair_can_be_printed(
    text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    print_text(text)
    print_json([text])
    sys.stdout.flush()
    first, second = capfd.readouterr().out.splitlines()
    assert first == text.encode("utf-8", "backslashreplace").decode()
    assert json.loads(second) == [text]


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8", "utf-16"])
def test_json_in_a_pipe_of_any_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value = ["naïve", "日本語", "\U0001f600", "\ud800", "\x9b", "\x81"]
    pipe = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(pipe, encoding=encoding))
    print_json(value)
    print_json(value, indent=2)
    sys.stdout.flush()
    text = pipe.getvalue().decode(encoding)
    assert json.loads(f"[{text.replace(']', '],', 1)}]") == [value, value]
    assert ("日本語" in text) == (encoding == "utf-8")


def test_a_blob_in_a_pipe_comes_after_what_the_program_has_printed(
    server: StepflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPFLOW_URL", server.url)
    with SyncStepflowClient(server.url) as client:
        blob_id = client.put_blob(b"\0\xff")
    pipe = io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", io.TextIOWrapper(pipe, encoding="utf-8"))
        print("before")
        assert cli.run(["blob", "get", blob_id]) == 0
        print("after", flush=True)
        assert pipe.getvalue() == b"before\n\0\xffafter\n"


def test_windows_has_another_error_for_a_closed_pipe(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    def write(platform: str) -> None:
        with (tmp_path / "out").open("w") as out, monkeypatch.context() as patch:
            closed = Closed()
            patch.setattr(closed, "fileno", out.fileno, raising=False)
            patch.setattr(sys, "stdout", closed)
            patch.setattr(sys, "platform", platform)
            write_line("text")

    with pytest.raises(OutputClosed):
        write("win32")
    with pytest.raises(InvalidInput, match="cannot write to standard output"):
        write("linux")


def test_a_value_that_is_nested_too_deeply() -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]
    for indent in (None, 2):
        with pytest.raises(InvalidInput, match="nested too deeply"):
            print_json(value, indent=indent)


class Hostile(http.server.BaseHTTPRequestHandler):
    """Answers as a Stepflow server whose every text is hostile."""

    authorizations: list[str | None]
    answer: dict[str, Any]
    status = 200

    def do_GET(self) -> None:
        """Answer."""
        self.authorizations.append(self.headers["Authorization"])
        health = {"status": "healthy", "timestamp": "2026-01-01T00:00:00Z", "version": "0.11.1"}
        is_health = self.path.endswith("/health")
        content = json.dumps(health if is_health else self.answer).encode()
        self.send_response(200 if is_health else self.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    do_DELETE = do_POST

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hostile]]:
    class Handler(Hostile):
        authorizations: list[str | None] = []  # noqa: RUF012 - one for each test

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("STEPFLOW_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.delenv("STEPFLOW_TOKEN", raising=False)
        yield Handler
        server.shutdown()
        thread.join()


RUN: dict[str, Any] = {
    "runId": "01a220cf-9add-7013-bfe7-1312b53dd6a6",
    "rootRunId": "01a220cf-9add-7013-bfe7-1312b53dd6a6",
    "flowId": "0" * 64,
    "status": "\x1b[2J[/x]",
    "createdAt": "2026-01-01T00:00:00Z",
    "createdAtSeqno": 1,
    "items": dict.fromkeys(("total", "completed", "running", "failed", "cancelled"), 1),
}


def test_values_that_no_stepflow_server_sends(
    hostile: type[Hostile],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    screen = Screen(monkeypatch)
    hostile.answer = RUN
    assert screen("status", RUN["runId"]).startswith(printable("\x1b[2J[/x]: 1 of 1"))
    hostile.answer = {"blobId": "\x1b[2J"}
    path = tmp_path / "blob"
    path.write_bytes(b"1")
    assert screen("blob", "put", str(path)) == "\\x1b[2J\n"
    hostile.answer = {"no": "run"}
    assert screen("status", RUN["runId"], code=3) == ""
    assert "is this a Stepflow server" in capfd.readouterr().err
    hostile.answer = {"code": 400, "message": "\x1b]0;owned\x07\nsecond line"}
    hostile.status = 400
    assert screen("status", RUN["runId"], code=1) == ""
    err = capfd.readouterr().err
    assert err.count("\n") == 1
    assert err.removesuffix("\n").isprintable()


def test_an_error_shows_no_key_of_a_body_as_it_is(hostile: type[Hostile]) -> None:
    hostile.answer = {**RUN, "items": "\x1b[2J", "\x1b[2J": 1}
    with (
        SyncStepflowClient(os.environ["STEPFLOW_URL"]) as client,
        pytest.raises(InvalidAnswer, match="is not what a Stepflow server answers") as caught,
    ):
        client.handle(RUN["runId"]).status()
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("content", [b"sesame", b"sesame\n", b"sesame\r\n"])
def test_a_token_comes_from_a_file(
    hostile: type[Hostile], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes
) -> None:
    hostile.answer = {"runs": []}
    path = tmp_path / "token"
    path.write_bytes(content)
    # The option is meant for this call, the variable for all.
    monkeypatch.setenv("STEPFLOW_TOKEN", "other")
    assert cli.run(["--token-file", str(path), "runs"]) == 0
    assert set(hostile.authorizations) == {"Bearer sesame"}


def test_a_token_comes_from_standard_input_or_a_variable(
    hostile: type[Hostile], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hostile.answer = {"runs": []}
    path = tmp_path / "token"
    path.write_bytes(b"sesame\n")
    with path.open(encoding="utf-8") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert cli.run(["--token-file", "-", "runs"]) == 0
    monkeypatch.setenv("STEPFLOW_TOKEN", "sesame")
    assert cli.run(["runs"]) == 0
    assert set(hostile.authorizations) == {"Bearer sesame"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"sesame\nsesame\n", "is not one line of ASCII text"),
        (b"sesam\xc3\xa9", "is not one line of ASCII text"),
        (b"sesame \n", "the token cannot be sent"),
        (None, "there is no such file"),
    ],
)
def test_a_token_file_that_has_none(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], content: bytes | None, problem: str
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    assert cli.run(["--token-file", str(path), "runs"]) == 2
    err = capfd.readouterr().err
    assert problem in err
    assert "sesam" not in err.replace(str(path), "")


def test_two_tokens_are_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--token", "sesame", "--token-file", str(tmp_path), "runs"]) == 2
    assert "--token and --token-file are both given" in capfd.readouterr().err


def test_the_help_says_who_can_see_a_token(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert cli.run(["--help"]) == 0
    assert "can read it in the process list" in capfd.readouterr().out

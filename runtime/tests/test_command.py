"""The command `stepflow-runtime`, with real servers."""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.tests.component_flows import VERSION, flow, problem
from runtime.tests.gateways import Response, calls, gateway, grpc, nothing, task
from runtime.tests.support import ECHO, READ_FILE, descendants, exists, wait_until
from stepflow_client import SyncStepflowClient
from stepflow_runtime import ALL_BUILTINS, StepflowRuntime, __version__, errors
from stepflow_runtime._binary import find_binary
from stepflow_runtime._components import protobuf

MODULE = """
import logging, os, threading
from stepflow_runtime import ComponentContext, component

logging.basicConfig()

@component
def shout(text: str) -> str:
    print("shouting")
    return text.upper()

@component
def fail() -> None:
    raise LookupError("nothing here")

@component
def hang() -> None:
    print("hanging")
    threading.Event().wait()

@component
def die() -> None:
    os._exit(3)

@component
def store(context: ComponentContext) -> str:
    return context.sync_client.put_blob("a")
"""
# Like a script, which has the folder of its file first on the search path.
COMMAND = [sys.executable, "-P", "-m", "stepflow_runtime.cli"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a module of components."""
    (tmp_path / "steps.py").write_text(MODULE, encoding="utf-8")
    return tmp_path


@pytest.fixture(autouse=True)
def search_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command finds the packages wherever it is started."""
    path = os.pathsep.join(os.path.abspath(one) for one in sys.path if one)
    monkeypatch.setenv("PYTHONPATH", path)
    # It would hide that the command itself writes lines at once.
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    if binary := os.environ.get("STEPFLOW_SERVER_BINARY"):
        monkeypatch.setenv("STEPFLOW_SERVER_BINARY", os.path.abspath(binary))


@contextlib.contextmanager
def serving(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a server with the command, and yield the program and the server's URL."""
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", *options],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # As in a terminal, whose Ctrl-C reaches the whole group.
        start_new_session=True,
    ) as program:
        try:
            yield program, _url(program)
        finally:
            program.kill()


def _url(program: subprocess.Popen[str]) -> str:
    assert program.stdout is not None
    for line in program.stdout:
        if found := re.search(r" listens on (http://127.0.0.1:\d+)\n", line):
            return found[1]
    raise AssertionError(program.communicate()[1])


def until_ready(program: subprocess.Popen[str]) -> list[str]:
    """Return the lines that a program prints until it waits for Ctrl-C."""
    assert program.stdout is not None
    return list(iter(lambda: program.stdout.readline().rstrip("\n"), "Press Ctrl-C to stop."))  # type: ignore[union-attr]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_with_components_until_a_signal(folder: Path, number: signal.Signals) -> None:
    with serving(folder, "--components", "steps") as (program, url):
        lines = until_ready(program)
        assert lines == [
            f"component /python/{one}" for one in ("die", "fail", "hang", "shout", "store")
        ]
        with SyncStepflowClient(url) as client:
            assert client.run(flow("shout", {"text": "a"}), None).output == "A"
            assert "LookupError: nothing here" in problem(client.run(flow("fail", {}), None))
        pids = descendants(program.pid)
        assert pids
        os.killpg(program.pid, number)
        output, said = program.communicate(timeout=60)
        assert (program.returncode, output) == (0, "shouting\n")
        assert "ERROR component 'fail' raised an exception in step 'call'" in said
        assert 'LookupError("nothing here")' in said
        assert "KeyboardInterrupt" not in said
        # A component's module may set up logging for itself. Nothing is logged twice.
        assert "ERROR:stepflow_runtime" not in said
        assert not re.search("^(INFO|DEBUG) ", said, re.MULTILINE)
        wait_until(lambda: not any(map(exists, pids)), "the server is gone")


def test_ctrl_c_while_a_component_hangs(folder: Path) -> None:
    with serving(folder, "--components", "steps:hang") as (program, url):
        until_ready(program)
        with SyncStepflowClient(url) as client:
            caller = threading.Thread(target=_run, args=(client, flow("hang", {})))
            caller.start()
            assert program.stdout is not None
            assert program.stdout.readline() == "hanging\n"
            os.killpg(program.pid, signal.SIGINT)
            program.communicate(timeout=60)
            assert program.returncode == 0
            client.close()
            caller.join()


def _run(client: SyncStepflowClient, flow: dict[str, Any]) -> None:
    with contextlib.suppress(errors.StepflowError):
        client.run(flow, None, timeout=1)


def test_a_server_that_is_killed_ends_the_command(folder: Path) -> None:
    with serving(folder, "--log-level", "info") as (program, _):
        until_ready(program)
        # The server is the child with a session of its own.
        for pid in descendants(program.pid):
            with contextlib.suppress(OSError):
                if b"stepflow-server" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)
        _, said = program.communicate(timeout=60)
        assert program.returncode == 1
        found = re.findall("^INFO .*", said, re.MULTILINE)
        last = said.rpartition("stepflow-runtime: the Stepflow server exited; its last line: ")[2]
        assert last.endswith(f": {found[-1].removeprefix('INFO ')}\n")
        assert "Traceback" not in said


def test_the_options_of_a_server(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps(ALL_BUILTINS), encoding="utf-8")
    more = "def one() -> int: ...\nclass Steps:\n    def two(self) -> int: ..."
    (folder / "more.py").write_text(more, encoding="utf-8")
    # A module of another folder has the same name.
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere/steps.py").write_text("1 / 0", encoding="utf-8")
    binary, started = folder / "server", folder / "started"
    binary.write_text(
        f'#!/bin/sh\ntouch "{started}"\nexec "{find_binary(None)}" "$@"\n', encoding="utf-8"
    )
    binary.chmod(0o755)
    components = [f"--components={one}" for one in ("steps:shout", "more:one", "more:Steps.two")]
    path = f"{folder / 'elsewhere'}{os.pathsep}{os.environ['PYTHONPATH']}"
    with (
        pytest.MonkeyPatch.context() as patched,
        contextlib.ExitStack() as opened,
    ):
        patched.setenv("PYTHONPATH", path)
        program, url = opened.enter_context(
            serving(folder, "--config", "config.json", "--binary", "./server", *components)
        )
        assert until_ready(program) == [f"component /python/{n}" for n in ("one", "shout", "two")]
        client = opened.enter_context(SyncStepflowClient(url))
        # Not with the default config.
        assert client.run(READ_FILE, {"path": str(folder / "config.json")}).is_success
        assert started.exists()


@pytest.mark.parametrize("level", ["error", "warn", "info", "debug"])
def test_the_level_of_the_log(folder: Path, level: str) -> None:
    with (
        serving(folder, "--log-level", level, "--components", "steps") as (program, url),
        SyncStepflowClient(url) as client,
    ):
        until_ready(program)
        assert client.run(flow("shout", {"text": "a"}), None).output == "A"
        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=60)
    logged = set(re.findall("^(INFO|DEBUG) ", said, re.MULTILINE))
    assert logged == {"error": set(), "warn": set(), "info": {"INFO"}}.get(level, {"INFO", "DEBUG"})


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can do that")
def test_a_server_for_this_machine_only(folder: Path) -> None:
    for options, reachable in (((), True), (("--listen", "loopback"), False)):
        with serving(folder, *options) as (program, url), socket.socket() as other:
            port = int(url.rpartition(":")[2])
            assert (other.connect_ex(("127.0.0.2", port)) == 0) == reachable
            until_ready(program)


def test_a_data_dir_of_an_older_server(folder: Path) -> None:
    if VERSION < (0, 13):
        pytest.skip("its data need no conversion")
    with StepflowRuntime.start(
        data_dir=folder / "data", binary=os.path.abspath(os.environ["OLDER_SERVER"])
    ) as runtime:
        run_id = runtime.sync_client.submit(ECHO, 1).id
    code, _, said = command("serve", "--port", "0", "--data-dir", "data", folder=folder)
    assert code == 1 and "upgrade" in said
    with (
        serving(folder, "--data-dir", "data", "--upgrade") as (_, url),
        SyncStepflowClient(url) as client,
    ):
        assert client.handle(run_id).result().output == 1


def test_a_data_dir_keeps_runs(folder: Path) -> None:
    ids: list[Any] = []
    for _ in range(2):
        with (
            serving(folder, "--data-dir", "data", "--components", "steps") as (program, url),
            SyncStepflowClient(url) as client,
        ):
            ids.append([one.run_id for one in client.list_runs()])
            client.run(flow("shout", {"text": "a"}), None)
            program.send_signal(signal.SIGINT)
            program.communicate(timeout=60)
    assert [len(one) for one in ids] == [0, 1]


def worker_config(*arguments: str) -> dict[str, Any]:
    """Return a config whose plugin starts the command as a worker."""
    newer, prefixes = VERSION >= (0, 12), VERSION >= (0, 13)
    kind = {"type": "grpc", "queueName": "q"} if newer else {"type": "stepflow"}
    path = {"env": {"PYTHONPATH": os.environ["PYTHONPATH"]}}
    command = {"command": COMMAND[0], "args": [*COMMAND[1:], "worker", *arguments]}
    builtin = [{"plugin": "builtin"}]
    return {
        "plugins": {"builtin": {"type": "builtin"}, "w": {**kind, **command, **path}},
        "routes": {"/python": [{"plugin": "w"}], "/": builtin}
        if prefixes
        else {"/python/{*component}": [{"plugin": "w"}], "/{*component}": builtin},
        "retry": {"transportMaxRetries": 0},
    }


def test_a_worker_that_the_server_starts(
    folder: Path, monkeypatch: pytest.MonkeyPatch, records: list[logging.LogRecord]
) -> None:
    monkeypatch.chdir(folder)
    with StepflowRuntime.start(worker_config("steps")) as runtime:
        run = runtime.sync_client.run
        assert run(flow("shout", {"text": "a"}), None).output == "A"
        wait_until(lambda: "w: shouting" in [one.getMessage() for one in records], "it is logged")
        assert "LookupError: nothing here" in problem(run(flow("fail", {}), None))
        wait_until(lambda: any("Traceback" in one.getMessage() for one in records), "it is logged")
        if VERSION >= (0, 10):
            assert len(str(run(flow("store", {}), None).output)) == 64
        # It dies; the program, the server and other runs do not.
        runtime.sync_client.submit(flow("die", {}), None)
        wait_until(
            lambda: any(one.levelno == logging.ERROR for one in records), "its exit is logged"
        )
        (error, *_) = [one.getMessage() for one in records if one.levelno == logging.ERROR]
        assert "the worker of plugin 'w' exited (exit code 3)" in error
        assert runtime.is_alive


def test_what_a_worker_prints_is_shown(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps(worker_config("steps")), encoding="utf-8")
    with (
        serving(folder, "--config", "config.json", "--log-level", "error") as (program, url),
        SyncStepflowClient(url) as client,
    ):
        # Only the components of the command are named.
        assert until_ready(program) == []
        assert client.run(flow("shout", {"text": "a"}), None).output == "A"
        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=60)
    assert "INFO w: shouting\n" in said


def test_only_the_components_of_the_command_are_announced(folder: Path) -> None:
    config = json.dumps(worker_config("steps")).replace('"w"', '"python"')
    (folder / "config.json").write_text(config, encoding="utf-8")
    with serving(folder, "--config", "config.json") as (program, url):
        assert until_ready(program) == []
        with SyncStepflowClient(url) as client:
            names = [one.component for one in client.list_components()]
        # A worker of servers up to 0.11 does not know its plugin's name.
        assert ("/python/shout" if VERSION >= (0, 13) else "/shout") in names


@pytest.mark.parametrize("by", ["options", "variables", "default"])
def test_a_worker_for_a_server_that_runs_already(folder: Path, by: str) -> None:
    if VERSION < (0, 12):
        pytest.skip("servers up to 0.11 call their workers")
    key = "/python" if VERSION >= (0, 13) else "/python/{*component}"
    queue = "python" if by == "default" else "other"
    config = {
        "plugins": {"w": {"type": "grpc", "queueName": queue}, "builtin": {"type": "builtin"}},
        "routes": {key: [{"plugin": "w"}]},
    }
    with StepflowRuntime.start(config) as runtime:
        options = ["--queue", "other", "--tasks-url", f"{runtime.url}/"]
        # Options have precedence.
        variables = {"STEPFLOW_TASKS_URL": "http://127.0.0.1:9", "STEPFLOW_QUEUE_NAME": "wrong"}
        if by == "variables":
            options = []
            variables = {"STEPFLOW_TASKS_URL": runtime.url, "STEPFLOW_QUEUE_NAME": "other"}
        elif by == "default":
            options, variables = options[2:], {"STEPFLOW_QUEUE_NAME": ""}
        with subprocess.Popen(
            [*COMMAND, "worker", "steps", *options],
            cwd=folder,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            text=True,
        ) as worker:
            try:
                run = runtime.sync_client.run
                assert run(flow("shout", {"text": "a"}), None).output == "A"
                assert len(str(run(flow("store", {}), None).output)) == 64
            finally:
                worker.send_signal(signal.SIGINT)
            assert worker.communicate(timeout=60)[0] == "shouting\n"
            assert worker.returncode == 0


def one_task(
    component: str, input: dict[str, str], page: tuple[int, bytes]
) -> Callable[[str, int], Response]:
    """Return responses: to the first request of each method a page, then those for one task."""

    def respond(method: str, before: int) -> Response:
        if before == 0:
            return page[0], {"Content-Type": "text/html"}, page[1]
        if method == "PullTasks":
            return grpc(task(component, input)) if before == 1 else nothing()
        return grpc()

    return respond


BAD_GATEWAY = 502, b"<html><title>502 Bad Gateway</title></html>"


@pytest.mark.parametrize(
    "page",
    [
        BAD_GATEWAY,
        # What a message could begin with, but nothing that a task has.
        (200, b"\0\0\0\0\x02\x28\x01"),
    ],
    ids=["502", "200"],
)
def test_a_worker_behind_a_gateway_loses_no_result(page: tuple[int, bytes], folder: Path) -> None:
    """A gateway responds in the server's place while that is down."""
    with (
        gateway(one_task("/python/shout", {"text": "a"}, page)) as (url, seen),
        subprocess.Popen(
            [*COMMAND, "worker", "steps", "--tasks-url", url], cwd=folder, stdout=subprocess.PIPE
        ) as worker,
    ):
        try:
            wait_until(
                lambda: sum(method == "CompleteTask" for method, _ in seen) == 2,
                "the result is sent again",
            )
        finally:
            worker.send_signal(signal.SIGINT)
        assert worker.communicate(timeout=60)[0] == b"shouting\n"
    results = {body for method, body in seen if method == "CompleteTask"}
    assert len(results) == 1 and protobuf.encode_value("A") in results.pop()


@pytest.mark.parametrize("calls_it", [True, False], ids=["up to 0.11", "from 0.12 on"])
def test_a_worker_ends_with_the_server_that_started_it(folder: Path, calls_it: bool) -> None:
    # A server that is killed cannot end it.
    script = 'trap "" INT; "$@" & wait'
    with (
        gateway(lambda *_: nothing()) as (url, seen),
        subprocess.Popen(
            ["/bin/sh", "-c", script, "server", *COMMAND, "worker", "steps"],
            cwd=folder,
            env=os.environ if calls_it else {**os.environ, "STEPFLOW_TASKS_URL": url},
            stdout=subprocess.PIPE,
            text=True,
        ) as server,
    ):
        assert server.stdout is not None
        if calls_it:
            assert server.stdout.readline().startswith('{"port": ')
        else:
            wait_until(lambda: calls(seen, "PullTasks"), "the worker pulls tasks")
        (worker,) = descendants(server.pid)
        server.kill()
        wait_until(lambda: not exists(worker), "the worker has ended")


def test_what_a_worker_answers(folder: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "worker", "steps:store"],
        cwd=folder,
        # An empty variable is as good as none.
        env={**os.environ, "STEPFLOW_TASKS_URL": ""},
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:

        def answer(method: str, **parameters: Any) -> Any:
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            document = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
            client.request("POST", "/", json.dumps(document))
            content = json.loads(client.getresponse().read())
            client.close()
            return content

        assert worker.stdout is not None
        port = json.loads(worker.stdout.readline())["port"]
        try:
            # As server 0.9 does it, which names no URL of its own.
            assert answer("initialize")["result"]["server_protocol_version"] == 1
            (listed,) = answer("components/list")["result"]["components"]
            assert listed["component"] == "/store"
            error = answer("components/execute", component="/store", input={})["error"]
            assert error["code"] == -32100
            assert "servers before 0.10 do not tell their workers where they" in error["message"]
        finally:
            worker.send_signal(signal.SIGINT)


def test_a_worker_goes_on_when_the_shell_that_started_it_ends(folder: Path) -> None:
    script = '"$@" & read line'
    with (
        gateway(one_task("/python/hang", {}, BAD_GATEWAY)) as (url, seen),
        subprocess.Popen(
            ["/bin/sh", "-c", script, "shell", *COMMAND, "worker", "steps", "--tasks-url", url],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as shell,
    ):
        assert shell.stdout is not None and shell.stdin is not None
        assert shell.stdout.readline() == b"hanging\n"
        (worker,) = descendants(shell.pid)
        shell.stdin.close()
        shell.wait(60)
        before = len(seen)

        def heartbeats() -> int:
            return sum(method == "TaskHeartbeat" for method, _ in seen[before:])

        try:
            # One that watches its parent looks for it once a second, as often as it sends these.
            wait_until(lambda: heartbeats() == 3 or not exists(worker), "its call continues")
            assert exists(worker)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)


def test_nobody_reads_the_output(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    reading, writing = os.pipe()
    os.close(reading)
    command = [*COMMAND, "serve", "--port", str(port)]
    with (
        subprocess.Popen(command, cwd=folder, stdout=writing) as program,
        SyncStepflowClient(f"http://127.0.0.1:{port}") as client,
    ):
        os.close(writing)

        def answers() -> bool:
            with contextlib.suppress(errors.StepflowError):
                return client.health().status == "healthy"
            return False

        wait_until(answers, "the server answers")
        # It has printed, and keeps nothing to print when it ends.
        output = f"/proc/{program.pid}/fd/1"
        try:
            wait_until(lambda: os.readlink(output) == os.devnull, "the output is discarded")
            program.send_signal(signal.SIGINT)
            assert program.wait(60) == 0
        finally:
            program.kill()


def command(*arguments: str, folder: Path) -> tuple[int, str, str]:
    """Run the command, and return its exit code and what it printed."""
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_the_version(folder: Path) -> None:
    assert command("--version", folder=folder) == (0, f"stepflow-runtime {__version__}\n", "")


def test_the_defaults(folder: Path) -> None:
    code, output, _ = command("serve", "--help", folder=folder)
    text = " ".join(output.split())
    assert code == 0
    for default in ("by default 7840;", "by default 1 ", "standard error; by default warn"):
        assert default in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("serve --components nope", "there is no module 'nope'; install it, or run the command in"),
        ("serve --components nope.sub", "there is no module 'nope'; install it, or run the"),
        ("serve --components steps.py", "component 'steps.py' is a file; name its module: steps"),
        ("serve --components a/b.py", "component 'a/b.py' is a file; name its module: a.b"),
        ("serve --components a/b", "component 'a/b' is a file; name its module: a.b"),
        ("serve --components steps:nope", "module 'steps' has no 'nope'; check its name"),
        ("serve --components json", "module 'json' has no components; decorate its functions"),
        ("serve --components steps:os", "module 'os' has no components; decorate its functions"),
        (
            "worker bad",
            r"module 'bad' cannot be imported: ZeroDivisionError: .* zero \(.*bad.py, line 2\)",
        ),
        ("worker wrong", r"module 'wrong' cannot be imported: SyntaxError: .*wrong.py, line 1\)"),
        ("worker missing", "module 'missing' cannot be imported: ModuleNotFoundError: No module"),
        *(
            (f"worker steps --tasks-url {url}", f"--tasks-url is '{url}'; write HOST:PORT")
            for url in ("a:b", "http://a:1/b", "https://a:1", "http://", "http://u@a:1", "a:0")
        ),
        ("serve --etcd http://a", "--etcd is for several servers; add --servers"),
        ("serve --port 99999", "port is 99999; pass a whole number, 0 to 65535"),
        (
            "serve --config nope.yml",
            "the Stepflow server exited during startup .* nope.yml: No such",
        ),
    ],
)
def test_wrong_use(folder: Path, arguments: str, message: str) -> None:
    (folder / "bad.py").write_text("\n1 / 0\n", encoding="utf-8")
    (folder / "wrong.py").write_text("def f(:\n", encoding="utf-8")
    (folder / "missing.py").write_text("import miss\n", encoding="utf-8")
    code, output, said = command(*arguments.split(), folder=folder)
    # Of the command itself, or of its server.
    assert code == (1 if "nope.yml" in arguments else 2)
    assert output == ""
    assert re.fullmatch(f"stepflow-runtime: ({message}).*\n", said), said


@pytest.mark.parametrize("arguments", ["--vers", "serve --comp steps", "worker --que a steps"])
def test_options_cannot_be_abbreviated(folder: Path, arguments: str) -> None:
    """A later version may have another option that begins so."""
    code, output, said = command(*arguments.split(), folder=folder)
    assert (code, output) == (2, "")
    assert "error: " in said


def test_the_handlers_of_signals_are_restored() -> None:
    code = """
import signal
from stepflow_runtime import cli

numbers = signal.SIGINT, signal.SIGTERM
before = [signal.getsignal(number) for number in numbers]
assert cli.run(["serve", "--port", "99999"]) == 2
print([signal.getsignal(number) for number in numbers] == before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "True\n", done.stderr


def test_a_port_that_is_taken(folder: Path) -> None:
    with StepflowRuntime.start() as runtime:
        port = runtime.port
        code, _, said = command("serve", "--port", str(port), folder=folder)
    assert code == 1
    assert f"Port {port} is taken" in said
    assert said.count("\n") == 1

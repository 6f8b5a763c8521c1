"""The pytest plugin in sessions of their own, with the real server: what they get and leave."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.tests.support import exists, wait_until
from stepflow_api.errors import InvalidRequest
from stepflow_runtime import StepflowRuntime
from stepflow_runtime._binary import find_binary
from stepflow_runtime._external import ExternalServer

pytest_plugins = ("pytester",)

Run = Callable[..., pytest.RunResult]

# pytester goes elsewhere.
ROOT = Path.cwd()

PLUGIN = "stepflow_runtime.pytest_plugin"

ASYNCIO = ("-p", "pytest_asyncio.plugin", "-o", "asyncio_default_fixture_loop_scope=function")

#: Notes which server a test had, in a file of the test's and the worker's name.
HEAD = """
import asyncio, os, signal
from pathlib import Path

import pytest

ECHO = {"name": "echo", "steps": [], "output": {"$input": "$"}}

@pytest.fixture
def note(stepflow_runtime, request):
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    path = Path(__file__).with_name(f"{request.node.name}-{worker}.pid")
    path.with_suffix(".part").write_text(str(stepflow_runtime.pid))
    path.with_suffix(".part").rename(path)
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs pytest in a process of its own."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    pytester.makepyfile(conftest="")

    def run(code: str, *arguments: str | Path) -> pytest.RunResult:
        pytester.makepyfile(HEAD + code)
        return pytester.runpytest_subprocess("-p", PLUGIN, "-W", "error", *arguments)

    return run


@pytest.fixture(scope="module")
def server() -> Iterator[StepflowRuntime]:
    """A server that runs already."""
    with StepflowRuntime.start() as runtime:
        yield runtime


def noted(pytester: pytest.Pytester) -> dict[str, int]:
    """Return the process of the server that each test had."""
    return {path.stem: int(path.read_text()) for path in pytester.path.glob("*.pid")}


def assert_gone(pytester: pytest.Pytester, servers: int = 1) -> None:
    pids = set(noted(pytester).values())
    assert len(pids) == servers
    for pid in pids:
        wait_until(lambda pid=pid: not exists(pid), f"the server {pid} is gone")  # type: ignore[misc]


def test_variants_of_tests_on_trio_are_skipped_with_a_reason(run: Run) -> None:
    """anyio runs an async test on asyncio, and on trio where that is installed."""
    result = run(
        """
import anyio

pytestmark = pytest.mark.anyio

async def test_client(stepflow_client):
    assert (await stepflow_client.run(ECHO, 1)).output == 1

async def test_runtime(stepflow_runtime):
    assert (await stepflow_runtime.run(ECHO, 1)).output == 1

async def test_both(stepflow_client, stepflow_sync_client):
    assert (await stepflow_client.run(ECHO, 1)).output == 1

async def test_in_a_thread(stepflow_sync_client):
    assert (await anyio.to_thread.run_sync(stepflow_sync_client.run, ECHO, 1)).output == 1

@pytest.mark.parametrize("anyio_backend", [("trio", {"strict_exception_groups": True})])
async def test_with_options(stepflow_client):
    raise AssertionError("it was to be skipped")
""",
        "-p",
        "anyio.pytest_plugin",
        "-rs",
    )
    result.assert_outcomes(passed=5, skipped=4)
    result.stdout.fnmatch_lines(
        ["*async clients need asyncio; this variant of the test runs on trio"]
    )


def test_tests_get_one_server_for_the_session(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_other=HEAD + "def test_other(note): pass")
    run(
        """
import socket

@pytest.fixture(scope="session")
def stored(stepflow_sync_client):
    return stepflow_sync_client.store_flow(ECHO)

def test_it(note, stored, stepflow_runtime, stepflow_sync_client):
    assert stepflow_runtime.is_alive
    assert any("INFO" in line for line in stepflow_runtime.recent_logs())
    assert stepflow_sync_client.run(stored, {"n": 1}).output == {"n": 1}
    with socket.create_connection(("127.0.0.2", stepflow_runtime.port)):
        "It listens on all interfaces by default."

class TestIt:
    def test_again(self, note): pass
"""
    ).assert_outcomes(passed=3)
    assert noted(pytester).keys() == {"test_it-main", "test_again-main", "test_other-main"}
    assert_gone(pytester)


@pytest.mark.parametrize(
    ("mark", "arguments"),
    [
        ("asyncio", ASYNCIO),
        ("anyio", ("-p", "anyio.pytest_plugin")),
    ],
)
def test_asynchronous_tests_get_a_client(run: Run, mark: str, arguments: tuple[str, ...]) -> None:
    run(
        f"""
anyio_backend = pytest.fixture(lambda: "asyncio")
clients = []

@pytest.mark.{mark}
@pytest.mark.parametrize("number", range(3))
async def test_it(stepflow_client, number):
    assert stepflow_client not in clients
    clients.append(stepflow_client)
    results = await asyncio.gather(*[stepflow_client.run(ECHO, n) for n in range(20)])
    assert [result.output for result in results] == list(range(20))

@pytest.mark.{mark}
async def test_a_closed_client(stepflow_client):
    async with stepflow_client:
        assert (await stepflow_client.run(ECHO, 1)).output == 1
""",
        *arguments,
    ).assert_outcomes(passed=4)


def test_a_client_serves_one_loop_after_the_other(run: Run) -> None:
    run(
        """
def test_it(stepflow_client):
    for number in range(3):
        assert asyncio.run(stepflow_client.run(ECHO, number)).output == number

def test_it_left_open(stepflow_client):
    async def leave():
        task = asyncio.create_task(stepflow_client.run(ECHO, 1))
        await asyncio.sleep(0)
    asyncio.run(leave())
"""
    ).assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("code", "outcomes"),
    [
        ("def test_it(note): assert False", {"failed": 1}),
        ("def test_it(note): raise KeyboardInterrupt", {}),
        ("def test_it(note): os.kill(os.getpid(), signal.SIGINT)", {}),
        ("def test_it(note): pytest.exit('enough')", {}),
        ("def test_it(note): os._exit(3)", None),
        ("def test_it(note): os.kill(os.getpid(), signal.SIGKILL)", None),
        ("def test_it(note): os.kill(os.getpid(), signal.SIGTERM)", None),
    ],
)
def test_no_server_is_left(
    run: Run, pytester: pytest.Pytester, code: str, outcomes: dict[str, int] | None
) -> None:
    result = run(code + "\n\ndef test_next(note): assert False, 'not reached'\n", "-x")
    result.stdout.no_fnmatch_line("*not reached*")
    if outcomes is not None:
        result.assert_outcomes(**outcomes)
    assert_gone(pytester)


def test_each_worker_of_xdist_has_a_server(run: Run, pytester: pytest.Pytester) -> None:
    run(
        """
@pytest.mark.parametrize("number", range(2))
def test_it(note, stepflow_sync_client, number):
    assert stepflow_sync_client.run(ECHO, number).output == number
""",
        *("-p", "xdist.plugin", "-n", "2", "--dist", "each"),
    ).assert_outcomes(passed=4)
    servers = noted(pytester)
    assert servers["test_it[0]-gw0"] == servers["test_it[1]-gw0"]
    assert servers["test_it[0]-gw1"] == servers["test_it[1]-gw1"]
    assert_gone(pytester, servers=2)


def test_no_server_is_left_when_a_worker_of_xdist_crashes(
    run: Run, pytester: pytest.Pytester
) -> None:
    result = run(
        "def test_it(note): os.kill(os.getpid(), signal.SIGKILL)",
        *("-p", "xdist.plugin", "-n", "1", "--max-worker-restart", "0"),
    )
    result.stdout.fnmatch_lines(["*crashed*"])
    assert_gone(pytester)


def test_no_server_is_left_after_ctrl_c_with_xdist(
    run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(
        HEAD
        + """
def test_it(note):
    os.mkfifo("fifo")
    open("fifo").read()
"""
    )
    command = [sys.executable, "-m", "pytest", "-p", PLUGIN, "-p", "xdist.plugin", "-n", "1"]
    session = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, process_group=0
    )
    wait_until(lambda: noted(pytester), "the test runs")
    # As a terminal does it: all processes of the group.
    os.killpg(session.pid, signal.SIGINT)
    session.communicate(timeout=60)
    assert session.returncode == pytest.ExitCode.INTERRUPTED
    assert_gone(pytester)


def test_nothing_is_started_or_imported_for_other_tests(run: Run) -> None:
    run(
        """
import sys

def test_it():
    stepflow = {name for name in sys.modules if name.startswith("stepflow")}
    assert stepflow == {"stepflow_runtime", "stepflow_runtime.pytest_plugin"}
    assert not {"httpx", "pydantic", "yaml"} & sys.modules.keys()
"""
    ).assert_outcomes(passed=1)


BUILTIN = {
    "plugins": {"builtin": {"type": "builtin"}},
    "routes": {"/only/{*component}": [{"plugin": "builtin"}]},
}

USES_IT = """
def test_it(stepflow_sync_client):
    assert stepflow_sync_client.run(ONLY, {}).is_success

ONLY = {
    "steps": [{"id": "a", "component": "/only/create_messages", "input": {"user_prompt": "a"}}],
    "output": {"$step": "a"},
}
"""


def test_a_configuration_is_taken(run: Run, pytester: pytest.Pytester) -> None:
    path = pytester.path / "stepflow.json"
    path.write_text(json.dumps(BUILTIN), encoding="utf-8")
    run(USES_IT, "--stepflow-config=stepflow.json").assert_outcomes(passed=1)
    elsewhere = "os.chdir('/')\n" + USES_IT
    run(elsewhere, "--stepflow-config=stepflow.json").assert_outcomes(passed=1)
    # It is relative to the folder where pytest is called, wherever its root is.
    root = ("--rootdir=/", "-p", "no:cacheprovider")
    run(elsewhere, "--stepflow-config=stepflow.json", *root).assert_outcomes(passed=1)
    # So is a setting of the command line, where there is no settings file.
    run(elsewhere, "-o", "stepflow_config=stepflow.json").assert_outcomes(passed=1)
    pytester.makeini("[pytest]\nstepflow_config = stepflow.json\n")
    run(elsewhere).assert_outcomes(passed=1)
    # There it is relative to the settings file.
    run(elsewhere, *root).assert_outcomes(passed=1)
    pytester.makeini("[pytest]\n")
    run(USES_IT).assert_outcomes(failed=1)


def test_a_configuration_can_be_a_fixture(run: Run) -> None:
    run(
        USES_IT
        + f"""
@pytest.fixture(scope="session")
def stepflow_config():
    return {BUILTIN!r}
"""
    ).assert_outcomes(passed=1)


def test_another_server_is_used(
    run: Run, pytester: pytest.Pytester, server: StepflowRuntime
) -> None:
    code = f"""
def test_sync(stepflow_sync_client):
    assert stepflow_sync_client.run(ECHO, "here").output == "here"

def test_async(stepflow_client):
    assert asyncio.run(stepflow_client.run(ECHO, "there")).output == "there"

def test_runtime(stepflow_runtime):
    assert stepflow_runtime.url == {server.url!r}
    assert asyncio.run(stepflow_runtime.run(ECHO, 1)).output == 1
"""
    run(code, "--stepflow-url", server.url, "--stepflow-scope=module").assert_outcomes(passed=3)
    pytester.makeini(f"[pytest]\nstepflow_url = {server.url}\n")
    run(code).assert_outcomes(passed=3)
    assert len(list(server.sync_client.list_runs(flow_name="echo"))) == 6


@pytest.mark.parametrize("url", ["http://user:s3cret%40host", "http://:s3cret", "s3cret@host"])
def test_a_server_url_that_cannot_be_used_is_not_quoted(url: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^the server's URL ") as caught:
        ExternalServer(url)
    assert "s3cret" not in repr(caught.value) + repr(caught.value.__context__)


@pytest.mark.parametrize(
    ("settings", "option", "code"),
    [
        (
            "stepflow_binary = nowhere",
            "--stepflow-binary={binary}",
            "def test_it(stepflow_runtime): assert stepflow_runtime.is_alive",
        ),
        ("stepflow_config = nowhere", "--stepflow-config={config}", USES_IT),
        (
            "stepflow_url = http://127.0.0.1:9",
            "--stepflow-url={url}",
            "def test_it(stepflow_runtime): assert stepflow_runtime.url == {url!r}",
        ),
        (
            "stepflow_binary = nowhere\nstepflow_config = nowhere",
            "--stepflow-url={url}",
            "def test_it(stepflow_runtime): assert stepflow_runtime.url == {url!r}",
        ),
        (
            "stepflow_url = http://127.0.0.1:9",
            "--stepflow-binary={binary}",
            "def test_it(stepflow_runtime): assert stepflow_runtime.is_alive",
        ),
        ("stepflow_url = http://127.0.0.1:9", "--stepflow-config={config}", USES_IT),
        (
            "stepflow_listen = nowhere",
            "--stepflow-listen=loopback",
            """
import socket

def test_it(stepflow_runtime):
    with socket.socket() as other:
        assert other.connect_ex(("127.0.0.2", stepflow_runtime.port)) != 0
""",
        ),
    ],
)
def test_an_option_wins_over_settings(
    run: Run,
    pytester: pytest.Pytester,
    server: StepflowRuntime,
    tmp_path_factory: pytest.TempPathFactory,
    settings: str,
    option: str,
    code: str,
) -> None:
    # Outside the project, where it could move pytest's root.
    config = tmp_path_factory.mktemp("elsewhere") / "stepflow.json"
    config.write_text(json.dumps(BUILTIN), encoding="utf-8")
    values = {"binary": find_binary(None), "config": config, "url": server.url}
    pytester.makeini(f"[pytest]\n{settings}\n")
    read = f"""
def test_settings(pytestconfig):
    for line in {settings.splitlines()!r}:
        name, value = line.split(" = ")
        assert pytestconfig.getini(name) == value
"""
    code = code.replace("{url!r}", repr(server.url))
    run(code + read, option.format(**values)).assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("option", "through"),
    [
        ("--stepflow-binary", "arguments"),
        ("--stepflow-config", "arguments"),
        ("--stepflow-data-dir", "arguments"),
        ("--stepflow-log-file", "arguments"),
        ("--stepflow-binary", "environment"),
        ("--stepflow-config", "settings"),
    ],
)
def test_a_file_after_a_space_is_refused(
    run: Run,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    option: str,
    through: str,
) -> None:
    arguments: tuple[str, ...] = ()
    if through == "arguments":
        arguments = (option, sys.executable)
    elif through == "environment":
        monkeypatch.setenv("PYTEST_ADDOPTS", f"{option} {sys.executable}")
    else:
        pytester.makeini(f"[pytest]\naddopts = {option} {sys.executable}\n")
    pytester.makepyfile(conftest="raise RuntimeError('imported')")
    result = run("def test_it(): pass", *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = [line for line in result.errlines if line]
    assert line.startswith(f"ERROR: {option} needs an equals sign")
    assert line.endswith(f"Write {option}=FILE")


@pytest.mark.parametrize(
    ("argument", "problem"),
    [
        ("--stepflow-binary=nowhere", "there is no such file"),
        ("--stepflow-config=nowhere.yaml", "nowhere.yaml"),
        ("--stepflow-config=broken.json", "missing field `plugins`"),
    ],
)
def test_a_server_that_cannot_start_is_told_on_one_line(
    run: Run, pytester: pytest.Pytester, argument: str, problem: str
) -> None:
    (pytester.path / "broken.json").write_text("{}", encoding="utf-8")
    result = run("def test_it(stepflow_sync_client): pass", argument)
    result.assert_outcomes(errors=1)
    lines = result.stdout.lines
    first = next(n for n, line in enumerate(lines) if "ERROR at setup of test_it" in line)
    assert problem in lines[first + 1]
    # A heading: the server's own words, or the summary.
    assert lines[first + 2].startswith(("---", "===")), lines
    assert not [line for line in lines if line.startswith(("E  ", "Traceback"))], lines


def test_a_url_and_a_binary_contradict_each_other(run: Run, pytester: pytest.Pytester) -> None:
    arguments: tuple[str, ...] = ("--stepflow-url=http://127.0.0.1:9", "--stepflow-binary=x")
    for _ in range(2):
        result = run("def test_it(): pass", *arguments)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        (line,) = [line for line in result.errlines if line]
        assert line.startswith("ERROR: --stepflow-url (stepflow_url) names a running server")
        pytester.makeini("[pytest]\nstepflow_url = http://127.0.0.1:9\nstepflow_config = x\n")
        arguments = ()


OTHERS = {
    "binary": "x",
    "config": "x",
    "listen": "loopback",
    "startup-timeout": "5",
    "data-dir": "x",
    "log-level": "debug",
    "log-file": "x",
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_url_and_each_other_option(pytester: pytest.Pytester, name: str) -> None:
    url, option = "http://127.0.0.1:9", f"--stepflow-{name}={OTHERS[name]}"
    setting = f"stepflow_{name.replace('-', '_')}"
    plugin = ("-p", PLUGIN)
    with pytest.raises(pytest.UsageError, match=f"cannot be combined with {name}; remove one"):
        pytester.parseconfigure(*plugin, f"--stepflow-url={url}", option)
    # An option wins over a setting, either way.
    pytester.makeini(f"[pytest]\nstepflow_url = {url}\n")
    pytester.parseconfigure(*plugin, option)
    pytester.makeini(f"[pytest]\n{setting} = {OTHERS[name]}\n")
    pytester.parseconfigure(*plugin, f"--stepflow-url={url}")
    pytester.makeini(f"[pytest]\nstepflow_url = {url}\n{setting} = {OTHERS[name]}\n")
    with pytest.raises(pytest.UsageError, match=f"cannot be combined with {name}; remove one"):
        pytester.parseconfigure(*plugin)


def test_a_url_and_the_scope(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nstepflow_scope = class\n")
    with pytest.raises(pytest.UsageError, match="the scope of stepflow_runtime is 'class'"):
        pytester.parseconfigure("-p", PLUGIN, "--stepflow-url=http://127.0.0.1:9")


@pytest.mark.parametrize("level", ["error", "warn", "info", "debug", "trace"])
def test_each_level_of_the_log(pytester: pytest.Pytester, level: str) -> None:
    pytester.parseconfigure("-p", PLUGIN, f"--stepflow-log-level={level}")


@pytest.mark.parametrize(("scope", "servers"), [("session", 1), ("module", 2), ("function", 3)])
def test_a_server_lasts_as_long_as_its_scope(
    run: Run, pytester: pytest.Pytester, scope: str, servers: int
) -> None:
    pytester.makepyfile(test_other=HEAD + "def test_other(note, stepflow_client): pass")
    code = """
def test_it(note, stepflow_sync_client):
    assert stepflow_sync_client.run(ECHO, 1).output == 1

def test_again(note, stepflow_runtime):
    assert stepflow_runtime.is_alive
    earlier = {path.read_text() for path in Path(__file__).parent.glob("*.pid")}
    earlier.remove(str(stepflow_runtime.pid))
    assert not [pid for pid in earlier if Path(f"/proc/{pid}").exists()]
"""
    run(code, f"--stepflow-scope={scope}").assert_outcomes(passed=3)
    assert_gone(pytester, servers)
    pytester.makeini(f"[pytest]\nstepflow_scope = {scope}\n")
    run(code).assert_outcomes(passed=3)
    assert_gone(pytester, servers)


def test_functions_of_a_fixture_are_components(run: Run, pytester: pytest.Pytester) -> None:
    code = """
@pytest.fixture(scope="session")
def stepflow_components():
    def shout(text: str) -> str:
        return text.upper()

    return [shout]

FLOW = {
    "name": "shout",
    "steps": [{"id": "s", "component": "/python/shout", "input": {"text": {"$input": "$"}}}],
    "output": {"$step": "s"},
}

def test_it(stepflow_sync_client):
    assert stepflow_sync_client.run(FLOW, "a").output == "A"
"""
    run(code).assert_outcomes(passed=1)
    result = run(code, "--stepflow-url=http://127.0.0.1:9")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        "--stepflow-url (stepflow_url) names a running server, which cannot call the functions of"
        " the fixture stepflow_components; remove the URL"
    )


def test_options_of_the_server(run: Run, pytester: pytest.Pytester) -> None:
    code = """
@pytest.fixture(scope="session")
def stepflow_options():
    return {"env": {"OF_THE_TEST": "yes"}, "startup_timeout": 60}

def test_it(stepflow_runtime):
    stepflow_runtime.sync_client.run(ECHO, 1)
    assert b"OF_THE_TEST=yes" in Path(f"/proc/{stepflow_runtime.pid}/environ").read_bytes()
    assert len(list(stepflow_runtime.sync_client.list_runs())) == RUNS
    assert any("DEBUG" in line for line in stepflow_runtime.recent_logs())
    assert "DEBUG" in Path(__file__).with_name("server.log").read_text()

# The files are relative to the folder where pytest is called.
os.chdir("/")
"""
    pytester.path.joinpath("server").symlink_to(find_binary(None))
    options = ("--stepflow-data-dir=data", "--stepflow-log-level=debug", "--stepflow-binary=server")
    for runs in (1, 2):
        run(
            f"RUNS = {runs}\n{code}",
            *(*options, "--stepflow-log-file=server.log", "--stepflow-startup-timeout=0.0001"),
        ).assert_outcomes(passed=1)
    # Each worker of pytest-xdist has a folder of its own.
    run(
        "def test_it(stepflow_runtime): assert stepflow_runtime.pid",
        *("-p", "xdist", "-n", "2", "--dist", "each", *options),
    ).assert_outcomes(passed=2)
    assert {path.name for path in (pytester.path / "data").iterdir()} >= {"gw0", "gw1"}


@pytest.mark.parametrize(
    ("argument", "problem"),
    [
        (
            "--stepflow-scope=class",
            "the scope of stepflow_* is 'class' * use session, module, fun*",
        ),
        ("--stepflow-startup-timeout=long", "--stepflow-startup-timeout * is 'long'; use seconds"),
        ("--stepflow-log-level=all", "--stepflow-log-level * is 'all'; use error, warn, info, *"),
    ],
)
def test_options_that_cannot_be_used(run: Run, argument: str, problem: str) -> None:
    result = run("def test_it(): pass", argument)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(f"ERROR: {problem}")


def test_a_session_inside_a_running_loop(run: Run, pytester: pytest.Pytester) -> None:
    """As in a notebook, where `start` does not wait."""
    pytester.makepyfile(
        test_inside="def test_it(stepflow_runtime): assert stepflow_runtime.is_alive",
        main=f"""
import asyncio, pytest

async def main():
    return pytest.main(["-p", {PLUGIN!r}, "test_inside.py"])

raise SystemExit(asyncio.run(main()))
""",
    )
    assert pytester.run(sys.executable, "main.py").ret == 0


def test_a_server_that_takes_too_long(run: Run, tmp_path: Path) -> None:
    binary = tmp_path / "server"
    binary.write_text("#!/bin/sh\nexec sleep 600\n", encoding="utf-8")
    binary.chmod(0o755)
    result = run(
        "def test_it(stepflow_runtime): pass",
        f"--stepflow-binary={binary}",
        "--stepflow-startup-timeout=0.1",
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*within startup_timeout=0.1 s*")


def test_unittest_with_the_fixtures_and_without(run: Run, pytester: pytest.Pytester) -> None:
    code = """
import unittest
from stepflow_runtime import StepflowRuntime

class TestWithFixtures(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def use(self, stepflow_sync_client):
        self.client = stepflow_sync_client

    def test_it(self):
        self.assertEqual(self.client.run(ECHO, 1).output, 1)
"""
    run(code).assert_outcomes(passed=1)
    readme = (ROOT / "runtime/README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python unittest\n(.*?)```", readme, re.DOTALL)
    pytester.makepyfile(test_plain=code)
    done = pytester.run(sys.executable, "-W", "error", "-m", "unittest", "-v", "test_plain")
    assert done.ret == 0
    assert "Ran 2 tests" in done.stderr.str()


def test_help_names_the_options_and_the_fixtures(run: Run) -> None:
    text = run("", "--help").stdout.str()
    for name in ("binary", "config", "data-dir", "listen", "scope", "startup-timeout", "url"):
        assert f"--stepflow-{name}=" in text
        assert f"stepflow_{name.replace('-', '_')} (" in text
    text = run("def test_it(): pass", "--fixtures").stdout.str()
    for name in ("components", "config", "options", "runtime", "client", "sync_client"):
        assert f"stepflow_{name}" in text


def test_the_tests_of_the_readme_pass(run: Run) -> None:
    readme = (ROOT / "runtime/README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python pytest\n(.*?)```", readme, re.DOTALL)
    run(code, *ASYNCIO).assert_outcomes(passed=2)


def test_the_package_declares_the_plugin() -> None:
    project = tomllib.loads((ROOT / "runtime/pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["entry-points"]["pytest11"] == {"stepflow": PLUGIN}

"""Workers on the server at `$STEPFLOW_SERVER_BINARY`: their output, and how they fail."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pickle
import signal
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from runtime.tests.support import descendants, exists, wait_until
from stepflow_runtime import LogConfig, RestartPolicy, StepflowRuntime, errors

WORKER = Path("runtime/tests/component_worker.py").absolute()
VERSION = tuple(map(int, os.environ["STEPFLOW_SERVER_VERSION"].split(".")))
#: Servers from 0.12 on talk gRPC with workers, for which a worker needs packages.
ANNOUNCES = VERSION < (0, 12)
needs_worker = pytest.mark.skipif(not ANNOUNCES, reason="a worker of this server needs gRPC")
PLUGIN = "odd 'na\"me"


def config(program: str, *arguments: str, plugin: str = PLUGIN, **more: Any) -> dict[str, Any]:
    """Return a config with a worker."""
    kind = {"type": "stepflow"} if ANNOUNCES else {"type": "grpc", "queueName": "q"}
    builtin = [{"plugin": "builtin"}]
    return {
        "plugins": {
            "builtin": {"type": "builtin"},
            plugin: {**kind, "command": program, "args": list(arguments), **more},
        },
        "routes": {"/w/{*component}": [{"plugin": plugin}], "/{*component}": builtin}
        if ANNOUNCES
        else {"/w": [{"plugin": plugin}], "/": builtin},
    }


def python(code: str, *arguments: str) -> dict[str, Any]:
    """Return a config with a worker that runs Python code."""
    return config(sys.executable, "-c", code, *arguments)


def fails(config: Any, **options: Any) -> errors.WorkerFailed:
    """Start a server whose worker fails, and return the error."""
    with pytest.raises(errors.WorkerFailed) as caught:
        StepflowRuntime.start(config, **options)
    assert "\n" not in str(caught.value)
    return caught.value


def flow(**input: Any) -> dict[str, Any]:
    """Return a flow with instructions for the worker."""
    return {
        "name": "do",
        "steps": [{"id": "do", "component": "/w/do", "input": input}],
        "output": {"$step": "do"},
    }


@contextlib.contextmanager
def logged(take: Callable[[logging.LogRecord], object]) -> Generator[None]:
    """Call a function with each record of the workers' logger."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            take(record)

    handler = Handler()
    logger = logging.getLogger("stepflow_runtime.worker")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
        logger.removeHandler(handler)


@pytest.fixture
def records() -> Iterator[list[logging.LogRecord]]:
    """The records of the workers' logger."""
    records: list[logging.LogRecord] = []
    with logged(records.append):
        yield records


def of_level(records: list[logging.LogRecord], level: int) -> list[logging.LogRecord]:
    """Return the records with a level."""
    return [record for record in records if record.levelno == level]


def test_a_worker_that_cannot_be_imported(records: list[logging.LogRecord]) -> None:
    error = fails(python("print('starting', flush=True)\nimport no_such_module"))
    reason = "ModuleNotFoundError: No module named 'no_such_module'"
    assert str(error) == (
        f"the worker of plugin {PLUGIN!r} exited during startup (exit code 1): {reason};"
        " see .last_lines"
    )
    assert (error.plugin, error.exit_code) == (PLUGIN, 1)
    assert sorted(error.last_lines) == sorted(
        [
            "starting",
            "Traceback (most recent call last):",
            '  File "<string>", line 2, in <module>',
            reason,
        ]
    )
    again = pickle.loads(pickle.dumps(error))
    assert (again.plugin, again.last_lines) == (error.plugin, error.last_lines)
    output = of_level(records, logging.INFO)
    assert {record.getMessage() for record in output} == {
        f"{PLUGIN}: {line}" for line in error.last_lines
    }
    assert {record.__dict__["plugin"] for record in output} == {PLUGIN}
    streams = {record.getMessage(): record.__dict__["stream"] for record in output}
    assert streams[f"{PLUGIN}: starting"] == "stdout"
    assert streams[f"{PLUGIN}: {reason}"] == "stderr"
    assert not of_level(records, logging.ERROR)


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_a_config_file(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "a b").mkdir()
    script = tmp_path / "a b" / "my worker"
    script.write_text('#!/bin/sh\necho "$PWD $1" >&2\nexit 7\n', encoding="utf-8")
    script.chmod(0o755)
    path = tmp_path / f"config.{suffix}"
    document = config("./a b/my worker", "two words")
    text = json.dumps(document) if suffix == "json" else yaml.safe_dump(document)
    path.write_text(text, encoding="utf-8")
    error = fails(path)
    assert error.exit_code == 7
    assert error.last_lines == [f"{tmp_path} two words"]


def test_a_program_of_the_search_path(tmp_path: Path) -> None:
    script = tmp_path / "my-worker"
    script.write_text("#!/bin/sh\necho found\nexit 7\n", encoding="utf-8")
    script.chmod(0o755)
    error = fails(config("my-worker"), env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert error.last_lines == ["found"]


def test_a_command_without_a_program() -> None:
    error = fails(config("no-such-program"))
    assert error.exit_code == 127
    assert error.last_lines == ["cannot execute 'no-such-program': No such file or directory"]


def test_a_program_that_cannot_be_executed(tmp_path: Path) -> None:
    script = tmp_path / "worker $HOME"
    script.write_text("", encoding="utf-8")
    error = fails(config(str(script)))
    assert error.exit_code == 126
    assert error.last_lines == [f"cannot execute '{script}': Permission denied"]


def test_a_worker_that_a_signal_kills() -> None:
    error = fails(python("import os; os.abort()"))
    assert error.exit_code == -signal.SIGABRT
    assert "was killed by signal 6 (SIGABRT) during startup" in str(error)


def test_100_megabytes_and_binary() -> None:
    code = (
        "import os, sys\n"
        "for stream in (1, 2):\n"
        "    for _ in range(50): os.write(stream, bytes(range(11, 256)) * 4280)\n"
        "    os.write(stream, bytes([10]))\n"
        "print('end', chr(27) + '[1m', chr(7), file=sys.stderr)\n"
        "sys.exit(9)"
    )
    length = 0

    def count(record: logging.LogRecord) -> None:
        nonlocal length
        length += len(record.getMessage())

    with logged(count):
        error = fails(python(code), startup_timeout=120)
    assert length > 100_000_000
    assert error.exit_code == 9
    assert error.last_lines[-1] == r"end  \x07"
    assert all(line.isprintable() for line in error.last_lines)
    # A byte becomes four characters at the most.
    assert max(map(len, error.last_lines)) <= 4 * 65536
    assert r"\xff" in error.last_lines[0]


def test_a_worker_that_is_never_ready() -> None:
    code = "import time\nprint('dozing', flush=True)\ntime.sleep(1000)"
    with pytest.raises(errors.StartTimeout) as caught:
        StepflowRuntime.start(python(code), startup_timeout=3)
    expected = f"may not be ready: {PLUGIN!r} (its last line: dozing)"
    assert expected in str(caught.value)


def test_a_plugin_that_is_malformed_is_left_to_the_server() -> None:
    document = config(sys.executable)
    document["plugins"][PLUGIN]["args"] = 5
    with pytest.raises(errors.ConfigInvalid):
        StepflowRuntime.start(document)
    document["plugins"][PLUGIN] = {"type": "no-such-type", "command": 5}
    with pytest.raises(errors.ConfigInvalid):
        StepflowRuntime.start(document)


def test_the_output_is_not_logged_without_capture(records: list[logging.LogRecord]) -> None:
    error = fails(
        python("print('hello')\nraise SystemExit(3)"), log_config=LogConfig(capture=False)
    )
    assert error.last_lines == ["hello"]
    assert not of_level(records, logging.INFO)


@needs_worker
def test_what_a_worker_prints_while_it_works(records: list[logging.LogRecord]) -> None:
    with StepflowRuntime.start(config(sys.executable, str(WORKER))) as runtime:
        run = runtime.sync_client.run
        assert run(flow(stdout="in a step", stderr="wrong"), None).output == "done"

        def messages() -> list[str]:
            return [record.getMessage() for record in of_level(records, logging.INFO)]

        expected = [f"{PLUGIN}: {text}" for text in ("starting", "in a step", "wrong")]
        wait_until(lambda: len(messages()) >= 3, "the lines are logged")
        # Not the announcement of its port.
        assert sorted(messages()) == sorted(expected)
        # More than a pipe holds.
        assert run(flow(stdout="x" * 99, times=10_000), None).output == "done"
        wait_until(lambda: len(messages()) >= 10_003, "all lines are logged")
    assert not of_level(records, logging.ERROR)


@needs_worker
def test_a_worker_that_exits_later_is_reported_once(records: list[logging.LogRecord]) -> None:
    with StepflowRuntime.start(config(sys.executable, str(WORKER))) as runtime:
        client = runtime.sync_client
        client.submit(flow(stderr="no more", exit=3), None)
        wait_until(lambda: of_level(records, logging.ERROR), "the exit is reported")
        # The server starts the worker again, and tries the step again.
        record = of_level(records, logging.ERROR)[0]
        assert record.getMessage() == (
            f"the worker of plugin {PLUGIN!r} exited (exit code 3); its last lines:"
            " starting | no more"
        )
        assert record.__dict__["plugin"] == PLUGIN
        assert record.__dict__["exit_code"] == 3
        assert record.__dict__["last_lines"] == ["starting", "no more"]
    exits = [
        one for one in records if "no more" in one.getMessage() and one.levelno == logging.INFO
    ]
    # The last one may coincide with the stop.
    assert len(exits) - 1 <= len(of_level(records, logging.ERROR)) <= len(exits)


@needs_worker
def test_the_worker_ends_with_a_server_that_crashes(records: list[logging.LogRecord]) -> None:
    with StepflowRuntime.start(
        config("/bin/sh", "-c", f"'{sys.executable}' '{WORKER}' & wait"),
        restart_policy=RestartPolicy.ON_FAILURE,
    ) as runtime:
        pids = {runtime.pid, *descendants(runtime.pid)}
        # The server, the worker's two parents, the shell, and Python.
        assert len(pids) == 5
        os.kill(runtime.pid, signal.SIGKILL)
        wait_until(lambda: not any(map(exists, pids)), "all are gone")
        wait_until(lambda: runtime.is_alive, "the server is started again")
        assert runtime.sync_client.run(flow(stdout="again"), None).output == "done"
    assert not of_level(records, logging.ERROR)


@needs_worker
def test_a_handler_that_fails_or_stops_the_runtime() -> None:
    def emit(record: logging.LogRecord) -> None:
        if "stop" in record.getMessage():
            runtime.stop()
        raise ValueError

    with logged(emit), StepflowRuntime.start(config(sys.executable, str(WORKER))) as runtime:
        client = runtime.sync_client
        assert client.run(flow(stdout="go on"), None).output == "done"
        # Server 0.9 answers once the run has ended, and so never.
        with contextlib.suppress(errors.StepflowError):
            client.submit(flow(stdout="stop"), None)
        wait_until(lambda: not runtime.is_alive, "the runtime is stopped")


def test_a_plugin_that_talks_over_its_output() -> None:
    code = (
        "import json, sys\n"
        "for line in sys.stdin:\n"
        "    request = json.loads(line)\n"
        "    info = {'name': 'x', 'version': '1'}\n"
        "    result = {'protocolVersion': '2024-11-05', 'capabilities': {}, 'serverInfo': info}\n"
        "    result |= {'tools': []}\n"
        "    answer = {'jsonrpc': '2.0', 'id': request.get('id'), 'result': result}\n"
        "    if 'id' in request: print(json.dumps(answer), flush=True)\n"
    )
    document = config(sys.executable, "-c", code)
    document["plugins"][PLUGIN] = {"type": "mcp", "command": sys.executable, "args": ["-c", code]}
    with StepflowRuntime.start(document) as runtime:
        assert runtime.sync_client.health()

"""Workers on the server at `$STEPFLOW_SERVER_BINARY`: their output, and how they fail."""

from __future__ import annotations

import copy
import http.server
import json
import logging
import os
import pickle
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from runtime.tests.component_flows import VERSION
from runtime.tests.support import exists, wait_until
from runtime.tests.workers import PLUGIN, config, logged, of_level
from stepflow_runtime import LogConfig, StepflowRuntime, _worker_process, errors
from stepflow_runtime._registration import are_registered


def python(code: str, *arguments: str) -> dict[str, Any]:
    """Return a config with a worker that runs Python code."""
    return config(sys.executable, "-c", code, *arguments)


def fails(config: Any, **options: Any) -> errors.WorkerFailed:
    """Start a server whose worker fails, and return the error."""
    with pytest.raises(errors.WorkerFailed) as caught:
        StepflowRuntime.start(config, **options)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_worker_that_cannot_be_imported(records: list[logging.LogRecord]) -> None:
    error = fails(python("print('starting', flush=True)\nimport no_such_module"))
    reason = "ModuleNotFoundError: No module named 'no_such_module'"
    assert str(error) == (
        f"the worker of plugin {PLUGIN!r} exited during startup (exit code 1): {reason};"
        " see .last_lines"
    )
    assert (error.plugin, error.exit_code) == (PLUGIN, 1)
    assert any("Starting Stepflow server" in line for line in error.last_log_lines)
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

    def write() -> None:
        text = json.dumps(document) if suffix == "json" else yaml.safe_dump(document)
        path.write_text(text, encoding="utf-8")

    write()
    error = fails(path)
    assert error.exit_code == 7
    assert error.last_lines == [f"{tmp_path} two words"]
    document["plugins"][PLUGIN]["command"] = "./my worker"
    document["workingDirectory"] = f"{tmp_path}/a b"
    write()
    assert fails(path).last_lines == [f"{tmp_path}/a b two words"]


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


def test_20_megabytes_and_binary() -> None:
    # More takes longer on a busy machine than a server waits for a worker that starts.
    code = (
        "import os, sys\n"
        "for stream in (1, 2):\n"
        "    for _ in range(10): os.write(stream, bytes(range(11, 256)) * 4280)\n"
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
    assert length > 20_000_000
    assert error.exit_code == 9
    assert error.last_lines[-1] == r"end  \x07"
    assert len(error.last_lines) == 20
    assert all(line.isprintable() for line in error.last_lines)
    # A byte becomes four characters at the most.
    assert max(map(len, error.last_lines)) <= 4 * 65536
    assert r"\xff" in error.last_lines[0]


def test_a_worker_that_exits_while_its_output_waits_to_be_read() -> None:
    # The pipes are full then, and its parent has written a part of what it read.
    code = (
        "import array, fcntl, os, termios\n"
        "line = b'x' * 999 + bytes([10])\n"
        "os.write(1, b'%d' % os.getpid() + bytes([10]))\n"
        "os.write(1, line)\n"
        "unread = array.array('i', [1])\n"
        "while unread[0]: fcntl.ioctl(1, termios.FIONREAD, unread)\n"
        "os.write(1, line * 100)\n"
        "os._exit(9)"
    )
    lines: list[str] = []

    def read(record: logging.LogRecord) -> None:
        line = record.getMessage().removeprefix(f"{PLUGIN}: ")
        lines.append(line)
        if line.isdigit():
            wait_until(lambda: not exists(int(line)), "the worker has exited")

    with logged(read):
        assert fails(python(code)).exit_code == 9
    assert lines[1:] == ["x" * 999] * 101


def test_a_worker_that_exits_and_leaves_a_process_with_its_output() -> None:
    error = fails(config("/bin/sh", "-c", "sleep 3600 & sleep 0.1; exit 9"))
    assert error.exit_code == 9


def test_what_a_worker_inherits() -> None:
    script = "grep SigIgn /proc/self/status; env | grep UNBUFFERED; ls -l /proc/self/fd; exit 9"
    error = fails(config("/bin/sh", "-c", script, env={"PYTHONUNBUFFERED": "0"}))
    signals, variable, *files = error.last_lines
    # Python, which starts it, ignores these.
    ignored = int(signals.split()[1], 16)
    assert not ignored & (1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1)
    assert variable == "PYTHONUNBUFFERED=0"
    # Its own outputs among them, and no other pipe of the runtime's workers.
    pipes = [line.rpartition(" ")[2] for line in files if "pipe:" in line]
    assert len(pipes) == len(set(pipes)) >= 2


def test_variables_of_a_worker_written_in_python() -> None:
    """They are not for the Python program that starts it."""
    document = config("/bin/sh", "-c", "env | grep -c PYTHONHOME=/nowhere; exit 9")
    document["plugins"][PLUGIN]["env"] = {"PYTHONHOME": "/nowhere"}
    assert fails(document).last_lines == ["1"]


def test_words_that_a_worker_wrote_just_before_its_exit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It exits at the latest moment: when its parent asks whether it has.
    wrapper = tmp_path / "worker_process.py"
    wrapper.write_text(
        f"""
import os, runpy, time
waitpid, write = os.waitpid, os.write
def ask_late(pid, options):
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return waitpid(pid, options)
def report_and_doze(descriptor, data):
    written = write(descriptor, data)
    if b'"exited"' in bytes(data):
        time.sleep(3600)
    return written
os.waitpid, os.write = ask_late, report_and_doze
runpy.run_path({_worker_process.__file__!r}, run_name="__main__")
""",
        encoding="utf-8",
    )
    monkeypatch.setattr(_worker_process, "__file__", str(wrapper))
    error = fails(config("/bin/sh", "-c", "echo first; sleep 0.2; echo last; exit 9"))
    assert error.last_lines == ["first", "last"]


@pytest.mark.parametrize(
    "said", ["Timeout waiting for port announcement", "worker did not connect within 30s"]
)
def test_a_server_that_gave_up_waiting_for_a_worker(said: str, tmp_path: Path) -> None:
    # A real one does so after 30 seconds.
    binary = tmp_path / "server"
    line = {"target": "stepflow_server", "message": f"Server error: {said}"}
    binary.write_text(f"#!/bin/sh\necho '{json.dumps(line)}'\nexit 1\n", encoding="utf-8")
    binary.chmod(0o755)
    error = fails(python("pass"), binary=binary)
    assert error.plugin == PLUGIN and error.exit_code is None
    assert str(error) == (
        f"the Stepflow server gave up waiting for the worker of plugin {PLUGIN!r} (its last line:"
        " it printed nothing); see .last_lines"
    )


def test_what_only_looks_like_the_announcement_of_a_port() -> None:
    """On standard error it is none."""
    error = fails(python("import sys\nprint('{\"port\": 9}', file=sys.stderr)\nsys.exit(9)"))
    assert error.last_lines == ['{"port": 9}']


def test_a_line_that_nests_too_deeply_for_json() -> None:
    error = fails(python("print('[' * 99_999)\nraise SystemExit(9)"))
    assert error.exit_code == 9
    assert "".join(error.last_lines) == "[" * 99_999


def test_a_worker_that_is_never_ready() -> None:
    code = "import time\nprint('dozing', flush=True)\ntime.sleep(1000)"
    with pytest.raises(errors.StartTimeout) as caught:
        # Server 0.12 is healthy, and lists the worker as failed some 7 s after its start.
        StepflowRuntime.start(python(code), startup_timeout=10 if VERSION == (0, 12, 0) else 3)
    expected = f"may not be ready: {PLUGIN!r} (its last line: dozing)"
    assert expected in str(caught.value)
    assert any("Starting Stepflow server" in line for line in caught.value.last_log_lines)


def test_letters_of_any_script() -> None:
    code = "import os, sys\nos.write(1, os.fsencode(sys.argv[1] + chr(10)))\nsys.exit(9)"
    assert fails(python(code, "Grüße, 世界")).last_lines == ["Grüße, 世界"]


def test_arguments_in_a_tuple() -> None:
    document = python("print('in a tuple')\nraise SystemExit(9)")
    plugin = document["plugins"][PLUGIN]
    plugin["args"] = tuple(plugin["args"])
    before = copy.deepcopy(document)
    assert fails(document).last_lines == ["in a tuple"]
    # The caller may start another with it.
    assert document == before


def test_an_environment_without_a_search_path() -> None:
    error = fails(config("/bin/sh", "-c", "echo found; exit 9"), inherit_env=False)
    assert error.last_lines == ["found"]


def test_a_plugin_that_is_malformed_is_left_to_the_server() -> None:
    document = config(sys.executable)
    document["plugins"][PLUGIN]["args"] = 5
    with pytest.raises(errors.ConfigInvalid):
        StepflowRuntime.start(document)
    document["plugins"] |= {"other": 5, PLUGIN: config(sys.executable)["plugins"][PLUGIN]}
    with pytest.raises(errors.ConfigInvalid):
        StepflowRuntime.start(document)
    del document["plugins"]["other"]
    document["plugins"][PLUGIN]["args"] = [5]
    with pytest.raises(errors.ConfigInvalid):
        StepflowRuntime.start(document)
    document["plugins"][PLUGIN] |= {"args": [], "command": "\ud800"}
    with pytest.raises(errors.InvalidInput, match="cannot be passed to the server: surrogates"):
        StepflowRuntime.start(document)
    document["plugins"][PLUGIN] = {"type": "no-such-type", "command": 5}
    with pytest.raises(errors.ConfigInvalid):
        StepflowRuntime.start(document)


def test_a_config_that_is_not_json_leaves_no_pipe() -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(errors.InvalidInput, match="not JSON"):
        StepflowRuntime.start({**python("pass"), "x-odd": float("nan")})
    assert os.listdir("/proc/self/fd") == before


def test_the_output_is_not_logged_without_capture(records: list[logging.LogRecord]) -> None:
    error = fails(
        python("print('good\tday', end='')\nraise SystemExit(3)"),
        log_config=LogConfig(capture=False),
    )
    assert error.last_lines == ["good    day"]
    assert not of_level(records, logging.INFO)


def test_the_output_is_not_logged_below_the_level_of_its_logger(
    records: list[logging.LogRecord],
) -> None:
    logging.getLogger("stepflow_runtime.worker").setLevel(logging.WARNING)
    assert fails(python("print('hidden')\nraise SystemExit(3)")).last_lines == ["hidden"]
    assert not of_level(records, logging.INFO)


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


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        # Servers name a component in one field or the other, and failures only if there are any.
        ({"components": [{"path": "/py/a", "plugin": "w"}]}, True),
        ({"components": [{"component": "/py/a", "plugin": "w"}], "failedPlugins": None}, True),
        ({"components": [{"path": "/py/b"}], "failedPlugins": []}, False),
        ({"components": [{"path": "/py/a"}], "failedPlugins": [{"plugin": "w"}]}, False),
        ({"components": [{"path": "/py/a"}], "failedPlugins": [{"plugin": "other"}]}, True),
        ({}, False),
        # Of another program.
        ([], False),
        ({"components": 1}, False),
        ({"components": [1]}, False),
        ("[" * 100_000, False),
        ("<html>", False),
    ],
)
def test_what_a_server_lists_decides_whether_its_workers_are_registered(
    answer: Any, expected: bool
) -> None:
    body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        deadline = time.monotonic() + 60
        found = are_registered({"w"}, "127.0.0.1", server.server_port, deadline, {"a"})
        thread.join()
        assert found is expected
    # Nothing listens any more, and no request is needed without workers.
    assert not are_registered({"w"}, "127.0.0.1", server.server_port, deadline)
    assert are_registered((), "127.0.0.1", server.server_port, deadline)

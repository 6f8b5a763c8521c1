"""The server's log: records of Python's logging, the last lines, a file, a collector."""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from runtime.tests.support import PUT_BLOB, wait_until
from stepflow_runtime import LogConfig, StepflowRuntime, _ports, _starting, errors
from stepflow_runtime._binary import find_binary


def test_lines_become_records(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "stepflow_runtime.server")
    with StepflowRuntime.start(log_config=LogConfig(level="debug")) as runtime:
        handle = runtime.sync_client.submit(PUT_BLOB, 1)
        handle.result()
    records = [one for one in caplog.records if one.name == "stepflow_runtime.server"]
    assert {one.levelname for one in records} >= {"DEBUG", "INFO"}
    of_run = [vars(one) for one in records if vars(one)["run_id"] == str(handle.id)]
    assert of_run
    for one in of_run:
        assert one["level"] in ("DEBUG", "INFO")
        assert isinstance(one["time"], datetime)
        assert one["created"] == one["time"].timestamp()
        assert one["target"].startswith("stepflow_")
        assert len(one["trace_id"]) == 32 and int(one["trace_id"], 16)
    assert any(one["step_id"] == "put" for one in of_run)
    assert any(vars(one)["run_id"] is None for one in records)


def test_every_level_is_one_of_python(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    levels = {"TRACE": 5, "DEBUG": 10, "INFO": 20, "WARN": 30, "ERROR": 40}
    lines = [json.dumps({"level": name, "message": f"one {name}"}) for name in levels]
    lines = [line.replace(": ", ":", 1) for line in lines]
    lines += ["one of no level", "error: one wrong option", "thread 'main' panicked at one"]
    path = tmp_path / "lines"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    binary = tmp_path / "server"
    binary.write_text(f'#!/bin/sh\ncat "{path}"\nexit 3\n', encoding="utf-8")
    binary.chmod(0o755)
    caplog.set_level(5, "stepflow_runtime.server")
    with pytest.raises(errors.StartFailed):
        StepflowRuntime.start(binary=binary)
    found = [one.levelno for one in caplog.records if "one" in one.getMessage()]
    assert found == [*levels.values(), 20, 40, 40]


def test_a_record_goes_to_the_named_logger_or_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with StepflowRuntime.start(log_config=LogConfig(python_logger="mine")) as runtime:
        assert runtime.recent_logs()
    assert any(one.name == "mine" for one in caplog.records)
    caplog.clear()
    with StepflowRuntime.start(log_config=LogConfig(capture=False)) as runtime:
        assert runtime.recent_logs()
    assert not [one for one in caplog.records if one.name != "stepflow_runtime"]


def test_a_record_below_the_level_of_its_logger_reaches_no_handler(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logging.getLogger("quiet").setLevel(logging.WARNING)
    with StepflowRuntime.start(log_config=LogConfig(python_logger="quiet")) as runtime:
        assert any(" INFO " in line for line in runtime.recent_logs())
    found = [one for one in caplog.records if one.name == "quiet"]
    assert [one for one in found if one.levelno < logging.WARNING] == []


def test_the_level_is_the_servers() -> None:
    with StepflowRuntime.start(log_config=LogConfig(level="error")) as runtime:
        runtime.sync_client.health()
        assert runtime.recent_logs() == []


def test_recent_logs_are_for_people() -> None:
    with StepflowRuntime.start() as runtime:
        lines = runtime.recent_logs()
    assert any("INFO stepflow_server: Starting Stepflow server" in line for line in lines)
    assert not any("\n" in line or "\x1b" in line for line in lines)


@pytest.mark.parametrize("format", ["json", "text"])
def test_a_file_takes_all_lines(format: str, tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    for _ in range(2):
        with StepflowRuntime.start(
            log_config=LogConfig(file_path=path, format=format)  # type: ignore[arg-type]
        ):
            # At once, not when a buffer is full.
            assert "Starting Stepflow server" in path.read_text(encoding="utf-8")
    lines = path.read_text(encoding="utf-8").splitlines()
    if format == "json":
        lines = [json.loads(line)["message"] for line in lines]
    assert sum("Starting Stepflow server" in line for line in lines) == 2


def test_a_collector_is_sent_traces() -> None:
    with socket.create_server(("127.0.0.1", 0)) as collector:
        collector.settimeout(60)
        port = collector.getsockname()[1]
        config = LogConfig(otlp_endpoint=f"http://127.0.0.1:{port}")
        with StepflowRuntime.start(log_config=config) as runtime:
            runtime.sync_client.run(PUT_BLOB, 1)
            connection, _ = collector.accept()
            with connection:
                connection.settimeout(60)
                # gRPC speaks HTTP/2.
                assert connection.recv(3) == b"PRI"


@pytest.mark.parametrize("kind", [ValueError, SystemExit])
def test_a_handler_that_fails_does_not_stop_the_server(kind: type[BaseException]) -> None:
    class Failing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise kind("on purpose")

    logger = logging.getLogger("failing")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    handler = Failing()
    logger.addHandler(handler)
    config = LogConfig(python_logger="failing", level="debug")
    try:
        with StepflowRuntime.start(log_config=config) as runtime:
            for number in range(50):
                assert runtime.sync_client.run(PUT_BLOB, number).is_success
    finally:
        logger.removeHandler(handler)


def test_wrong_values_are_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidInput, match="level is 'loud'"):
        LogConfig(level="loud")  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidInput, match="format is 'xml'"):
        LogConfig(format="xml")  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidInput, match="cannot be written"):
        StepflowRuntime.start(log_config=LogConfig(file_path=tmp_path / "no" / "log"))
    for path in (5, "", "a\0b", "a\ud800b", b"a"):
        with pytest.raises(errors.InvalidInput, match=r"LogConfig: file_path is .*pass a path"):
            LogConfig(file_path=path)  # type: ignore[arg-type]
        with pytest.raises(errors.InvalidInput, match=r"LogConfig: otlp_endpoint is .*pass a URL"):
            LogConfig(otlp_endpoint=path)  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidInput, match="otlp_endpoint is not valid") as caught:
        LogConfig(otlp_endpoint="http://user:s3cret@host\0")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("level", ["trace", "debug", "info", "warn", "error"])
def test_other_parts_of_the_server_say_no_less_than_warnings_where_those_are_asked_for(
    level: str, tmp_path: Path
) -> None:
    arguments = tmp_path / "arguments"
    binary = tmp_path / "stepflow-server"
    binary.write_text(
        f'#!/bin/sh\necho "$@" > "{arguments}"\nexec "{find_binary(None)}" "$@"\n', encoding="utf-8"
    )
    binary.chmod(0o755)
    config = LogConfig(level=level)  # type: ignore[arg-type]
    StepflowRuntime.start(binary=binary, log_config=config).stop()
    other = "error" if level == "error" else "warn"
    options = f"--log-level {level} --other-log-level {other}"
    assert options in arguments.read_text(encoding="utf-8")


def is_open(path: Path) -> bool:
    """Return whether this process has a file open."""
    links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    return str(path) in [os.readlink(link) for link in links if os.path.lexists(link)]


def test_the_file_is_closed_with_the_runtime(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    config = LogConfig(file_path=path)
    with StepflowRuntime.start(log_config=config) as runtime:
        assert is_open(path)
        os.kill(runtime.pid, 9)
        wait_until(lambda: not is_open(path), "the file is closed, since nothing is restarted")
    with StepflowRuntime.start(log_config=config):
        assert is_open(path)
    assert not is_open(path)
    configs: list[Any] = [{"plugins": {1, 2}}, {"plugins": {}}]
    for refused in configs:
        # The caught exception keeps the object alive that would close the file.
        with pytest.raises(errors.StepflowError) as caught:
            StepflowRuntime.start(refused, log_config=config)
        assert caught.value.__traceback__ and not is_open(path)


def test_a_full_disk_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    with StepflowRuntime.start(log_config=LogConfig(file_path="/dev/full")) as runtime:
        assert len(runtime.recent_logs()) > 1
    told = [one.message for one in caplog.records if "log are missing in /dev/full" in one.message]
    assert len(told) == 1 and told[0].endswith("No space left on device; free space on that disk")


@pytest.mark.parametrize("names", [["eth7", "wlan0"], []])
def test_who_can_reach_the_server_is_reported_once(
    names: list[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_starting, "_warned", threading.Lock())
    monkeypatch.setattr(_starting, "other_interfaces", lambda: names)
    with StepflowRuntime.start() as runtime:
        port = runtime.port
    StepflowRuntime.start().stop()
    told = [one.message for one in caplog.records if "every network interface" in one.message]
    assert len(told) == bool(names)
    for one in told:
        assert f"port {port} of every network interface (eth7, wlan0)" in one


def test_interfaces_count_that_are_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Elsewhere than on Linux, loopback is lo0.
    flags = {
        "lo": "0x9",
        "lo0": "0x9",
        "eth0": "0x1003",
        "eth1": "0x1002",
        "eth2": None,
        "eth3": "none",
    }
    for name, value in flags.items():
        if value is not None:
            (tmp_path / name).mkdir()
            (tmp_path / name / "flags").write_text(value + "\n", encoding="utf-8")
    monkeypatch.setattr(_ports, "_INTERFACES", tmp_path)
    monkeypatch.setattr(socket, "if_nameindex", lambda: list(enumerate(flags, 1)))
    # Those of unknown state may be up.
    assert _ports.other_interfaces() == ["eth0", "eth2", "eth3"]


def test_a_port_that_another_process_has_is_left_alone() -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken, _ports.reserved(taken.getsockname()[1]):
        pass


def test_recent_logs_are_in_order_and_the_last_ones() -> None:
    with StepflowRuntime.start(log_config=LogConfig(level="debug")) as runtime:
        first = runtime.recent_logs()
        assert "Starting Stepflow server" in first[0]
        while len(lines := runtime.recent_logs()) < 1000:
            runtime.sync_client.run_batch(PUT_BLOB, range(20))
        runtime.sync_client.run_batch(PUT_BLOB, range(20))
        wait_until(lambda: runtime.recent_logs()[0] not in first, "the first lines are dropped")
        lines = runtime.recent_logs()
    assert len(lines) == 1000
    stamps = [line.split()[0] for line in lines]
    assert all(datetime.fromisoformat(stamp) for stamp in stamps)
    # Threads of the server may swap neighbours.
    assert stamps[0] < stamps[500] < stamps[-1]
    assert any("run_id=" in line for line in lines)

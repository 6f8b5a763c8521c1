"""The server's log: records of Python's logging, the last lines, a file, a collector."""

from __future__ import annotations

import json
import logging
import socket
from datetime import datetime
from pathlib import Path

import pytest

from runtime.tests.support import PUT_BLOB, wait_until
from stepflow_runtime import LogConfig, StepflowRuntime, errors


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


def test_a_record_goes_to_the_named_logger_or_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with StepflowRuntime.start(log_config=LogConfig(python_logger="mine")) as runtime:
        assert runtime.recent_logs()
    assert any(one.name == "mine" for one in caplog.records)
    caplog.clear()
    with StepflowRuntime.start(log_config=LogConfig(capture=False)) as runtime:
        assert runtime.recent_logs()
    assert not [one for one in caplog.records if one.name != "stepflow_runtime"]


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
            pass
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


def test_a_handler_that_fails_does_not_stop_the_server() -> None:
    class Failing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise ValueError("on purpose")

    logger = logging.getLogger("failing")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(Failing())
    config = LogConfig(python_logger="failing", level="debug")
    with StepflowRuntime.start(log_config=config) as runtime:
        for number in range(50):
            assert runtime.sync_client.run(PUT_BLOB, number).is_success


def test_wrong_values_are_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidInput, match="level is 'loud'"):
        LogConfig(level="loud")  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidInput, match="format is 'xml'"):
        LogConfig(format="xml")  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidInput, match="cannot be written"):
        StepflowRuntime.start(log_config=LogConfig(file_path=tmp_path / "no" / "log"))


def test_who_can_reach_the_server_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    import stepflow_runtime._ports
    from stepflow_runtime import runtime as module

    told = [one for one in caplog.records if "every network interface" in one.message]
    for _ in range(2):
        StepflowRuntime.start().stop()
    told = [one for one in caplog.records if "every network interface" in one.message]
    expected = bool(stepflow_runtime._ports.other_interfaces())
    assert len(told) <= 1
    assert module._told.locked() == expected


def test_lines_follow_one_another() -> None:
    with StepflowRuntime.start() as runtime:
        runtime.sync_client.run(PUT_BLOB, 1)
        wait_until(
            lambda: any("run_id=" in line for line in runtime.recent_logs()), "the run is logged"
        )

"""What the lines of a server's log become: text, records, and the summary in an error."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stepflow_api.support import Hidden
from stepflow_runtime import LogConfig, StepflowRuntime, errors
from stepflow_runtime._logs import Log
from stepflow_runtime._secrets import Secrets


def failed(folder: Path, *lines: str | dict[str, Any], **options: Any) -> errors.StartFailed:
    """Start a server that prints lines and exits; return the error."""
    path, binary = folder / "lines", folder / "server"
    texts = [
        one if isinstance(one, str) else json.dumps(one, separators=(",", ":")) for one in lines
    ]
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    binary.write_text(
        f'#!/bin/sh\necho "$@" > "{folder}/options"\ncat "{path}"\nexit 3\n', encoding="utf-8"
    )
    binary.chmod(0o755)
    with pytest.raises(errors.StartFailed) as caught:
        StepflowRuntime.start(binary=binary, **options)
    return caught.value


def test_all_parts_of_a_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    diags = {"run_id": "r", "flow_id": "f", "step_id": "s", "trace_id": "255", "span_id": "254"}
    line = {
        "timestamp": "2026-01-02T03:04:05.678901+02:00",
        "level": "WARN",
        "target": "stepflow_part",
        "message": "said",
        "diags": diags,
    }
    caplog.set_level(logging.INFO, "stepflow_runtime.server")
    lines = failed(tmp_path, line, {"message": "without a level"}, "plain").last_log_lines
    ids = f"run_id=r flow_id=f step_id=s trace_id={'0' * 30}ff span_id={'0' * 14}fe"
    assert lines[0] == f"2026-01-02T01:04:05.678Z WARN stepflow_part: said {ids}"
    assert lines[1].endswith("Z INFO : without a level")
    assert lines[2] == "plain"
    records = [one for one in caplog.records if one.name == "stepflow_runtime.server"]
    first, _, last = map(vars, records)
    moment = datetime(2026, 1, 2, 1, 4, 5, 678901, UTC)
    assert (first["time"], first["created"], first["msecs"]) == (moment, moment.timestamp(), 678)
    assert (first["level"], first["target"], first["levelno"]) == ("WARN", "stepflow_part", 30)
    assert (first["flow_id"], first["span_id"]) == ("f", f"{'0' * 14}fe")
    assert (last["level"], last["span_id"], last["target"]) == (None, None, "")


def test_a_message_of_several_lines_is_one_without_places_and_frames(tmp_path: Path) -> None:
    parts = [
        "first",
        "│├╰╴─▶ \tsecond",
        "at src/file.rs:1",
        "backtrace omitted",
        "━━━ frames",
        "no",
    ]
    (line,) = failed(tmp_path, {"message": "\n".join(parts)}).last_log_lines
    assert line.endswith(" INFO : first: second")


def test_the_last_three_lines_that_are_no_log_lines_say_why(tmp_path: Path) -> None:
    error = failed(tmp_path, {"message": "logged"}, "one", "two", "three", "four")
    assert "(exit code 3): two | three | four. " in str(error)


def test_the_last_twenty_lines_are_reported(tmp_path: Path) -> None:
    lines = [f"line {number}" for number in range(30)]
    assert failed(tmp_path, *lines).last_log_lines == lines[10:]


def test_the_last_error_says_why(tmp_path: Path) -> None:
    errors_logged = [{"level": "ERROR", "message": text} for text in ("first", "last")]
    error = failed(tmp_path, *errors_logged, {"level": "INFO", "message": "later"}, "plain")
    assert "(exit code 3): last. " in str(error)


def test_a_last_line_of_any_kind_says_more_than_none(tmp_path: Path) -> None:
    error = failed(tmp_path, {"level": "INFO", "message": "one"}, {"message": "two"})
    assert "(exit code 3): two. " in str(error)


def test_empty_lines_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log"
    error = failed(tmp_path, "", "one", " ", "two", "", log_config=LogConfig(file_path=path))
    assert error.last_log_lines == ["one", "two"]
    assert path.read_text(encoding="utf-8") == "one\ntwo\n"


@pytest.mark.parametrize("format", ["json", "text"])
def test_a_file_has_letters_of_any_script(format: Any, tmp_path: Path) -> None:
    path = tmp_path / "log"
    failed(tmp_path, "Grüße, 世界", log_config=LogConfig(file_path=path, format=format))
    assert path.read_text(encoding="utf-8") == "Grüße, 世界\n"


def test_codes_of_a_terminal_are_removed(tmp_path: Path) -> None:
    assert failed(tmp_path, "\x1b[?25l\x1b[1;31mred\x1b[0m").last_log_lines == ["red"]


def test_a_panic_is_one_of_the_server_itself(tmp_path: Path) -> None:
    error = failed(tmp_path, "the worker panicked at noon", "two", "three")
    assert "(exit code 3): the worker panicked at noon | two | three. " in str(error)


def test_a_reason_that_is_a_sentence(tmp_path: Path) -> None:
    assert "(exit code 3): It failed. See .last_log_lines." in str(failed(tmp_path, "It failed."))


def test_a_collector_gets_traces_and_metrics(tmp_path: Path) -> None:
    failed(tmp_path, log_config=LogConfig(otlp_endpoint="http://127.0.0.1:9"))
    options = (tmp_path / "options").read_text(encoding="utf-8")
    assert "--otlp-endpoint http://127.0.0.1:9 --trace-enabled --metrics-enabled" in options


def test_a_program_without_logging_prints_no_line_of_the_server() -> None:
    code = (
        "from stepflow_runtime import StepflowRuntime, errors\n"
        "try: StepflowRuntime.start({'plugins': {}})\n"
        "except errors.ConfigInvalid as error: print('Server error: ' in str(error))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True\n" and "Server error: " not in done.stderr


def test_a_line_after_the_file_is_closed(tmp_path: Path) -> None:
    """A worker in another session may outlive its server."""
    log = Log(LogConfig(capture=False, file_path=tmp_path / "log"), Secrets(Hidden({})))
    log.close()
    log.add(b"late")
    assert log.recent() == ["late"]

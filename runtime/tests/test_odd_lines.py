"""Whatever a server prints, it is read on, in bounded memory, and its crash is reported."""

from __future__ import annotations

import io
import itertools
import json
import os
import resource
import shlex
import signal
import threading
import time
from pathlib import Path

import pytest

from runtime.tests import fuzz_log_lines
from runtime.tests.support import ECHO, binary_with, wait_until
from stepflow_api.support import Hidden
from stepflow_runtime import LogConfig, StepflowRuntime, errors
from stepflow_runtime._binary import find_binary
from stepflow_runtime._constants import KEPT_BYTES, LONGEST_LINE
from stepflow_runtime._log_lines import announced_port, lines_of, parse
from stepflow_runtime._logs import Log, Output
from stepflow_runtime._secrets import Secrets
from tools.fuzz.fuzz import cases

DEEP = b"[" * 200_000
LINES = {
    "a deep line": b'{"message":' + DEEP,
    "a deep message": b'{"message":' + DEEP + b"]" * len(DEEP) + b"}",
    "a deep line with an escaped character": b'{"message":"\\\\","fields":' + DEEP,
    "a deep port": b'{"port":' + DEEP,
    "no port": b'{"port":0}\n{"port":-1}\n{"port":65536}\n{"port":true}\n{"port":1.5}',
    "odd ports": b'{"port":NaN}\n{"port":null}\n{"port":1e999}\n{"port":' + b"9" * 5000 + b"}",
    "long numbers": b'{"message":"x","line":' + b"9" * 5000 + b"}",
    "odd fields": b'{"message":"x","level":[],"target":{},"timestamp":5,"diags":[1]}\n'
    b'{"message":"x","level":"a\\nb","target":"a\\tb"}',
    "odd ids": '{"message":"x","diags":{"trace_id":"²","span_id":"٣","run_id":"a\\nb"}}'.encode(),
    "long ids": b'{"message":"x","diags":{"trace_id":"' + b"9" * 5000 + b'"}}',
    "surrogates": b'{"message":"\\ud800","target":"\\udfff","diags":{"run_id":"\\ud800"}}',
    "the first year": b'{"message":"x","timestamp":"0001-01-01T00:00:00+23:59"}',
    "the last year": b'{"message":"x","timestamp":"9999-12-31T23:59:59"}',
    "no text": bytes(range(256)) * 4,
    "zeros": b"\0" * 100_000,
    "line breaks": b"\n\r\n\x0b\x0c\x1c\x85\r" * 1000,
}


def odd_server(path: Path, command: str, ending: str) -> Path:
    """Make a binary that prints something, and then ends or becomes the real server."""
    path.write_text(f"#!/bin/sh\n{command}\n{ending}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def real() -> str:
    """Return the command that becomes the real server."""
    return f'exec {shlex.quote(str(find_binary(None)))} "$@"'


@pytest.mark.parametrize("format", ["json", "text"])
@pytest.mark.parametrize("name", LINES)
def test_odd_lines(
    name: str, format: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lines = tmp_path / "lines"
    lines.write_bytes(LINES[name] + b"\n")
    caplog.set_level("DEBUG")
    log = LogConfig(file_path=tmp_path / "log", format=format)  # type: ignore[arg-type]
    binary = odd_server(tmp_path / "server", f"cat {lines}", real())
    crashed = threading.Event()
    with StepflowRuntime.start(
        binary=binary, log_config=log, on_crash=lambda *_: crashed.set()
    ) as runtime:
        assert runtime.sync_client.run(ECHO, 1).output == 1
        texts = runtime.recent_logs()
        os.kill(runtime.pid, signal.SIGKILL)
        assert crashed.wait(60)
        with pytest.raises(
            errors.ServerCrashed, match=r"killed by signal 9 \(SIGKILL\); start another"
        ):
            runtime.sync_client.run(ECHO, 1)
    assert all(text.isprintable() for text in texts)
    assert "was not taken" not in caplog.text
    ending = odd_server(tmp_path / "server", f"cat {lines}", "exit 3")
    with pytest.raises(errors.StartFailed, match=r"exit code 3") as caught:
        StepflowRuntime.start(binary=ending, log_config=log)
    assert str(caught.value).isprintable()
    assert all(text.isprintable() for text in caught.value.last_log_lines)


def test_the_first_port_that_is_announced_counts(tmp_path: Path) -> None:
    """A component's function may print such a line as well."""
    binary = binary_with(tmp_path / "server", """sed -u 's/^{"port":[0-9]*}$/&\\n{"port":9}/'""")
    with StepflowRuntime.start(binary=binary) as runtime:
        assert runtime.sync_client.run(ECHO, 1).output == 1
        assert '{"port":9}' in runtime.recent_logs()


def test_a_line_of_100_megabytes(tmp_path: Path) -> None:
    long = "head -c 100000000 /dev/zero | tr '\\0' 'x'"
    log = LogConfig(file_path=tmp_path / "log")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with StepflowRuntime.start(
        binary=odd_server(tmp_path / "server", f"{long}; echo", real()), log_config=log
    ) as runtime:
        assert runtime.sync_client.run(ECHO, 1).output == 1
        assert len(runtime.recent_logs()[0]) < LONGEST_LINE
    with pytest.raises(errors.StartFailed, match="exit code 3") as caught:
        StepflowRuntime.start(binary=odd_server(tmp_path / "server", long, "exit 3"))
    assert len(str(caught.value)) < 10_000
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 50_000, f"{grown} KiB more"


def test_kept_lines_have_a_limit() -> None:
    log = Log(LogConfig(capture=False), Secrets(Hidden({})))
    for number in range(100):
        log.add(b"%d " % number + b"x" * (LONGEST_LINE - 10))
    texts = log.recent()
    assert sum(map(len, texts)) <= KEPT_BYTES
    assert [text.split()[0] for text in texts] == [str(n) for n in range(100 - len(texts), 100)]
    assert len(texts) > 10


@pytest.mark.parametrize(
    ("is_known", "length", "kept"), [(True, 600, 300), (False, 600, 300), (True, 2400, 2000)]
)
def test_the_end_of_a_cut_line_may_be_a_part_of_a_secret(
    is_known: bool, length: int, kept: int
) -> None:
    secret = "s3cret" * (length // 6)
    # The password of a URL is recognised by the character after it.
    line = "x" * (LONGEST_LINE - kept) + f"postgres://u:{secret}@host\nnext\n"
    log = Log(LogConfig(capture=False), Secrets(Hidden({"A_TOKEN": secret} if is_known else {})))
    Output(io.BytesIO(line.encode()), log).thread.join()
    first, second = log.recent()
    assert second == "next" and len(first) > LONGEST_LINE // 2 and "s3c" not in first


@pytest.mark.parametrize("size", [LONGEST_LINE - 1, LONGEST_LINE, LONGEST_LINE + 1])
def test_lines_around_the_limit(size: int) -> None:
    stream = io.BytesIO(b"x" * size + b"\n" + b"y" * size)
    found = [(line[:1], len(line), is_cut) for line, is_cut in lines_of(stream)]
    kept = min(size, LONGEST_LINE)
    assert [(first, length) for first, length, _ in found] == [(b"x", kept), (b"y", kept)]
    assert all(is_cut for *_, is_cut in found) == (size > LONGEST_LINE)


def test_an_output_that_another_session_keeps_open(tmp_path: Path) -> None:
    # The guard does not kill such a process.
    pid = tmp_path / "pid"
    command = f"setsid sh -c 'echo $$ > {pid}; exec sleep 600' & \nwait_for={pid}\n"
    command += 'until [ -s "$wait_for" ]; do :; done; echo "last words"'
    binary = odd_server(tmp_path / "server", command, "exit 3")
    started = time.monotonic()
    try:
        with pytest.raises(errors.StartFailed, match=r"exit code 3\): last words"):
            StepflowRuntime.start(binary=binary)
        # It took ten seconds at least.
        assert time.monotonic() - started < 8
    finally:
        sleeper = int(pid.read_text(encoding="ascii"))
        os.kill(sleeper, signal.SIGKILL)
    wait_until(
        lambda: not [one for one in threading.enumerate() if one.name == "stepflow-output"],
        "the output is closed",
    )


def test_levels_of_lines_that_are_cut() -> None:
    line = parse(b'{"level":"ERROR","message":"' + b"x" * 100)
    assert (line.level, line.level_name) == (40, "")
    assert announced_port(b'{"port":65535}') == 65535


def test_random_lines() -> None:
    for source in itertools.islice(cases(), 150):
        fuzz_log_lines.check(source)


def test_text_of_a_log_line() -> None:
    document = {"level": "INFO", "target": "t", "message": "a\x1b[31mb\x07", "timestamp": "x"}
    assert str(parse(json.dumps(document).encode())).endswith(" INFO t: ab ")

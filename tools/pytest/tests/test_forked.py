"""A command in a forked child behaves as one in a process of its own."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.pytest.forked import run_forked

#: Each is the body of a command's `main`; what it does has to look the same both ways.
COMMANDS = {
    "output": 'print("é", *arguments); print("\\udcff", file=sys.stderr); return 3',
    "program": 'subprocess.run(["sh", "-c", "echo out; echo bad >&2"]); return 0',
    "exit": "sys.exit(4)",
    "exit without a code": "sys.exit()",
    "exit with words": 'sys.exit("no such thing")',
    "signal": "os.kill(os.getpid(), signal.SIGTERM); return 0",
    "place": "print(os.getcwd(), dict(os.environ), tempfile.gettempdir()); return 0",
}


@pytest.mark.parametrize("body", COMMANDS.values(), ids=COMMANDS)
def test_it_does_what_the_command_does(body: str, tmp_path: Path) -> None:
    script = tmp_path / "command.py"
    script.write_text(
        "import os, signal, subprocess, sys, tempfile\n"
        f"def main(arguments):\n    {body}\n"
        'if __name__ == "__main__":\n    sys.exit(main(sys.argv[1:]))\n'
    )
    names: dict[str, Callable[[list[str]], int]] = {"__name__": "command"}  # type: ignore[dict-item]
    exec(script.read_text(), names)
    env = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path), "LC_CTYPE": "C.UTF-8"}
    arguments = ["a", "--b"]
    expected = subprocess.run(
        [sys.executable, script, *arguments], env=env, cwd=tmp_path, capture_output=True, text=True
    )
    made = run_forked(names["main"], arguments, env=env, cwd=tmp_path)
    assert (made.returncode, made.stdout) == (expected.returncode, expected.stdout)
    assert made.stderr == expected.stderr


def test_a_traceback_is_on_stderr(tmp_path: Path) -> None:
    made = run_forked(lambda arguments: 1 // len(arguments), [])
    assert (made.returncode, made.stdout) == (1, "")
    assert made.stderr.startswith("Traceback")
    assert made.stderr.endswith("ZeroDivisionError: integer division or modulo by zero\n")


def test_it_changes_nothing_here(tmp_path: Path) -> None:
    def main(arguments: list[str]) -> int:
        os.environ.clear()
        tempfile.tempdir = sys.argv[0] = "elsewhere"
        return 0

    before = dict(os.environ), Path.cwd(), tempfile.tempdir, sys.argv[0]
    assert run_forked(main, [], env={}, cwd=tmp_path).returncode == 0
    assert (dict(os.environ), Path.cwd(), tempfile.tempdir, sys.argv[0]) == before


def test_a_command_that_hangs_is_killed_with_the_test(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"

    def main(arguments: list[str]) -> int:
        pid_file.write_text(str(os.getpid()))
        while Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[0] != "S":
            os.sched_yield()
        os.kill(os.getppid(), signal.SIGUSR1)
        signal.pause()
        return 0

    def fail(number: int, frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGUSR1, fail)
    try:
        with pytest.raises(TimeoutError):
            run_forked(main, [])
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert not Path("/proc", pid_file.read_text()).exists()

"""Run a command's `main` in a forked child, without the seconds that its imports take."""

import gc
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

Main = Callable[[list[str]], int]


def run_forked(
    main: Main,
    arguments: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run `main` as the command that calls it would, and wait until it exits.

    Whatever it changes in its process stays there, as in a process of its own. What the interpreter
    reads of the environment at its start is this process's.

    Args:
        main: The command's function, which takes the arguments and returns the exit code.
        arguments: The command line without the program's name.
        env: Environment variables; this process's by default.
        cwd: Working directory; this process's by default.

    Returns:
        The exit code, negative for a signal, and what was written to stdout and stderr.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if not pid:
            # The test run must not continue here, its cleanup included.
            code = 1
            try:
                os.dup2(output.fileno(), 1)
                os.dup2(errors.fileno(), 2)
                code = _run(main, list(arguments), os.environ if env is None else env, cwd)
            finally:
                os._exit(code)
        try:
            _, status = os.waitpid(pid, 0)
        except BaseException:
            # The test's time is up.
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
        texts: list[str] = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode())
    code = os.waitstatus_to_exitcode(status)
    return subprocess.CompletedProcess([main.__module__, *arguments], code, *texts)


def _run(main: Main, arguments: list[str], env: Mapping[str, str], cwd: Path | None) -> int:
    # A search for garbage would copy every page that the two processes share.
    gc.freeze()
    variables = dict(env)
    os.environ.clear()
    os.environ.update(variables)
    if cwd is not None:
        os.chdir(cwd)
    tempfile.tempdir = None
    sys.argv = [main.__module__, *arguments]
    # Those of pytest write elsewhere.
    with (
        open(1, "w", closefd=False) as sys.stdout,
        open(2, "w", errors="backslashreplace", closefd=False) as sys.stderr,
    ):
        try:
            return main(arguments)
        except SystemExit as end:
            if end.code is None or isinstance(end.code, int):
                return end.code or 0
            print(end.code, file=sys.stderr)
            return 1
        except BaseException:
            traceback.print_exc()
            return 1

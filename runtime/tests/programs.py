"""Programs that start servers, and end in every way."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

from runtime.tests.support import exists, session, wait_until

#: Starts a server and says who it is; then comes the way to end.
START = """
import asyncio, atexit, gc, json, multiprocessing, os, signal, sys, threading, time
from stepflow_runtime import RestartPolicy, StepflowRuntime

def say(runtime):
    print(runtime.pid, flush=True)

def block():
    while True:
        time.sleep(3600)
"""

#: Starts a server with a worker, which writes its process id to the first argument.
WORKER = f"""
config = {{
    "plugins": {{
        "builtin": {{"type": "builtin"}},
        "worker": {{
            "type": "stepflow",
            "command": sys.executable,
            "args": [{str(Path(__file__).with_name("worker.py").absolute())!r}, sys.argv[1]],
        }},
    }},
    "routes": {{"/worker/{{*component}}": [{{"plugin": "worker"}}]}},
}}
runtime = StepflowRuntime.start(config)
say(runtime)
"""

#: An environment variable of everything that the tests' programs start.
MARK = f"RUNTIME_TEST={uuid.uuid4()}"


def program(code: str, **options: Any) -> subprocess.Popen[str]:
    """Start a program."""
    name, value = MARK.split("=")
    return subprocess.Popen(
        [sys.executable, "-c", START + code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), name: value},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        **options,
    )


def said(program: subprocess.Popen[str]) -> int:
    """Return the next number that a program prints."""
    assert program.stdout is not None
    return int(program.stdout.readline())


def marked() -> set[int]:
    """Return the tests' programs and the processes that they have started."""
    found: set[int] = set()
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and f"{MARK}\0".encode() in (entry / "environ").read_bytes():
                found.add(int(entry.name))
        except OSError:
            continue
    return found


def gone(server: int) -> None:
    """Wait until a server's session is gone; it has the number of its first process."""
    wait_until(lambda: not exists(server) and not session(server), "the server's session is gone")

"""However the program ends, its server ends with it, and all that the server has started."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from runtime.tests.programs import START, WORKER, gone, marked, program, said
from runtime.tests.support import exists, wait_until

ENDINGS = {
    "the end of the script": "say(runtime)",
    "an exception": "say(runtime)\nraise ValueError",
    "sys.exit in with": "with runtime:\n    say(runtime)\n    sys.exit(3)",
    "os._exit": "say(runtime)\nos._exit(0)",
    "os.abort": "say(runtime)\nos.abort()",
    "os.execv": "say(runtime)\nos.execv('/bin/sh', ['sh', '-c', 'read -r _'])",
    "a cycle at the end": "say(runtime)\na = [runtime]\na.append(a)\ngc.disable()\ndel runtime, a",
    "an atexit handler that fails": "say(runtime)\natexit.register(lambda: 1 / 0)",
    "a daemon thread that uses it": (
        "say(runtime)\n"
        "flow = {'name': 'echo', 'steps': [], 'output': {'$input': '$'}}\n"
        "def use():\n"
        "    while True:\n"
        "        runtime.sync_client.run(flow, 1)\n"
        "threading.Thread(target=use, daemon=True).start()"
    ),
    "a daemon thread that starts others": (
        "say(runtime)\n"
        "more = threading.Event()\n"
        "def start():\n"
        "    while True:\n"
        "        StepflowRuntime.start()\n"
        "        more.set()\n"
        "threading.Thread(target=start, daemon=True).start()\n"
        "more.wait()"
    ),
    "asyncio.run with a task that is cancelled in its async with": (
        "runtime.stop()\n"
        "async def main():\n"
        "    async with StepflowRuntime.start() as other:\n"
        "        say(other)\n"
        "        asyncio.current_task().cancel()\n"
        "        await asyncio.sleep(0)\n"
        "asyncio.run(main())"
    ),
    "an atexit handler that starts another": (
        "say(runtime)\nkept = []\natexit.register(lambda: kept.append(StepflowRuntime.start()))"
    ),
    "two at once": "other = StepflowRuntime.start()\nsay(runtime)\nos.kill(os.getpid(), 9)",
    "started in a thread that has ended": (
        "def start():\n"
        "    global other\n"
        "    other = StepflowRuntime.start()\n"
        "runtime.stop()\n"
        "thread = threading.Thread(target=start)\n"
        "thread.start()\n"
        "thread.join()\n"
        "assert other.sync_client.health().status == 'healthy'\n"
        "say(other)\n"
        "os._exit(0)"
    ),
}

BLOCKS = {
    "nothing": "block()",
    "with": "with runtime:\n    block()",
    "async with": (
        "async def main():\n"
        "    async with runtime:\n"
        "        await asyncio.sleep(3600)\n"
        "asyncio.run(main())"
    ),
}

SIGNALS = [signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT]


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_server_ends_with_the_program(
    ending: str, running: list[subprocess.Popen[str]]
) -> None:
    running.append(program("runtime = StepflowRuntime.start()\n" + ENDINGS[ending]))
    server = said(running[0])
    running[0].communicate(timeout=60)
    gone(server)


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("block", BLOCKS)
def test_the_server_ends_when_a_signal_ends_the_program(
    number: signal.Signals, block: str, running: list[subprocess.Popen[str]]
) -> None:
    code = "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    running.append(
        program(f"{code}runtime = StepflowRuntime.start()\nsay(runtime)\n{BLOCKS[block]}")
    )
    server = said(running[0])
    assert exists(server)
    running[0].send_signal(number)
    running[0].wait(60)
    gone(server)


def test_a_stopped_server_ends_too(running: list[subprocess.Popen[str]]) -> None:
    running.append(program("runtime = StepflowRuntime.start()\nsay(runtime)\nblock()"))
    server = said(running[0])
    os.kill(server, signal.SIGSTOP)
    running[0].kill()
    gone(server)


#: A thread that spins for ever longer sends a signal at ever later steps of the start.
SIGNALLED_START = """
def signal_later():
    for _ in range({moment} * 20000):
        pass
    os.kill(os.getpid(), {number})
signal.signal(signal.SIGINT, signal.default_int_handler)
thread = threading.Thread(target=signal_later)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("moment", range(0, 20, 2))
def test_a_program_that_is_killed_while_it_starts_one_leaves_nothing(
    moment: int, number: signal.Signals, running: list[subprocess.Popen[str]]
) -> None:
    code = SIGNALLED_START.format(moment=moment, number=int(number))
    running.append(program(code + "thread.start()\nStepflowRuntime.start()\nblock()"))
    assert running[0].wait(60) == -number
    wait_until(lambda: not marked(), "nothing that was started is left")


def test_a_forked_child_does_not_keep_the_server(running: list[subprocess.Popen[str]]) -> None:
    running.append(
        program(
            "runtime = StepflowRuntime.start()\n"
            "say(runtime)\n"
            "if not (child := os.fork()):\n"
            "    sys.stdin.read()\n"
            "    os._exit(0)\n"
            "print(child, flush=True)\n"
            "block()"
        )
    )
    server, child = said(running[0]), said(running[0])
    running[0].kill()
    gone(server)
    assert exists(child)


CHILD_ENDINGS = {
    "exits": "sys.exit(0)",
    "stops it": "runtime.stop()\n    sys.exit(0)",
    "leaves its with": "with runtime:\n        pass\n    sys.exit(0)",
    "forgets it": "del runtime\n    gc.collect()\n    sys.exit(0)",
    "uses it": "assert runtime.is_alive and runtime.sync_client.health()\n    sys.exit(0)",
}


@pytest.mark.parametrize("ending", CHILD_ENDINGS)
def test_a_forked_child_does_not_end_the_server(
    ending: str, running: list[subprocess.Popen[str]]
) -> None:
    code = f"""
runtime = StepflowRuntime.start()
runtime.sync_client.health()
if not (child := os.fork()):
    {CHILD_ENDINGS[ending]}
assert os.waitpid(child, 0)[1] == 0
assert runtime.is_alive and runtime.sync_client.health()
say(runtime)
"""
    running.append(program(code))
    server = said(running[0])
    running[0].communicate(timeout=60)
    assert running[0].returncode == 0
    gone(server)


def test_a_forked_child_notices_the_end_of_the_server(
    running: list[subprocess.Popen[str]],
) -> None:
    code = """
runtime = StepflowRuntime.start()
say(runtime)
if not (child := os.fork()):
    assert runtime.is_alive
    os.kill(runtime.pid, signal.SIGKILL)
    while runtime.is_alive:
        time.sleep(0.001)
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""
    running.append(program(code))
    server = said(running[0])
    running[0].communicate(timeout=60)
    assert running[0].returncode == 0
    gone(server)


def test_multiprocessing_uses_the_server_of_its_parent(
    running: list[subprocess.Popen[str]],
) -> None:
    code = """
runtime = StepflowRuntime.start()
def use(number):
    flow = {'name': 'echo', 'steps': [], 'output': {'$input': '$'}}
    return runtime.sync_client.run(flow, number).output
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(use, range(8)) == list(range(8))
assert runtime.is_alive
say(runtime)
"""
    running.append(program(code))
    server = said(running[0])
    running[0].communicate(timeout=60)
    assert running[0].returncode == 0
    gone(server)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_child_of_multiprocessing_ends_its_own_server(
    method: str, running: list[subprocess.Popen[str]]
) -> None:
    child = (
        "import builtins\n"
        "from stepflow_runtime import StepflowRuntime\n"
        "builtins.kept = StepflowRuntime.start()\n"
        "print(builtins.kept.pid, flush=True)"
    )
    code = f"""
runtime = StepflowRuntime.start()
child = multiprocessing.get_context("{method}").Process(target=exec, args=({child!r}, {{}}))
child.start()
child.join()
assert child.exitcode == 0 and runtime.is_alive
say(runtime)
block()
"""
    running.append(program(code))
    of_child, of_parent = said(running[0]), said(running[0])
    gone(of_child)
    assert exists(of_parent)


@pytest.mark.parametrize(
    "ending",
    [
        "os.kill(os.getpid(), signal.SIGKILL)",
        "runtime.stop()",
        # The server cannot tell its workers: they are the guard's.
        "os.kill(runtime.pid, signal.SIGKILL)\nwhile runtime.is_alive: pass\nruntime.stop()",
    ],
)
def test_a_worker_ends_with_the_program(
    ending: str, running: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    code = WORKER.replace("sys.argv[1]", repr(str(tmp_path / "worker.pid"))) + "input()\n" + ending
    running.append(program(code))
    server = said(running[0])
    worker = int((tmp_path / "worker.pid").read_text(encoding="utf-8"))
    assert exists(worker)
    running[0].communicate("\n", timeout=60)
    gone(server)
    assert not exists(worker)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_pytest_leaves_nothing(
    number: signal.Signals, running: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    test = tmp_path / "test_blocks.py"
    test.write_text(
        START
        + "import pytest\n"
        + "@pytest.fixture\n"
        + "def runtime():\n"
        + "    with StepflowRuntime.start() as runtime:\n"
        + "        yield runtime\n"
        + "def test_blocks(runtime):\n"
        + "    say(runtime)\n"
        + "    block()\n",
        encoding="utf-8",
    )
    running.append(
        program(
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "import pytest\n"
            f"sys.exit(pytest.main(['-s', '-q', '-p', 'no:cacheprovider', {str(test)!r}]))"
        )
    )
    stdout = running[0].stdout
    assert stdout is not None
    while not (line := stdout.readline().strip()).isdigit():
        pass
    server = int(line)
    running[0].send_signal(number)
    running[0].wait(60)
    gone(server)

"""Many callers at once, callers that go away, and event loops."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from client.tests.fault_proxy import FaultProxy
from client.tests.support import ECHO, READ_FILE, release, wait_until
from stepflow_client import StepflowClient, SyncStepflowClient, errors
from tools.spec.server import StepflowServer


def test_64_tasks_share_a_client(server: StepflowServer) -> None:
    async def main() -> list[object]:
        async with StepflowClient(server.url) as client:
            results = await asyncio.gather(*[client.run(ECHO, number) for number in range(64)])
            return [result.output for result in results]

    assert asyncio.run(main()) == list(range(64))


def test_64_threads_share_a_client(server: StepflowServer) -> None:
    with SyncStepflowClient(server.url) as client, ThreadPoolExecutor(64) as threads:
        outputs = threads.map(lambda number: client.run(ECHO, number).output, range(64))
        assert list(outputs) == list(range(64))


def test_a_cancelled_task_leaves_no_connection(proxy: FaultProxy, fifo: Callable[[], Path]) -> None:
    async def main() -> None:
        async with StepflowClient(proxy.url) as client:
            task = asyncio.create_task(client.run(READ_FILE, {"path": str(fifo())}))
            await asyncio.to_thread(proxy.waiting.wait, 30)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.to_thread(
                wait_until, lambda: proxy.open_connections == 0, "no connection is open"
            )
            # The client is as good as before.
            assert (await client.run(ECHO, 1)).output == 1

    asyncio.run(main())
    wait_until(lambda: proxy.open_connections == 0, "no connection is open")


def test_cancelled_tasks_leave_the_client_as_it_was(
    proxy: FaultProxy, fifo: Callable[[], Path]
) -> None:
    async def main() -> None:
        async with StepflowClient(proxy.url) as client:
            handle = await client.submit(READ_FILE, {"path": str(path)})
            # More than there are connections, so that some wait for one.
            tasks = [asyncio.create_task(handle.result()) for _ in range(150)]
            await asyncio.to_thread(
                wait_until, lambda: sum(seen.waits for seen in proxy.seen) >= 100, "100 wait"
            )
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(one, asyncio.CancelledError) for one in ended)
            await asyncio.to_thread(
                wait_until, lambda: proxy.open_connections == 0, "no connection is open"
            )
            await asyncio.to_thread(wait_until, lambda: release(path), "the step reads the file")
            results = await asyncio.gather(*[handle.result() for _ in range(150)])
            assert [result.output for result in results] == [42] * 150

    path = fifo()
    asyncio.run(main())
    wait_until(lambda: proxy.open_connections == 0, "no connection is open")


def test_a_deadline_of_asyncio_leaves_no_connection(
    proxy: FaultProxy, fifo: Callable[[], Path]
) -> None:
    async def main() -> None:
        async with StepflowClient(proxy.url) as client:
            handle = await client.submit(READ_FILE, {"path": str(fifo())})
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await handle.result()
            await asyncio.to_thread(
                wait_until, lambda: proxy.open_connections == 0, "no connection is open"
            )

    asyncio.run(main())


def test_a_keyboard_interrupt_leaves_no_connection(
    proxy: FaultProxy, fifo: Callable[[], Path]
) -> None:
    def interrupt() -> None:
        proxy.waiting.wait(30)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    with SyncStepflowClient(proxy.url) as client:
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            client.run(READ_FILE, {"path": str(fifo())})
        wait_until(lambda: proxy.open_connections == 0, "no connection is open")
        assert client.run(ECHO, 1).output == 1


def test_a_program_that_is_interrupted_ends(proxy: FaultProxy, fifo: Callable[[], Path]) -> None:
    path = fifo()
    program = (
        "import asyncio, sys\n"
        "from stepflow_client import StepflowClient\n"
        "async def main():\n"
        "    async with StepflowClient(sys.argv[1]) as client:\n"
        f"        await client.run({READ_FILE!r}, {{'path': sys.argv[2]}})\n"
        "try:\n"
        "    asyncio.run(main())\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(7)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program, proxy.url, str(path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stderr=subprocess.PIPE,
    )
    assert proxy.waiting.wait(30)
    child.send_signal(signal.SIGINT)
    _, stderr = child.communicate(timeout=30)
    assert (child.returncode, stderr) == (7, b"")
    wait_until(lambda: proxy.open_connections == 0, "no connection is open")
    release(path)


def test_another_event_loop_is_told(server: StepflowServer) -> None:
    client = StepflowClient(server.url)
    with asyncio.Runner() as one, asyncio.Runner() as other:
        assert one.run(client.health()).status == "healthy"
        with pytest.raises(errors.InvalidRequest, match="in use by another event loop"):
            other.run(client.health())
        one.run(client.close())


@pytest.mark.parametrize("url", ["http://a", ["http://a", "http://b"]])
def test_async_with_needs_an_event_loop(url: str | list[str]) -> None:
    client = StepflowClient(url)
    for manager in (client, client.handle("0" * 32)):
        with pytest.raises(errors.InvalidRequest, match="needs a running asyncio event loop"):
            manager.__aenter__().send(None)


def test_a_client_goes_on_in_a_new_loop_when_its_own_has_ended(server: StepflowServer) -> None:
    # Kept connections would be left open with the loop that they belong to.
    client = StepflowClient(server.url, limits=httpx.Limits(max_keepalive_connections=0))

    async def use() -> str:
        return (await client.health()).status

    async def close() -> None:
        await client.close()

    assert asyncio.run(use()) == "healthy"
    assert asyncio.run(use()) == "healthy"
    asyncio.run(close())


def test_the_package_imports_its_modules_when_they_are_used() -> None:
    # Otherwise Python detects a deadlock when another thread imports one of them at that moment.
    script = (
        f"import sys; sys.path = {sys.path!r}; import stepflow_client; known = {{*sys.modules}}"
    )
    script += "; import stepflow_client as s; print(len(s.__all__), {*s.__all__} - {*dir(s)})"
    script += "; print([one for one in known if one.startswith('stepflow_client.')])"
    script += (
        "; from stepflow_client import *; print(s.__version__ and errors and FlowSource and s)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("16 set()\n[]\n<module 'stepflow_client'"), done.stdout

"""Starts one server, and prints how long it took until it was healthy.

In a program of its own, as the scripts are that start one. The launcher's package is imported
before the clock runs. What it imports while it starts a server is a part of the start, so nothing
that it might need is imported here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

_CONFIG: dict[str, Any] = {
    "plugins": {"builtin": {"type": "builtin"}},
    "routes": {"/{*component}": [{"plugin": "builtin"}], "/": [{"plugin": "builtin"}]},
}


class _Clock:
    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def stop(self, url: str) -> dict[str, Any]:
        """Return the time since the beginning, and what the server reports of its health."""
        taken = {
            "wall": time.perf_counter() - self._wall,
            "cpu": time.process_time() - self._cpu,
        }
        import urllib.request

        with urllib.request.urlopen(f"{url}/api/v1/health", timeout=30) as response:
            health = json.load(response)
        return {"answer": [health["status"], health["version"]], **taken}


def bare(world: Mapping[str, Any]) -> dict[str, Any]:
    """Execute the binary and ask for its health over a plain socket, until it says so."""
    command = [world["server"], "--port", "0", "--config-stdin"]
    # As the SDK does: what a server logs takes time as well.
    command += ["--log-format", "json", "--log-destination", "stdout"]
    command += ["--log-level", "info", "--other-log-level", "warn"]
    clock = _Clock()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None and server.stdout is not None
        try:
            server.stdin.write(json.dumps(_CONFIG).encode())
            server.stdin.close()
            line = b"\n"
            while not line.startswith(b'{"port":'):
                if not line:
                    raise RuntimeError("the server exited before it printed its port")
                line = server.stdout.readline()
            port = json.loads(line)["port"]
            while not _is_healthy(port):
                pass
            return clock.stop(f"http://127.0.0.1:{port}")
        finally:
            server.kill()


def _is_healthy(port: int) -> bool:
    with (
        contextlib.suppress(ConnectionRefusedError),
        socket.create_connection(("127.0.0.1", port)) as connection,
    ):
        connection.sendall(b"GET /api/v1/health HTTP/1.1\r\nhost: localhost\r\n\r\n")
        return connection.recv(4096).startswith(b"HTTP/1.1 200")
    return False


def runtime(_: Mapping[str, Any]) -> dict[str, Any]:
    """Start a `StepflowRuntime`."""
    from stepflow_runtime import StepflowRuntime

    clock = _Clock()
    with StepflowRuntime.start(_CONFIG) as started:
        return clock.stop(started.url)


def upstream(_: Mapping[str, Any]) -> dict[str, Any]:
    """Start the launcher that the server's wheel has."""
    from stepflow_orchestrator import OrchestratorConfig, StepflowOrchestrator

    async def start() -> dict[str, Any]:
        clock = _Clock()
        async with StepflowOrchestrator.start(OrchestratorConfig(config=_CONFIG)) as started:
            return clock.stop(started.url)

    return asyncio.run(start())


def start(launcher: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    """Run a launcher for the world on the command line."""
    print(json.dumps(launcher(json.loads(sys.argv[-1]))))

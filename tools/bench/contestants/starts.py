"""Starts one server, says how long it took until it was healthy, and stops it.

A program of its own, as the scripts are that start one. The launcher's package is imported before
the clock runs; what a launcher imports while it starts a server is a part of the start, so nothing
is imported here that one might need.
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
        """Return what was taken, and what the server at an address says of itself."""
        taken = {
            "wall": time.perf_counter() - self._wall,
            "cpu": time.process_time() - self._cpu,
        }
        import urllib.request

        from tools.bench.worker import peak_memory

        with urllib.request.urlopen(f"{url}/api/v1/health", timeout=30) as response:
            health = json.load(response)
        answer = [health["status"], health["version"]]
        return {"answer": answer, **taken, "peak": peak_memory()}


def bare(world: Mapping[str, Any]) -> dict[str, Any]:
    """Execute the binary and ask for its health over a plain socket, until it says so."""
    command = [world["server"], "--port", "0", "--config-stdin"]
    # As the SDK has it: what a server logs takes time as well.
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
                    raise RuntimeError("the server ended before it told its port")
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


def runtime(world: Mapping[str, Any]) -> dict[str, Any]:
    """Start a `StepflowRuntime`."""
    from stepflow_runtime import StepflowRuntime

    clock = _Clock()
    with StepflowRuntime.start(_CONFIG) as started:
        return clock.stop(started.url)


def upstream(world: Mapping[str, Any]) -> dict[str, Any]:
    """Start the launcher that the server's wheel brings."""
    from stepflow_orchestrator import OrchestratorConfig, StepflowOrchestrator

    async def start() -> dict[str, Any]:
        clock = _Clock()
        async with StepflowOrchestrator.start(OrchestratorConfig(config=_CONFIG)) as started:
            return clock.stop(started.url)

    return asyncio.run(start())


STARTS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "bare": bare,
    "runtime": runtime,
    "upstream": upstream,
}


if __name__ == "__main__":
    print(json.dumps(STARTS[sys.argv[1]](json.loads(sys.argv[2]))))

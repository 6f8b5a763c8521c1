"""Times the start of a server until it is healthy: bare, with StepflowRuntime, with upstream.

Each round starts all three, in turn, so that what else the machine does meets them alike.
"""

import argparse
import asyncio
import json
import socket
import statistics
import subprocess
import time
from collections.abc import Callable
from typing import Any

from stepflow_orchestrator import OrchestratorConfig, StepflowOrchestrator

from stepflow_runtime import ALL_BUILTINS, StepflowRuntime
from stepflow_runtime._binary import find_binary
from stepflow_runtime._logs import LogConfig

CONFIG: dict[str, Any] = json.loads(json.dumps(ALL_BUILTINS))
ROUNDS = 25
TARGETS = {"bare": 1.3, "upstream": 0.65}


def bare() -> float:
    """Starts the binary and asks for its health over a plain socket.

    Returns:
        Seconds from exec to the answer.
    """
    command = [find_binary(None), "--port", "0", "--config-stdin", *LogConfig().arguments()]
    start = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdin is not None and server.stdout is not None
        server.stdin.write(json.dumps(CONFIG).encode())
        server.stdin.close()
        line = b""
        while not line.startswith(b'{"port":'):
            line = server.stdout.readline()
        port = json.loads(line)["port"]
        while not is_healthy(port):
            pass
        seconds = time.perf_counter() - start
        server.kill()
    return seconds


def is_healthy(port: int) -> bool:
    """Asks once, with as little as it takes."""
    try:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET /api/v1/health HTTP/1.1\r\nhost: localhost\r\n\r\n")
            return connection.recv(4096).startswith(b"HTTP/1.1 200")
    except ConnectionRefusedError:
        return False


def runtime() -> float:
    """Starts a runtime.

    Returns:
        Seconds until it is there.
    """
    start = time.perf_counter()
    with StepflowRuntime.start(CONFIG):
        return time.perf_counter() - start


def upstream() -> float:
    """Starts the launcher that the server's wheel brings.

    Returns:
        Seconds until it is there.
    """

    async def measure() -> float:
        start = time.perf_counter()
        async with StepflowOrchestrator.start(OrchestratorConfig(config=CONFIG)):
            return time.perf_counter() - start

    return asyncio.run(measure())


def main() -> None:
    """Prints one JSON object a line: the medians, then each ratio with its spread and target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how many count (%(default)s)")
    rounds: int = parser.parse_args().rounds
    cases: dict[str, Callable[[], float]] = {
        "bare": bare,
        "runtime": runtime,
        "upstream": upstream,
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    for count in range(rounds + 1):
        for name, case in cases.items():
            seconds = case()
            # The first fills the caches.
            if count:
                times[name].append(seconds)
    for name, values in times.items():
        milliseconds = round(statistics.median(values) * 1000, 1)
        print(json.dumps({"case": name, "milliseconds": milliseconds}))
    for base, target in TARGETS.items():
        ratios = [a / b for a, b in zip(times["runtime"], times[base], strict=True)]
        low, median, high = statistics.quantiles(ratios, n=4)
        ratio = {
            "case": f"runtime / {base}",
            "value": round(median, 3),
            "spread": [round(low, 3), round(high, 3)],
            "target": target,
        }
        print(json.dumps(ratio))


if __name__ == "__main__":
    main()

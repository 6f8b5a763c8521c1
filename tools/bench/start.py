"""Times the start of a server until it is healthy: bare, with StepflowRuntime, with upstream.

Each round starts all three, in turn, so that what else the machine does meets them alike; each in a
program of its own, as scripts do, with what it imports before its start already there.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from typing import Any

CONFIG: dict[str, Any] = {
    "plugins": {"builtin": {"type": "builtin"}},
    "routes": {"/{*component}": [{"plugin": "builtin"}], "/": [{"plugin": "builtin"}]},
}
ROUNDS = 25
TARGETS = {"bare": 1.3, "upstream": 0.65}


def bare() -> float:
    """Starts the binary and asks for its health over a plain socket.

    Returns:
        Seconds from exec to the answer.
    """
    from stepflow_runtime._binary import find_binary
    from stepflow_runtime._logs import LogConfig

    command = [str(find_binary(None)), "--port", "0", "--config-stdin", *LogConfig().arguments()]
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
    from stepflow_runtime import StepflowRuntime

    start = time.perf_counter()
    with StepflowRuntime.start(CONFIG):
        return time.perf_counter() - start


def upstream() -> float:
    """Starts the launcher that the server's wheel brings.

    Returns:
        Seconds until it is there.
    """
    from stepflow_orchestrator import OrchestratorConfig, StepflowOrchestrator

    async def measure() -> float:
        start = time.perf_counter()
        async with StepflowOrchestrator.start(OrchestratorConfig(config=CONFIG)):
            return time.perf_counter() - start

    return asyncio.run(measure())


CASES = {"bare": bare, "runtime": runtime, "upstream": upstream}


def measure(case: str) -> float:
    """Runs one case in a program of its own.

    Args:
        case: Its name.

    Returns:
        Seconds.
    """
    done = subprocess.run(
        [sys.executable, __file__, "--case", case],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        # The runtime says who can reach the server.
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return float(done.stdout)


def main() -> None:
    """Prints one JSON object a line: the medians, then each ratio with its spread and target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how many count (%(default)s)")
    parser.add_argument("--case", choices=CASES, help="run one case once and print its seconds")
    arguments = parser.parse_args()
    if arguments.case:
        print(CASES[arguments.case]())
        return
    times: dict[str, list[float]] = {name: [] for name in CASES}
    for count in range(arguments.rounds + 1):
        for name in CASES:
            seconds = measure(name)
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

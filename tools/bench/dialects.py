"""Prints what the dialect of a server costs, as a part of a call to that server.

A dialect does no I/O, so its cost is what the exchange takes on top of the transport, where the
transport returns at once what the server answered before. Rounds of both alternate.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import timeit
from typing import Any

from stepflow_api import Client, models
from stepflow_api._exchange.driver import run
from stepflow_api._exchange.effects import Steps
from stepflow_api._messages import Answer, Request
from stepflow_api.api.flow import store_flow
from stepflow_api.api.run import create_run, get_run_items, list_runs
from tools.spec.server import StepflowServer

ROUNDS = 15
CALLS = 100

#: Maximum part of a call that the exchange may take, by version.
LIMITS = {"0.11.1": 0.02, "0.13.0": 0.15}


class Replay:
    """Return the server's recorded response to a request; ask the server the first time."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._answers: dict[Any, Answer] = {}
        self.url = transport.url

    def send(self, request: Request, timeout: Any) -> Answer:
        """Return the response."""
        key = (request.method, request.path, request.query)
        if key not in self._answers:
            self._answers[key] = self._transport.send(request, timeout)
        return self._answers[key]


def measure(binary: str) -> dict[str, float]:
    """Return the exchange's part of each call to a server: 0.01 for a hundredth."""
    with StepflowServer(binary) as server, Client(server.url) as client:
        flow = models.Flow(name="echo", output={"$input": "$"})
        stored = store_flow.sync(client=client, body=models.StoreFlowRequest(flow=flow))
        body = models.CreateRunRequest(flow_id=stored.flow_id, input={"n": "a"}, wait=True)
        run_id = create_run.sync(client=client, body=body).run_id
        some = Request("GET", "/runs", (("limit", "1"), ("status", "completed")))
        calls: dict[str, tuple[Any, Request]] = {
            "create_run": (create_run.OPERATION, create_run.build_request(body=body)),
            "get_run_items": (get_run_items.OPERATION, get_run_items.build_request(run_id=run_id)),
            "list_runs": (list_runs.OPERATION, some),
        }
        return {name: _part(client, *call) for name, call in calls.items()}


def _part(client: Client, operation: Any, request: Request) -> float:
    exchange = client._exchange
    real = exchange.transport
    replay: Any = Replay(real)
    timeouts = real.timeouts(None)

    def send() -> Answer:
        steps: Steps[Answer] = exchange.steps(operation, request, lambda answer: answer)
        return run(exchange, steps, timeouts)

    whole, through, past = [], [], []
    for _ in range(ROUNDS):
        whole.append(timeit.timeit(lambda: client.call(operation, request), number=CALLS))
        exchange.transport = replay
        through.append(timeit.timeit(send, number=CALLS))
        past.append(timeit.timeit(lambda: replay.send(request, timeouts), number=CALLS))
        exchange.transport = real
    return (min(through) - min(past)) / statistics.median(whole)


def main() -> int:
    """Print the measures of each server as JSON; 1 where one is above its limit."""
    servers = dict(one.split("=") for one in os.environ["STEPFLOW_SERVERS"].split())
    parts = {version: measure(servers[version]) for version in LIMITS}
    print(json.dumps(parts, indent=2))
    above = [
        f"{version} {name}: {part:.1%} of a call, above {LIMITS[version]:.0%}"
        for version, calls in parts.items()
        for name, part in calls.items()
        if part > LIMITS[version]
    ]
    print(*above, sep="\n", end="\n" if above else "", file=sys.stderr)
    return 1 if above else 0


if __name__ == "__main__":
    sys.exit(main())

"""The layer below the endpoint functions: operations, requests, and generators that need I/O.

An endpoint module offers its `OPERATION` and, beside the functions that send the request,
`build_request`. A client sends the request under a deadline of its own, or reads the response as it
arrives:

    from stepflow_api.api.run import get_run, get_run_items

    request = get_run.build_request(run_id, wait=True)
    run = client.call(get_run.OPERATION, request, timeout=10)

    request = get_run_items.build_request(run_id)
    pieces = client.fetch(get_run_items.OPERATION, request).parsed

Code for sync and async callers alike is a generator of `Steps`, which yields what it needs and is
sent the result; `Client.run` and `Client.run_async` perform it. It may yield `Call`, `Fetch`,
`Open`, `Read`, `Close` and `Sleep`, which say what they return:

    def wait(run_id: UUID) -> Steps[RunSummary]:
        request = get_run.build_request(run_id)
        while not has_ended(run := (yield Call(get_run.OPERATION, request))):
            yield Sleep(0.5)
        return run

    client.run(wait(run_id))

Header fields of one call are passed as `Hidden(headers)`, since a traceback with local variables
would show them otherwise.
"""

from __future__ import annotations

from stepflow_api._exchange.effects import Call, Close, Fetch, Open, Read, Sleep, Steps, through
from stepflow_api._hidden import Hidden
from stepflow_api._messages import Request
from stepflow_api._operation import Json, Operation
from stepflow_api._parameters import Style
from stepflow_api._transport.timeouts import Timeouts

__all__ = [
    "Call",
    "Close",
    "Fetch",
    "Hidden",
    "Json",
    "Open",
    "Operation",
    "Read",
    "Request",
    "Sleep",
    "Steps",
    "Style",
    "Timeouts",
    "through",
]

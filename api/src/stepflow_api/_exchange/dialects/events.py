"""Events of runs, which servers from 0.12 on send."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from stepflow_api._exchange.dialects.base import document
from stepflow_api._exchange.dialects.runs import named_status
from stepflow_api._exchange.effects import OpenStream
from stepflow_api._messages import Request


def opening(sending: OpenStream) -> OpenStream:
    """Return the effect that opens a stream of events, in the terms of the servers."""
    return OpenStream(with_id_twice(sending.request), event)


def with_id_twice(request: Request) -> Request:
    """Return the request with the run's id in the query too, which servers need."""
    run_id = unquote(request.path.split("/")[-2])
    return replace(request, query=(("runId", run_id), *request.query))


def event(data: bytes) -> dict[str, Any]:
    """Return an event of the server as one flat document, in the terms of the stored spec.

    It has `sequenceNumber`, `timestamp`, `kind`, and the fields of its kind.

    Raises:
        ValueError: The data is not an event.
    """
    body = document(data)
    try:
        ((kind, fields),) = body["event"].items()
        result = {**fields}
        if "status" in result:
            result["status"] = named_status(result["status"])
        number = body["sequenceNumber"]
        if type(number) is not int:
            raise TypeError("a sequence number that is not an integer")
        return {**result, "sequenceNumber": number, "timestamp": body["timestamp"], "kind": kind}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError("it has other events than a Stepflow server") from error

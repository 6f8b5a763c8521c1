"""Events of runs, which servers from 0.12 on tell and the stored spec does not describe."""

from __future__ import annotations

from typing import Any

from stepflow_api._exchange.dialects.base import document
from stepflow_api._exchange.dialects.runs import named_status


def event(data: bytes) -> dict[str, Any]:
    """Return an event as one flat document, in the terms that the stored spec has for the rest.

    Args:
        data: What the server sends as the event's data.

    Returns:
        `sequenceNumber`, `timestamp`, `kind`, and the fields of its kind.

    Raises:
        ValueError: It is no event.
    """
    body = document(data)
    try:
        ((kind, fields),) = body["event"].items()
        result = {**fields}
        if "status" in result:
            result["status"] = named_status(result["status"])
        number = body["sequenceNumber"]
        if type(number) is not int:
            raise TypeError("a sequence number that is no integer")
        return {**result, "sequenceNumber": number, "timestamp": body["timestamp"], "kind": kind}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError("it has other events than a Stepflow server") from error

"""Events of runs, which servers from 0.12 on tell and the stored spec does not describe."""

from __future__ import annotations

from typing import Any

from stepflow_api._exchange.dialects.base import document
from stepflow_api._exchange.dialects.runs import named_status


def event(data: bytes) -> dict[str, Any]:
    """Gives an event as one flat document, in the terms that the stored spec has for the rest.

    Args:
        data: What the server sends as the event's data.

    Returns:
        `sequenceNumber`, `timestamp`, `kind`, and the fields of its kind.

    Raises:
        ValueError: It is no event.
    """
    said = document(data)
    try:
        ((kind, fields),) = said["event"].items()
        told = {**fields}
        if "status" in told:
            told["status"] = named_status(told["status"])
        number = said["sequenceNumber"]
        if type(number) is not int:
            raise TypeError("a sequence number that is no integer")
        return {**told, "sequenceNumber": number, "timestamp": said["timestamp"], "kind": kind}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError("it has other events than a Stepflow server") from error

"""Translation of runs, items and steps of servers from 0.12 on to the stored spec."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any, Final

STATUSES: Final[Mapping[Any, str]] = {
    1: "running",
    2: "completed",
    3: "failed",
    4: "cancelled",
    5: "paused",
    6: "recoveryFailed",
}
NUMBERS: Final = {name: str(number) for number, name in STATUSES.items()}
ENDED: Final = (2, 3, 4, 6)
_WORST_FIRST: Final = ("failed", "running", "completed")


def summary_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is body of a run as a whole."""
    if not isinstance(body["status"], int):
        raise TypeError("a status that is not a number")
    return {"completedAt": None, **body, "status": named(STATUSES, body["status"])}


def items_of(body: Any) -> list[dict[str, Any]]:
    """Return the items of a run with their results."""
    return [_item(one) for one in body]


def _item(body: Mapping[str, Any]) -> dict[str, Any]:
    item = {"itemIndex": body["itemIndex"], "status": named(STATUSES, body["status"])}
    result = _result(body)
    if result is not None:
        item["result"] = result
    if "completedAt" in body:
        item["completedAt"] = body["completedAt"]
    return item


def _result(body: Mapping[str, Any]) -> dict[str, Any] | None:
    if "output" in body:
        return {"outcome": "success", "result": body["output"]}
    if "errorMessage" in body or "errorCode" in body:
        error = {"code": body.get("errorCode", 0), "message": body.get("errorMessage", "")}
        return {"outcome": "failed", "error": error}
    return None


def named(names: Mapping[Any, str], number: Any) -> str:
    """Return the name of one of an enumeration."""
    # Enumerations are open: what a newer server adds is kept under its number.
    return names.get(number) or str(number)


def steps_of(body: Any) -> dict[str, Any]:
    """Return the steps by their ids, of several items each with the worst status that it has."""
    steps: dict[str, Any] = {}
    for one in sorted(body, key=itemgetter("stepIndex")):
        step = _step(one)
        other = steps.setdefault(step["stepId"], step)
        if other is not step:
            worst = min(other, step, key=lambda step: _badness(step["status"]))
            # A result is one item's.
            steps[step["stepId"]] = {k: v for k, v in worst.items() if k != "result"}
    return steps


def _badness(status: str) -> int:
    return _WORST_FIRST.index(status) if status in _WORST_FIRST else len(_WORST_FIRST)


def _step(body: Mapping[str, Any]) -> dict[str, Any]:
    step = {"stepId": body["stepId"], "status": named(STATUSES, body["status"])}
    if "component" in body:
        step["component"] = body["component"]
    result = _result(body)
    return step if result is None else {**step, "result": result}


def named_status(number: Any) -> str:
    """Return the name of a run's or a step's status."""
    return named(STATUSES, number)

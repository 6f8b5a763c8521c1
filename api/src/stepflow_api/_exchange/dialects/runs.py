"""What servers from 0.12 on say of runs, items and steps, as the stored spec has it."""

from __future__ import annotations

from collections.abc import Mapping
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
_WORST_FIRST: Final = ("failed", "running", "runnable", "blocked", "skipped", "completed")


def summary_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """Gives what is said of a run as a whole."""
    if not isinstance(said["status"], int):
        raise TypeError("a status that is no number")
    return {"completedAt": None, **said, "status": named(STATUSES, said["status"])}


def items_of(said: Any) -> list[dict[str, Any]]:
    """Gives the items of a run with their results."""
    return [_item(one) for one in said]


def _item(said: Mapping[str, Any]) -> dict[str, Any]:
    item = {"itemIndex": said["itemIndex"], "status": named(STATUSES, said["status"])}
    result = _result(said)
    if result is not None:
        item["result"] = result
    if "completedAt" in said:
        item["completedAt"] = said["completedAt"]
    return item


def _result(said: Mapping[str, Any]) -> dict[str, Any] | None:
    if "output" in said:
        return {"outcome": "success", "result": said["output"]}
    if "errorMessage" in said or "errorCode" in said:
        error = {"code": said.get("errorCode", 0), "message": said.get("errorMessage", "")}
        return {"outcome": "failed", "error": error}
    return None


def named(names: Mapping[Any, str], number: Any) -> str:
    """Gives the name of one of an enumeration."""
    # Enumerations are open: what a newer server adds is kept under its number.
    return names.get(number) or str(number)


def steps_of(said: Any) -> dict[str, Any]:
    """Gives the steps by their ids, of several items each with the worst status that it has."""
    steps: dict[str, Any] = {}
    for one in sorted(said, key=lambda one: (one["stepIndex"], one["itemIndex"])):
        step = _step(one)
        other = steps.setdefault(step["stepId"], step)
        if other is not step:
            worst = min(other, step, key=lambda step: _badness(step["status"]))
            # A result is one item's.
            steps[step["stepId"]] = {k: v for k, v in worst.items() if k != "result"}
    return steps


def _badness(status: str) -> int:
    return _WORST_FIRST.index(status) if status in _WORST_FIRST else len(_WORST_FIRST)


def _step(said: Mapping[str, Any]) -> dict[str, Any]:
    step = {"stepId": said["stepId"], "status": named(STATUSES, said["status"])}
    if "component" in said:
        step["component"] = said["component"]
    result = _result(said)
    return step if result is None else {**step, "result": result}


def named_status(number: Any) -> str:
    """Gives the name of a run's or a step's status."""
    return named(STATUSES, number)

"""Servers from 0.9.0 to 0.11.0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final

from stepflow_api._exchange.dialects.base import (
    Translation,
    UnrecognisedResponse,
    document,
    is_object,
    is_unrecognised,
    json_object,
    lacking,
    refusal,
    request_of_owner,
    with_body,
    with_document,
)
from stepflow_api._exchange.effects import Sleep, Steps
from stepflow_api._messages import Answer, Request
from stepflow_api.errors import UnsupportedByServer

_POLL_SECONDS: Final = 0.2
_LONGEST_WAIT: Final = 300.0
"""Seconds that a server waits for a run when it is not told how long."""

_REQUIRED = ("flowId", "input")
_ENDED = ("completed", "failed", "cancelled", "recoveryFailed")


def translations(minor: int) -> dict[str, Translation]:
    """Return the translations of 0.9, 0.10 or 0.11.0.

    Args:
        minor: The second number of the version.
    """
    return _OF_0_9 if minor == 9 else _OF_0_10 if minor == 10 else _OF_0_11


def without_nulls(request: Request) -> Request:
    """Leave out of a request for a run what is null: only 0.11.1 takes it as left out."""
    if b":null" not in (request.content or b""):
        return request
    body = json_object(request.content)
    left = {k: v for k, v in body.items() if v is not None or k in _REQUIRED}
    return request if len(left) == len(body) else with_body(request, left)


def _create_run(_version: str, request: Request) -> Steps[Answer]:
    request = without_nulls(request)
    answer: Answer = yield request
    if is_unrecognised(answer):
        raise UnrecognisedResponse(request, answer)
    return answer


def _create_run_of_items(version: str, request: Request) -> Steps[Answer]:
    _refuse_no_items(version, request)
    return (yield from _ask(without_nulls(request), _run))


def _refuse_no_items(version: str, request: Request) -> None:
    # 0.9 never answers, 0.10 hangs up.
    if (
        b'"input":[]' in (request.content or b"")
        and json_object(request.content).get("input") == []
    ):
        raise UnsupportedByServer("a run of no items", server_version=version, since="0.11.0")


def _create_run_at_once(version: str, request: Request) -> Steps[Answer]:
    """0.9 answers when the run has ended, with its id and hardly more."""
    body = json_object(request.content)
    overrides = body.get("overrides")
    if is_object(overrides):
        # Its overrides are the map of steps itself.
        request = with_body(request, {**body, "overrides": overrides.get("steps", overrides)})
    _refuse_no_items(version, request)
    request = without_nulls(request)
    answer: Answer = yield request
    if is_unrecognised(answer):
        raise UnrecognisedResponse(request, answer)
    if answer.status_code == 422 and b"overrides: missing field `steps`" in answer.content:
        # What all later ones want.
        raise UnrecognisedResponse(request, answer)
    if answer.status_code >= 300:
        return answer
    created = json_object(answer.content)
    if "itemCount" not in created or "runId" not in created:
        raise UnrecognisedResponse(request, answer)
    run: Answer = yield Request("GET", f"/runs/{created['runId']}", template="/runs/{run_id}")
    if run.status_code != 200:
        return run
    try:
        summary = _run(json_object(run.content))
        is_failed = summary["status"] == "failed"
        is_refused = overrides and is_failed and summary["items"]["running"]
    except (ValueError, LookupError, TypeError) as error:
        # With the response to the creation, so that the run is not created again.
        raise UnrecognisedResponse(request, answer) from error
    if is_refused:
        # No item was begun, and none will be.
        message = "failed to apply workflow overrides; see that each is of a step of the flow"
        return refusal(answer, HTTPStatus.BAD_REQUEST, f"{message}, and a merge patch")
    if not body.get("wait"):
        return with_document(answer, summary, 202)
    items: Answer = yield Request(
        "GET", f"/runs/{created['runId']}/items", template="/runs/{run_id}/items"
    )
    if items.status_code != 200:
        return items
    found = json_object(items.content)
    if "items" not in found:
        raise UnrecognisedResponse(request, answer)
    return with_document(answer, {**summary, "results": found["items"]})


def _about_run(_version: str, request: Request) -> Steps[Answer]:
    return (yield from _ask(request, _run))


def _list_runs(_version: str, request: Request) -> Steps[Answer]:
    return (yield from _ask(request, _runs))


def _get_run(_version: str, request: Request) -> Steps[Answer]:
    """0.9 does not wait for a run, so this asks until the run has ended."""
    query = dict(request.query)
    waits = query.get("wait") == "true"
    left = float(query.get("timeoutSecs", _LONGEST_WAIT))
    plain = replace(request, query=())
    while True:
        answer: Answer = yield plain
        if is_unrecognised(answer):
            raise UnrecognisedResponse(plain, answer)
        if answer.status_code != 200:
            return answer
        run = json_object(answer.content)
        if "runId" not in run:
            raise UnrecognisedResponse(plain, answer)
        if not waits or left <= 0 or run.get("status") in _ENDED:
            return with_document(answer, _run(run))
        yield Sleep(min(_POLL_SECONDS, left))
        left -= _POLL_SECONDS


def _get_run_steps(version: str, request: Request) -> Steps[Answer]:
    """0.9 returns the steps of the last item, whichever is requested."""
    run: Answer = yield request_of_owner(request)
    if is_unrecognised(run):
        raise UnrecognisedResponse(request, run)
    if run.status_code != 200:
        # In the server's words for the steps.
        refused: Answer = yield request
        return refused
    count = json_object(run.content)["items"]["total"]
    if count > 1:
        raise UnsupportedByServer(
            "the steps of a run of several items", server_version=version, since="0.10.0"
        )
    answer: Answer = yield request
    index = dict(request.query).get("itemIndex", "0")
    if answer.status_code == 200 and index.isdecimal() and int(index) >= count > 0:
        message = f"Item index {index} out of bounds (run has {count} items)"
        return refusal(answer, HTTPStatus.BAD_REQUEST, message)
    return answer


def _ask(request: Request, change: Callable[[Any], Any]) -> Steps[Answer]:
    answer: Answer = yield request
    if is_unrecognised(answer):
        raise UnrecognisedResponse(request, answer)
    if answer.status_code >= 300:
        return answer
    return with_document(answer, change(document(answer.content)))


def _run(body: Any) -> Any:
    if "runId" not in body or "itemCount" in body or "createdAtSeqno" in body:
        raise ValueError("no run of these servers")
    result = {name: value for name, value in body.items() if name not in ("inputs", "overrides")}
    # Their journal has no numbers; the spec has the run begin it.
    return {**result, "createdAtSeqno": 0}


def _runs(body: Any) -> Any:
    return {"runs": [_run(one) for one in body["runs"]]}


_OF_0_11: Final[dict[str, Translation]] = {"createRun": _create_run}

_OF_0_10: Final[dict[str, Translation]] = {
    "cancelRun": _about_run,
    "createRun": _create_run_of_items,
    "getFlowVariables": lacking("getting the variables of a flow", "0.11.0"),
    "getRun": _about_run,
    "listRuns": _list_runs,
}

_OF_0_9: Final[dict[str, Translation]] = {
    "cancelRun": _about_run,
    "createRun": _create_run_at_once,
    "getFlowVariables": lacking("getting the variables of a flow", "0.11.0"),
    "getRun": _get_run,
    "getRunSteps": _get_run_steps,
    "listRuns": _list_runs,
    "storeBlob": lacking("storing a blob", "0.10.0"),
    "getBlob": lacking("getting a blob", "0.10.0"),
}

"""Servers from 0.12 on, whose HTTP is transcoded from gRPC."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote
from uuid import UUID

from stepflow_api._exchange.dialects.base import (
    Translation,
    UnrecognisedResponse,
    document,
    is_object,
    json_object,
    refusal,
    request_of_owner,
    with_document,
)
from stepflow_api._exchange.dialects.events import with_id_twice
from stepflow_api._exchange.dialects.integers import in_schema
from stepflow_api._exchange.dialects.older import without_nulls
from stepflow_api._exchange.dialects.runs import (
    ENDED,
    NUMBERS,
    STATUSES,
    items_of,
    named,
    steps_of,
    summary_of,
)
from stepflow_api._exchange.effects import Steps
from stepflow_api._messages import Answer, Request

_BLOB_TYPES: Final = ("flow", "data", "binary")
_LEVELS: Final[Mapping[Any, str]] = {1: "fatal", 2: "error", 3: "warning"}

Change = Callable[[Any], Any]


def _list_components(_version: str, request: Request) -> Steps[Answer]:
    query = tuple(
        ("excludeSchemas", {"true": "false", "false": "true"}.get(value, value))
        if name == "includeSchemas"
        else (name, value)
        for name, value in request.query
    )
    return (yield from _ask(replace(request, query=query), _components))


def _components(body: Any) -> Any:
    return {"components": [_component(one) for one in body["components"]]}


def _component(body: Mapping[str, Any]) -> dict[str, Any]:
    if "input_schema" in body:
        raise TypeError("a field that older servers have")
    component: dict[str, Any] = {"component": _name_in_flows(body)}
    if "plugin" in body:
        component["plugin"] = body["plugin"]
    if "description" in body:
        component["description"] = body["description"]
    for theirs, ours in (("inputSchema", "input_schema"), ("outputSchema", "output_schema")):
        if theirs in body:
            component[ours] = in_schema(body[theirs])
    return component


def _name_in_flows(body: Mapping[str, Any]) -> str:
    if "componentId" not in body:
        name: str = body["component"]
        return name
    path: str = body["path"]
    if path.startswith("/"):
        return path
    # The worker's own name. Flows put the route before it, which the server does not report; by
    # convention, the route is the plugin's name.
    return f"/{body['plugin']}/{path}"


def _store_flow(_version: str, request: Request) -> Steps[Answer]:
    answer = yield from _ask(request, _stored)
    if answer.status_code == HTTPStatus.BAD_REQUEST:
        # Other servers tell so what is no flow at all.
        message = document(answer.content)["message"]
        return refusal(answer, HTTPStatus.UNPROCESSABLE_ENTITY, message)
    return answer


def _stored(body: Any) -> Any:
    found = body["diagnostics"]
    levels = [{**one, "level": named(_LEVELS, one["level"])} for one in found["diagnostics"]]
    return {**body, "diagnostics": {**found, "diagnostics": levels}}


def _get_flow(_version: str, request: Request) -> Steps[Answer]:
    answer = yield from _ask(request, _flow)
    return _no_flow(answer, unquote(request.path.removesuffix("/flow").rpartition("/")[2]))


def _flow(body: Any) -> Any:
    flow = body["flow"]
    if "schemas" not in flow:
        return body
    return {**body, "flow": {**flow, "schemas": in_schema(flow["schemas"])}}


def _get_flow_variables(_version: str, request: Request) -> Steps[Answer]:
    answer: Answer = yield request
    if answer.status_code >= 400:
        return _no_flow(_refused(answer), unquote(request.path.split("/")[-2]))
    body = document(answer.content)
    result: dict[str, Any] = {"flowId": body["flowId"], "envVars": _env_vars(body["variables"])}
    if body["variables"]:
        # Their schema stands in the flow alone.
        flow: Answer = yield request_of_owner(request)
        if flow.status_code >= 400:
            return _refused(flow, answer.url)
        schemas = document(flow.content)["flow"].get("schemas", {})
        result["schema"] = in_schema(schemas.get("properties", {}).get("variables"))
    return with_document(answer, result)


def _env_vars(variables: Mapping[str, Any]) -> dict[str, str]:
    return {name: one["envVar"] for name, one in variables.items() if "envVar" in one}


def _create_run(_version: str, request: Request) -> Steps[Answer]:
    request = without_nulls(request)
    waited = b'"wait":true' in (request.content or b"") and bool(
        json_object(request.content).get("wait")
    )
    answer: Answer = yield request
    if answer.status_code >= 400:
        return _no_flow(_refused(answer), str(json_object(request.content).get("flowId")))
    body = document(answer.content)
    run = summary_of(body["summary"])
    if not waited:
        return with_document(answer, run, HTTPStatus.ACCEPTED)
    return with_document(answer, {**run, "results": items_of(body["results"])})


def _list_runs(_version: str, request: Request) -> Steps[Answer]:
    query = tuple(
        (name, NUMBERS.get(value, value) if name == "status" else value)
        for name, value in request.query
    )
    sent = replace(request, query=query)
    answer = yield from _ask(sent, _runs)
    if (
        answer.status_code == HTTPStatus.BAD_REQUEST
        and b"status: unknown variant" in answer.content
    ):
        # A server that wants its name.
        raise UnrecognisedResponse(sent, answer)
    problem = _problem(request.query)
    if problem is None:
        return answer
    # It would list all runs, as if nothing had been asked, or not say what is wrong.
    words = f"Failed to deserialize query string: {problem}"
    return answer._replace(status_code=400, pieces=[words.encode()])


def _problem(query: Iterable[tuple[str, str]]) -> str | None:
    for name, value in query:
        if name in ("rootRunId", "parentRunId"):
            try:
                UUID(value)
            except ValueError:
                return f"{name}: UUID parsing failed: `{value}` is none"
        if name == "status" and value not in NUMBERS and not value.isdecimal():
            return f"status: unknown variant `{value}`, expected one of {_choice(NUMBERS)}"
    return None


def _choice(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _runs(body: Any) -> Any:
    return {"runs": [summary_of(run) for run in body["runs"]]}


def _get_run(_version: str, request: Request) -> Steps[Answer]:
    return (yield from _ask(request, _run))


def _run(body: Any) -> Any:
    # Its steps are of all items and its items have no inputs, so there are no details of them.
    return summary_of(body["summary"])


def _get_run_items(_version: str, request: Request) -> Steps[Answer]:
    answer: Answer = yield request
    if answer.status_code >= 400:
        return _refused(answer)
    body = document(answer.content)
    if body["results"] == []:
        # So does it answer for a run that it does not know.
        run: Answer = yield request_of_owner(request)
        if run.status_code >= 400:
            return _refused(run, answer.url)
    items = items_of(body["results"])
    return with_document(answer, {"itemCount": len(items), "items": items})


def _get_run_steps(_version: str, request: Request) -> Steps[Answer]:
    answer: Answer = yield request
    if answer.status_code >= 400:
        return _refused(answer)
    body = document(answer.content)
    if body["steps"] == []:
        # So does it answer for a run or an item that it does not know.
        run: Answer = yield request_of_owner(request)
        if run.status_code >= 400:
            return _refused(run, answer.url)
        count = document(run.content)["summary"]["items"]["total"]
        index = dict(request.query).get("itemIndex", "0")
        if int(index) >= count > 0:
            message = f"Item index {index} out of bounds (run has {count} items)"
            return refusal(answer, HTTPStatus.BAD_REQUEST, message)
    return with_document(answer, {"steps": steps_of(body["steps"])})


def _cancel_run(_version: str, request: Request) -> Steps[Answer]:
    # The server would cancel a run that has ended, and overwrite its status.
    run: Answer = yield request_of_owner(request)
    url = run.url + "/cancel"
    if run.status_code >= 400:
        return _refused(run, url)
    summary = document(run.content)["summary"]
    if summary["status"] in ENDED:
        status = named(STATUSES, summary["status"]).capitalize()
        message = f"Run '{summary['runId']}' cannot be cancelled (status: {status})"
        return refusal(run._replace(url=url), HTTPStatus.CONFLICT, message)
    return (yield from _ask(request, _run))


def _delete(_version: str, request: Request) -> Steps[Answer]:
    answer: Answer = yield request
    if answer.status_code >= 400:
        return _refused(answer)
    return answer._replace(pieces=[]) if answer.content == b"{}" else answer


def _get_run_events(_version: str, request: Request) -> Steps[Answer]:
    answer: Answer = yield with_id_twice(request)
    return _refused(answer)


def _store_blob(_version: str, request: Request) -> Steps[Answer]:
    answer: Answer = yield request
    if answer.status_code == HTTPStatus.BAD_REQUEST and not answer.content:
        return refusal(answer, HTTPStatus.BAD_REQUEST, _why_no_blob(request))
    return _refused(answer)


def _why_no_blob(request: Request) -> str:
    """Return what the server does not: why it refuses a blob."""
    try:
        body = document(request.content)
    except ValueError:
        body = None
    if is_object(body):
        if "data" not in body:
            return "Invalid JSON request: missing field `data`"
        kind = body.get("blobType", "data")
        if kind not in _BLOB_TYPES:
            return (
                f"Invalid JSON request: unknown variant `{kind}`,"
                f" expected one of {_choice(_BLOB_TYPES)}"
            )
    return "the blob is refused, and the server does not say why"


def _get_blob(_version: str, request: Request) -> Steps[Answer]:
    answer: Answer = yield request
    # It says 400 to an id that is none.
    if answer.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST) and not answer.content:
        name = unquote(request.path.rpartition("/")[2])
        return refusal(answer, HTTPStatus.NOT_FOUND, f"Blob '{name}' not found")
    if answer.status_code != HTTPStatus.OK or "accept" in request.headers:
        return _refused(answer)
    blob = document(answer.content)
    if blob.get("blobType") != "binary" or blob.get("data") is not None:
        return answer
    # Its bytes, which the spec has as base64, come alone.
    octets = replace(request, headers={**request.headers, "accept": "application/octet-stream"})
    content: Answer = yield octets
    if content.status_code != HTTPStatus.OK:
        return _refused(content)
    return with_document(answer, {**blob, "data": base64.b64encode(content.content).decode()})


def _ask(request: Request, change: Change) -> Steps[Answer]:
    answer: Answer = yield request
    if answer.status_code >= 400:
        return _refused(answer)
    return with_document(answer, change(document(answer.content)))


def _refused(answer: Answer, url: str | None = None) -> Answer:
    """Return an error as the spec has it; any other response, and a proxy's words, as they are.

    Args:
        answer: The answer.
        url: Of the request that was made, where this answers another one for it.
    """
    answer = answer._replace(url=url or answer.url)
    # The bytes of a blob may be those of an error.
    if answer.status_code < 400 or not answer.content.startswith(b'{"error":'):
        return answer
    try:
        body = document(answer.content)["error"]
        error = {"code": body["code"], "message": body["message"]}
    except (ValueError, KeyError, TypeError):
        return answer
    status = answer.status_code
    if status == HTTPStatus.PRECONDITION_FAILED:
        error["code"] = status = HTTPStatus.CONFLICT.value
    return with_document(answer, error, status)


def _no_flow(answer: Answer, flow_id: str) -> Answer:
    """Return the refusal of an id that no flow has as that of any other unknown one."""
    if answer.status_code == HTTPStatus.BAD_REQUEST and b"invalid flow_id" in answer.content:
        return refusal(answer, HTTPStatus.NOT_FOUND, f"flow '{flow_id}' not found")
    return answer


TRANSLATIONS: Final[dict[str, Translation]] = {
    "listComponents": _list_components,
    "storeFlow": _store_flow,
    "getFlow": _get_flow,
    "deleteFlow": _delete,
    "getFlowVariables": _get_flow_variables,
    "createRun": _create_run,
    "listRuns": _list_runs,
    "getRun": _get_run,
    "getRunFlow": _get_flow,
    "getRunItems": _get_run_items,
    "getRunSteps": _get_run_steps,
    "getRunEvents": _get_run_events,
    "cancelRun": _cancel_run,
    "deleteRun": _delete,
    "storeBlob": _store_blob,
    "getBlob": _get_blob,
}

"""What servers from 0.12 on are asked for, and what becomes of their answers and refusals."""

from __future__ import annotations

import importlib
import json
from typing import Any

import httpx
import pytest

from api.tests.support.versions import ID, NEW, SUMMARY, Wire, compact
from stepflow_api import Client, models
from stepflow_api.api.blob import get_blob, get_blob_bytes, store_blob
from stepflow_api.api.component import list_components
from stepflow_api.api.flow import delete_flow, get_flow, get_flow_variables, store_flow
from stepflow_api.api.run import (
    cancel_run,
    create_run,
    delete_run,
    get_run,
    get_run_flow,
    get_run_items,
    get_run_steps,
    list_runs,
)
from stepflow_api.errors import (
    BadRequest,
    Conflict,
    InvalidAnswer,
    NotFound,
    StatusError,
    UnprocessableContent,
)

FLOW = models.StoreFlowRequest(flow=models.Flow(steps=[]))
ANY: Any = {"type": "integer", "default": 1.0}


class Later(httpx.MockTransport):
    """A server of version 0.13, which sends prepared responses one after another.

    Attributes:
        targets: Method, path and query of each request.
    """

    def __init__(self, *answers: Any) -> None:
        self.targets: list[str] = []
        self.bodies: list[bytes] = []
        waiting = iter(answers)

        def handle(request: httpx.Request) -> httpx.Response:
            target = request.url.raw_path.decode().removeprefix("/api/v1")
            self.targets.append(f"{request.method} {target}")
            self.bodies.append(request.content)
            answer = next(waiting)
            return answer if isinstance(answer, httpx.Response) else compact(answer)

        super().__init__(handle)
        self.client = Client("http://server", transport=self, server_version="0.13.0")


def refused(status: int, message: str) -> httpx.Response:
    content = json.dumps({"error": {"code": status, "message": message}}, separators=(",", ":"))
    return httpx.Response(status, content=content)


def test_components_have_the_name_that_flows_use_and_integers_in_their_schemas() -> None:
    server = Later(
        {
            "components": [
                {"component": "/a", "inputSchema": ANY, "description": "d"},
                {"componentId": "x", "path": "/b", "plugin": "builtin", "outputSchema": ANY},
                {"componentId": "y", "path": "echo", "plugin": "python"},
            ]
        }
    )
    found = list_components.sync_detailed(client=server.client)
    integer = {"type": "integer", "default": 1}
    # As text, since 1 equals 1.0.
    assert (
        found.content
        == json.dumps(
            {
                "components": [
                    {"component": "/a", "description": "d", "input_schema": integer},
                    {"component": "/b", "plugin": "builtin", "output_schema": integer},
                    {"component": "/python/echo", "plugin": "python"},
                ]
            },
            separators=(",", ":"),
        ).encode()
    )


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"include_schemas": True}, "?excludeSchemas=false"),
        ({"include_schemas": False}, "?excludeSchemas=true"),
        ({}, ""),
    ],
)
def test_schemas_are_left_out_rather_than_included(given: Any, sent: str) -> None:
    server = Later({"components": []})
    list_components.sync(client=server.client, **given)
    assert server.targets == [f"GET /components{sent}"]


def test_components_of_an_older_server_are_not_those_of_a_later_one() -> None:
    server = Later({"components": [{"component": "/a", "input_schema": {}}]})
    with pytest.raises(InvalidAnswer, match=r"does not answer as 0\.13\.0 does"):
        list_components.sync(client=server.client)


def test_diagnostics_have_the_name_of_their_level() -> None:
    rest = {"kind": "k", "code": 1, "message": "m", "formatted": "f"}
    levels = [{"level": level, **rest} for level in (1, 2, 3, 99)]
    counts = {"numFatal": 1, "numError": 1, "numWarning": 1}
    diagnostics = {"diagnostics": levels, **counts}
    server = Later({"flowId": "f", "stored": False, "diagnostics": diagnostics})
    content = store_flow.sync_detailed(client=server.client, body=FLOW).content
    assert json.loads(content) == {
        "flowId": "f",
        "stored": False,
        "diagnostics": {
            "diagnostics": [
                {"level": level, **rest} for level in ("fatal", "error", "warning", "99")
            ],
            **counts,
        },
    }


def test_what_is_no_flow_is_refused_as_by_other_servers() -> None:
    server = Later(refused(400, "no flow"), refused(500, "broken"))
    with pytest.raises(UnprocessableContent, match=r"422 .* no flow"):
        store_flow.sync(client=server.client, body=FLOW)
    with pytest.raises(StatusError, match="500 Internal Server Error: broken"):
        store_flow.sync(client=server.client, body=FLOW)


@pytest.mark.parametrize(
    ("ask", "target"),
    [
        (get_flow.sync, "GET /flows/a%2Fb"),
        (get_flow_variables.sync, "GET /flows/a%2Fb/variables"),
        (get_run_flow.sync, "GET /runs/a%2Fb/flow"),
    ],
)
def test_an_id_that_no_flow_has_is_not_found(ask: Any, target: str) -> None:
    server = Later(refused(400, "invalid flow_id: a/b"), refused(400, "invalid other_id"))
    with pytest.raises(NotFound, match="404 Not Found: flow 'a/b' not found") as raised:
        ask("a/b", client=server.client)
    assert raised.value.parsed == models.ErrorResponse(code=404, message="flow 'a/b' not found")
    with pytest.raises(BadRequest, match="invalid other_id"):
        ask("a/b", client=server.client)
    assert server.targets == [target] * 2


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize("name", ["a/b", "a b", "ü", "."])
def test_a_blob_that_is_unknown_is_named(name: str, status: int) -> None:
    server = Later(httpx.Response(status))
    with pytest.raises(NotFound, match="404 Not Found: ") as raised:
        get_blob.sync(name, client=server.client)
    assert raised.value.parsed == models.ErrorResponse(code=404, message=f"Blob '{name}' not found")


@pytest.mark.parametrize(
    ("endpoint", "arguments"),
    [
        ("blob.get_blob", {"blob_id": "b"}),
        ("blob.get_blob_bytes", {"blob_id": "b"}),
        ("blob.store_blob", {"body": {"data": 1}}),
        ("blob.store_blob_bytes", {"content": b"1"}),
        ("component.list_components", {}),
        ("flow.delete_flow", {"flow_id": "f"}),
        ("flow.get_flow", {"flow_id": "f"}),
        ("flow.get_flow_variables", {"flow_id": "f"}),
        ("flow.store_flow", {"body": FLOW}),
        ("run.cancel_run", {"run_id": ID}),
        ("run.create_run", {"body": {"flowId": "f", "input": 1}}),
        ("run.delete_run", {"run_id": ID}),
        ("run.get_run", {"run_id": ID}),
        ("run.get_run_events", {"run_id": ID}),
        ("run.get_run_flow", {"run_id": ID}),
        ("run.get_run_items", {"run_id": ID}),
        ("run.get_run_steps", {"run_id": ID}),
        ("run.list_runs", {}),
    ],
)
@pytest.mark.parametrize(("status", "code"), [(404, 404), (412, 409), (503, 503)])
def test_every_error_is_one_of_the_spec(
    endpoint: str, arguments: Any, status: int, code: int
) -> None:
    server = Later(refused(status, "m"))
    module = importlib.import_module(f"stepflow_api.api.{endpoint}")
    found = module.sync_detailed(client=server.client, **arguments)
    assert found.status_code == code
    assert json.loads(found.content) == {"code": code, "message": "m"}


def test_a_blob_is_refused_in_the_words_of_the_server() -> None:
    server = Later(*[refused(status, "hidden") for status in (404, 400)] * 2)
    for ask in (get_blob.sync, get_blob_bytes.sync):
        for error in (NotFound, BadRequest):
            with pytest.raises(error, match="hidden"):
                ask("b", client=server.client)


@pytest.mark.parametrize(
    "content",
    [b"\0\xff", b"", b'{"blobType":"binary"}', b'{"error":{"code":404,"message":"m"}}'],
)
def test_the_bytes_of_a_blob_are_returned_as_they_are(content: bytes) -> None:
    server = Later(httpx.Response(200, content=content))
    assert get_blob_bytes.sync("b", client=server.client) == content
    assert server.targets == ["GET /blobs/b"]


def test_a_run_of_a_flow_that_is_unknown_is_refused() -> None:
    server = Later(refused(400, "invalid flow_id: f"), refused(404, "none"))
    body = models.CreateRunRequest(flow_id="f", input=1)
    with pytest.raises(NotFound, match="404 Not Found: flow 'f' not found"):
        create_run.sync(client=server.client, body=body)
    with pytest.raises(NotFound, match="404 Not Found: none"):
        create_run.sync(client=server.client, body=body)


def test_a_flow_without_schemas_is_returned_as_it_is() -> None:
    server = Later({"flowId": "f", "flow": {"steps": []}})
    assert get_flow.sync("f", client=server.client).flow.steps == []


def test_variables_have_their_schema_from_the_flow() -> None:
    variables: Any = {"a": {"required": True, "envVar": "A"}, "b": {"required": False}}
    schemas = {"properties": {"variables": {"properties": {"a": ANY}}}}
    server = Later(
        {"flowId": "f", "variables": variables},
        {"flowId": "f", "flow": {"schemas": schemas}},
        {"flowId": "f", "variables": variables},
        {"flowId": "f", "flow": {}},
        {"flowId": "f", "variables": {}},
        {"flowId": "f", "schema": {}},
    )
    found = json.loads(get_flow_variables.sync_detailed("f", client=server.client).content)
    assert json.dumps(found) == json.dumps(
        {
            "flowId": "f",
            "envVars": {"a": "A"},
            "schema": {"properties": {"a": {"type": "integer", "default": 1}}},
        }
    )
    found = json.loads(get_flow_variables.sync_detailed("f", client=server.client).content)
    assert found == {"flowId": "f", "envVars": {"a": "A"}, "schema": None}
    found = json.loads(get_flow_variables.sync_detailed("f", client=server.client).content)
    # There is no schema of none.
    assert found == {"flowId": "f", "envVars": {}}
    with pytest.raises(InvalidAnswer, match=r"does not answer as 0\.13\.0 does"):
        get_flow_variables.sync("f", client=server.client)
    path = "GET /flows/f/variables"
    assert server.targets == [path, "GET /flows/f", path, "GET /flows/f", path, path]


@pytest.mark.parametrize("wait", [True, False, None])
def test_a_created_run_has_its_results_if_they_were_waited_for(wait: bool | None) -> None:
    results = [{"itemIndex": 0, "status": 2, "output": 1}]
    server = Later({"summary": {**SUMMARY, "status": 2}, "results": results})
    # A key of the input does not say it.
    body = models.CreateRunRequest(flow_id="f", input=[{"wait": True}], wait=wait, overrides=None)
    found = create_run.sync_detailed(client=server.client, body=body)
    assert found.status_code == (200 if wait else 202)
    assert ("results" in json.loads(found.content)) is bool(wait)
    sent = {"flowId": "f", "input": [{"wait": True}]}
    assert json.loads(server.bodies[0]) == (sent if wait is None else {**sent, "wait": wait})


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"status": "running"}, "?status=1"),
        ({"status": "recoveryFailed", "limit": 3}, "?status=6&limit=3"),
        ({"status": "7"}, "?status=7"),
        ({"flow_name": "paused", "root_run_id": ID}, f"?flowName=paused&rootRunId={ID}"),
    ],
)
def test_runs_are_listed_by_the_number_of_a_status(given: Any, sent: str) -> None:
    server = Later({"runs": []})
    assert list_runs.sync(client=server.client, **given).runs == []
    assert server.targets == [f"GET /runs{sent}"]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"root_run_id": "a"}, "rootRunId: UUID parsing failed: `a` is none"),
        ({"parent_run_id": "a"}, "parentRunId: UUID parsing failed: `a` is none"),
        ({"status": "none"}, "status: unknown variant `none`, expected one of `running`"),
    ],
)
def test_a_filter_that_the_server_ignores_is_refused(given: Any, problem: str) -> None:
    server = Later({"runs": []})
    with pytest.raises(BadRequest, match=f"Failed to deserialize query string: {problem}"):
        list_runs.sync(client=server.client, **given)


@pytest.mark.parametrize(
    ("ask", "key"),
    [(get_run_items, "results"), (get_run_steps, "steps")],
)
def test_nothing_of_a_run_may_be_nothing_of_none(ask: Any, key: str) -> None:
    summary = {"summary": SUMMARY}
    server = Later({key: []}, refused(404, "no run"), {key: []}, summary)
    with pytest.raises(NotFound, match="404 Not Found: no run") as raised:
        ask.sync(ID, client=server.client)
    assert raised.value.url.endswith("/items" if key == "results" else "/steps")
    found = ask.sync_detailed(ID, client=server.client)
    empty: Any = {"itemCount": 0, "items": []} if key == "results" else {"steps": {}}
    assert json.loads(found.content) == empty


@pytest.mark.parametrize(
    ("index", "total", "is_refused"), [(0, 1, 0), (1, 1, 1), (2, 1, 1), (0, 0, 0)]
)
def test_an_item_that_a_run_has_not_is_refused(index: int, total: int, is_refused: int) -> None:
    summary = {**SUMMARY, "items": {**SUMMARY["items"], "total": total}}  # type: ignore[dict-item]
    server = Later({"steps": []}, {"summary": summary})
    if is_refused:
        problem = rf"Item index {index} out of bounds \(run has 1 items\)"
        with pytest.raises(BadRequest, match=problem) as raised:
            get_run_steps.sync(ID, client=server.client, item_index=index)
        assert raised.value.url.endswith(f"/steps?itemIndex={index}")
    else:
        found = get_run_steps.sync_detailed(ID, client=server.client, item_index=index)
        assert json.loads(found.content) == {"steps": {}}


@pytest.mark.parametrize(
    ("status", "name"),
    [(2, "Completed"), (3, "Failed"), (4, "Cancelled"), (6, "Recoveryfailed")],
)
def test_a_run_that_has_ended_is_not_cancelled(status: int, name: str) -> None:
    server = Later({"summary": {**SUMMARY, "status": status}})
    problem = rf"409 Conflict: Run '{ID}' cannot be cancelled \(status: {name}\)"
    with pytest.raises(Conflict, match=problem) as raised:
        cancel_run.sync(ID, client=server.client)
    assert raised.value.url == f"http://server/api/v1/runs/{ID}/cancel"
    assert server.targets == [f"GET /runs/{ID}"]


@pytest.mark.parametrize("status", [1, 5, 99])
def test_a_run_that_has_not_ended_is_cancelled(status: int) -> None:
    server = Later(
        {"summary": {**SUMMARY, "status": status}}, {"summary": {**SUMMARY, "status": 4}}
    )
    assert cancel_run.sync(ID, client=server.client).status == "cancelled"
    assert server.targets == [f"GET /runs/{ID}", f"POST /runs/{ID}/cancel"]


@pytest.mark.parametrize("delete", [delete_run, delete_flow])
def test_a_deletion_has_no_content(delete: Any) -> None:
    server = Later({}, {"a": 1}, refused(412, "it is running"))
    assert delete.sync_detailed(ID, client=server.client).content == b""
    assert delete.sync_detailed(ID, client=server.client).content == b'{"a":1}'
    with pytest.raises(Conflict, match="409 Conflict: it is running") as raised:
        delete.sync(ID, client=server.client)
    assert json.loads(raised.value.content) == {"code": 409, "message": "it is running"}


@pytest.mark.parametrize(
    "content",
    [b'{"error":', b'{"error":1}', b'{"error":{"code":1}}', b'{"error":{"message":"m"}}'],
)
def test_an_error_in_another_form_is_kept(content: bytes) -> None:
    server = Later(httpx.Response(503, content=content))
    with pytest.raises(StatusError) as raised:
        get_run.sync(ID, client=server.client)
    assert (raised.value.status_code, raised.value.content) == (503, content)
    # Nor is it a reason to detect the version again.
    wire = Wire(NEW, {"runs": []})
    with Client("http://server", transport=wire) as client:
        list_runs.sync(client=client)
        wire.answer = httpx.Response(503, content=content)
        with pytest.raises(StatusError):
            get_run.sync(ID, client=client)
    assert wire.paths.count("GET /health") == 1


def test_a_blob_is_refused_in_the_words_of_the_server_if_it_has_any() -> None:
    server = Later(refused(400, "too odd"), httpx.Response(400))
    body = models.StoreBlobRequest(data=1)
    for words in ("too odd", "the blob is refused, and the server does not say why"):
        with pytest.raises(BadRequest, match=words):
            store_blob.sync(client=server.client, body=body)

"""What servers from 0.12 on send, and are sent, in the terms of the stored spec."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from api.tests.support.forms import PLAIN, Form
from api.tests.support.versions import ID, SUMMARY, compact
from stepflow_api import Client, models
from stepflow_api.api.blob import get_blob, store_blob, store_blob_bytes
from stepflow_api.api.flow import get_flow
from stepflow_api.api.run import get_run_events, get_run_items, get_run_steps
from stepflow_api.errors import BadRequest, Conflict, InvalidAnswer, NotFound
from stepflow_api.lowlevel import Hidden

pytestmark = pytest.mark.anyio


class Later(httpx.MockTransport):
    """A server of version 0.13, which sends prepared responses one after another.

    Attributes:
        requests: The requests received.
    """

    def __init__(self, *answers: Any) -> None:
        self.requests: list[httpx.Request] = []
        waiting = iter(answers)

        def handle(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            answer = next(waiting)
            return answer if isinstance(answer, httpx.Response) else compact(answer)

        super().__init__(handle)

    def client(self) -> Client:
        return Client("http://server", transport=self, server_version="0.13.0")


def refused(status: int, message: str) -> httpx.Response:
    return httpx.Response(status, content=b'{"error":%b}' % _error(status, message))


def _error(code: int, message: str) -> bytes:
    return json.dumps({"code": code, "message": message}).encode()


AT = "2026-11-23T00:01:20.394215421Z"
BLOB: dict[str, Any] = {"blobId": "b", "blobType": "binary", "filename": "f"}


def test_the_bytes_of_a_blob_are_requested_with_the_fields_of_the_call() -> None:
    server = Later(BLOB, httpx.Response(200, content=b"\0\xff"))
    found = get_blob.sync("b", client=server.client(), headers={"x-key": "k"})
    assert found.to_dict() == {**BLOB, "data": base64.b64encode(b"\0\xff").decode()}
    assert [request.headers.get("x-key") for request in server.requests] == ["k", "k"]
    assert server.requests[1].headers["accept"] == "application/octet-stream"


@pytest.mark.parametrize(("kind", "data"), [("binary", "AP8="), ("data", None), ("flow", 0)])
def test_a_blob_with_its_data_is_returned_as_it_is(kind: str, data: Any) -> None:
    server = Later({**BLOB, "blobType": kind, "data": data})
    assert get_blob.sync("b", client=server.client()).data == data
    assert len(server.requests) == 1


def test_a_blob_that_is_deleted_before_its_bytes_are_requested() -> None:
    server = Later(BLOB, refused(404, "gone"))
    with pytest.raises(NotFound, match="404 Not Found: gone") as raised:
        get_blob.sync("b", client=server.client())
    assert raised.value.parsed == models.ErrorResponse(code=404, message="gone")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{}", "Invalid JSON request: missing field `data`"),
        (
            b'{"data":1,"blobType":"later"}',
            "Invalid JSON request: unknown variant `later`, expected one of `flow`, `data`,"
            " `binary`",
        ),
        (b'{"data":1}', "the blob is refused, and the server does not say why"),
        (b"\0", "the blob is refused, and the server does not say why"),
    ],
)
def test_the_reason_why_a_blob_is_refused(body: bytes, reason: str) -> None:
    client = Later(httpx.Response(400)).client()
    with pytest.raises(BadRequest) as raised:
        if body == b"\0":
            store_blob_bytes.sync(body, client=client)
        store_blob.sync(client=client, body=json.loads(body))
    assert raised.value.parsed == models.ErrorResponse(code=400, message=reason)


@pytest.mark.parametrize(
    ("endpoint", "end", "first"),
    [
        ("flow.get_flow_variables", "variables", [{"flowId": "f", "variables": {"a": {}}}]),
        ("run.get_run_items", "items", [{"results": []}]),
        ("run.get_run_steps", "steps", [{"steps": []}]),
        ("run.cancel_run", "cancel", []),
    ],
)
@pytest.mark.parametrize("form", PLAIN, ids=lambda form: form.name)
async def test_an_error_of_a_request_that_a_call_needs_has_the_url_of_the_call(
    endpoint: str, end: str, first: list[Any], form: Form
) -> None:
    server = Later(*first, refused(412, "not now"))
    with pytest.raises(Conflict, match="409 Conflict: not now") as raised:
        await form(endpoint, ID, client=server.client())
    assert raised.value.url == f"{server.requests[-1].url}/{end}"


@pytest.mark.parametrize("form", PLAIN, ids=lambda form: form.name)
async def test_events_are_requested_with_the_id_twice(form: Form) -> None:
    server = Later(httpx.Response(200, text=""))
    await form("run.get_run_events", "a/b", client=server.client(), since=3)
    (request,) = server.requests
    assert request.url.raw_path == b"/api/v1/runs/a%2Fb/events?runId=a%2Fb&since=3"


def test_a_stream_of_events_is_requested_with_the_id_twice() -> None:
    server = Later(refused(404, "no run"))
    with pytest.raises(NotFound, match="no run"):
        server.client().open(
            get_run_events.OPERATION,
            get_run_events.build_request("a/b", since=3),
            timeout=5,
            headers=Hidden({"x-key": "k"}),
        )
    (request,) = server.requests
    assert request.url.raw_path == b"/api/v1/runs/a%2Fb/events?runId=a%2Fb&since=3"
    assert request.headers["x-key"] == "k"


EVENT: dict[str, Any] = {"sequenceNumber": 1, "timestamp": "t", "event": {"A": {"status": 2}}}


def opened(*events: Any) -> Any:
    content = b"".join(b"data: %b\n\n" % json.dumps(one).encode() for one in events)
    answer = httpx.Response(200, content=content, headers={"content-type": "text/event-stream"})
    request = get_run_events.build_request(ID)
    return Later(answer).client().open(get_run_events.OPERATION, request, timeout=5)


def test_an_event_is_flat_and_has_the_name_of_a_status() -> None:
    stream = opened(EVENT, {**EVENT, "event": {"B": {"stepId": "s", "kind": 1}}})
    found: list[Any] = []
    while (events := stream.read()) is not None:
        found += events
    stream.close()
    assert found == [
        {"sequenceNumber": 1, "timestamp": "t", "kind": "A", "status": "completed"},
        {"sequenceNumber": 1, "timestamp": "t", "kind": "B", "stepId": "s"},
    ]


@pytest.mark.parametrize(
    "other",
    [
        [],
        1,
        {**EVENT, "sequenceNumber": True},
        {**EVENT, "sequenceNumber": 1.0},
        {**EVENT, "sequenceNumber": "1"},
        {**EVENT, "event": "A"},
        {**EVENT, "event": ["A"]},
        {**EVENT, "event": {}},
        {**EVENT, "event": {"A": {}, "B": {}}},
        {**EVENT, "event": {"A": 1}},
        {name: value for name, value in EVENT.items() if name != "timestamp"},
    ],
    ids=json.dumps,
)
def test_what_is_not_an_event(other: Any) -> None:
    stream = opened(EVENT, other)
    with pytest.raises(InvalidAnswer, match="it has other events than a Stepflow server"):
        while stream.read() is not None:
            pass
    stream.close()


def item(index: int, status: int, **fields: Any) -> dict[str, Any]:
    return {"itemIndex": index, "status": status, **fields}


def test_the_results_of_items() -> None:
    results = [
        item(0, 2, output=None, completedAt=AT),
        item(1, 3, errorMessage="m", errorCode=5),
        item(2, 3, errorMessage="m"),
        item(3, 3, errorCode=5),
        item(4, 1),
        item(5, 99),
    ]
    client = Later({"results": results}).client()
    found = get_run_items.sync_detailed(ID, client=client)
    assert json.loads(found.content) == {
        "itemCount": 6,
        "items": [
            {
                "itemIndex": 0,
                "status": "completed",
                "result": {"outcome": "success", "result": None},
                "completedAt": AT,
            },
            *(
                {"itemIndex": index, "status": "failed", "result": {"outcome": "failed", **result}}
                for index, result in (
                    (1, {"error": {"code": 5, "message": "m"}}),
                    (2, {"error": {"code": 0, "message": "m"}}),
                    (3, {"error": {"code": 5, "message": ""}}),
                )
            ),
            {"itemIndex": 4, "status": "running"},
            # That of a later server.
            {"itemIndex": 5, "status": "99"},
        ],
    }


def test_a_step_of_several_items_has_the_worst_status_of_them() -> None:
    def step(at: int, index: int, status: int, **fields: Any) -> dict[str, Any]:
        return {"stepId": f"s{at}", "stepIndex": at, **item(index, status), **fields}

    statuses = [(2, 3, 1), (2, 1, 2), (2, 2, 99), (3, 99, 2), (2,)]
    steps = [
        step(at, index, status, output=index, component="/c")
        for at, many in enumerate(statuses)
        # The first item does not have the first step.
        for index, status in enumerate(many, not at)
    ]
    # Servers send them in any order.
    client = Later({"steps": steps[::-1]}).client()
    found = json.loads(get_run_steps.sync_detailed(ID, client=client).content)["steps"]
    assert [*found] == ["s0", "s1", "s2", "s3", "s4"]
    assert [one["status"] for one in found.values()] == [
        "failed",
        "running",
        "completed",
        "failed",
        "completed",
    ]
    assert {one["component"] for one in found.values()} == {"/c"}
    # A result is one item's.
    assert [one.get("result") for one in found.values()] == [
        *[None] * 4,
        {"outcome": "success", "result": 0},
    ]


#: Parts of the schema below.
ANY: dict[str, Any] = {"type": "integer", "default": 1}
NUMBER: dict[str, Any] = {"type": "number", "default": 1.0}

#: With each keyword whose value is an integer, or has schemas in it.
SCHEMA: dict[str, Any] = {
    "title": "t",
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), 1),
    **dict.fromkeys(("minContains", "maxContains", "minProperties", "maxProperties"), 1),
    **dict.fromkeys(("items", "additionalItems", "additionalProperties", "propertyNames"), ANY),
    **dict.fromkeys(("contains", "unevaluatedItems", "unevaluatedProperties"), ANY),
    **dict.fromkeys(("not", "if", "then", "else"), ANY),
    **{key: [ANY, NUMBER] for key in ("allOf", "anyOf", "oneOf", "prefixItems")},
    **{key: {"a": ANY} for key in ("patternProperties", "dependentSchemas")},
    "properties": {
        # Not the keyword, but properties of these names.
        "minimum": NUMBER,
        "items": {"items": ANY},
        "bounds": {
            "type": ["integer", "null"],
            **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), 1),
            **dict.fromkeys(("multipleOf", "const"), 1),
            "enum": [1, None],
            "examples": [1, 1.5],
        },
        "numbers": {
            "type": ["integer", "number"],
            **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), 1.0),
            **dict.fromkeys(("multipleOf", "const"), 1.0),
            "enum": [1.0],
            "examples": [1.0],
        },
        "large": {"type": "integer", "enum": [2**53, -(2**53), 2.0**54, -(2.0**54)]},
        "list": {"items": ANY, "default": [1, [1.0]]},
        "object": {
            "properties": {"a": ANY, "b": NUMBER},
            "additionalProperties": ANY,
            "default": {"a": 1, "b": 1.0, "c": 1},
        },
        "odd": {"items": True, "enum": 1.0, "allOf": {}, "properties": [], "default": [1.0]},
        "odd object": {"additionalProperties": True, "properties": [], "default": {"a": 1.0}},
        "any": {
            "properties": {"a": {}, "b": True},
            "additionalProperties": ANY,
            "default": {"a": 1.0, "b": 1.0, "c": 1},
        },
    },
    "$defs": {"a": ANY},
    "definitions": {"a": ANY},
}


def floats(value: Any) -> Any:
    """Return a value as servers from 0.12 on send it."""
    match value:
        case dict():
            return {key: floats(one) for key, one in value.items()}
        case list():
            return [floats(one) for one in value]
        case bool() | None | str():
            return value
        case _:
            return float(value)


def test_the_integers_of_schemas() -> None:
    client = Later({"flowId": "f", "flow": {"schemas": floats(SCHEMA)}}).client()
    found = get_flow.sync("f", client=client).flow.to_dict()["schemas"]
    # As text, since 1 equals 1.0.
    assert json.dumps(found, indent=1) == json.dumps(SCHEMA, indent=1)


@pytest.mark.parametrize(
    ("endpoint", "arguments", "answers"),
    [
        ("run.get_run", (ID,), [{"summary": SUMMARY, "steps": []}]),
        ("run.list_runs", (), [{"runs": [SUMMARY]}]),
        ("run.cancel_run", (ID,), [{"summary": SUMMARY}] * 2),
    ],
)
@pytest.mark.parametrize("form", PLAIN, ids=lambda form: form.name)
async def test_a_run_that_goes_on_has_its_null_end(
    endpoint: str, arguments: Any, answers: list[Any], form: Form
) -> None:
    """Older servers send the field, which these leave out."""
    found = await form(endpoint, *arguments, client=Later(*answers).client())
    run = found.runs[0] if endpoint == "run.list_runs" else found
    assert run.to_dict()["completedAt"] is None

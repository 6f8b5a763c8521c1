"""Servers that are none, or too old: each is told on one line that says what next."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from client.tests.support import ECHO, Driver
from stepflow_api import models
from stepflow_api.testing import MockServer, finished_run
from stepflow_client import RetryPolicy, errors

HTML = httpx.Response(200, headers={"content-type": "text/html"}, content=b"<html>Hello</html>")
GRPC = httpx.Response(200, headers={"content-type": "application/grpc", "grpc-status": "12"})
OTHER_JSON = httpx.Response(200, json={"hello": "world"})
LIST = httpx.Response(200, json=[1, 2])
NO_SUCH_PATH = httpx.Response(404)

CALLS: dict[str, Callable[[Any], Any]] = {
    "health": lambda client: client.health(),
    "run": lambda client: client.run(ECHO, 1),
    "run by id": lambda client: client.run("0" * 64, 1),
    "result": lambda client: client.handle("00000000-0000-0000-0000-000000000001").result(),
    "items": lambda client: list(client.handle("00000000-0000-0000-0000-000000000001").items()),
    "list_components": lambda client: client.list_components(),
    "list_runs": lambda client: client.list_runs(),
    "get_variables": lambda client: client.get_variables("0" * 64),
}


def answering(do: Driver, answer: httpx.Response) -> Any:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    return do.client("http://other.invalid", transport=httpx.MockTransport(handle))


@pytest.mark.parametrize(
    "answer", [HTML, GRPC, OTHER_JSON, LIST], ids=["html", "grpc", "json", "list"]
)
@pytest.mark.parametrize("name", [name for name in CALLS if name != "items"])
def test_a_server_of_another_kind_is_told(do: Driver, answer: httpx.Response, name: str) -> None:
    client = answering(do, answer)
    with pytest.raises(errors.InvalidAnswer, match="is this a Stepflow server") as caught:
        do(CALLS[name](client))
    assert "\n" not in str(caught.value)
    assert "other.invalid" in str(caught.value)
    do(client.close())


@pytest.mark.parametrize("name", [name for name in CALLS if name != "items"])
def test_a_server_without_the_operation_is_told(do: Driver, name: str) -> None:
    client = answering(do, NO_SUCH_PATH)
    with pytest.raises(errors.Unsupported, match="it is too old for this, or no") as caught:
        do(CALLS[name](client))
    assert "\n" not in str(caught.value)
    do(client.close())


def test_the_response_of_a_server_without_the_operation(do: Driver) -> None:
    client = answering(do, httpx.Response(404, headers={"x-proxy": "one"}, content=b"<h1>no"))
    with pytest.raises(errors.Unsupported) as caught:
        do(client.get_variables("0" * 64))
    error = caught.value
    assert (error.method, error.status_code, error.content) == ("GET", 404, b"<h1>no")
    assert error.url == f"http://other.invalid/api/v1/flows/{'0' * 64}/variables"
    assert error.headers["x-proxy"] == "one"
    do(client.close())


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"url": "localhost:7840"}, "write http://HOST:PORT"),
        ({"url": "ftp://h"}, "write http://HOST:PORT"),
        ({"url": "http://user:sesame@"}, "write http://HOST:PORT"),
        ({"url": "http://h", "timeout": 0}, "timeout is 0; pass seconds above 0"),
        ({"url": "http://h", "timeout": float("nan")}, "timeout is nan"),
        ({"url": "http://h", "timeout": "5"}, "timeout is '5'; pass seconds above 0"),
        ({"url": "http://h", "timeout": True}, "timeout is True; pass seconds above 0"),
        ({"url": 5}, "url is of type int; pass text, such as http://HOST:PORT, or a list of"),
        ({"url": b"http://h"}, "url is of type bytes; pass text"),
        ({"url": httpx.URL("http://user:sesame@h")}, "url is of type URL; pass text"),
        ({"url": ["http://h", 5]}, "base_url is of type int; pass text"),
        ({"url": "http://h", "retry": 5}, "retry is 5; pass a RetryPolicy"),
        ({"url": "http://h", "token": "a\nsesame"}, "the token cannot be sent"),
        ({"url": "http://h", "token": ""}, "the token cannot be sent: it is not a text, is empty"),
        ({"url": "http://h", "headers": {"x": "a\nsesame"}}, "headers cannot be sent"),
    ],
)
def test_what_a_client_cannot_be_made_with_is_told(
    do: Driver, options: dict[str, Any], problem: str
) -> None:
    with pytest.raises(errors.InvalidRequest) as caught:
        do.client(**options)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("timeout", [-1, float("nan"), True, "3"])
def test_a_deadline_that_is_none_is_told(do: Driver, timeout: Any) -> None:
    client = answering(do, HTML)
    with pytest.raises(errors.InvalidInput, match="pass seconds, 0 or more"):
        do(client.run(ECHO, 1, timeout=timeout))
    do(client.close())


@pytest.mark.parametrize("limit", [-1, True, False, "3", "", 1.5, 0.0])
def test_a_limit_that_is_none_is_told(do: Driver, limit: Any) -> None:
    client = answering(do, HTML)
    with pytest.raises(errors.InvalidInput, match="pass 0 or more, or None for all runs"):
        do(client.list_runs(limit=limit))
    do(client.close())


def items_answer(change: dict[int, dict[str, Any]], **others: Any) -> httpx.Response:
    items: list[dict[str, Any]] = [
        {
            "itemIndex": number,
            "status": "completed",
            "result": {"outcome": "success", "result": {"n": number}},
            "completedAt": f"2026-11-23T00:01:20.{number:09}Z",
        }
        for number in range(1000)
    ]
    for number, changed in change.items():
        items[number] |= changed
    document = {**others, "items": items}
    return httpx.Response(200, content=json.dumps(document, separators=(",", ":")))


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"itemIndex": -1}, "itemIndex: Input should be greater than or equal to 0"),
        ({"completedAt": "soon"}, "completedAt: Input should be a valid datetime"),
        ({"result": {"outcome": "success"}}, "result.success.result: Field required"),
        ({"result": {"outcome": "failed"}}, "result.failed.error: Field required"),
    ],
)
@pytest.mark.parametrize("bad", [0, 1, 500, 999])
def test_an_item_that_is_none_is_told_after_those_before_it(
    do: Driver, bad: int, changed: dict[str, Any], problem: str
) -> None:
    client = answering(do, items_answer({bad: changed}, itemCount=1000))
    items = do(client.handle("00000000-0000-0000-0000-000000000001").items())
    assert len(items) == 1000
    # As often as one likes.
    for _ in range(2):
        read = iter(items)
        assert [next(read).result.output["n"] for _ in range(bad)] == list(range(bad))
        with pytest.raises(errors.InvalidAnswer) as caught:
            next(read)
        assert f"is not what a Stepflow server answers: {problem}" in str(caught.value)
        assert "\n" not in str(caught.value)
    do(client.close())


def test_items_are_those_of_the_whole_page(do: Driver) -> None:
    # One has failed, one has no result, one has text that Python's decoder takes and others refuse.
    change: dict[int, dict[str, Any]] = {
        3: {"result": {"outcome": "failed", "error": {"code": 5, "message": "no"}}},
        4: {"result": None, "status": "running", "completedAt": None},
        5: {"result": {"outcome": "success", "result": "\ud800"}},
        6: {"result": {"outcome": "success", "result": [{"itemIndex": 1}, {"itemIndex": 2}]}},
        7: {"aNewField": '},{"itemIndex":1'},
    }
    answer = items_answer(change)
    client = answering(do, answer)
    items = do(client.handle("00000000-0000-0000-0000-000000000001").items())
    assert len(items) == 1000
    expected = [models.ItemResult.from_dict(document) for document in answer.json()["items"]]
    assert list(items) == expected
    without_surrogate = [item.to_dict() for item in items if item.item_index != 5]
    assert without_surrogate[4:6] == [expected[4].to_dict(), expected[6].to_dict()]
    assert without_surrogate[-1]["completedAt"] == "2026-11-23T00:01:20.000000999Z"
    do(client.close())


def test_variables_that_are_none_are_told(do: Driver) -> None:
    client = answering(do, HTML)
    for variables in (5, "ab"):
        with pytest.raises(errors.InvalidInput, match=r"variables is .*; pass a dict"):
            do(client.run("0" * 64, 1, variables=variables))
    do(client.close())


@pytest.mark.parametrize("input", [object(), float("nan"), {1: object()}, b"\xff"])
def test_an_input_that_json_cannot_hold_is_told(do: Driver, input: Any) -> None:
    client = answering(do, HTML)
    with pytest.raises(errors.InvalidRequest) as caught:
        do(client.run("0" * 64, input))
    assert "\n" not in str(caught.value)
    do(client.close())


def test_an_unknown_outcome_is_a_result_or_raises_on_request(do: Driver) -> None:
    postponed = models.OtherFlowResult(outcome="postponed")
    client = do.client("http://newer.invalid", transport=MockServer(finished_run(postponed)))
    assert do(client.run(ECHO, 1)) == postponed
    with pytest.raises(errors.FlowFailed, match="with the outcome 'postponed', which this version"):
        do(client.run(ECHO, 1, raise_on_failure=True))
    do(client.close())


@pytest.mark.parametrize(("retries", "attempts"), [(0, "once"), (1, "2 times"), (2, "3 times")])
def test_how_often_a_server_was_tried(do: Driver, retries: int, attempts: str) -> None:
    server = MockServer({"GET /components": errors.ConnectionFailed})
    retry = RetryPolicy(retries, first_delay=0)
    client = do.client("http://server.invalid", transport=server, retry=retry)
    with pytest.raises(errors.Unreachable, match=f": tried {attempts}: simulated") as caught:
        do(client.list_components())
    assert (caught.value.attempts, caught.value.run_id) == (retries + 1, None)
    assert "run" not in str(caught.value)
    assert caught.value.method == "GET"
    assert caught.value.url.startswith("http://server.invalid/api/v1/components?")
    assert len(server.requests) == retries + 1
    do(client.close())

"""A hostile server or file cannot exhaust a client."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import httpx
import pytest

from client.tests import fuzz_reader
from client.tests.support import AT_ONCE, Driver
from stepflow_client import RetryPolicy, errors
from stepflow_client._core.json_array import read_elements
from stepflow_client.documents import parse
from tools.fuzz.fuzz import cases

RUN_ID = "01a220cf-9add-7013-bfe7-1312b53dd6a6"


def read(pieces: list[bytes]) -> Any:
    others: dict[str, Any] = {}
    return list(read_elements(pieces, "items", others)), others


def test_random_documents() -> None:
    for source in itertools.islice(cases(), 700):
        fuzz_reader.check(source)


@pytest.mark.parametrize(
    "content",
    [
        b'{ ""1":[]}',
        b'{"a": "b"1}',
        b'{"items": [], "items": []}',
        b'{"items": [1], "a": 1, "items": 2}',
        b'{"items": 2, "items": [1]}',
        b'{"items": [1]}\xc3',
        b'{"items": [' + b"[" * 200_000,
        b'{"a": ' + b"[" * 200_000,
    ],
)
def test_a_document_is_refused_however_it_is_cut(content: bytes) -> None:
    step = 1 if len(content) < 100 else 10_000
    for pieces in ([content], [content[n : n + step] for n in range(0, len(content), step)]):
        with pytest.raises(ValueError):
            read(pieces)


def test_another_member_that_is_there_twice_has_its_last_value() -> None:
    assert read([b'{"a": 1, "items": [2], "a": 3}']) == ([2], {"a": 3})


@pytest.mark.parametrize("name", ["items", "results"])
@pytest.mark.parametrize(
    "body",
    [
        b'{"itemCount": 1, "items": [' + b"[" * 200_000,
        b'{"itemCount": "many", "items": []}',
        b'{"itemCount": -1, "items": []}',
        b'{"itemCount": 1e999, "items": []}',
        b'{"itemCount": [], "items": []}',
        b'{"itemCount": 99999999999999999999, "items": []}',
    ],
)
def test_odd_items_are_an_error_of_the_tree(do: Driver, name: str, body: bytes) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        content = body
        if not request.url.path.endswith("/items"):
            counts = dict.fromkeys(("total", "completed", "running", "failed", "cancelled"), 1)
            content = json.dumps(
                {
                    "runId": RUN_ID,
                    "rootRunId": RUN_ID,
                    "flowId": "0" * 64,
                    "status": "completed",
                    "createdAt": "2026-01-01T00:00:00Z",
                    "createdAtSeqno": 1,
                    "items": counts,
                }
            ).encode()
        return httpx.Response(200, headers={"content-type": "application/json"}, content=content)

    client = do.client("http://server.invalid", transport=httpx.MockTransport(answer))
    with pytest.raises(errors.InvalidAnswer) as caught:
        found = do(getattr(client.handle(RUN_ID), name)())
        len(found)
        list(found)
    assert str(caught.value).isprintable()
    do(client.close())


@pytest.mark.parametrize("body", [b"[" * 200_000, b"{"])
def test_a_blob_that_is_nested_too_deeply(do: Driver, body: bytes) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"x-blob-type": "data"}, content=body)

    client = do.client("http://server.invalid", transport=httpx.MockTransport(answer))
    with pytest.raises(errors.InvalidAnswer):
        do(client.get_blob("0" * 64))
    do(client.close())


@pytest.mark.parametrize(
    ("text", "is_used"),
    [
        ("9" * 5000, True),
        ("Fri, 31 Dec 9999 23:59:59 -2359", True),
        ("Mon, 01 Jan 0001 00:00:00 +2359", True),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", False),
        ("Mon, 01 Jan 2020 00:00:00 +999999", False),
        ("Mon, 99 Jan 2020 00:00:00 GMT", False),
        ("-1", False),
        ("-" + "9" * 5000, False),
        ("1e999", False),
        ("nan", False),
        ("inf", False),
        ("\u00b2", False),
        ("0x10", False),
    ],
)
def test_no_retry_after_fails_or_waits_for_long(text: str, is_used: bool) -> None:
    error = errors.TooManyRequests(
        "", method="GET", url="http://h", status_code=429, headers={"retry-after": text}
    )
    delay = AT_ONCE.delay(1, error)
    assert 0 <= delay <= AT_ONCE.retry_after_limit
    assert (delay in (0, AT_ONCE.retry_after_limit)) == is_used


def test_a_retry_after_without_a_time_zone_is_in_gmt(monkeypatch: pytest.MonkeyPatch) -> None:
    text = time.asctime(time.gmtime(time.time() + 1000))
    error = errors.TooManyRequests(
        "", method="GET", url="http://h", status_code=429, headers={"retry-after": text}
    )
    policy = RetryPolicy(retry_after_limit=10_000)
    try:
        monkeypatch.setenv("TZ", "XXX-9")
        time.tzset()
        assert 990 < policy.delay(1, error) <= 1000
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_time_for_a_duplicate_key_grows_with_their_number_alone() -> None:
    names = [f"{number:05}" for number in range(100_000)]
    text = "{" + ",".join(f'"{name}":0' for name in [*names, names[-1]]) + "}"
    start = time.process_time()
    with pytest.raises(errors.InvalidInput, match="duplicate key '99999'"):
        parse(text.encode(), name="it", is_json=True)
    assert time.process_time() - start < 5


def test_variables_that_are_nested_too_deeply() -> None:
    from stepflow_client.cli._input import read_variables

    text = "[" * 200_000
    assert read_variables([f"n={text}"]) == {"n": text}

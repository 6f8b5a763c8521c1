"""A hostile server cannot fill the memory, use up the processor, or write to a terminal."""

from __future__ import annotations

import itertools
import json
import pickle
import time
import traceback
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from api.tests import fuzz_events
from stepflow_api import errors, models
from stepflow_api._constants import ERROR_BODY_LIMIT, EVENT_LIMIT, UNKNOWN_VALUES_LIMIT
from stepflow_api._transport.event_stream import EventDecoder, LineDecoder
from stepflow_api.api.health import health_check
from stepflow_api.api.run import list_runs
from stepflow_api.client import Client
from stepflow_api.errors import one_line, printable
from tools.fuzz.fuzz import cases


def answering(content: bytes, status: int = 200) -> Client:
    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers={"content-type": "application/json"}, content=content)

    return Client(
        base_url="http://server.invalid",
        transport=httpx.MockTransport(handle),
        server_version="0.11.1",
    )


def seconds(call: Callable[[], object]) -> float:
    """Processor time of a call."""
    start = time.process_time()
    call()
    return time.process_time() - start


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("build [/x] failed", "build [/x] failed"),
        ("\x1b]0;a\x07\x1b[2J\x7f", "\\x1b]0;a\\x07\\x1b[2J\\x7f"),
        ("a\tb\nc\rd", "a\\tb\\nc\\rd"),
        ("\x80\x9b31m", "\\x80\\x9b31m"),
        ("\u202egnp.exe\u2066\u200e\ufeff", "\\u202egnp.exe\\u2066\\u200e\\ufeff"),
        ("\u2028\ud800\U000e0041", "\\u2028\\ud800\\U000e0041"),
        ("é 日本語\u3000👩\u200d💻\u00a0", "é 日本語\u3000👩\u200d💻\u00a0"),
        (
            "\u2002\u2003\u2009\u200a\u202fنمی\u200cخواهم",
            "\u2002\u2003\u2009\u200a\u202fنمی\u200cخواهم",
        ),
    ],
)
def test_text_for_a_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(text, keep="\n\t") == shown.replace("\\t", "\t").replace("\\n", "\n")
    error = errors.ServerError(text, method="GET", url="http://h", status_code=500)
    for one in (error, pickle.loads(pickle.dumps(error))):
        assert str(one) == f"GET http://h: 500 Internal Server Error: {shown}"
        assert shown in "".join(traceback.format_exception_only(one))


def test_a_long_text_is_not_worked_through() -> None:
    text = "\x1b" + " x" * 20_000_000
    assert seconds(lambda: one_line(text)) < 0.5
    assert one_line(text).endswith("… (39999998 characters)")


@pytest.mark.parametrize(
    "content",
    [
        b'{"message": "' + b"x" * ERROR_BODY_LIMIT + b'"}',
        b"\xff" * 2 * ERROR_BODY_LIMIT,
        b"[" * 2 * ERROR_BODY_LIMIT,
    ],
)
def test_a_long_error_body_is_quoted_from_its_beginning(content: bytes) -> None:
    with answering(content, 500) as client, pytest.raises(errors.ServerError) as caught:
        health_check.sync(client=client)
    assert len(str(caught.value)) < 1_000
    assert content[:10].decode("utf-8", "replace") in str(caught.value)
    assert caught.value.content == content


def test_of_a_few_mistakes_the_first_one_is_named() -> None:
    for count in (1, 2, 20):
        content = json.dumps({"runs": [1] * count}).encode()
        with answering(content) as client, pytest.raises(errors.InvalidAnswer) as caught:
            list_runs.sync(client=client)
        assert "runs.0: Input should be" in str(caught.value)
        assert str(caught.value.__cause__).startswith(f"{count} validation error")


def test_a_body_with_many_mistakes_is_an_error_of_one_line() -> None:
    content = json.dumps({"runs": [1] * 20_000}).encode()
    with answering(content) as client, pytest.raises(errors.InvalidAnswer) as caught:
        list_runs.sync(client=client)
    assert "it has 20000 errors" in str(caught.value)
    assert len("".join(traceback.format_exception(caught.value))) < 20_000


def test_a_body_that_is_nested_too_deeply_is_an_error() -> None:
    with answering(b"[" * 200_000) as client:
        with pytest.raises(errors.InvalidAnswer):
            health_check.sync(client=client)
        with pytest.raises(errors.InvalidAnswer):
            list_runs.sync(client=client)


@pytest.mark.parametrize("kind", [models.ExecutionStatus, models.StepStatus])
def test_unknown_values_are_kept_up_to_a_number(kind: Any) -> None:
    class Fresh(kind.__base__):  # type: ignore[misc]
        ONE = "one"

    first = Fresh("new")
    many: list[Any] = [Fresh(f"new {number}") for number in range(10 * UNKNOWN_VALUES_LIMIT)]
    assert len(Fresh._value2member_map_) == 1 + UNKNOWN_VALUES_LIMIT
    assert Fresh("new") is first
    # Those that are not kept behave alike.
    assert [one.value for one in many] == [f"new {n}" for n in range(len(many))]
    assert Fresh("new 2000") == many[2000] == "new 2000"
    assert {many[2000]: 1}[Fresh("new 2000")] == 1
    assert list(Fresh) == [Fresh.ONE]


def test_a_long_unknown_value_is_not_kept() -> None:
    value = "x" * 1_000_000
    assert models.ExecutionStatus(value) == value
    assert value not in models.ExecutionStatus._value2member_map_


def test_the_time_for_events_grows_with_their_size_alone() -> None:
    pieces = [b"data: ", *[b"x" * 1024] * (EVENT_LIMIT // 1024 - 1), b"\n\n"]

    def decode() -> None:
        decoder = EventDecoder()
        events = [event for piece in pieces for event in decoder.feed(piece)]
        assert [len(event) for event in events] == [EVENT_LIMIT - 1024]

    assert seconds(decode) < 2


@pytest.mark.parametrize("line", [b"data: x\n", b": alive\n", b"id: 1\n", b"x", b"data:\n"])
def test_an_event_has_a_limit(line: bytes) -> None:
    decoder = EventDecoder(limit=100_000)
    with pytest.raises(ValueError, match="larger than 100000 bytes"):
        for _ in range(100_001):
            assert decoder.feed(line) == []


def test_a_stream_has_none() -> None:
    decoder = EventDecoder(limit=100)
    for _ in range(1000):
        assert decoder.feed(b"data: x\n\n: alive\n\n") == [b"x"]


def test_a_line_has_a_limit_and_a_stream_of_lines_has_none() -> None:
    decoder = LineDecoder(limit=10)
    for _ in range(1000):
        assert decoder.feed(b'"12345678"\n') == [b'"12345678"']
    assert decoder.feed(b"0123456789") == []
    with pytest.raises(ValueError, match="a line is larger than 10 bytes"):
        decoder.feed(b"0")


def test_random_streams() -> None:
    for source in itertools.islice(cases(), 1500):
        fuzz_events.check(source)

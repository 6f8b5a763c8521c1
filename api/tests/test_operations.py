"""Bodies and answers of any operation: media types, encodings, and what a status is parsed by."""

from __future__ import annotations

from typing import Any

import pytest

from stepflow_api._headers import Headers
from stepflow_api._messages import Answer
from stepflow_api._operation import Json, text
from stepflow_api.errors import InvalidRequest, NotFound, StatusError, UnexpectedStatus
from stepflow_api.lowlevel import Operation
from stepflow_api.models import Step

FORM = "application/x-www-form-urlencoded"


def operation(*accepts: str, **answers: Any) -> Operation[Any, Any]:
    parsers = {name.removeprefix("s"): parser for name, parser in answers.items()}
    return Operation("op", "POST", "/", parsers, accepts)


def sent(accepts: tuple[str, ...], body: Any, **options: Any) -> tuple[str, bytes | None]:
    """Return the media type and the content of a request with a body."""
    request = operation(*accepts).request(body=body, **options)
    return request.headers["content-type"], request.content


JSON = "application/json"
BYTES = "application/octet-stream"


@pytest.mark.parametrize(
    ("accepts", "body", "options", "expected"),
    [
        ((JSON,), {"a": None}, {}, (JSON, b'{"a":null}')),
        ((JSON,), "text", {}, (JSON, b'"text"')),
        ((JSON, "text/plain"), "text", {}, (JSON, b'"text"')),
        (("text/plain", "application/x+json"), [1], {}, ("application/x+json", b"[1]")),
        (("Application/JSON; charset=utf-8",), 1, {}, ("Application/JSON; charset=utf-8", b"1")),
        ((JSON,), Step(id="s", component="/c"), {}, (JSON, b'{"id":"s","component":"/c"}')),
        # Bytes are sent as they are, as JSON only where that is asked for.
        ((JSON, BYTES), b"\0", {}, (BYTES, b"\0")),
        ((JSON, BYTES), bytearray(b"\0"), {}, (BYTES, b"\0")),
        ((JSON, BYTES), memoryview(b"\0"), {}, (BYTES, b"\0")),
        ((JSON,), b"{}", {"content_type": JSON}, (JSON, b"{}")),
        ((JSON,), b"a", {"content_type": "text/x"}, ("text/x", b"a")),
        (("text/plain",), "\u00fc", {}, ("text/plain", b"\xc3\xbc")),
        (("text/x; charset=latin-1",), "\u00fc", {}, ("text/x; charset=latin-1", b"\xfc")),
        (("text/x; a=b; Charset='latin-1'",), "\u00fc", {}, (None, b"\xfc")),
        (("text/x; charset=",), "\u00fc", {}, (None, b"\xc3\xbc")),
        ((FORM,), "a=1", {}, (FORM, b"a=1")),
        ((BYTES,), "a", {"content_type": "image/x"}, ("image/x", b"a")),
        ((FORM,), {"a": [1, True], "b": "c d&", "d": None}, {}, (FORM, b"a=1&a=true&b=c+d%26")),
        ((f"{FORM}; x=y",), Step(id="s", component="c"), {}, (None, b"id=s&component=c")),
        ((BYTES, FORM), {"a": 1}, {}, (FORM, b"a=1")),
    ],
)
def test_a_body(accepts: Any, body: Any, options: Any, expected: Any) -> None:
    media_type, content = expected
    assert sent(accepts, body, **options) == (media_type or accepts[0], content)


@pytest.mark.parametrize(
    ("accepts", "body", "problem"),
    [
        ((JSON,), b"a", "the body is bytes; it takes JSON alone"),
        ((BYTES,), "a", "the body is of type str; pass bytes, or a content_type with it"),
        ((BYTES,), {}, "the body is of type dict; pass bytes"),
        ((FORM,), [1], "the body is of type list; pass a model, a dict, bytes or text"),
        ((FORM,), {"a": {"b": 1}}, "the body has a field 'a' that is of type dict; pass text"),
        (("text/x; charset=ascii",), "\u00fc", "the body cannot be written as 'text/x; charset="),
        (("text/x; charset=none",), "a", "the body cannot be written as 'text/x; charset=none':"),
        ((JSON,), {"a": object()}, "the body cannot be written as JSON"),
        ((JSON,), float("nan"), "the body cannot be written as JSON"),
        ((JSON,), [float("-inf")], "the body cannot be written as JSON"),
    ],
)
def test_a_body_that_cannot_be_sent(accepts: Any, body: Any, problem: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        sent(accepts, body)
    assert str(raised.value).startswith(f"op: {problem}")


def test_text_that_looks_like_a_number_which_json_lacks_is_sent() -> None:
    assert sent((JSON,), ["NaN", "-Infinity"]) == (JSON, b'["NaN","-Infinity"]')


def answer(status: int, content: bytes, kind: str = JSON) -> Answer:
    headers = Headers([(b"Content-Type", kind.encode()), (b"x-a", b"1"), (b"X-A", b"2")])
    return Answer("http://server/", status, headers, [content])


def test_a_status_is_parsed_by_the_closest_that_is_documented() -> None:
    parsers = {name: Json(dict[str, Any]) for name in ("s200", "s2XX", "s4XX", "sdefault")}
    exact = operation(**parsers | {"s200": lambda content: "200", "s4XX": lambda content: "4XX"})
    assert exact.result(answer(200, b"{}")) == "200"
    assert exact.result(answer(201, b'{"a":1}')) == {"a": 1}
    assert exact.response(answer(404, b"{}")).parsed == "4XX"
    assert exact.response(answer(500, b'{"b":1}')).parsed == {"b": 1}
    assert [exact.documents(status) for status in (200, 201, 404, 500)] == [True] * 4
    del parsers["sdefault"], parsers["s2XX"]
    few = operation(**parsers)
    assert [few.documents(status) for status in (200, 201, 404, 500)] == [True, False, True, False]
    with pytest.raises(UnexpectedStatus):
        few.result(answer(201, b"{}"))


def test_a_long_success_is_parsed_and_a_long_error_is_not() -> None:
    parsed = operation(s200=Json(dict[str, Any]), s404=Json(dict[str, Any]))
    content = b'{"message":"no"' + b" " * 2**20 + b"}"
    assert parsed.result(answer(200, content)) == {"message": "no"}
    with pytest.raises(NotFound) as raised:
        parsed.result(answer(404, content))
    assert raised.value.parsed is None
    with pytest.raises(NotFound) as raised:
        parsed.result(answer(404, b'{"message":"no"}'))
    assert raised.value.parsed == {"message": "no"}
    # An error whose body is not JSON keeps its status.
    with pytest.raises(StatusError, match="404 Not Found: <a>") as unparsed:
        parsed.result(answer(404, b"<a>", "text/html"))
    assert (unparsed.value.parsed, unparsed.value.content) == (None, b"<a>")
    assert unparsed.value.headers["X-A"] == unparsed.value.headers["x-a"] == "1, 2"


def test_text_is_decoded_as_its_media_type_says() -> None:
    parsed = operation(s200=text)
    assert parsed.result(answer(200, "\u00fc".encode("latin-1"), "text/x; charset=latin-1")) == "ü"
    assert parsed.result(answer(200, "\u00fc".encode(), "text/x")) == "ü"


def test_header_fields_of_an_answer_are_found_in_any_case() -> None:
    given = Headers([(b"X-\xfc", b"\xfc"), (b"Server", "\u00fc".encode()), (b"server", b"b")])
    fields = given.to_dict()
    assert fields["SERVER"] == fields.get("Server") == given.get("server") == "ü, b"
    assert fields["x-\u00fc"] == "ü"
    assert "SERVER" in fields and "other" not in fields
    missing: Any = 1
    assert missing not in fields
    assert fields.get("Other") is None and fields.get("Other", "d") == given.get("o", "d") == "d"
    for name in ("Other", "other"):
        with pytest.raises(KeyError, match=r"(?i)other"):
            fields[name]

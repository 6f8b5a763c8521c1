"""Parameters as they are written in requests: the styles of OpenAPI, by its table and beyond."""

from __future__ import annotations

import datetime
import enum
import uuid
from typing import Any

import pytest

from stepflow_api.errors import InvalidRequest
from stepflow_api.lowlevel import Operation, Style
from stepflow_api.models import Step
from stepflow_api.types import UNSET

COLORS = ["blue", "black", "brown"]
RGB = {"R": 100, "G": 200, "B": 150}
ODD = "a,b/c;d=e&f+g %#\u00e9"


def sent(where: str, style: Style | None, value: Any, name: str = "color") -> str | None:
    """Return what a request has of a parameter."""
    arguments: dict[str, Any] = {{"header": "headers"}.get(where, where): {name: value}}
    if where == "cookie":
        arguments = {"cookies": {name: value}}
    operation: Operation[Any, Any] = Operation(
        "op",
        "GET",
        f"/{{{name}}}" if where == "path" else "/",
        {},
        styles={where: {name: style}} if style else {},
    )
    request = operation.request(**arguments)
    if where == "path":
        return request.path[1:]
    if where == "query":
        return request.target()[1:]
    return request.headers.get(name if where == "header" else "cookie")


@pytest.mark.parametrize(
    ("where", "style", "explode", "empty", "text", "array", "an_object"),
    [
        (
            *("path", "matrix", False, ";color=", ";color=blue"),
            *(";color=blue,black,brown", ";color=R,100,G,200,B,150"),
        ),
        (
            *("path", "matrix", True, ";color=", ";color=blue"),
            *(";color=blue;color=black;color=brown", ";R=100;G=200;B=150"),
        ),
        ("path", "label", False, "%2E", ".blue", ".blue,black,brown", ".R,100,G,200,B,150"),
        ("path", "label", True, "%2E", ".blue", ".blue.black.brown", ".R=100.G=200.B=150"),
        ("path", "simple", False, None, "blue", "blue,black,brown", "R,100,G,200,B,150"),
        ("path", "simple", True, None, "blue", "blue,black,brown", "R=100,G=200,B=150"),
        ("header", "simple", False, "", "blue", "blue,black,brown", "R,100,G,200,B,150"),
        ("header", "simple", True, "", "blue", "blue,black,brown", "R=100,G=200,B=150"),
        (
            *("query", "form", False, "?color=", "?color=blue"),
            *("?color=blue,black,brown", "?color=R,100,G,200,B,150"),
        ),
        (
            *("query", "form", True, "?color=", "?color=blue"),
            *("?color=blue&color=black&color=brown", "?R=100&G=200&B=150"),
        ),
        (
            *("query", "spaceDelimited", False, "?color=", "?color=blue"),
            *("?color=blue%20black%20brown", "?color=R%20100%20G%20200%20B%20150"),
        ),
        (
            *("query", "pipeDelimited", False, "?color=", "?color=blue"),
            *("?color=blue%7Cblack%7Cbrown", "?color=R%7C100%7CG%7C200%7CB%7C150"),
        ),
        (
            *("query", "deepObject", True, "?color=", "?color=blue"),
            *(
                "?color=blue&color=black&color=brown",
                "?color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150",
            ),
        ),
        (
            *("cookie", "form", False, "color=", "color=blue"),
            *("color=blue,black,brown", "color=R,100,G,200,B,150"),
        ),
        (
            *("cookie", "form", True, "color=", "color=blue"),
            *("color=blue; color=black; color=brown", "R=100; G=200; B=150"),
        ),
        (
            *("path", "json", False, "%22%22", "%22blue%22", "%5B%22blue%22,%22black%22,"),
            "%7B%22R%22%3A100,%22G%22%3A200,%22B%22%3A150%7D",
        ),
        (
            *("query", "json", False, "?color=%22%22", "?color=%22blue%22"),
            *("?color=%5B%22blue%22%2C%22black%22%2C", "?color=%7B%22R%22%3A100%2C%22G%22%3A200"),
        ),
        (
            *("header", "json", False, '""', '"blue"', '["blue","black","brown"]'),
            '{"R":100,"G":200,"B":150}',
        ),
    ],
)
def test_a_style(
    where: str,
    style: str,
    explode: bool,
    empty: str | None,
    text: str,
    array: str,
    an_object: str,
) -> None:
    given = Style(style, explode)
    if empty is None:
        with pytest.raises(InvalidRequest, match="op: color is empty; pass the color to ask for"):
            sent(where, given, "")
    else:
        assert sent(where, given, "") == empty
    assert sent(where, given, "blue") == text
    for value, expected in ((COLORS, array), (tuple(COLORS), array), (RGB, an_object)):
        found = sent(where, given, value)
        # JSON is long, and its beginning is enough.
        assert found is not None and found[: len(expected)] == expected
        assert found == expected or style == "json"
    if style != "json" and where != "path":
        nothing: list[Any] = [[], {}, None, UNSET]
        assert {sent(where, given, value) for value in nothing} == {
            "" if where == "query" else None
        }
        left = {"R": 100, "G": UNSET, "B": None}
        assert sent(where, given, left) == sent(where, given, {"R": 100})
    # A model is what it stands for.
    step = Step(id="s", component="/c")
    assert sent(where, given, step) == sent(where, given, {"id": "s", "component": "/c"})


@pytest.mark.parametrize(
    ("where", "style", "explode", "expected"),
    [
        ("path", "simple", True, "a%2Fb%26%2C=1"),
        ("path", "simple", False, "a%2Fb%26%2C,1"),
        ("path", "label", True, ".a%2Fb%26%2C=1"),
        ("path", "matrix", True, ";a%2Fb%26%2C=1"),
        ("path", "matrix", False, ";color=a%2Fb%26%2C,1"),
        ("query", "form", True, "?a%2Fb%26%2C=1"),
        ("query", "form", False, "?color=a%2Fb%26%2C,1"),
        ("query", "deepObject", True, "?color%5Ba%2Fb%26%2C%5D=1"),
    ],
)
def test_the_keys_of_an_object_are_escaped(
    where: str, style: str, explode: bool, expected: str
) -> None:
    for allow_reserved in (False, True):
        given = Style(style, explode, allow_reserved=allow_reserved)
        assert sent(where, given, {"a/b&,": 1}) == expected.replace(
            "%2Fb%26%2C,1", "/b%26%2C,1" if allow_reserved and where == "query" else "%2Fb%26%2C,1"
        )


def test_a_parameter_that_is_not_given_as_json_is_left_out() -> None:
    for where in ("query", "header"):
        assert not sent(where, Style("json"), UNSET)
        assert sent(where, Style("json"), None) in ("?color=null", "null")


@pytest.mark.parametrize(
    ("where", "style", "expected"),
    [
        ("path", None, "a,b%2Fc%3Bd%3De%26f%2Bg%20%25%23%C3%A9"),
        ("path", Style("label"), ".a%2Cb%2Fc%3Bd%3De%26f%2Bg%20%25%23%C3%A9"),
        ("path", Style("matrix", explode=True), ";color=a%2Cb%2Fc%3Bd%3De%26f%2Bg%20%25%23%C3%A9"),
        ("path", Style("json"), "%22a,b%2Fc%3Bd%3De%26f%2Bg%20%25%23%C3%A9%22"),
        ("query", None, "?color=a%2Cb%2Fc%3Bd%3De%26f%2Bg+%25%23%C3%A9"),
        ("query", Style("form"), "?color=a%2Cb%2Fc%3Bd%3De%26f%2Bg%20%25%23%C3%A9"),
        (
            "query",
            Style("form", explode=True, allow_reserved=True),
            "?color=a,b/c;d=e%26f%2Bg%20%25%23%C3%A9",
        ),
        (
            "query",
            Style("form", allow_reserved=True),
            "?color=a%2Cb/c;d=e%26f%2Bg%20%25%23%C3%A9",
        ),
        ("cookie", None, "color=a%2Cb/c%3Bd=e&f+g%20%25#%C3%A9"),
    ],
)
def test_characters_that_would_be_read_as_something_else_are_escaped(
    where: str, style: Style | None, expected: str
) -> None:
    assert sent(where, style, ODD) == expected


class Color(enum.Enum):
    BLUE = "blue"
    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (1.5, "1.5"),
        (Color.BLUE, "blue"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC), "2026-01-02T03:00:00+00:00"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
    ids=str,
)
def test_a_single_value(value: Any, expected: str) -> None:
    query = expected.replace(":", "%3A").replace("+", "%2B")
    assert sent("path", None, value) == query
    assert sent("query", None, value) == f"?color={query}"
    assert sent("header", None, value) == expected
    for many in ([value], (value,), {value}, frozenset([value])):
        assert sent("query", None, many) == f"?color={query}"
        assert sent("query", Style("deepObject"), {"a": many}) == f"?color%5Ba%5D={query}"


def test_members_of_members_of_an_object() -> None:
    step = Step(id="s", component="/c")
    value = {"a": {"b": step, "c": [1, 2]}, "d": UNSET, "e": None}
    assert sent("query", Style("deepObject"), value) == (
        "?color%5Ba%5D%5Bb%5D%5Bid%5D=s&color%5Ba%5D%5Bb%5D%5Bcomponent%5D=%2Fc"
        "&color%5Ba%5D%5Bc%5D=1&color%5Ba%5D%5Bc%5D=2"
    )


def test_the_order_of_parameters_is_that_of_the_arguments() -> None:
    operation: Operation[Any, Any] = Operation(
        "op", "GET", "/x?beta=true", {}, styles={"query": {"b": Style("form")}}
    )
    query: dict[str, Any] = {"a": 1, "b": [2, 3], "c": 4, "d": None, "e": UNSET}
    assert operation.request(query=query).target() == "/x?beta=true&a=1&b=2,3&c=4"
    del query["a"]
    assert operation.request(query=query).target() == "/x?beta=true&b=2,3&c=4"
    assert operation.request(query={"a": 1, "b": [2, 3]}).target() == "/x?beta=true&a=1&b=2,3"
    assert operation.request(query={"a": 1, "c": 4}).target() == "/x?beta=true&a=1&c=4"
    assert operation.request().template == "/x"
    plain: Operation[Any, Any] = Operation("op", "GET", "/x", {}, styles=operation.styles)
    assert plain.request(query=query).target() == "/x?b=2,3&c=4"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"a": 1}, "color is of type dict; pass text, a number, a bool or a UUID"),
        ([[1]], "color is of type list; pass text"),
        (b"a", "color is of type bytes; pass text"),
        ("\ud800", "color is no valid text"),
    ],
    ids=repr,
)
def test_what_cannot_be_written(value: Any, problem: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^op: {problem}"):
        sent("path", None, value)


@pytest.mark.parametrize("value", ["a\nb", " a", "a ", "a\u00e9", "a\0"], ids=ascii)
@pytest.mark.parametrize("name", ["color", "accept", "content-type"])
def test_what_no_header_field_can_hold(name: str, value: str) -> None:
    operation: Operation[Any, Any] = Operation("op", "POST", "/", {}, ("text/plain",))
    arguments: dict[str, Any] = {"headers": {"color": value}}
    if name != "color":
        arguments = {name.replace("-", "_"): value, "body": "text"}
    with pytest.raises(InvalidRequest, match=f"^op: the {name} header cannot hold '"):
        operation.request(**arguments)


def test_a_header_field_that_is_given_is_not_replaced() -> None:
    operation: Operation[Any, Any] = Operation(
        "op", "GET", "/", {}, produces=("text/csv", "application/json")
    )
    assert operation.request().headers == {"accept": "text/csv, application/json;q=0.9"}
    assert operation.request(headers={"accept": "a/b"}).headers == {"accept": "a/b"}
    assert operation.request(accept="c/d").headers == {"accept": "c/d"}
    nothing: Operation[Any, Any] = Operation("op", "DELETE", "/", {}, produces=())
    assert nothing.request().headers == {"accept": "*/*"}

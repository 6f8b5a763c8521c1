"""Which differences between two listings break callers."""

from __future__ import annotations

import pytest

from tools.surface.changes import changes

MODEL = "class p.M(BaseModel)\n"


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("def p.f() -> None", "", "p.f: removed"),
        ("def p.f(a: int)", "def p.f()", "p.f: argument a removed"),
        ("def p.f(a: int)", "def p.f(b: int)", "p.f: argument a is called b now"),
        ("def p.f()", "def p.f(*, a: int)", "p.f: new required argument a"),
        ("def p.f(a: int = 1)", "def p.f(a: int)", "p.f: argument a is required now"),
        ("def p.f(a)", "def p.f(*, a)", "p.f: argument a can no longer be given by position"),
        ("def p.f(a)", "def p.f(a, /)", "p.f: argument a can no longer be given by name"),
        ("def p.f(a, b)", "def p.f(b, a)", "p.f: argument a has another position"),
        ("def p.f(*args: int)", "def p.f()", "p.f: argument * removed"),
        (
            "def p.f(a: int | str)",
            "def p.f(a: int)",
            "p.f: argument a no longer takes all it took: int | str -> int",
        ),
        ("def p.f() -> int", "def p.f() -> int | None", "p.f: returns int -> int | None"),
        ("def p.f()", "async def p.f()", "p.f: was def, is async def"),
        ("property p.C.x: int", "def p.C.x(self) -> int", "p.C.x: was property, is def"),
        ("property p.C.x: int", "property p.C.x: int | None", "p.C.x: type int -> int | None"),
        ("attribute p.X: int | str", "attribute p.X: int", "p.X: type int | str -> int"),
        ("field p.M.a: int | None = 1", "field p.M.a: int = 1", "p.M.a: type int | None -> int"),
        ("class p.C(A, B)", "class p.C(A)", "p.C: bases (A, B) -> (A)"),
        ("attribute p.X: str = 'a'", "attribute p.X: str = 'b'", "p.X: value 'a' -> 'b'"),
        ("alias p.E = q.E", "alias p.E = q.F", "p.E: q.E -> q.F"),
        ("field p.M.a: int = 1", "field p.M.a: int  # required", "p.M.a: is required now"),
        (MODEL, MODEL + "field p.M.a: int  # required", "p.M.a: new: field: int  # required"),
        (
            "field p.M.a: int  # required, alias 'b'",
            "field p.M.a: int  # required, alias 'c'",
            "p.M.a: alias 'b' -> alias 'c'",
        ),
        ("def p.f(a: int)\ndef p.f(a: str)", "def p.f(a: int)", "an overload is no longer there"),
    ],
)
def test_what_breaks_callers(old: str, new: str, text: str) -> None:
    found = changes(old, new)
    assert [change.breaks for change in found if text in str(change)] == [True], found
    assert str(found[0]).startswith("breaks callers: ")


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("", "def p.f() -> None", "p.f: new: def() -> None"),
        ("def p.f()", "def p.f(a: int = 1)", "p.f: new optional argument a"),
        ("def p.f()", "def p.f(**options: int)", "p.f: new optional argument **"),
        ("def p.f(a: int)", "def p.f(a: int = 1)", "p.f: argument a is optional now"),
        ("def p.f(a: int = 1)", "def p.f(a: int = 2)", "p.f: default of argument a 1 -> 2"),
        ("def p.f(*, a)", "def p.f(a)", "p.f: argument a can be given by position as well"),
        (
            "def p.f(a: int)",
            "def p.f(a: int | str)",
            "p.f: argument a takes more: int -> int | str",
        ),
        (
            "def p.f(a: Literal['x'])",
            "def p.f(a: Literal['x', 'y'])",
            "p.f: argument a takes more: Literal['x'] -> Literal['x', 'y']",
        ),
        ("def p.f(a: int)", "def p.f(a: Any)", "p.f: argument a takes more: int -> Any"),
        ("def p.f() -> int | None", "def p.f() -> int", "p.f: returns int | None -> int"),
        ("class p.C(A)", "class p.C(A, B)", "p.C: bases (A) -> (A, B)"),
        ("field p.M.a: int  # required", "field p.M.a: int = 1", "p.M.a: is optional now"),
        (MODEL, MODEL + "field p.M.a: int = 1", "p.M.a: new: field: int = 1"),
        ("", MODEL + "field p.M.a: int  # required", "p.M.a: new: field: int  # required"),
        ("def p.f(a: int)", "def p.f(a: int)\ndef p.f(a: str)", "new overload"),
    ],
)
def test_what_does_not(old: str, new: str, text: str) -> None:
    found = changes(old, new)
    assert [change.breaks for change in found if text in str(change)] == [False], found
    assert not any(change.breaks for change in found)


def test_what_breaks_callers_comes_first() -> None:
    found = changes("def p.z()", "def p.a()")
    assert [str(change) for change in found] == [
        "breaks callers: p.z: removed",
        "compatible: p.a: new: def()",
    ]


def test_a_method_that_is_inherited_since_is_still_there() -> None:
    old = "class p.C\ndef p.C.f(self) -> int"
    new = "class p.C(B[int])\nclass p.b.B\ndef p.b.B.f(self) -> int"
    assert not any(change.breaks for change in changes(old, new))
    narrowed = new.replace("-> int", "-> str")
    assert "breaks callers: p.C.f: returns int -> str" in map(str, changes(old, narrowed))


def test_a_method_that_is_inherited_from_far_above_is_still_there() -> None:
    old = "class p.C\ndef p.C.f(self) -> int"
    new = "class p.C(B)\nclass p.b.B(A)\nclass p.b.A\ndef p.b.A.f(self) -> int"
    assert not any(change.breaks for change in changes(old, new))


def test_a_name_that_moved_can_be_had_where_it_was() -> None:
    old = "class p.models.C\nfield p.models.C.a: int = 1"
    new = "class p.C\nfield p.C.a: int = 1\nalias p.models.C = p.C"
    assert not any(change.breaks for change in changes(old, new))
    assert any(change.breaks for change in changes(new, old))


def test_equal_listings_have_no_changes() -> None:
    assert changes(MODEL, f"# Another first line.\n{MODEL}") == []

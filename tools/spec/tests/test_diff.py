"""The comparison of specs as a whole: its records, their order and their count."""

from __future__ import annotations

import json
import re

import pytest

from tools.spec.changes import ABSENT, Area, Change, Element, Kind, summary
from tools.spec.diff import diff
from tools.spec.tests.pets import SPEC, Document, Edit, edited, fields, models, operation


def test_equal_documents_do_not_differ() -> None:
    assert diff(SPEC, json.loads(json.dumps(SPEC))) == []
    assert summary([]) == "nothing differs"


def test_a_change_is_a_record() -> None:
    assert diff(SPEC, edited(lambda d: fields(d)["age"].update(default=2))) == [
        Change(Area.MODEL, "Pet", Kind.CHANGED, ".age", "default", 1, 2)
    ]
    assert diff(SPEC, edited(lambda d: fields(d).pop("age"))) == [
        Change(
            Area.MODEL,
            "Pet",
            Kind.REMOVED,
            ".age",
            detail="integer int32, required",
            element=Element.FIELD,
            required=True,
        )
    ]
    assert diff(SPEC, edited(lambda d: operation(d, "get").update(deprecated=True))) == [
        Change(Area.OPERATION, "GET /pets (listPets)", Kind.ADDED, "", "deprecated", ABSENT, True)
    ]


@pytest.mark.parametrize(
    ("facet", "keyword", "is_text_only"),
    [
        ("description", "", True),
        ("minimum", "", False),
        # A property of that name, in a keyword that is compared as mere JSON.
        ("description", "const", False),
        ("value", "examples", True),
    ],
)
def test_a_change_of_text_is_one_of_its_keyword(
    facet: str, keyword: str, is_text_only: bool
) -> None:
    change = Change(Area.MODEL, "Pet", Kind.CHANGED, ".age", facet, "a", "b", keyword=keyword)
    assert change.is_text_only is is_text_only
    assert ("(text only)" in str(change)) is is_text_only
    assert ("text only" in summary([change])) is is_text_only


def test_operations_come_before_models_and_the_rest() -> None:
    def edit(document: Document) -> None:
        document["info"]["version"] = "2.0"
        models(document)["Kind"]["enum"].pop()
        operation(document, "get")["deprecated"] = True

    assert [change.subject for change in diff(SPEC, edited(edit))] == [
        "GET /pets (listPets)",
        "Kind",
        "info",
    ]


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda d: d["paths"].clear(), "3 operations removed"),
        (lambda d: operation(d, "get").update(operationId="pets"), "1 operation renamed"),
        (lambda d: models(d).update(A={}, B={}), "2 models added"),
        (
            lambda d: (fields(d).pop("age"), fields(d).pop("name"), models(d).pop("Kind")),
            "1 model removed, 1 model changed",
        ),
        (lambda d: models(d)["Pet"].update(description=""), "1 model changed in text only"),
        (lambda d: models(d)["Pet"].update(description="", title="x"), "1 model changed"),
        (
            lambda d: (d["info"].update(version="2"), models(d).pop("Kind"), d["paths"].clear()),
            "3 operations removed, 1 model removed, 1 other part changed",
        ),
    ],
)
def test_the_summary_counts_what_differs(edit: Edit, expected: str) -> None:
    assert summary(diff(SPEC, edited(edit))) == expected


def test_a_long_text_is_cut_around_the_first_difference() -> None:
    old, new = ({**SPEC, "info": {"x": f"{'a' * 500}{end}{'z' * 500}"}} for end in ("1", "2"))
    (line,) = map(str, diff(old, new))
    match = re.fullmatch(r"info: x …(a+)1(z+)… -> …(a+)2(z+)…", line)
    assert match
    assert len(line) < 200


def test_variants_without_a_name_are_told_apart_by_position() -> None:
    variants: list[Document] = [{"properties": {"at": {}}}, {"$ref": "#/components/schemas/Kind"}]
    old, new = (
        edited(lambda d, v=order: models(d).update(Event={"oneOf": v}))  # type: ignore[misc]
        for order in (variants, variants[::-1])
    )
    assert list(map(str, diff(old, new))) == [
        'Event: order of oneOf variants ["1", "Kind"] -> ["Kind", "1"]'
    ]


def test_swapped_names_are_two_moved_operations() -> None:
    def edit(document: Document) -> None:
        path = document["paths"]["/pets"]
        path["get"], path["post"] = path["post"], path["get"]

    assert list(map(str, diff(SPEC, edited(edit)))) == [
        'GET /pets (listPets): address "GET /pets" -> "POST /pets"',
        'POST /pets (addPet): address "POST /pets" -> "GET /pets"',
    ]

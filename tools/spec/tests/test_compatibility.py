"""Which changes break callers, and what of them: requests, answers, or names."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tools.spec.compatibility import Broken, judge, verdict
from tools.spec.tests.pets import SPEC, Document, Edit, edited, models, operation

REQUESTS, ANSWERS, NAMES = Broken.REQUESTS, Broken.ANSWERS, Broken.NAMES
SCHEMAS = "#/components/schemas/"


def broken(old: Document, new: Document) -> set[Broken]:
    """Returns what all changes together break."""
    assert old != new or str(old) != str(new)
    judgements = judge(old, new)
    assert judgements
    return {what for judgement in judgements for what in judgement.broken}


def three_ways(schema: Any) -> Document:
    """A document with a model that is sent, one that is received, and one that goes both ways."""

    def body(name: str) -> Document:
        return {"content": {"application/json": {"schema": {"$ref": SCHEMAS + name}}}}

    return {
        "openapi": "3.1.0",
        "info": {"title": "", "version": "1"},
        "paths": {
            "/sent": {
                "post": {
                    "operationId": "send",
                    "requestBody": body("Sent"),
                    "responses": {"204": {"description": ""}},
                }
            },
            "/received": {
                "get": {
                    "operationId": "receive",
                    "responses": {"200": {"description": "", **body("Received")}},
                }
            },
            "/both": {
                "put": {
                    "operationId": "exchange",
                    "requestBody": body("Both"),
                    "responses": {"200": {"description": "", **body("Outer")}},
                }
            },
        },
        "components": {
            "schemas": {
                "Sent": schema,
                "Received": schema,
                # One of its ways is only found through another model.
                "Outer": {"type": "array", "items": {"$ref": SCHEMAS + "Both"}},
                "Both": schema,
                "Unused": schema,
            }
        },
    }


def of_model(model: str, old: Any, new: Any) -> set[Broken]:
    """Returns what breaks when one model changes."""
    document = three_ways(old)
    changed = copy.deepcopy(document)
    changed["components"]["schemas"][model] = new
    return broken(document, changed)


def thing(fields: Document, *required: str, **more: Any) -> Document:
    return {"type": "object", "properties": fields, "required": [*required], **more}


TEXT = {"type": "string"}
INT = {"type": "integer"}
NULL = {"type": "null"}
REF = {"$ref": SCHEMAS + "Outer"}

#: Schemas before and after; the step back does the reverse. What else narrows a schema is in
#: test_effects.py, where a validator says so.
NARROWER: list[tuple[Any, Any]] = [
    (thing({"a": TEXT}), thing({"a": TEXT}, "a")),
    ({"type": "number"}, INT),
    (INT, {"type": "integer", "minimum": 0}),
    ({"type": "string", "enum": ["a", "b"]}, {"type": "string", "enum": ["a"]}),
    ({"oneOf": [NULL, REF]}, REF),
    ({"anyOf": [NULL, TEXT]}, TEXT),
    ({"oneOf": [REF, TEXT, NULL]}, {"oneOf": [REF, TEXT]}),
    ({"anyOf": [REF, TEXT]}, {"anyOf": [REF]}),
    ({"allOf": [REF]}, {"allOf": [REF, {"required": ["a"]}]}),
    (TEXT, {"type": "string", "format": "uuid"}),
    ({"type": "number", "format": "double"}, {"type": "number", "format": "float"}),
    ({"type": "object"}, {"type": "object", "propertyNames": {"pattern": "^a"}}),
    (TEXT, {"type": "string", "not": {"const": "a"}}),
    ({"patternProperties": {"a": INT}}, {"patternProperties": {"a": INT, "b": INT}}),
    # Below the top, all the same.
    (thing({"a": thing({"b": {"type": "number"}})}), thing({"a": thing({"b": INT})})),
    ({"oneOf": [thing({"t": {"const": "x"}, "n": {"type": "number"}}), NULL]},
     {"oneOf": [thing({"t": {"const": "x"}, "n": INT}), NULL]}),
]  # fmt: skip

#: Changes that take values away and bring others.
OTHER: list[tuple[Any, Any]] = [
    (TEXT, INT),
    (TEXT, REF),
    (REF, {"$ref": SCHEMAS + "Both"}),
    (REF, TEXT),
    (thing({"a": TEXT}), thing({"a": INT})),
    (thing({"a": TEXT}), thing({"b": TEXT})),
    ({"type": "string", "format": "uuid"}, {"type": "string", "format": "date"}),
    ({"oneOf": [REF, TEXT]}, {"oneOf": [REF, INT, NULL]}),
    ({"type": "object", "additionalProperties": INT}, {"type": "object",
      "additionalProperties": TEXT}),
    # What is turned into its opposite, or of unknown meaning, is not worked out.
    ({"not": INT}, {"not": {"type": "number"}}),
    ({"if": INT, "then": {"minimum": 1}}, {"if": {"type": "number"}, "then": {"minimum": 1}}),
    ({"prefixItems": [TEXT, INT]}, {"prefixItems": [INT, TEXT]}),
    ({"contains": INT}, {"contains": TEXT}),
    (TEXT, {"type": "string", "contentEncoding": "base64"}),
    (REF, {**REF, "discriminator": {"propertyName": "a"}}),
    ({"discriminator": {"propertyName": "a"}}, {"discriminator": {"propertyName": "b"}}),
]  # fmt: skip

#: Changes that leave the values as they are.
HARMLESS: list[tuple[Any, Any]] = [
    (thing({}), thing({"a": TEXT})),
    (thing({"a": TEXT}), thing({"a": TEXT, "b": {"oneOf": [NULL, REF]}})),
    (TEXT, {"type": "string", "description": "A text."}),
    (TEXT, {"type": "string", "title": "Text"}),
    (TEXT, {"type": "string", "examples": ["a"]}),
    ({"example": {"a": 1}}, {"example": {"a": 2}}),
    ({"examples": [{"a": 1}]}, {"examples": [{"a": 2, "b": 3}]}),
    (TEXT, {"type": "string", "deprecated": True}),
    (TEXT, {"type": "string", "x-order": 1}),
    ({"x-order": {"a": 1}}, {"x-order": {"a": 2}}),
    (TEXT, {"type": "string", "default": "a"}),
    ({"type": "string", "default": None}, TEXT),
    ({"type": "array", "items": True}, {"type": "array", "items": {"description": "Any."}}),
    ({"type": ["string", "null"]}, {"oneOf": [NULL, TEXT]}),
    ({"oneOf": [NULL, REF]}, {"oneOf": [REF, NULL]}),
    ({"allOf": [REF], "description": "a"}, REF),
    ({"type": "object"}, {"type": "object", "propertyNames": {"type": "string"}}),
    (TEXT, {"type": "string", "allOf": []}),
    ({"allOf": []}, True),
    ({"discriminator": {"propertyName": "a", "mapping": {"b": "#1", "c": "#2"}}},
     {"discriminator": {"propertyName": "a", "mapping": {"c": "#2", "b": "#1"}}}),
    (thing({"a": TEXT, "b": TEXT}, "a", "b"), thing({"b": TEXT, "a": TEXT}, "b", "a")),
]  # fmt: skip


@pytest.mark.parametrize(("wide", "narrow"), NARROWER)
def test_requests_may_take_more_and_answers_may_say_less(wide: Any, narrow: Any) -> None:
    assert of_model("Sent", wide, narrow) == {REQUESTS}
    assert of_model("Sent", narrow, wide) == set()
    assert of_model("Received", wide, narrow) == set()
    assert of_model("Received", narrow, wide) == {ANSWERS}
    assert of_model("Both", wide, narrow) == {REQUESTS}
    assert of_model("Both", narrow, wide) == {ANSWERS}
    # Nothing says which way it goes.
    assert of_model("Unused", wide, narrow) == {REQUESTS}
    assert of_model("Unused", narrow, wide) == {ANSWERS}


@pytest.mark.parametrize(("old", "new"), OTHER)
@pytest.mark.parametrize("turn", [False, True])
def test_other_values_break_either_way(old: Any, new: Any, turn: bool) -> None:
    old, new = (new, old) if turn else (old, new)
    assert of_model("Sent", old, new) == {REQUESTS}
    assert of_model("Received", old, new) == {ANSWERS}
    assert of_model("Both", old, new) == {REQUESTS, ANSWERS}


@pytest.mark.parametrize(("old", "new"), HARMLESS)
@pytest.mark.parametrize("model", ["Sent", "Received", "Both", "Unused"])
def test_the_same_values_break_nothing(old: Any, new: Any, model: str) -> None:
    assert of_model(model, old, new) == set()


@pytest.mark.parametrize("place", ["parameter", "parameter of the path", "request", "response"])
@pytest.mark.parametrize(("wide", "narrow"), NARROWER[:6])
def test_a_schema_without_a_name_goes_the_way_of_its_place(
    place: str, wide: Any, narrow: Any
) -> None:
    def document(schema: Any) -> Document:
        made = three_ways({})
        item = made["paths"]["/both"]
        body = {"description": "", "content": {"application/json": {"schema": schema}}}
        match place:
            case "parameter":
                item["put"]["parameters"] = [{"in": "query", "name": "q", "schema": schema}]
            case "parameter of the path":
                item["parameters"] = [{"in": "query", "name": "q", "schema": schema}]
            case "request":
                item["put"]["requestBody"] = body
            case _:
                item["put"]["responses"]["200"] = body
        return made

    sent = place != "response"
    assert broken(document(wide), document(narrow)) == ({REQUESTS} if sent else set())
    assert broken(document(narrow), document(wide)) == (set() if sent else {ANSWERS})


@pytest.mark.parametrize(
    ("model", "edit", "expected"),
    [
        ("Sent", lambda s: s["properties"].update(b=TEXT), set()),
        ("Sent", lambda s: (s["properties"].update(b=TEXT), s["required"].append("b")), {REQUESTS}),
        ("Sent", lambda s: s["properties"].pop("a"), {REQUESTS}),
        ("Received", lambda s: s["properties"].update(b=TEXT), set()),
        ("Received", lambda s: (s["properties"].update(b=TEXT), s["required"].append("b")), set()),
        ("Received", lambda s: s["properties"].pop("a"), {ANSWERS}),
        ("Both", lambda s: s["properties"].update(b=TEXT), set()),
        ("Both", lambda s: (s["properties"].update(b=TEXT), s["required"].append("b")), {REQUESTS}),
        ("Both", lambda s: s["properties"].pop("a"), {REQUESTS, ANSWERS}),
        # A request that leaves the field out means something else.
        ("Sent", lambda s: s["properties"]["c"].update(default=2), {REQUESTS}),
        ("Sent", lambda s: s["properties"]["c"].pop("default"), {REQUESTS}),
        ("Received", lambda s: s["properties"]["c"].update(default=2), set()),
        ("Sent", lambda s: s["properties"]["d"]["default"].update(e=2), {REQUESTS}),
        ("Sent", lambda s: s["properties"]["d"]["default"].update(f=3), {REQUESTS}),
        ("Sent", lambda s: s["properties"]["d"]["default"].pop("e"), {REQUESTS}),
        ("Sent", lambda s: s["properties"]["a"].update(default="x"), set()),
    ],
)
def test_fields(model: str, edit: Edit, expected: set[Broken]) -> None:
    old = thing({"a": TEXT, "c": {"default": 1}, "d": {"default": {"e": 1}}}, "a")
    new = copy.deepcopy(old)
    edit(new)
    assert of_model(model, old, new) == expected


def add_parameter(document: Document, **more: Any) -> None:
    operation(document, "get")["parameters"].append({"in": "query", "name": "a"} | more)


def answers(document: Document) -> Document:
    responses: Document = operation(document, "get")["responses"]
    return responses


OPERATIONS: list[tuple[Edit, set[Broken]]] = [
    (lambda d: d["paths"].update({"/new": {"get": {"operationId": "getNew"}}}), set()),
    (lambda d: d["paths"]["/pets"].pop("post"), {REQUESTS, NAMES}),
    (lambda d: d["paths"].pop("/pets/{id}"), {REQUESTS, NAMES}),
    (lambda d: operation(d, "get").update(operationId="pets"), {NAMES}),
    (lambda d: operation(d, "get").pop("operationId"), {NAMES}),
    (lambda d: d["paths"].update({"/animals": d["paths"].pop("/pets")}), {REQUESTS}),
    (lambda d: operation(d, "get").update(tags=["Shop"]), {NAMES}),
    (lambda d: operation(d, "get").pop("tags"), {NAMES}),
    (lambda d: operation(d, "get").update(tags=["Pet", "Shop"]), set()),
    (lambda d: operation(d, "get").update(deprecated=True), set()),
    (lambda d: operation(d, "get").update(summary="Lists"), set()),
    (lambda d: operation(d, "get").update({"x-a": {"b": 1}}), set()),
    (lambda d: operation(d, "get").update(security=[{"token": []}]), {REQUESTS}),
    (lambda d: operation(d, "get").update(servers=[{"url": "/"}]), {REQUESTS, ANSWERS}),
    (lambda d: add_parameter(d, schema=TEXT), set()),
    (lambda d: add_parameter(d, schema=TEXT, required=False), set()),
    (lambda d: add_parameter(d, schema=TEXT, required=True), {REQUESTS}),
    (lambda d: d["paths"]["/pets"]["parameters"].append(
        {"in": "header", "name": "a", "required": True}), {REQUESTS}),
    (lambda d: operation(d, "get")["parameters"].pop(0), {REQUESTS}),
    (lambda d: operation(d, "get")["parameters"].reverse(), set()),
    (lambda d: operation(d, "get")["parameters"][0].update(required=True), {REQUESTS}),
    (lambda d: operation(d, "get")["parameters"][1].update(required=False), set()),
    (lambda d: operation(d, "get")["parameters"][1].pop("required"), set()),
    (lambda d: operation(d, "get")["parameters"][0].update(description="Few"), set()),
    (lambda d: operation(d, "get")["parameters"][0].update(style="form"), set()),
    (lambda d: operation(d, "get")["parameters"][0].update(explode=True), set()),
    (lambda d: operation(d, "get")["parameters"][0].update(explode=False), {REQUESTS}),
    (lambda d: operation(d, "get")["parameters"][0].update(style="deepObject"), {REQUESTS}),
    (lambda d: d["paths"]["/pets"]["parameters"][0].update(style="simple"), set()),
    (lambda d: operation(d, "get")["parameters"][0].update({"in": "header"}), {REQUESTS}),
    (lambda d: operation(d, "get")["parameters"][0]["schema"].update(default=9), set()),
    (lambda d: operation(d, "get").update(requestBody={"content": {}}), set()),
    (lambda d: operation(d, "get").update(requestBody={"content": {}, "required": True}),
     {REQUESTS}),
    (lambda d: operation(d, "post").pop("requestBody"), {REQUESTS}),
    (lambda d: operation(d, "post")["requestBody"].update(required=True), {REQUESTS}),
    (lambda d: operation(d, "post")["requestBody"].update(description="A pet"), set()),
    (lambda d: operation(d, "post")["requestBody"]["content"].update({"text/plain": {}}), set()),
    (lambda d: operation(d, "post")["requestBody"]["content"].clear(), {REQUESTS}),
    (lambda d: answers(d).update({"202": {"description": "Later"}}), {ANSWERS}),
    (lambda d: answers(d).update({"409": {"description": "Fight"}}), {ANSWERS}),
    (lambda d: answers(d).update({"default": {"description": "Else"}}), {ANSWERS}),
    (lambda d: answers(d).pop("200"), {ANSWERS}),
    (lambda d: answers(d).pop("400"), set()),
    (lambda d: answers(d)["200"].update(description="All"), set()),
    (lambda d: answers(d)["200"]["content"].update({"text/csv": {}}), set()),
    (lambda d: answers(d)["200"]["content"].clear(), {ANSWERS}),
    (lambda d: answers(d)["200"].update(headers={"ETag": {"schema": TEXT}}), set()),
    (lambda d: models(d).update(New={}), set()),
    (lambda d: models(d).pop("Kind"), {NAMES}),
    (lambda d: models(d)["Event"]["oneOf"][0].update(title="Birth"), {NAMES}),
    (lambda d: d["info"].update(version="2"), set()),
    (lambda d: d["info"]["license"].update(name="Apache-2.0"), set()),
    (lambda d: d.update(openapi="3.1.1"), set()),
    (lambda d: d["tags"].pop(), set()),
    (lambda d: d.update({"x-a": 1}), set()),
    (lambda d: d.update(security=[{"token": []}]), {REQUESTS}),
    (lambda d: d["servers"][0].update(url="http://localhost:1/v2"), {REQUESTS, ANSWERS}),
    (lambda d: d["servers"][0].update(description="there"), set()),
    (lambda d: d["servers"].append({"url": "/"}), set()),
    (lambda d: d["components"]["securitySchemes"].update(key={"type": "apiKey"}), set()),
    (lambda d: d["components"]["securitySchemes"]["token"].update(scheme="basic"),
     {REQUESTS, ANSWERS}),
    (lambda d: d["components"]["securitySchemes"].pop("token"), {REQUESTS, ANSWERS}),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "expected"), OPERATIONS)
def test_operations_and_the_rest(edit: Edit, expected: set[Broken]) -> None:
    assert broken(SPEC, edited(edit)) == expected


def test_a_header_that_goes_away_breaks_answers() -> None:
    headers = {"ETag": {"schema": TEXT}, "Age": {"schema": INT}}
    old = edited(lambda d: answers(d)["200"].update(headers=headers))
    new = edited(lambda d: answers(d)["200"].update(headers={"ETag": headers["ETag"]}))
    assert broken(old, new) == {ANSWERS}
    assert broken(new, old) == set()
    assert broken(old, edited(lambda d: None)) == {ANSWERS}


def test_no_security_any_more_breaks_nothing() -> None:
    secured = edited(lambda d: d.update(security=[{"token": []}]))
    assert broken(secured, SPEC) == set()


def test_one_way_less_to_authenticate_breaks_requests() -> None:
    both = edited(lambda d: d.update(security=[{"token": []}, {"key": []}]))
    one = edited(lambda d: d.update(security=[{"token": []}]))
    assert broken(both, one) == {REQUESTS}


def test_an_answer_for_any_other_status_that_goes_away_breaks_answers() -> None:
    old = edited(lambda d: answers(d).update({"default": {"description": "Else"}}))
    assert broken(old, SPEC) == {ANSWERS}


@pytest.mark.parametrize(
    ("place", "style", "explode"),
    [
        ("query", "form", True),
        ("cookie", "form", True),
        ("header", "simple", False),
        ("path", "simple", False),
    ],
)
def test_the_style_that_a_parameter_has_anyway_breaks_nothing(
    place: str, style: str, explode: bool
) -> None:
    def document(**more: Any) -> Document:
        return edited(
            lambda d: add_parameter(d, schema=TEXT, required=True, **{"in": place}, **more)
        )

    plain = document()
    assert broken(plain, document(style=style)) == set()
    assert broken(document(style=style), plain) == set()
    assert broken(plain, document(explode=explode)) == set()
    assert broken(document(explode=explode), plain) == set()
    assert broken(plain, document(style="other")) == {REQUESTS}
    assert broken(plain, document(explode=not explode)) == {REQUESTS}
    assert broken(document(explode=not explode), plain) == {REQUESTS}


def test_a_model_is_judged_by_the_ways_that_it_went_before() -> None:
    """Nobody has sent a model yet that only now becomes a part of requests."""
    old = three_ways(thing({"a": TEXT}))
    new = copy.deepcopy(old)
    new["paths"]["/sent"]["post"]["requestBody"]["content"]["text/json"] = {
        "schema": {"$ref": SCHEMAS + "Received"}
    }
    new["components"]["schemas"]["Received"] = thing({"a": TEXT}, "a")
    assert broken(old, new) == set()


def test_models_are_found_behind_named_parameters_and_mappings() -> None:
    old = three_ways({})
    components = old["components"]
    components["parameters"] = {"q": {"in": "query", "name": "q", "schema": {"$ref": "#/components/schemas/Limit"}}}  # noqa: E501  # fmt: skip
    old["paths"]["/sent"]["post"]["parameters"] = [{"$ref": "#/components/parameters/q"}]
    components["schemas"]["Limit"] = INT
    components["schemas"]["Received"] = {
        "discriminator": {"propertyName": "a", "mapping": {"x": SCHEMAS + "Told"}}
    }
    components["schemas"]["Told"] = INT
    for model, expected in (("Limit", {REQUESTS}), ("Told", set())):
        new = copy.deepcopy(old)
        new["components"]["schemas"][model] = {"type": "integer", "minimum": 1}
        assert broken(old, new) == expected


def test_says_what_breaks_and_puts_it_first() -> None:
    def edit(document: Document) -> None:
        models(document)["Pet"]["properties"]["a"] = TEXT
        models(document)["Kind"]["enum"] = ["cat", "cow"]
        operation(document, "post")["operationId"] = "add"
        operation(document, "get")["summary"] = "Lists"

    judgements = judge(SPEC, edited(edit))
    assert [str(judgement) for judgement in judgements] == [
        "breaking (names): POST /pets (addPet): renamed to add",
        'breaking (requests): Kind: enum value removed: "dog"',
        'breaking (answers): Kind: enum value added: "cow"',
        'compatible: GET /pets (listPets): summary (text only) "List pets" -> "Lists"',
        "compatible: Pet.a: added (string, optional)",
    ]
    assert verdict(judgements) == (
        "3 breaking, 2 compatible: 1 operation renamed, 1 operation changed in text only, "
        "2 models changed"
    )

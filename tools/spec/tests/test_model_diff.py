"""The comparison of specs: what each kind of change of a model is called."""

from __future__ import annotations

import pytest

from tools.spec.tests.pets import REF_KIND, STRING, Case, Edit, fields, lines, models, reverse

CASES: list[Case] = [
    (
        lambda d: models(d).update(Shop={"type": "object", "properties": {"a": {}, "b": {}}}),
        ["Shop: added (object with a, b)"],
    ),
    (
        lambda d: models(d).update(Id={"type": "string", "format": "uuid"}),
        ["Id: added (string uuid)"],
    ),
    (lambda d: models(d).pop("Kind"), ['Kind: removed (enum "cat" | "dog")']),
    (lambda d: fields(d).update(note=STRING), ["Pet.note: added (string, optional)"]),
    (
        lambda d: (fields(d).update(note=STRING), models(d)["Pet"]["required"].append("note")),
        ["Pet.note: added (string, required)"],
    ),
    (
        lambda d: fields(d).update(a={"type": ["string", "null"]}),
        ["Pet.a: added (string | null, optional)"],
    ),
    (
        lambda d: fields(d).update(a={"type": "array", "items": REF_KIND}),
        ["Pet.a: added (array of Kind, optional)"],
    ),
    (
        lambda d: fields(d).update(a={"type": "object", "additionalProperties": REF_KIND}),
        ["Pet.a: added (map of Kind, optional)"],
    ),
    (
        lambda d: fields(d).update(a={"anyOf": [REF_KIND, {"type": "null"}]}),
        ["Pet.a: added (Kind | null, optional)"],
    ),
    (lambda d: fields(d).update(a={"const": "x"}), ['Pet.a: added (const "x", optional)']),
    (lambda d: fields(d).update(a=False), ["Pet.a: added (nothing, optional)"]),
    (lambda d: fields(d).update(a=True), ["Pet.a: added (any, optional)"]),
    (
        lambda d: fields(d).update(a={"enum": list(range(8))}),
        ["Pet.a: added (enum 0 | 1 | 2 | 3 | 4 | 5 | …, optional)"],
    ),
    (lambda d: fields(d).update({"odd name": {}}), ['Pet["odd name"]: added (any, optional)']),
    (lambda d: fields(d).pop("name"), ["Pet.name: removed (string, required)"]),
    (
        lambda d: (fields(d).pop("name"), models(d)["Pet"]["required"].remove("name")),
        ["Pet.name: removed (string, required)"],
    ),
    (lambda d: models(d)["Pet"]["required"].remove("age"), ["Pet.age: required -> optional"]),
    (lambda d: models(d)["Pet"]["required"].append("kind"), ["Pet.kind: optional -> required"]),
    (lambda d: models(d)["Pet"]["required"].append("ghost"), ["Pet.ghost: optional -> required"]),
    (
        lambda d: models(d)["Pet"].pop("required"),
        ["Pet.name: required -> optional", "Pet.age: required -> optional"],
    ),
    (
        lambda d: models(d)["Pet"]["required"].reverse(),
        ['Pet: required ["name", "age"] -> ["age", "name"]'],
    ),
    (lambda d: models(d)["Kind"]["enum"].append("cow"), ['Kind: enum value added: "cow"']),
    (
        lambda d: models(d)["Kind"].update(enum=["cow", "dog"]),
        ['Kind: enum value removed: "cat"', 'Kind: enum value added: "cow"'],
    ),
    (
        lambda d: models(d)["Kind"]["enum"].reverse(),
        ['Kind: enum ["cat", "dog"] -> ["dog", "cat"]'],
    ),
    (lambda d: fields(d)["name"].update(type="integer"), ['Pet.name: type "string" -> "integer"']),
    (
        lambda d: fields(d)["name"].update(type=["string", "null"]),
        ['Pet.name: type "string" -> ["string", "null"]'],
    ),
    (
        lambda d: fields(d).update(name=REF_KIND),
        ["Pet.name: type string -> Kind"],
    ),
    (
        lambda d: fields(d)["toys"].update(items=REF_KIND),
        ["Pet.toys[]: type object -> Kind"],
    ),
    (lambda d: fields(d)["age"].pop("format"), ['Pet.age: format removed: "int32"']),
    (lambda d: fields(d)["age"].update(minimum=1), ["Pet.age: minimum added: 1"]),
    (lambda d: fields(d)["age"].update(default=2), ["Pet.age: default 1 -> 2"]),
    (lambda d: fields(d)["age"].update(default=1.0), ["Pet.age: default 1 -> 1.0"]),
    (lambda d: fields(d)["age"].update(default=True), ["Pet.age: default 1 -> true"]),
    (lambda d: fields(d)["age"].update(default=None), ["Pet.age: default 1 -> null"]),
    (
        lambda d: fields(d)["kind"]["allOf"][0].update({"$ref": "#/components/schemas/Pet"}),
        ['Pet.kind: $ref "Kind" -> "Pet"'],
    ),
    (
        lambda d: fields(d)["friend"]["oneOf"][1].update(REF_KIND),
        ['Pet.friend: $ref "Pet" -> "Kind"'],
    ),
    (
        lambda d: fields(d)["friend"]["oneOf"].append(REF_KIND),
        ["Pet.friend: oneOf variant added: Kind"],
    ),
    (lambda d: fields(d)["friend"]["oneOf"].pop(0), ["Pet.friend: oneOf variant removed: null"]),
    (
        lambda d: fields(d)["friend"]["oneOf"].reverse(),
        ['Pet.friend: order of oneOf variants ["null", "Pet"] -> ["Pet", "null"]'],
    ),
    (
        lambda d: models(d)["Event"]["oneOf"][1]["properties"]["to"].update(format="email"),
        ['Event.oneOf[sold].to: format added: "email"'],
    ),
    (
        lambda d: models(d)["Event"]["oneOf"][1]["properties"]["event"].update(const="gone"),
        ['Event.oneOf[sold].event: const "sold" -> "gone"'],
    ),
    (lambda d: models(d)["Event"]["oneOf"].pop(), ["Event: oneOf variant removed: sold"]),
    (
        lambda d: models(d)["Event"]["oneOf"].reverse(),
        ['Event: order of oneOf variants ["born", "sold"] -> ["sold", "born"]'],
    ),
    (
        lambda d: models(d)["Event"]["discriminator"].update(mapping={"born": "x"}),
        ['Event.discriminator.mapping: added ({"born": "x"})'],
    ),
    (
        lambda d: fields(d)["toys"]["items"]["properties"]["size"].update(type="integer"),
        ['Pet.toys[].size: type "number" -> "integer"'],
    ),
    (
        lambda d: fields(d)["marks"]["additionalProperties"].update(maxLength=3),
        ["Pet.marks{}: maxLength added: 3"],
    ),
    (lambda d: fields(d)["toys"].pop("items"), ["Pet.toys: items removed: object"]),
    (
        lambda d: models(d)["Pet"].update(additionalProperties=False),
        ["Pet: additionalProperties added: nothing"],
    ),
    (lambda d: fields(d).update(anything=False), ["Pet.anything: true -> false"]),
    (
        lambda d: models(d)["Pet"].update({"$defs": {"A": {}}}),
        ['Pet: $defs added: {"A": {}}'],
    ),
    (
        lambda d: models(d)["Pet"].update(description="The pet."),
        ['Pet: description (text only) "A pet." -> "The pet."'],
    ),
    (
        lambda d: fields(d)["name"].pop("description"),
        ['Pet.name: description (text only) removed: "Its name."'],
    ),
    (
        lambda d: fields(d)["name"].update(examples=["Tom"]),
        ['Pet.name: examples (text only) added: ["Tom"]'],
    ),
    # A field may be called as a facet is.
    (
        lambda d: fields(d).update(description={"type": "string"}),
        ["Pet.description: added (string, optional)"],
    ),
    (
        lambda d: reverse(fields(d, "Pet")["name"]),
        ['Pet.name: order of keys ["type", "description"] -> ["description", "type"]'],
    ),
    (
        lambda d: reverse(models(d)),
        [
            'components.schemas: order of models ["Kind", "Pet", "Event"] -> '
            '["Event", "Pet", "Kind"]'
        ],
    ),
]


@pytest.mark.parametrize(("edit", "expected"), CASES)
def test_a_changed_model_is_named(edit: Edit, expected: list[str]) -> None:
    assert lines(edit) == expected

"""The comparison of specs: what each kind of change outside the models is called."""

from __future__ import annotations

import pytest

from tools.spec.tests.pets import REF_KIND, STRING, Case, Document, Edit, lines, operation, reverse

JSON = "application/json"


def body_fields(document: Document) -> Document:
    """Returns the fields of an object inside the inline schema of a request body."""
    schema = operation(document, "post")["requestBody"]["content"][JSON]["schema"]
    fields: Document = schema["properties"]["pet"]["properties"]
    return fields


OPERATION_CHANGES: list[Case] = [
    (
        lambda d: d["paths"]["/pets"].update(put={"operationId": "setPet", "summary": "Set"}),
        ["PUT /pets (setPet): added (Set)"],
    ),
    (lambda d: d["paths"]["/pets"].pop("post"), ["POST /pets (addPet): removed"]),
    (lambda d: d["paths"].pop("/pets/{id}"), ["GET /pets/{id} (getPet): removed"]),
    (
        lambda d: d["paths"].update({"/shop": {"get": {}}}),
        ["GET /shop: added"],
    ),
    (lambda d: d["paths"].update({"/shop": {}}), ["/shop: added ({})"]),
    (
        lambda d: operation(d, "post").update(operationId="createPet"),
        ["POST /pets (addPet): renamed to createPet"],
    ),
    (
        lambda d: operation(d, "post").pop("operationId"),
        ['POST /pets (addPet): operationId removed: "addPet"'],
    ),
    (
        lambda d: d["paths"].update({"/pet/{id}": d["paths"].pop("/pets/{id}")}),
        ['GET /pets/{id} (getPet): address "GET /pets/{id}" -> "GET /pet/{id}"'],
    ),
    (
        lambda d: d["paths"]["/pets"].update(put=d["paths"]["/pets"].pop("post")),
        ['POST /pets (addPet): address "POST /pets" -> "PUT /pets"'],
    ),
    (
        lambda d: operation(d, "get")["parameters"].append(
            {"in": "query", "name": "x", "schema": STRING}
        ),
        ["GET /pets (listPets) query parameter x: added (string, optional)"],
    ),
    (
        lambda d: operation(d, "get")["parameters"].pop(),
        ["GET /pets (listPets) query parameter kind: removed (Kind, required)"],
    ),
    (
        lambda d: operation(d, "get")["parameters"][0]["schema"].update(minimum=1),
        ["GET /pets (listPets) query parameter limit: minimum 0 -> 1"],
    ),
    (
        lambda d: operation(d, "get")["parameters"][0].update(required=True),
        ["GET /pets (listPets) query parameter limit: optional -> required"],
    ),
    (
        lambda d: operation(d, "get")["parameters"][0].update(required=False),
        ["GET /pets (listPets) query parameter limit: required added: false"],
    ),
    (
        lambda d: operation(d, "get")["parameters"][1].pop("required"),
        ["GET /pets (listPets) query parameter kind: required -> optional"],
    ),
    (
        lambda d: operation(d, "get")["parameters"].reverse(),
        [
            "GET /pets (listPets): order of parameters "
            '["query parameter limit", "query parameter kind"] -> '
            '["query parameter kind", "query parameter limit"]'
        ],
    ),
    (
        lambda d: operation(d, "post").update(parameters=[]),
        ["POST /pets (addPet): parameters added: []"],
    ),
    (
        lambda d: d["paths"]["/pets"]["parameters"][0]["schema"].update(type="integer"),
        ['/pets header parameter X-Trace: type "string" -> "integer"'],
    ),
    (
        lambda d: operation(d, "post").pop("requestBody"),
        ["POST /pets (addPet) request body: removed (application/json object)"],
    ),
    (
        lambda d: operation(d, "post")["requestBody"].update(required=True),
        ["POST /pets (addPet) request body: optional -> required"],
    ),
    (
        lambda d: operation(d, "post")["requestBody"]["content"].update(
            {"text/plain": {"schema": STRING}}
        ),
        ["POST /pets (addPet) request body text/plain: added (string)"],
    ),
    (
        lambda d: body_fields(d).update(note=STRING),
        ["POST /pets (addPet) request body application/json.pet.note: added (string, optional)"],
    ),
    (
        lambda d: operation(d, "get")["responses"].update({"404": {"description": "None"}}),
        ["GET /pets (listPets) response 404: added (None)"],
    ),
    (
        lambda d: operation(d, "get")["responses"].pop("200"),
        ["GET /pets (listPets) response 200: removed (application/json array of Pet)"],
    ),
    (
        lambda d: operation(d, "get")["responses"]["400"].update(content={"text/plain": {}}),
        ["GET /pets (listPets) response 400 text/plain: added (any)"],
    ),
    (
        lambda d: operation(d, "get")["responses"]["200"]["content"][JSON]["schema"][
            "items"
        ].update(REF_KIND),
        ['GET /pets (listPets) response 200 application/json[]: $ref "Pet" -> "Kind"'],
    ),
    (
        lambda d: operation(d, "get")["responses"]["200"]["content"][JSON].pop("schema"),
        ["GET /pets (listPets) response 200 application/json: schema removed: array of Pet"],
    ),
    (
        lambda d: operation(d, "get")["responses"]["400"].update(description="Worse"),
        ['GET /pets (listPets) response 400: description (text only) "Bad" -> "Worse"'],
    ),
    (
        lambda d: operation(d, "get").update(tags=["Pet", "Shop"]),
        ['GET /pets (listPets): tags ["Pet"] -> ["Pet", "Shop"]'],
    ),
    (
        lambda d: operation(d, "get").update(summary="Pets"),
        ['GET /pets (listPets): summary (text only) "List pets" -> "Pets"'],
    ),
    (
        lambda d: operation(d, "get").update(deprecated=True),
        ["GET /pets (listPets): deprecated added: true"],
    ),
    (
        lambda d: reverse(d["paths"]),
        ['paths: order of paths ["/pets", "/pets/{id}"] -> ["/pets/{id}", "/pets"]'],
    ),
]

OTHER_CHANGES: list[Case] = [
    (lambda d: d["info"].update(version="2.0"), ['info: version "1.0" -> "2.0"']),
    (lambda d: d["info"]["license"].update(name="BSD"), ['info.license.name: "MIT" -> "BSD"']),
    (
        lambda d: d["info"].update(description="All."),
        ['info: description (text only) added: "All."'],
    ),
    (lambda d: d.update(openapi="3.1.1"), ['openapi: "3.1.0" -> "3.1.1"']),
    (lambda d: d["servers"][0].update(url="/"), ['servers[0]: url "http://localhost:1/v1" -> "/"']),
    (lambda d: d["servers"].append({"url": "/"}), ['servers[1]: added ({"url": "/"})']),
    (lambda d: d["tags"][1].update(x=1), ["tags[Shop]: x added: 1"]),
    (lambda d: d["tags"].pop(), ['tags[Shop]: removed ({"name": "Shop"})']),
    (lambda d: d["tags"].reverse(), ['tags: order of items ["Pet", "Shop"] -> ["Shop", "Pet"]']),
    (
        lambda d: d["components"]["securitySchemes"]["token"].update(type="apiKey"),
        ['components.securitySchemes.token.type: "http" -> "apiKey"'],
    ),
    (lambda d: d.update(webhooks={}), ["webhooks: added ({})"]),
]


@pytest.mark.parametrize(("edit", "expected"), OPERATION_CHANGES + OTHER_CHANGES)
def test_a_changed_part_is_named(edit: Edit, expected: list[str]) -> None:
    assert lines(edit) == expected

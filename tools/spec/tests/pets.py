"""A small spec, and ways to edit it, for the tests of the comparison."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from tools.spec.diff import diff

Document = dict[str, Any]

#: Changes a document in place; the result means nothing.
Edit = Callable[[Document], object]

#: An edit and the lines that it must cause.
Case = tuple[Edit, list[str]]

SPEC: Document = json.loads("""
{
  "openapi": "3.1.0",
  "info": {"title": "Pets", "version": "1.0", "license": {"name": "MIT"}},
  "servers": [{"url": "http://localhost:1/v1", "description": "here"}],
  "paths": {
    "/pets": {
      "parameters": [{"in": "header", "name": "X-Trace", "schema": {"type": "string"}}],
      "get": {
        "operationId": "listPets", "tags": ["Pet"], "summary": "List pets",
        "parameters": [
          {"in": "query", "name": "limit", "schema": {"type": "integer", "minimum": 0}},
          {"in": "query", "name": "kind", "required": true,
            "schema": {"$ref": "#/components/schemas/Kind"}}
        ],
        "responses": {
          "200": {"description": "Pets", "content": {"application/json": {"schema":
            {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}}}}},
          "400": {"description": "Bad"}
        }
      },
      "post": {
        "operationId": "addPet",
        "requestBody": {"content": {"application/json": {"schema": {"type": "object",
          "properties": {"pet": {"type": "object", "properties": {"age": {"type": "integer"}}}}}}}},
        "responses": {"201": {"description": "Added"}}
      }
    },
    "/pets/{id}": {"get": {"operationId": "getPet", "responses": {"200": {"description": "A pet"}}}}
  },
  "components": {
    "schemas": {
      "Kind": {"type": "string", "enum": ["cat", "dog"]},
      "Pet": {
        "type": "object", "description": "A pet.",
        "properties": {
          "name": {"type": "string", "description": "Its name."},
          "age": {"type": "integer", "format": "int32", "default": 1},
          "kind": {"description": "Its kind.", "allOf": [{"$ref": "#/components/schemas/Kind"}]},
          "friend": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Pet"}]},
          "toys": {"type": "array",
            "items": {"type": "object", "properties": {"size": {"type": "number"}}}},
          "marks": {"type": "object", "additionalProperties": {"type": "string"}},
          "anything": true
        },
        "required": ["name", "age"]
      },
      "Event": {
        "oneOf": [
          {"type": "object", "properties": {"event": {"const": "born"}, "at": {"type": "string"}}},
          {"type": "object", "properties": {"event": {"const": "sold"}, "to": {"type": "string"}}}
        ],
        "discriminator": {"propertyName": "event"}
      }
    },
    "securitySchemes": {"token": {"type": "http"}}
  },
  "tags": [{"name": "Pet", "description": "Pets."}, {"name": "Shop"}]
}
""")


REF_KIND = {"$ref": "#/components/schemas/Kind"}
STRING = {"type": "string"}


def edited(edit: Edit) -> Document:
    """Returns the edited document."""
    document = copy.deepcopy(SPEC)
    edit(document)
    return document


def lines(edit: Edit) -> list[str]:
    """Returns the lines of the comparison with the edited document."""
    return list(map(str, diff(SPEC, edited(edit))))


def models(document: Document) -> Document:
    """Returns the models."""
    schemas: Document = document["components"]["schemas"]
    return schemas


def fields(document: Document, model: str = "Pet") -> Document:
    """Returns the fields of a model."""
    properties: Document = models(document)[model]["properties"]
    return properties


def operation(document: Document, method: str) -> Document:
    """Returns the definition of an operation on /pets."""
    definition: Document = document["paths"]["/pets"][method]
    return definition


def reverse(mapping: Document) -> None:
    """Turns the order of the keys round."""
    items = list(mapping.items())
    mapping.clear()
    mapping.update(reversed(items))

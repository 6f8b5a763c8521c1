"""Reads an OpenAPI or JSON Schema document, and walks it with the place of each value at hand."""

from __future__ import annotations

import copy
import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tools.codegen.errors import SpecError
from tools.codegen.yaml_reader import parse_yaml
from tools.json_types import is_json_array, is_json_object

JSON = dict[str, Any]

# Under these keys stand values, not schemas: an "$anchor" inside is data.
_VALUES = frozenset({"default", "example", "examples", "enum", "const", "mapping"})
_KINDS: dict[type, str] = {
    **{type(None): "null", bool: "a boolean", int: "a number", float: "a number"},
    **{str: "a string", list: "an array"},
}
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


def pointer(*parts: str | int) -> str:
    """Return the JSON pointer for a path of keys: `("paths", "/runs")` is `#/paths/~1runs`."""
    return "/".join(["#", *[str(part).replace("~", "~0").replace("/", "~1") for part in parts]])


def kind_of(value: object) -> str:
    """Return JSON's name for the kind of a value, with its article."""
    return _KINDS.get(type(value), "an object")


class Document:
    """An OpenAPI 3.x or JSON Schema document, or another file that it refers to.

    Args:
        path: The file, JSON or YAML.
        overlay: An OpenAPI Overlay to apply to it.
        sources: Other files that references may lead to.

    Attributes:
        root: The whole document.
        version: OpenAPI's version, such as `(3, 1)`, whose schemas are those of JSON Schema.
        is_json_schema: Whether it is a JSON Schema document, which has no operations.
        name: What its places begin with: empty, or the path of another file.

    Raises:
        SpecError: The file is not JSON or YAML, or neither OpenAPI 3.x nor JSON Schema.
    """

    def __init__(
        self, path: Path, overlay: Path | None = None, sources: Iterable[Path] = ()
    ) -> None:
        value = _read(path)
        if overlay is not None:
            # Its library takes long to import.
            from tools.codegen.overlay import apply_overlay

            value = apply_overlay(value, overlay)
        self.is_json_schema = "openapi" not in value and "$schema" in value
        version = "3.1" if self.is_json_schema else value.get("openapi")
        if not isinstance(version, str) or not re.match(r"3\.\d+(\.|$)", version):
            found = f"openapi: {version!r}" if "openapi" in value else "no openapi key"
            if "swagger" in value:
                found = f"swagger: {value['swagger']!r}"
            raise SpecError("#/openapi", f"{found}; this compiler supports OpenAPI 3.x")
        self.version = (3, int(version[2:].partition(".")[0]))
        self.name = ""
        self.root = Node(self, value, ())
        self._path = path
        self._files = {os.path.abspath(file): file for file in (path, *sources)}
        self._documents = {os.path.abspath(path): self}

    def schemas(self) -> list[tuple[str, Node]]:
        """Return the named schemas: an API's components, or a JSON Schema and its `$defs`.

        Raises:
            SpecError: A JSON Schema has no title, which is the name of its model.
        """
        if not self.is_json_schema:
            return self.root.entries("components", "schemas")
        title = self.root.text("title")
        if not title:
            raise SpecError("#/title", "is missing; it is the name of the document's model")
        return [(title, self.root), *self.root.entries("$defs")]

    def resolve(self, reference: object, place: str) -> Node:
        """Return the target of a `$ref`.

        Args:
            reference: The value of `$ref`.
            place: Its place in the document, for the message.

        Raises:
            SpecError: It points to a file that was not given, or to nothing.
        """
        if not isinstance(reference, str):
            raise SpecError(place, f"$ref is {kind_of(reference)}; a string is needed")
        file, _, fragment = reference.partition("#")
        document = self._other(file, reference, place) if file else self
        if fragment and not fragment.startswith("/"):
            return document.anchor(fragment, reference, place)
        node: Any = document.root.value
        path: list[str | int] = []
        for part in fragment.split("/")[1:]:
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            if is_json_array(node) and key.isdecimal() and int(key) < len(node):
                node, step = node[int(key)], int(key)
                path.append(step)
            elif is_json_object(node) and key in node:
                node = node[key]
                path.append(key)
            else:
                raise SpecError(
                    place, f"$ref {reference!r} points to nothing; nothing is at {key!r}"
                )
        return Node(document, node, tuple(path))

    def anchor(self, name: str, reference: str, place: str) -> Node:
        """Return the schema with an `$anchor`.

        Raises:
            SpecError: There is none.
        """
        pending = [self.root]
        while pending:
            node = pending.pop()
            if is_json_object(node.value):
                if node.value.get("$anchor") == name:
                    return node
                pending += [node[key] for key in node.value if key not in _VALUES]
            elif is_json_array(node.value):
                pending += [node[index] for index in range(len(node.value))]
        raise SpecError(place, f"$ref {reference!r} points to nothing; no $anchor is {name!r}")

    def _other(self, file: str, reference: str, place: str) -> Document:
        path = os.path.abspath(self._path.parent / unquote(file))
        if path not in self._files:
            raise SpecError(
                place, f"$ref {reference!r} leads out of the document; add its file to the sources"
            )
        if path not in self._documents:
            other = copy.copy(self)
            other._path = self._files[path]
            other.name = os.path.relpath(path, os.path.dirname(next(iter(self._files))))
            other.root = Node(other, _read(other._path), ())
            self._documents[path] = other
        return self._documents[path]


@dataclass(slots=True, eq=False)
class Node:
    """A value of a document, and the keys that lead to it."""

    document: Document
    value: Any
    path: tuple[str | int, ...]

    @property
    def place(self) -> str:
        """JSON pointer to the value, after the file if that is another one."""
        return self.document.name + pointer(*self.path)

    def error(self, problem: str) -> SpecError:
        """Make the error of this place."""
        return SpecError(self.place, problem)

    def __contains__(self, key: object) -> bool:
        return is_json_object(self.value) and key in self.value

    def __getitem__(self, key: str | int) -> Node:
        return Node(self.document, self.value[key], (*self.path, key))

    def at(self, key: str) -> Node | None:
        """Return the value at a key; None where it is missing."""
        return self[key] if key in self else None  # noqa: SIM401 - a Node has no get

    def with_value(self, value: Any) -> Node:
        """Return another value for the same place."""
        return Node(self.document, value, self.path)

    def object(self) -> Node:
        """Return this node.

        Raises:
            SpecError: It is no object.
        """
        if not is_json_object(self.value):
            raise self.error(f"is {kind_of(self.value)}; an object is needed")
        return self

    def followed(self) -> Node:
        """Return the object here, through references, those of 3.1 that have siblings included.

        Raises:
            SpecError: No object is here or there, or the references lead round in a circle.
        """
        node = self.object()
        seen: set[str] = set()
        while "$ref" in node:
            reference = node.value["$ref"]
            target = self.document.resolve(reference, node.place).object()
            if reference in seen:
                raise self.error(f"$ref {reference!r} leads back to itself")
            seen.add(reference)
            siblings = {key: value for key, value in node.value.items() if key != "$ref"}
            node = target.with_value({**target.value, **siblings})
        return node

    def entries(self, *keys: str) -> list[tuple[str, Node]]:
        """Return the members of the object below the keys; none where one of them is missing.

        A part of the document may be a reference, to one in another file.
        """
        node = self.object()
        for key in keys:
            if key not in node:
                return []
            node = node[key].object()
            if isinstance(node.value.get("$ref"), str):
                node = node.followed()
        return [(name, node[name]) for name in node.value]

    def members(self, key: str) -> list[Node]:
        """Return the members of the array at `key`; none where the key is missing."""
        if key not in self.object():
            return []
        found = self[key]
        if not is_json_array(found.value):
            raise found.error(f"is {kind_of(found.value)}; an array is needed")
        return [found[index] for index in range(len(found.value))]

    def text(self, key: str) -> str:
        """Return the string at `key`, without what no source text can hold; empty where missing."""
        value = self.object().value.get(key, "")
        if not isinstance(value, str):
            raise self[key].error(f"is {kind_of(value)}; a string is needed")
        return plain_text(value)

    def flag(self, key: str, default: bool = False) -> bool:
        """Return the boolean at `key`."""
        value = self.object().value.get(key, default)
        if not isinstance(value, bool):
            raise self[key].error(f"is {kind_of(value)}; a boolean is needed")
        return value


def plain_text(text: str) -> str:
    """Return text with one kind of line end and no control characters, stripped."""
    return _CONTROLS.sub("", "\n".join(line.rstrip() for line in text.splitlines())).strip("\n")


def _read(path: Path) -> JSON:
    def unique(pairs: list[tuple[str, Any]]) -> JSON:
        node = dict(pairs)
        if len(node) != len(pairs):
            counts = Counter(key for key, _ in pairs)
            twice = next(key for key, count in counts.items() if count > 1)
            raise SpecError("", f"the key {twice!r} occurs twice in one object; remove one")
        return node

    def finite(text: str) -> float:
        if not math.isfinite(float(text)):
            raise SpecError("", f"has {text}, which is no number that Python can hold")
        return float(text)

    try:
        content = path.read_bytes()
        text = content.decode()
        is_yaml = path.suffix.lower() in (".yaml", ".yml") and not text.lstrip().startswith("{")
        if is_yaml:
            root = parse_yaml(content)
        else:
            root = json.loads(
                text,
                object_pairs_hook=unique,
                parse_constant=finite,
                parse_float=finite,
            )
        # An escaped half of a surrogate pair is JSON, but no text that can be written to a file.
        json.dumps(root, ensure_ascii=False).encode()
    except OSError as error:
        raise SpecError("", f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SpecError(
            "", f"is not UTF-8 (byte {error.start}); a spec is JSON in UTF-8"
        ) from error
    except UnicodeEncodeError as error:
        raise SpecError("", "has half of a surrogate pair in a string; write both") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise SpecError("", f"is not JSON: {error.msg} at {where}") from error
    except ValueError as error:
        kind = "YAML" if path.suffix.lower() in (".yaml", ".yml") else "JSON"
        raise SpecError("", f"is not {kind}: {error}") from error
    except RecursionError as error:
        raise SpecError("", "is nested too deeply to be read") from error
    if not is_json_object(root):
        raise SpecError("#", f"is {kind_of(root)}; an object is needed")
    return root

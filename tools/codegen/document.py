"""Reads an OpenAPI document and answers where its references lead."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from tools.codegen.errors import SpecError

JSON = dict[str, Any]

# Under these keys stand values, not schemas: a "$ref" inside is data.
_VALUES = frozenset({"default", "example", "examples", "enum", "const", "mapping"})


def pointer(*parts: str | int) -> str:
    """Gives the JSON pointer for a path of keys: `("paths", "/runs")` is `#/paths/~1runs`."""
    return "#" + "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


class Document:
    """An OpenAPI 3.x document.

    Args:
        path: The file, JSON.

    Attributes:
        root: The whole document.
        schemas: Its component schemas by name.

    Raises:
        SpecError: The file is no JSON, no OpenAPI 3.x, or a reference in it leads nowhere.
    """

    def __init__(self, path: Path) -> None:
        self.root: JSON = _read(path)
        version = self.root.get("openapi")
        if not isinstance(version, str) or not version.startswith("3."):
            found = f"openapi: {version!r}" if version is not None else "no openapi key"
            if "swagger" in self.root:
                found = f"swagger: {self.root['swagger']!r}"
            raise SpecError("#/openapi", f"{found}; this compiler takes OpenAPI 3.x")
        self.schemas: dict[str, Any] = self._map("components", "schemas")
        self.paths: dict[str, Any] = self._map("paths")
        for place, reference in _references(self.root, ()):
            self.resolve(reference, place)

    def resolve(self, reference: object, place: str) -> Any:
        """Gives what a `$ref` points to.

        Args:
            reference: The value of `$ref`.
            place: Where it stands, for the message.

        Raises:
            SpecError: It points outside the document, or to nothing.
        """
        if not isinstance(reference, str):
            raise SpecError(place, f"$ref is {reference!r}; it has to be a string")
        if not reference.startswith("#/"):
            raise SpecError(
                place, f"$ref {reference!r} leads out of the document; put its target in"
            )
        node: Any = self.root
        for part in reference[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if isinstance(node, list) and key.isdigit() and int(key) < len(node):
                node = node[int(key)]
            elif isinstance(node, dict) and key in node:
                node = node[key]
            else:
                raise SpecError(
                    place, f"$ref {reference!r} points to nothing; nothing is at {key!r}"
                )
        return node

    def follow(self, node: Any, place: str) -> JSON:
        """Gives the object at `node`, through references, those of 3.1 that have siblings included."""
        seen: set[str] = set()
        while isinstance(node, dict) and "$ref" in node:
            reference = node["$ref"]
            if reference in seen:
                raise SpecError(place, f"$ref {reference!r} leads back to itself")
            seen.add(reference)
            siblings = {key: value for key, value in node.items() if key != "$ref"}
            target = self.resolve(reference, place)
            node = {**target, **siblings} if isinstance(target, dict) else target
        if not isinstance(node, dict):
            raise SpecError(place, f"{type(node).__name__} stands here; an object is needed")
        return cast("JSON", node)

    def _map(self, *keys: str) -> dict[str, Any]:
        node: Any = self.root
        for depth, key in enumerate(keys):
            node = node.get(key, {})
            if not isinstance(node, dict):
                raise SpecError(pointer(*keys[: depth + 1]), "an object is needed here")
        return cast("dict[str, Any]", node)


def _read(path: Path) -> JSON:
    def unique(pairs: list[tuple[str, Any]]) -> JSON:
        node = dict(pairs)
        if len(node) != len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise SpecError("", f"the key {twice!r} stands twice in one object; remove one")
        return node

    try:
        root = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=unique)
    except OSError as error:
        raise SpecError("", f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SpecError(
            "", f"is not UTF-8 (byte {error.start}); a spec is JSON in UTF-8"
        ) from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise SpecError("", f"is not JSON: {error.msg} at {where}") from error
    except RecursionError as error:
        raise SpecError("", "is nested too deeply to be read") from error
    if not isinstance(root, dict):
        raise SpecError("#", "the document has to be an object")
    return cast("JSON", root)


def _references(node: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and not isinstance(value, dict):
                yield pointer(*path, key), value
            # In `properties`, every key is a property's name, `default` and `enum` among them.
            elif key not in _VALUES or (path and path[-1] in ("properties", "schemas")):
                yield from _references(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _references(value, (*path, index))

"""Compares the operations of two OpenAPI 3.1 documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tools.json_types import is_json_array, is_json_object
from tools.spec.changes import ABSENT, Area, Change, Element, Place, Side
from tools.spec.json_diff import Diff, Found, Handler, Json, as_dict, diff_object, same, union
from tools.spec.schema_diff import describe, diff_subschema

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class _Operation(NamedTuple):
    method: str
    path: str
    definition: Json

    @property
    def address(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def id(self) -> str:
        return _words(self.definition, "operationId")

    @property
    def at(self) -> Place:
        name = f" ({self.id})" if self.id else ""
        return Place(Area.OPERATION, self.address + name)


# How an operation is found again in the other document, the surest sign first: by its place and
# name; by its name alone, when it has moved; by its place alone, when it has been renamed.
_SIGNS: tuple[Callable[[_Operation], object], ...] = (
    lambda operation: (operation.address, operation.id),
    lambda operation: operation.id,
    lambda operation: operation.address,
)


def diff_paths(old: Json, new: Json) -> list[Change]:
    """Compare the `paths` of two documents.

    Returns:
        The changes of the operations and of what else the paths hold.
    """
    pairs, removed, added = _pair(_operations(old), _operations(new))
    changes = [operation.at.removed() for operation in removed]
    changes += [operation.at.added(_words(operation.definition, "summary")) for operation in added]
    for before, after in pairs:
        if before.address != after.address:
            changes.append(before.at.facet("address", before.address, after.address))
        changes += diff_object(before.at, before.definition, after.definition, _OPERATION)
    for path in union(old, new):
        changes += _diff_path(path, old.get(path, ABSENT), new.get(path, ABSENT))
    return changes + Place(Area.DOCUMENT, "paths").order(old, new, "paths")


def _operations(paths: Json) -> list[_Operation]:
    return [
        _Operation(method, path, definition)
        for path, item in paths.items()
        for method, definition in as_dict(item).items()
        if method in _METHODS and is_json_object(definition)
    ]


def _pair(
    old: list[_Operation], new: list[_Operation]
) -> tuple[list[tuple[_Operation, _Operation]], list[_Operation], list[_Operation]]:
    """Return the operations of both documents as pairs, the old rest and the new rest."""
    pairs: list[tuple[_Operation, _Operation]] = []
    for sign in _SIGNS:
        partners = {sign(operation): operation for operation in new if sign(operation)}
        rest: list[_Operation] = []
        for operation in old:
            partner = partners.pop(sign(operation), None)
            if partner is None:
                rest.append(operation)
            else:
                pairs.append((operation, partner))
                new = [other for other in new if other is not partner]
        old = rest
    return pairs, old, new


def _diff_path(path: str, old: Any, new: Any) -> list[Change]:
    """Compare what a path holds besides its operations."""
    if same(old, new):
        return []
    at = Place(Area.OPERATION, path)
    if old is ABSENT or new is ABSENT:
        # Operations are reported as such, and a path is no more than the place of its operations.
        return [] if _operations({path: new if old is ABSENT else old}) else [at.value(old, new)]
    if not is_json_object(old) or not is_json_object(new):
        return diff_object(at, old, new)
    methods = (
        {o.method for o in _operations({path: old})},
        {o.method for o in _operations({path: new})},
    )
    rest = [
        {key: value for key, value in item.items() if key not in own}
        for item, own in zip((old, new), methods, strict=True)
    ]
    return diff_object(at, rest[0], rest[1], {"parameters": _diff_parameters}) + at.order(old, new)


def _diff_operation_id(at: Place, key: str, old: Json, new: Json) -> Found:
    if not isinstance(old.get(key), str) or not isinstance(new.get(key), str):
        return None
    return [at.renamed(new[key])]


def _diff_parameters(at: Place, key: str, old: Json, new: Json) -> Found:
    before, after = _named_parameters(old.get(key, [])), _named_parameters(new.get(key, []))
    if before is None or after is None:
        return None
    return _diff_named(at.on(Side.REQUEST), before, after, _PARAMETER) or None


def _named_parameters(parameters: Any) -> Json | None:
    if not is_json_array(parameters):
        return None
    named = {
        f"{parameter['in']} parameter {parameter['name']}": parameter
        for parameter in parameters
        if is_json_object(parameter) and "in" in parameter and "name" in parameter
    }
    return named if len(named) == len(parameters) else None


def _describe_parameter(parameter: Json) -> str:
    presence = "required" if parameter.get("required") is True else "optional"
    return f"{describe(parameter.get('schema'))}, {presence}"


def _diff_request_body(at: Place, key: str, old: Json, new: Json) -> Found:
    before, after = ({"request body": o[key]} if key in o else {} for o in (old, new))
    return _diff_named(at.on(Side.REQUEST), before, after, _REQUEST_BODY)


def _diff_responses(at: Place, key: str, old: Json, new: Json) -> Found:
    before, after = as_dict(old.get(key)), as_dict(new.get(key))
    return _diff_named(at.on(Side.RESPONSE), before, after, _RESPONSE) or None


def _describe_body(body: Json) -> str:
    content = as_dict(body.get("content"))
    media = (f"{name} {describe(as_dict(m).get('schema'))}" for name, m in content.items())
    return ", ".join(media) or _words(body, "description")


def _diff_body(at: Place, old: Any, new: Any) -> list[Change]:
    return diff_object(at, old, new, {"content": _diff_content})


def _diff_content(at: Place, key: str, old: Json, new: Json) -> Found:
    before, after = as_dict(old.get(key)), as_dict(new.get(key))
    return _diff_named(at, before, after, _MEDIA_TYPE) or None


def _describe_media(media: Json) -> str:
    return describe(media.get("schema"))


def _diff_schema_holder(at: Place, old: Any, new: Any) -> list[Change]:
    return diff_object(at, old, new, {"schema": diff_subschema})


def _diff_named(at: Place, old: Json, new: Json, kind: _Kind) -> list[Change]:
    changes: list[Change] = []
    for name in union(old, new):
        place = at / (kind.prefix + name)
        if name in old and name in new:
            changes += kind.diff(place, old[name], new[name])
            continue
        value = as_dict(old[name] if name in old else new[name])
        say = place.removed if name in old else place.added
        required = value.get("required") is True
        changes.append(say(kind.describe(value), element=kind.element, required=required))
    return changes + at.order(old, new, f"{kind.element}s")


def _words(definition: Json, key: str) -> str:
    words = definition.get(key)
    return words if isinstance(words, str) else ""


class _Kind(NamedTuple):
    """What is told and compared of the named parts of an operation."""

    element: Element
    describe: Callable[[Json], str]
    diff: Diff
    prefix: str = " "


_PARAMETER = _Kind(Element.PARAMETER, _describe_parameter, _diff_schema_holder)
_REQUEST_BODY = _Kind(Element.REQUEST_BODY, _describe_body, _diff_body)
_RESPONSE = _Kind(Element.RESPONSE, _describe_body, _diff_body, " response ")
_MEDIA_TYPE = _Kind(Element.MEDIA_TYPE, _describe_media, _diff_schema_holder)

_OPERATION: dict[str, Handler] = {
    "operationId": _diff_operation_id,
    "parameters": _diff_parameters,
    "requestBody": _diff_request_body,
    "responses": _diff_responses,
}

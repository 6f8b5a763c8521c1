"""Which way schemas go: to the server, from it, or both."""

from collections.abc import Callable, Iterable

from tools.codegen.document import JSON, pointer
from tools.codegen.names import attribute_names


def name_of(schema: JSON) -> str:
    """Return the component that a prepared schema refers to; empty if it is no reference."""
    reference: str = schema.get("$ref", "")
    return reference.rpartition("/")[2]


def reachable(made: JSON, roots: Iterable[JSON], *, deep: bool = True) -> set[str]:
    """Return the names of the components that prepared schemas refer to.

    Args:
        made: All prepared components by name.
        roots: The prepared schemas.
        deep: Whether what these refer to counts as well.
    """
    found: set[str] = set()
    pending = list(roots)
    while pending:
        schema = pending.pop()
        name = name_of(schema)
        if name and name not in found:
            found.add(name)
            if deep:
                pending.append(made.get(name, {}))
        pending += schema.get("properties", {}).values()
        for key in ("allOf", "anyOf", "oneOf", "prefixItems"):
            pending += schema.get(key, ())
        pending += [
            schema[key]
            for key in ("additionalProperties", "items", "otherwise")
            if isinstance(schema.get(key), dict)
        ]
    return found


def ask_for_what_goes_this_way(schema: JSON, sent: bool, received: bool) -> None:
    """Let requests leave out what only the server may set, and answers what only requests have."""
    for key, part in schema.get("properties", {}).items():
        server_alone, client_alone = part.pop("readOnly", False), part.pop("writeOnly", False)
        if (server_alone and sent) or (client_alone and received):
            schema["required"] = [name for name in schema["required"] if name != key]


def open_constants(schemas: Iterable[JSON]) -> None:
    """Let constants of answers have other values, except those that tell members of unions."""
    pending = list(schemas)
    while pending:
        one = pending.pop()
        if "const" in one and not one.get("tag"):
            one["open"] = True
        pending += _parts(one)


def open_unions(
    made: JSON, names: set[str], sent: set[str], give_name: Callable[[str], str]
) -> None:
    """Let unions of answers have a member for values with an unknown tag, which keeps their data.

    Args:
        made: All prepared components by name, to which the new members are added.
        names: Names of those that answers hold. A union inside another one is not among them,
            since its open member would take values of the others.
        sent: Names of those that requests hold.
        give_name: Returns a free name like the given one.
    """
    for name in sorted(names):
        schema = made[name]
        if "known" not in schema or "otherwise" in schema:
            continue
        tag = schema["discriminator"]["propertyName"]
        other = give_name(f"Other{name}")
        made[other] = {
            "type": "object",
            "properties": {tag: {"type": "string"}},
            "required": [tag],
            "additionalProperties": True,
            "attributes": attribute_names([tag]),
            "description": f"`{name}` with an unknown `{tag}`; its other fields are kept.",
        }
        schema["otherwise"] = {"$ref": pointer("components", "schemas", other)}
        schema["is_sent"] = name in sent


def members_of_unions(schemas: Iterable[JSON]) -> set[str]:
    """Return the components that are members of a union in prepared schemas."""
    found: set[str] = set()
    pending = list(schemas)
    while pending:
        one = pending.pop()
        for key in ("anyOf", "oneOf"):
            found |= {name_of(part) for part in one.get(key, ())}
            pending += one.get(key, ())
        pending += _parts(one)
    return found


def _parts(schema: JSON) -> list[JSON]:
    """Return the prepared schemas inside one, without the members of a union."""
    rest = [schema.get(key) for key in ("additionalProperties", "items")]
    return [
        *schema.get("properties", {}).values(),
        *schema.get("allOf", ()),
        *(part for part in rest if isinstance(part, dict)),
    ]

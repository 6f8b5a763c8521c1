"""Which way schemas go: to the server, from it, or both."""

from collections.abc import Iterable

from tools.codegen.document import JSON


def reachable(made: JSON, roots: Iterable[JSON]) -> set[str]:
    """Gives the names of the components that prepared schemas refer to, directly or not."""
    found: set[str] = set()
    pending = list(roots)
    while pending:
        schema = pending.pop()
        name = schema.get("$ref", "").rpartition("/")[2]
        if name and name not in found:
            found.add(name)
            pending.append(made[name])
        pending += schema.get("properties", {}).values()
        for key in ("allOf", "anyOf", "oneOf", "prefixItems"):
            pending += schema.get(key, ())
        pending += [
            schema[k] for k in ("additionalProperties", "items") if isinstance(schema.get(k), dict)
        ]
    return found


def ask_for_what_goes_this_way(schema: JSON, sent: bool, received: bool) -> None:
    """Lets requests leave out what only the server may set, and answers what only requests have."""
    for key, part in schema.get("properties", {}).items():
        server_alone, client_alone = part.pop("readOnly", False), part.pop("writeOnly", False)
        if (server_alone and sent) or (client_alone and received):
            schema["required"] = [name for name in schema["required"] if name != key]

"""Parameters of operations, and how they are written."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tools.codegen.document import Node
from tools.codegen.names import Names, field_name, pascal_case
from tools.codegen.uses import Use, media_kind

# Arguments of every endpoint function; a parameter of the spec steps aside.
_OWN_ARGUMENTS = frozenset({"body", "build_request", "client", "headers", "timeout"})

# OpenAPI has them ignored as parameters; the transport and the client write them.
_OWN_HEADERS = frozenset({"accept", "authorization", "content-type"})

_TEMPLATE_NAME = re.compile(r"\{([^{}]+)\}")

# The styles of each place, the usual one first.
_STYLES = {
    "path": ("simple", "label", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form",),
}
_USUAL = {"path": ("simple", False), "header": ("simple", False)}


@dataclass(frozen=True)
class Parameter:
    """One parameter.

    Attributes:
        name: The name on the wire.
        where: `path`, `query`, `header` or `cookie`.
        argument: The name in Python.
        required: Whether a request without it is refused.
        style: How it is written, as Python; empty where in the usual way.
        description: From the spec; may be empty.
        default: What the server takes when it is left out, as JSON; empty where the spec is silent.
        type_key: Key of its type.
    """

    name: str
    where: str
    argument: str
    required: bool
    style: str
    description: str
    default: str
    type_key: str


def read_parameters(
    path: str, item: Node, node: Node, prefix: str, use: Callable[[Use], str]
) -> Iterator[Parameter]:
    """Read the parameters of an operation.

    Args:
        path: Its path template.
        item: The path item.
        node: The operation.
        prefix: What the names of its classes begin with.
        use: Keeps a schema, and returns its key.

    Raises:
        SpecError: A parameter cannot be compiled.
    """
    # An operation's parameter replaces the path item's of the same name and place.
    found: dict[tuple[str, str], Node] = {}
    for owner in (item, node):
        own: dict[tuple[str, str], Node] = {}
        for entry in owner.members("parameters"):
            parameter = entry.followed()
            key = (parameter.text("name"), parameter.text("in"))
            if not key[0]:
                raise entry.error("has no name")
            if key in own and own[key].value != parameter.value:
                raise entry.error(f"{key[1]} parameter {key[0]!r} stands here twice")
            own[key] = parameter
        found |= own
    named = set(_TEMPLATE_NAME.findall(path))
    if set("{}") & set(_TEMPLATE_NAME.sub("", path)):
        raise item.error("the braces in this path do not pair")
    given = {name for name, where in found if where == "path"}
    for name in sorted(named ^ given):
        if name in named:
            raise node.error(f"the path has {{{name}}} but no parameter of that name; add it")
        raise found[name, "path"].error(f"{name!r} does not stand in the path {path!r}")
    arguments = Names(*_OWN_ARGUMENTS)
    for (name, where), parameter in found.items():
        if where == "header" and name.lower() in _OWN_HEADERS:
            continue
        argument = field_name(name)
        if argument in _OWN_ARGUMENTS:
            argument += "_"
        elif argument in arguments:
            argument = f"{argument}_{where}"
        yield _parameter(arguments.take(argument, f"{where} {name}"), parameter, prefix, use)


def _parameter(argument: str, node: Node, prefix: str, use: Callable[[Use], str]) -> Parameter:
    name, where = node.text("name"), node.text("in")
    if where not in _STYLES:
        raise node.error(f"in: {where!r}; path, query, header and cookie are supported")
    schema, style = node.at("schema"), ""
    contents = node.entries("content")
    if schema is None and contents:
        media_type, entry = contents[0]
        if media_kind(media_type) == "json":
            style = 'Style("json")'
            schema = entry.object().at("schema")
    elif (given := _style(node, where)) != _USUAL.get(where, ("form", True)):
        style = f"Style({', '.join(_words(given))})"
    is_schema = schema is not None and isinstance(schema.value, dict)
    shape = schema.followed() if schema is not None and is_schema else node.with_value({})
    default = shape.value.get("default")
    return Parameter(
        name=name,
        where=where,
        argument=argument,
        required=node.flag("required") or where == "path",
        style=style,
        description=node.text("description") or shape.text("description"),
        default="" if default is None else json.dumps(default, ensure_ascii=False),
        type_key=use(Use(prefix + pascal_case(name), schema, True, is_parameter=not style)),
    )


def _style(node: Node, where: str) -> tuple[str, bool] | tuple[str, bool, bool]:
    usual, *others = _STYLES[where]
    style = node.text("style") or usual
    if style != usual and style not in others:
        raise node.error(f"style {style!r}; a {where} has {' or '.join(_STYLES[where])}")
    explode = node.flag("explode", default=style in ("form", "deepObject"))
    return (style, explode, True) if node.flag("allowReserved") else (style, explode)


def _words(style: tuple[str, bool] | tuple[str, bool, bool]) -> Iterator[str]:
    yield f'"{style[0]}"'
    if style[1]:
        yield "explode=True"
    if len(style) > 2:
        yield "allow_reserved=True"

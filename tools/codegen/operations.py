"""What the spec says of each operation.

Types are not mapped here: each schema whose Python type an endpoint needs is handed to the compiler
of the schemas, and the endpoint keeps the key of its type.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

from tools.codegen.document import Document, Node
from tools.codegen.names import Taken, field_name, module_name, pascal_case, snake_case

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

# Arguments of every endpoint function; a parameter of the spec steps aside.
_OWN_ARGUMENTS = frozenset({"body", "client", "headers", "timeout"})

# OpenAPI has them ignored as parameters; the transport and the client write them.
_OWN_HEADERS = frozenset({"accept", "authorization", "content-type"})

_STATUS = re.compile(r"[1-5](\d\d|XX)|default")
_TEMPLATE_NAME = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class Use:
    """A schema that an endpoint needs the Python type of.

    Attributes:
        name: What its class is called if it has none of its own.
        schema: The schema; None where the spec gives none.
        sent: Whether requests hold it; otherwise answers do.
        is_parameter: Whether it has to be written as text.
    """

    name: str
    schema: Node | None
    sent: bool
    is_parameter: bool = False


@dataclass(frozen=True)
class Parameter:
    """One path, query or header parameter.

    Attributes:
        name: The name on the wire.
        where: `path`, `query` or `header`.
        argument: The name in Python.
        required: Whether a request without it is refused.
        comma_separated: Whether a list is sent as one value with commas, not as a pair per member.
        description: From the spec; may be empty.
        default: What the server takes when it is left out, as JSON; empty where the spec is silent.
        type_key: Key of its type.
    """

    name: str
    where: str
    argument: str
    required: bool
    comma_separated: bool
    description: str
    default: str
    type_key: str


@dataclass(frozen=True)
class Content:
    """One media type of a request body or an answer; `kind` is `json`, `text` or `bytes`."""

    media_type: str
    kind: str
    type_key: str


@dataclass(frozen=True)
class Body:
    """A request body."""

    contents: tuple[Content, ...]
    required: bool
    description: str


@dataclass(frozen=True)
class Answer:
    """What the spec documents for one status; no content means an empty body."""

    status: str
    description: str
    content: Content | None


@dataclass(frozen=True)
class Operation:
    """One operation of the spec; `module` and `tag` are Python names, `id` is the spec's."""

    id: str
    module: str
    tag: str
    tag_name: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    body: Body | None
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Operations:
    """All operations of a spec, in its order, and the schemas whose types they need, by key."""

    operations: list[Operation] = field(default_factory=list)
    uses: dict[str, Use] = field(default_factory=dict)


def read_operations(document: Document) -> Operations:
    """Reads every operation of a document.

    Raises:
        SpecError: An operation cannot be compiled.
    """
    reader = _Reader()
    for path, entry in document.root.entries("paths"):
        item = entry.followed()
        if not path.startswith("/"):
            raise entry.error("a path begins with /")
        if not path.isprintable():
            raise entry.error("no URL can have a control character in its path; remove it")
        for method in _METHODS:
            if method in item:
                reader.read(path, method, item, item[method].object())
    return reader.found


class _Reader:
    def __init__(self) -> None:
        self.found = Operations()
        self._ids = Taken("operation")
        self._tags: dict[str, tuple[str, str]] = {}

    def read(self, path: str, method: str, item: Node, node: Node) -> None:
        operation_id = node.text("operationId")
        if not operation_id:
            raise node.error(
                "has no operationId; the endpoint's Python name comes from it, so add one"
            )
        module = module_name(node.place, "operationId", operation_id)
        self._ids.take(module, operation_id, node.place)
        for owner in (item, node):
            if "servers" in owner:
                raise owner["servers"].error(
                    "servers of a single path are not supported; one client has one server"
                )
        tag_name, tag = self._tag(node)
        prefix = pascal_case(operation_id)
        self.found.operations.append(
            Operation(
                id=operation_id,
                module=module,
                tag=tag,
                tag_name=tag_name,
                method=method.upper(),
                path=path,
                summary=_sentence(node.text("summary")) or f"{operation_id}.",
                description=node.text("description"),
                parameters=tuple(self._parameters(path, item, node, prefix)),
                body=self._body(node, prefix),
                answers=tuple(self._answers(node, prefix)),
            )
        )

    def _tag(self, node: Node) -> tuple[str, str]:
        tags = node.members("tags")
        if not tags:
            return "default", "default"
        name, place = tags[0].value, tags[0].place
        if not isinstance(name, str):
            raise tags[0].error("a tag is a string")
        tag = module_name(place, "tag", name)
        other, other_place = self._tags.setdefault(tag, (name, place))
        if other != name:
            raise tags[0].error(
                f"tag {name!r} and {other!r} ({other_place}) both give the Python name {tag!r};"
                " rename one of them"
            )
        return name, tag

    def _parameters(self, path: str, item: Node, node: Node, prefix: str) -> Iterator[Parameter]:
        # An operation's parameter replaces the path item's of the same name and place.
        found: dict[tuple[str, str], Node] = {}
        for owner in (item, node):
            own: dict[tuple[str, str], Node] = {}
            for entry in owner.members("parameters"):
                parameter = entry.followed()
                key = (parameter.text("name"), parameter.text("in"))
                if not key[0]:
                    raise entry.error("has no name")
                if key in own:
                    raise entry.error(f"{key[1]} parameter {key[0]!r} stands here twice")
                own[key] = parameter
            found |= own
        arguments = Taken("parameter")
        for (name, where), parameter in found.items():
            if where == "header" and name.lower() in _OWN_HEADERS:
                continue
            argument = field_name(name)
            if argument in _OWN_ARGUMENTS:
                argument += "_"
            arguments.take(argument, name, parameter.place)
            yield self._parameter(argument, parameter, prefix)
        named = set(_TEMPLATE_NAME.findall(path))
        if set("{}") & set(_TEMPLATE_NAME.sub("", path)):
            raise item.error("the braces in this path do not pair")
        given = {name for name, where in found if where == "path"}
        for name in sorted(named ^ given):
            if name in named:
                raise node.error(f"the path has {{{name}}} but no parameter of that name; add it")
            raise found[name, "path"].error(f"{name!r} does not stand in the path {path!r}")

    def _parameter(self, argument: str, node: Node, prefix: str) -> Parameter:
        name, where = node.text("name"), node.text("in")
        if where not in ("path", "query", "header"):
            raise node.error(f"in: {where!r}; path, query and header are supported")
        usual = "form" if where == "query" else "simple"
        style = node.text("style") or usual
        if style != usual:
            raise node.error(f"style {style!r}; {usual!r} is supported in a {where}")
        if "schema" not in node:
            raise node.error("has no schema; parameters with `content` are not supported")
        schema = node["schema"]
        shape = schema.followed() if isinstance(schema.value, dict) else node.with_value({})
        default = shape.value.get("default")
        return Parameter(
            name=name,
            where=where,
            argument=argument,
            required=node.flag("required") or where == "path",
            comma_separated=not node.flag("explode", default=style == "form"),
            description=node.text("description") or shape.text("description"),
            default="" if default is None else json.dumps(default, ensure_ascii=False),
            type_key=self._use(Use(prefix + pascal_case(name), schema, True, is_parameter=True)),
        )

    def _body(self, node: Node, prefix: str) -> Body | None:
        if "requestBody" not in node:
            return None
        body = node["requestBody"].followed()
        contents: dict[str, Content] = {}
        schemas: dict[str, object] = {}
        for media_type, entry in body.entries("content"):
            kind = _kind(media_type, entry)
            schema = entry.object().value.get("schema")
            if kind not in contents:
                schemas[kind] = schema
                contents[kind] = self._content(f"{prefix}Request", media_type, entry, sent=True)
            elif kind != "json" or schema != schemas[kind]:
                raise entry.error(
                    f"stands beside {contents[kind].media_type!r}, and which of them a body is"
                    " cannot be told; leave one"
                )
        if not contents:
            raise body.error("has no content; say which media types it takes")
        if "text" in contents and len(contents) > 1:
            raise body.error("takes text beside others, and what a str is cannot be told")
        return Body(
            tuple(contents[kind] for kind in ("json", "bytes", "text") if kind in contents),
            body.flag("required"),
            body.text("description"),
        )

    def _answers(self, node: Node, prefix: str) -> Iterator[Answer]:
        responses = [(key, entry, entry.followed()) for key, entry in node.entries("responses")]
        several = sum(_has_inline_schema(response) for _, _, response in responses) > 1
        for status, entry, response in responses:
            if not _STATUS.fullmatch(status):
                raise entry.error(f"{status!r} is no status; write 200, 2XX or default")
            name = f"{prefix}{_status_word(status) if several else ''}Response"
            # One type per status: JSON where it has several, since that is the one with a model.
            media = sorted(response.entries("content"), key=lambda entry: _kind(*entry) != "json")
            yield Answer(
                status,
                response.text("description"),
                self._content(name, *media[0], sent=False) if media else None,
            )
        if not responses:
            yield Answer("default", "", None)

    def _content(self, name: str, media_type: str, entry: Node, *, sent: bool) -> Content:
        kind = _kind(media_type, entry)
        if kind != "json":
            return Content(media_type, kind, "")
        essence = media_type.partition(";")[0].strip().lower()
        schema = entry["schema"] if "schema" in entry.object() else None
        return Content(
            essence if essence.endswith(("/json", "+json")) else "application/json",
            kind,
            self._use(Use(name, schema, sent)),
        )

    def _use(self, use: Use) -> str:
        key = f"p{len(self.found.uses)}"
        self.found.uses[key] = use
        return key


def _has_inline_schema(response: Node) -> bool:
    return any(
        isinstance(schema, dict) and "$ref" not in schema
        for _, entry in response.entries("content")
        for schema in [entry.object().value.get("schema")]
    )


def _status_word(status: str) -> str:
    try:
        return pascal_case(snake_case(HTTPStatus(int(status)).phrase))
    except ValueError:
        return {"1": "Informational", "2": "Success", "3": "Redirect"}.get(status[0], "Error")


def _kind(media_type: str, entry: Node) -> str:
    essence = media_type.partition(";")[0].strip().lower()
    main, slash, sub = essence.partition("/")
    if sub == "json" or sub.endswith("+json") or essence == "*/*":
        return "json"
    if main == "text" and sub != "event-stream":
        return "text"
    if (
        not slash
        or main in ("multipart", "text")
        or sub in ("x-www-form-urlencoded", "x-ndjson", "json-seq", "jsonl")
    ):
        raise entry.error("this media type is not supported; JSON, text and binary ones are")
    return "bytes"


def _sentence(text: str) -> str:
    line = " ".join(text.split())
    return line if not line or line.endswith((".", "!", "?")) else f"{line}."

"""What the spec says of each operation, typed by the models that the compiler makes.

Types are not mapped here. Each schema whose Python type an endpoint needs becomes a property of one
extra schema, the probe, that is compiled with the others; what datamodel-code-generator makes of that
property is the type.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from tools.codegen.document import JSON, Document, pointer
from tools.codegen.errors import SpecError
from tools.codegen.names import Taken, field_name, module_name, pascal_case, snake_case

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

# Arguments of every endpoint function; a parameter of the spec steps aside.
_OWN_ARGUMENTS = frozenset({"client", "body"})


@dataclass(frozen=True)
class Parameter:
    """One path, query or header parameter.

    Attributes:
        name: The name on the wire.
        where: `path`, `query` or `header`.
        argument: The name in Python.
        required: Whether a request without it is refused.
        joined: Whether a list goes in one value with commas rather than in one pair per member.
        description: From the spec; may be empty.
        default: What the server takes when it is left out, as JSON; empty when the spec does not say.
        probe: The probe's property that has its type.
    """

    name: str
    where: str
    argument: str
    required: bool
    joined: bool
    description: str
    default: str
    probe: str


@dataclass(frozen=True)
class Content:
    """One media type of a request body or an answer; `kind` is `json`, `text` or `bytes`."""

    media_type: str
    kind: str
    probe: str


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

    @property
    def is_success(self) -> bool:
        """Whether the status is of the 2xx class."""
        return self.status.startswith("2")


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


@dataclass
class Operations:
    """All operations of a spec.

    Attributes:
        operations: In the order of the spec.
        lifted: Schemas that stood inline and become models of their own, by name.
        probe: The properties of the probe, by name.
        sent: Schemas that requests hold.
        received: Schemas that answers hold.
    """

    operations: list[Operation] = field(default_factory=list)
    lifted: dict[str, JSON] = field(default_factory=dict)
    probe: dict[str, Any] = field(default_factory=dict)
    sent: list[Any] = field(default_factory=list)
    received: list[Any] = field(default_factory=list)


def read_operations(document: Document) -> Operations:
    """Reads every operation of a document.

    Raises:
        SpecError: An operation cannot be compiled.
    """
    reader = _Reader(document)
    for path, method, place, node in _operation_nodes(document):
        reader.read(path, method, place, node)
    return reader.found


def _operation_nodes(document: Document) -> Iterator[tuple[str, str, tuple[str, ...], JSON]]:
    for path, item in document.paths.items():
        place = ("paths", path)
        item = document.follow(item, pointer(*place))
        for method in _METHODS:
            if method in item:
                node = document.follow(item[method], pointer(*place, method))
                shared = item.get("parameters", [])
                yield path, method, (*place, method), {**node, "_shared": shared}


class _Reader:
    def __init__(self, document: Document) -> None:
        self.found = Operations()
        self._document = document
        self._ids = Taken("operation")
        self._tags: dict[str, tuple[str, str]] = {}

    def read(self, path: str, method: str, place: tuple[str, ...], node: JSON) -> None:
        here = pointer(*place)
        operation_id = node.get("operationId")
        if not isinstance(operation_id, str) or not operation_id:
            raise SpecError(
                here, "has no operationId; the endpoint's Python name comes from it, so add one"
            )
        module = module_name(here, "operationId", operation_id)
        tag_name, tag = self._tag(node, here)
        self._ids.take(module, operation_id, here)
        prefix = pascal_case(operation_id)
        summary = _sentence(node.get("summary")) or f"{operation_id}."
        self.found.operations.append(
            Operation(
                id=operation_id,
                module=module,
                tag=tag,
                tag_name=tag_name,
                method=method.upper(),
                path=path,
                summary=summary,
                description=_text(node.get("description")),
                parameters=tuple(self._parameters(path, place, node, prefix)),
                body=self._body(place, node, prefix),
                answers=tuple(self._answers(place, node, prefix)),
            )
        )

    def _tag(self, node: JSON, here: str) -> tuple[str, str]:
        tags = node.get("tags") or ["default"]
        name = tags[0]
        if not isinstance(name, str):
            raise SpecError(f"{here}/tags/0", f"is {name!r}; a tag is a string")
        tag = module_name(f"{here}/tags/0", "tag", name)
        other, other_place = self._tags.setdefault(tag, (name, f"{here}/tags/0"))
        if other != name:
            raise SpecError(
                f"{here}/tags/0",
                f"tag {name!r} and {other!r} ({other_place}) both give the Python name {tag!r};"
                " rename one of them",
            )
        return name, tag

    def _parameters(
        self, path: str, place: tuple[str, ...], node: JSON, prefix: str
    ) -> Iterator[Parameter]:
        # An operation's parameter replaces the path item's of the same name and place.
        nodes: dict[tuple[str, str], tuple[str, JSON]] = {}
        for origin, entries in (
            ((*place[:-1], "parameters"), node["_shared"]),
            ((*place, "parameters"), node.get("parameters", [])),
        ):
            for index, entry in enumerate(entries):
                where = pointer(*origin, index)
                parameter = self._document.follow(entry, where)
                if not isinstance(parameter.get("name"), str):
                    raise SpecError(where, "has no name")
                nodes[parameter["name"], str(parameter.get("in"))] = (where, parameter)
        names = Taken("parameter")
        for (name, location), (where, parameter) in nodes.items():
            argument = field_name(name)
            if argument in _OWN_ARGUMENTS:
                argument += "_"
            names.take(argument, name, where)
            yield self._parameter(name, location, argument, where, parameter, prefix)
        for name in _template_names(path):
            if (name, "path") not in nodes:
                raise SpecError(
                    pointer(*place),
                    f"the path has {{{name}}} but no parameter of that name; add it",
                )

    def _parameter(
        self, name: str, location: str, argument: str, where: str, node: JSON, prefix: str
    ) -> Parameter:
        if location not in ("path", "query", "header"):
            raise SpecError(where, f"in: {location!r}; path, query and header are supported")
        default_style = "form" if location == "query" else "simple"
        style = node.get("style", default_style)
        if style != default_style:
            raise SpecError(
                where, f"style {style!r}; {default_style!r} is supported in a {location}"
            )
        if "schema" not in node:
            raise SpecError(where, "has no schema; parameters with `content` are not supported")
        schema = node["schema"]
        shape = self._document.follow(schema, f"{where}/schema") if isinstance(schema, dict) else {}
        if shape.get("type") == "object" or "properties" in shape:
            raise SpecError(f"{where}/schema", "an object as a parameter is not supported")
        default = shape.get("default")
        explode = node.get("explode", style == "form")
        return Parameter(
            name=name,
            where=location,
            argument=argument,
            required=location == "path" or bool(node.get("required")),
            joined=not explode,
            description=_text(node.get("description") or shape.get("description")),
            default="" if default is None else _json(default),
            probe=self._probe(prefix + pascal_case(name), schema, self.found.sent),
        )

    def _body(self, place: tuple[str, ...], node: JSON, prefix: str) -> Body | None:
        if "requestBody" not in node:
            return None
        here = pointer(*place, "requestBody")
        body = self._document.follow(node["requestBody"], here)
        contents = tuple(
            self._content(f"{prefix}Request", media_type, entry, here, self.found.sent)
            for media_type, entry in body.get("content", {}).items()
        )
        if not contents:
            raise SpecError(here, "has no content; say which media types it takes")
        return Body(contents, bool(body.get("required")), _text(body.get("description")))

    def _answers(self, place: tuple[str, ...], node: JSON, prefix: str) -> Iterator[Answer]:
        responses = node.get("responses", {})
        with_content = sum(
            1
            for status, entry in responses.items()
            if _inline(self._document.follow(entry, pointer(*place, "responses", status)))
        )
        for status, entry in responses.items():
            here = pointer(*place, "responses", status)
            if not _is_status(status):
                raise SpecError(here, f"{status!r} is no status; write 200, 2XX or default")
            response = self._document.follow(entry, here)
            name = f"{prefix}{_status_word(status) if with_content > 1 else ''}Response"
            contents = [
                self._content(name, media_type, content, here, self.found.received)
                for media_type, content in response.get("content", {}).items()
            ]
            # One type per status: JSON where a status has several, since it is the one with a model.
            content = next((c for c in contents if c.kind == "json"), next(iter(contents), None))
            yield Answer(status, _text(response.get("description")), content)

    def _content(
        self, name: str, media_type: str, entry: Any, here: str, usage: list[Any]
    ) -> Content:
        where = f"{here}/content/{media_type.replace('~', '~0').replace('/', '~1')}"
        kind = _kind(media_type)
        if kind is None:
            raise SpecError(
                where, "this media type is not supported; JSON, text and binary ones are"
            )
        schema = self._document.follow(entry, where).get("schema", True)
        if kind != "json":
            return Content(media_type, kind, "")
        return Content(media_type, kind, self._probe(name, schema, usage))

    def _probe(self, name: str, schema: Any, usage: list[Any]) -> str:
        """Puts a schema into the probe and gives the property's name."""
        usage.append(schema)
        probe = f"p{len(self.found.probe)}"
        self.found.probe[probe] = self._lift(name, schema)
        return probe

    def _lift(self, name: str, schema: Any) -> Any:
        """Gives inline classes inside a schema a name of their own, for the probe's will not stay."""
        if not isinstance(schema, dict) or "$ref" in schema:
            return schema
        for key in ("oneOf", "anyOf"):
            if key in schema:
                branches = [b for b in schema[key] if not _is_null(b)]
                if len(branches) == 1:
                    lifted = [b if _is_null(b) else self._lift(name, b) for b in schema[key]]
                    return {**schema, key: lifted}
                return self._model(name, schema)
        if "properties" in schema or "allOf" in schema or "enum" in schema:
            return self._model(name, schema)
        if isinstance(schema.get("items"), dict):
            return {**schema, "items": self._lift(f"{name}Item", schema["items"])}
        return schema

    def _model(self, name: str, schema: JSON) -> JSON:
        if name in self._document.schemas or self.found.lifted.get(name, schema) != schema:
            raise SpecError(
                pointer("components", "schemas", name),
                f"an inline schema of an operation is to be called {name!r} too; rename the model",
            )
        self.found.lifted[name] = schema
        return {"$ref": pointer("components", "schemas", name)}


def _inline(response: JSON) -> bool:
    return any(
        isinstance(content, dict) and "$ref" not in content.get("schema", {"$ref": ""})
        for content in response.get("content", {}).values()
        if isinstance(content.get("schema", {}), dict)
    )


def _is_null(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "null"


def _is_status(status: str) -> bool:
    return status == "default" or (
        len(status) == 3 and status[0] in "12345" and (status[1:].isdigit() or status[1:] == "XX")
    )


def _status_word(status: str) -> str:
    try:
        return pascal_case(snake_case(HTTPStatus(int(status)).phrase))
    except ValueError:
        return {"1": "Informational", "2": "Success", "3": "Redirect"}.get(status[0], "Error")


def _kind(media_type: str) -> str | None:
    essence = media_type.partition(";")[0].strip().lower()
    main, _, sub = essence.partition("/")
    if sub == "json" or sub.endswith("+json") or essence == "*/*":
        return "json"
    if main == "text":
        return "text" if sub != "event-stream" else None
    if main == "multipart" or sub == "x-www-form-urlencoded":
        return None
    return "bytes"


def _template_names(path: str) -> list[str]:
    return [part.partition("}")[0] for part in path.split("{")[1:]]


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _sentence(value: Any) -> str:
    text = _text(value).partition("\n")[0]
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def _json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


def reachable(document: Document, schemas: Mapping[str, Any], roots: list[Any]) -> set[str]:
    """Gives the names of the component schemas that the roots refer to, through any number of others."""
    found: set[str] = set()
    prefix = pointer("components", "schemas") + "/"
    pending = list(roots)
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str) and reference.startswith(prefix):
                name = reference[len(prefix) :].replace("~1", "/").replace("~0", "~")
                if name not in found:
                    found.add(name)
                    pending.append(schemas.get(name))
            pending.extend(node.values())
    return found

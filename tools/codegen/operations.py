"""What the spec says of each operation.

Types are not mapped here: each schema whose Python type an endpoint needs is passed to the compiler
of the schemas, and the endpoint keeps the key of its type.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

from tools.codegen.document import Document, Node
from tools.codegen.errors import SpecError
from tools.codegen.names import Names, module_name, pascal_case, snake_case
from tools.codegen.parameters import Parameter, read_parameters
from tools.codegen.uses import EVENT_TYPES, Use, essence_of, media_kind

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")

_STATUS = re.compile(r"[1-5](\d\d|XX)|default")


@dataclass(frozen=True)
class Content:
    """One media type of a request body or an answer.

    Attributes:
        media_type: As it is sent.
        kind: `json`, `form`, `text` or `bytes`.
        type_key: Key of its type; empty for text and bytes.
    """

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
    """What the spec documents for one status.

    Attributes:
        status: Such as `200`, `2XX` or `default`.
        description: From the spec.
        contents: The media types, the preferred one first; none for an empty body.
        event: What each event or line is, where the body is a stream of such.
    """

    status: str
    description: str
    contents: tuple[Content, ...]
    event: Content | None


@dataclass(frozen=True)
class Operation:
    """One operation of the spec.

    Attributes:
        id: The spec's operationId, or what stands for it.
        place: JSON pointer to it.
        module: Name of its module.
        tag: Name of its package.
        tag_name: The tag as the spec spells it.
        method: HTTP method.
        path: Path template.
        server: Where it is, if it has a server of its own.
        summary: A sentence.
        description: From the spec.
        parameters: Its parameters.
        body: Its body.
        answers: Its answers.
    """

    id: str
    place: str
    module: str
    tag: str
    tag_name: str
    method: str
    path: str
    server: str
    summary: str
    description: str
    parameters: tuple[Parameter, ...]
    body: Body | None
    answers: tuple[Answer, ...]

    @property
    def file(self) -> str:
        """Path of its module in the package."""
        return f"api/{self.tag}/{self.module}.py"

    def type_keys(self) -> Iterator[str]:
        """Return the keys of the types that it needs."""
        for parameter in self.parameters:
            yield parameter.type_key
        for content in self.body.contents if self.body else ():
            yield content.type_key
        for answer in self.answers:
            for content in (*answer.contents, *([answer.event] if answer.event else ())):
                yield content.type_key


@dataclass
class Operations:
    """All operations of a spec.

    Attributes:
        operations: Those that can be compiled, in the spec's order.
        uses: The schemas whose types they need, by key.
        refused: Why others cannot, by the module that each would have, below the package.
        skipped: How many were left out because it was asked for.
    """

    operations: list[Operation] = field(default_factory=list)
    uses: dict[str, Use] = field(default_factory=dict)
    refused: dict[str, SpecError] = field(default_factory=dict)
    skipped: int = 0


def read_operations(document: Document, skip: Collection[str] = ()) -> Operations:
    """Read every operation of a document.

    Args:
        document: The spec.
        skip: Operations to leave out: their operationIds, or such as `GET /runs`.

    Raises:
        SpecError: The paths are none, or one that is to be left out is not there.
    """
    reader = _Reader(skip)
    for path, entry in document.root.entries("paths"):
        if path.startswith("x-"):
            continue
        if not path.startswith("/"):
            raise entry.error("a path begins with /")
        if not path.isprintable():
            raise entry.error("no URL can have a control character in its path; remove it")
        item = entry.followed()
        for method in _METHODS:
            if method in item:
                reader.read(path, method, item, item[method].followed())
        for method, node in item.entries("additionalOperations"):
            reader.read(path, method, item, node.object())
    if reader.unknown:
        raise SpecError(
            "#/paths", f"has no operation {min(reader.unknown)!r}, which is to be skipped"
        )
    return reader.found


class _Reader:
    def __init__(self, skip: Collection[str]) -> None:
        self.found = Operations()
        self.unknown = set(skip)
        self._skip = frozenset(skip)
        self._modules, self._ids = Names(), Names()

    def read(self, path: str, method: str, item: Node, node: Node) -> None:
        name = f"{method.upper()} {path}"
        given = node.text("operationId")
        operation_id = given or snake_case(name) or method
        # Whatever becomes of the operation, its names are its own.
        module = self._modules.take(module_name(operation_id, "operation"), name)
        operation_id = self._ids.take(operation_id, name)
        if called := self._skip & {name, given}:
            self.unknown -= called
            self.found.skipped += 1
            return
        tag_name, tag = "default", "default"
        uses: dict[str, Use] = {}

        def use(one: Use) -> str:
            key = f"p{len(self.found.uses) + len(uses)}"
            uses[key] = one
            return key

        try:
            tag_name, tag = _tag(node)
            prefix = pascal_case(operation_id)
            operation = Operation(
                id=operation_id,
                place=node.place,
                module=module,
                tag=tag,
                tag_name=tag_name,
                method=method.upper(),
                # A fragment is for those who read the spec.
                path=path.partition("#")[0],
                server=_server(item, node),
                summary=_sentence(node.text("summary")) or f"{given or name}.",
                description=node.text("description"),
                parameters=tuple(read_parameters(path, item, node, prefix, use)),
                body=_body(node, prefix, use),
                answers=tuple(_answers(node, prefix, use)),
            )
        except SpecError as error:
            self.found.refused[f"api/{tag}/{module}.py"] = error
            return
        self.found.uses |= uses
        self.found.operations.append(operation)


def _server(item: Node, node: Node) -> str:
    for owner in (node, item):
        for server in owner.members("servers"):
            return server.text("url")
    return ""


def _tag(node: Node) -> tuple[str, str]:
    tags = node.members("tags")
    if not tags:
        return "default", "default"
    name = tags[0].value
    if not isinstance(name, str):
        raise tags[0].error("a tag is a string")
    return name, module_name(name, "tag") if name else "default"


def _body(node: Node, prefix: str, use: Callable[[Use], str]) -> Body | None:
    if "requestBody" not in node:
        return None
    body = node["requestBody"].followed()
    entries = sorted(body.entries("content"), key=lambda e: _ORDER.index(media_kind(e[0])))
    if not entries:
        raise body.error("has no content; say which media types it takes")
    contents: list[Content] = []
    schemas: list[object] = []
    for media_type, entry in entries:
        schema = entry.object().value.get("schema")
        # Of several media types with one schema, the first has the class.
        if schema in schemas and media_kind(media_type) in ("json", "form"):
            first = contents[schemas.index(schema)]
            contents.append(Content(_sent(media_type), media_kind(media_type), first.type_key))
        else:
            contents.append(_content(f"{prefix}Request", media_type, entry, use, sent=True))
        schemas.append(schema)
    return Body(tuple(contents), body.flag("required"), body.text("description"))


def _answers(node: Node, prefix: str, use: Callable[[Use], str]) -> Iterator[Answer]:
    responses = [
        (key, entry, entry.followed())
        for key, entry in node.entries("responses")
        if not key.startswith("x-")
    ]
    several = sum(_has_inline_schema(response) for _, _, response in responses) > 1
    for key, entry, response in responses:
        status = key if key == "default" else key.upper()
        if not _STATUS.fullmatch(status):
            raise entry.error(f"{key!r} is no status; write 200, 2XX or default")
        name = f"{prefix}{_status_word(status) if several else ''}Response"
        media = sorted(
            response.entries("content"),
            key=lambda e: (media_kind(e[0]) != "json", essence_of(e[0]) in EVENT_TYPES),
        )
        events = [one for one in media if essence_of(one[0]) in EVENT_TYPES]
        yield Answer(
            status,
            response.text("description"),
            tuple(_content(name, *one, use, sent=False) for one in _distinct(media)),
            _event(f"{name}Event", *events[0], use) if events else None,
        )
    if not responses:
        yield Answer("default", "", (), None)


_ORDER = ("json", "form", "bytes", "text")


def _distinct(media: list[tuple[str, Node]]) -> Iterator[tuple[str, Node]]:
    """Return media types of which no two differ in nothing but parameters."""
    seen: set[str] = set()
    for media_type, entry in media:
        if essence_of(media_type) not in seen:
            seen.add(essence_of(media_type))
            yield media_type, entry


def _content(
    name: str, media_type: str, entry: Node, use: Callable[[Use], str], *, sent: bool
) -> Content:
    kind = media_kind(media_type)
    if kind == "form" and not sent:
        kind = "text"
    schema = entry.object().at("schema")
    if kind == "form" and schema is None:
        kind = "bytes"
    if kind not in ("json", "form"):
        return Content(media_type, kind, "")
    return Content(_sent(media_type), kind, use(Use(name, schema, sent)))


def _sent(media_type: str) -> str:
    essence = essence_of(media_type)
    return essence if "*" not in essence else "application/json"


def _event(name: str, media_type: str, entry: Node, use: Callable[[Use], str]) -> Content:
    schema = entry.object().at("itemSchema") or entry.at("schema")
    return Content(media_type, "json", use(Use(name, schema, sent=False)))


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


def _sentence(text: str) -> str:
    line = " ".join(text.split())
    return line if not line or line.endswith((".", "!", "?")) else f"{line}."

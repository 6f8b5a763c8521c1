"""Renders the modules of a compiled package from templates."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import jinja2

from tools.codegen.docs import docstring
from tools.codegen.document import Document, Node
from tools.codegen.expressions import members_of, names_in, parse_type, renamed, union
from tools.codegen.imports import imports, used_names
from tools.codegen.models import Models
from tools.codegen.operations import Answer, Body, Content, Operation, Operations
from tools.codegen.parameters import Parameter
from tools.codegen.uses import essence_of

# The place of the imports, which depend on the code below them; no text of a spec has it.
_IMPORTS = "\f"

# Names that endpoints use, with their modules; what begins with a dot is in the support package.
_MODULES = {
    **{
        "Mapping": "collections.abc",
        "overload": "typing",
        "Client": ".client",
        "Hidden": "._hidden",
    },
    **dict.fromkeys(("ByType", "Event", "Json", "Operation", "Request", "Style"), "._operation"),
    **dict.fromkeys(("nothing", "raw", "text"), "._operation"),
    **dict.fromkeys(("AsyncEventStream", "EventStream"), "._transport.event_stream"),
    **dict.fromkeys(("UNSET", "Response", "TimeoutTypes", "Unset"), ".types"),
}


class Templates:
    """The templates, with the values that all modules of a package share."""

    def __init__(self, *, package: str, support: str, command: str, spec: str) -> None:
        self._package = package
        self._support = support
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
        )
        self._environment.filters |= {"doc": docstring, "literal": repr}
        # Its type names jinja's own globals alone.
        cast("dict[str, Any]", self._environment.globals).update(
            package=package, support=support, command=command, spec=spec
        )

    def facts(self, document: Document, operations: Operations) -> str:
        """Render what the spec says of the API as a whole."""
        info = document.root["info"].object() if "info" in document.root else None
        servers = document.root.members("servers")
        try:
            prefix = urlsplit(_with_defaults(servers[0])).path.rstrip("/") if servers else ""
        except ValueError as error:
            raise servers[0]["url"].error(f"is no URL: {error}") from error
        return self.render(
            "spec.py",
            title=info.text("title") if info else "",
            version=info.text("version") if info else "",
            prefix=prefix,
            operations=operations.operations,
        )

    def models_init(
        self, document: Document, models: Models, extra: dict[str, tuple[str, ...]]
    ) -> str:
        """Render the package of models; `extra` are hand-written modules beside the spec's."""
        homes = {model.name: model.home for model in models.models}
        homes |= {name: module for module, names in extra.items() for name in names}
        first = [source.module for source in models.sources if source.is_first]
        title = document.root.text("title") if document.is_json_schema else ""
        names = {name: (f"{self._package}.models.{home}", name) for name, home in homes.items()}
        return self.render(
            "models_init.py", homes=homes, imports=imports(names), first=first, title=title
        )

    def endpoint(self, operation: Operation, models: Models) -> str:
        """Render one endpoint's module."""
        endpoint = _Endpoint(operation, models)
        context = endpoint.context()
        text = self.render("endpoint.py", **context)
        # An argument may have the name of a parser.
        used = used_names(text) - {argument["name"] for argument in context["arguments"]}
        used |= used_names(" ".join(answer["parser"] for answer in context["answers"]))
        known = {name: (_MODULES[name], name) for name in used & _MODULES.keys()}
        if endpoint.uses_models:
            known["models"] = self._package, "models"
        return text.replace(_IMPORTS, imports(known | endpoint.imports, self._support), 1)

    def render(self, template: str, /, **context: Any) -> str:
        """Render a template."""
        return self._environment.get_template(f"{template}.jinja").render(**context)


class _Endpoint:
    """What the template of an endpoint needs to know."""

    def __init__(self, operation: Operation, models: Models) -> None:
        self._operation = operation
        self._models = models
        self.uses_models = False
        self.imports: dict[str, tuple[str, str]] = {}

    def context(self) -> dict[str, Any]:
        operation, body = self._operation, self._operation.body
        parameters = sorted(operation.parameters, key=lambda p: (p.where != "path", not p.required))
        arguments: list[dict[str, Any]] = [
            {
                "name": parameter.argument,
                "type": self._argument_type(parameter),
                "positional": parameter.where == "path",
                "optional": not parameter.required,
                "doc": _argument_doc(parameter),
            }
            for parameter in parameters
        ]
        answers: list[dict[str, Any]] = [
            {
                "status": answer.status,
                "description": answer.description,
                "parser": self._parser(answer),
                "type": union(map(self._type, answer.contents)),
                "first_type": union(map(self._type, answer.contents[:1])),
                "media_types": [content.media_type for content in answer.contents],
                "event": answer.event,
            }
            for answer in operation.answers
        ]
        # Where no success is documented, `default` stands for it as well.
        success = [answer for answer in answers if answer["status"].startswith("2")]
        success = success or [answer for answer in answers if answer["status"] == "default"]
        styles: dict[str, dict[str, str]] = {}
        for parameter in operation.parameters:
            if style := parameter.style or self._style(parameter):
                styles.setdefault(parameter.where, {})[parameter.name] = style
        accepts = [content.media_type for content in body.contents] if body else []
        produces = dict.fromkeys(
            media_type
            for answer in [*success, *(one for one in answers if one not in success)]
            for media_type in answer["media_types"]
        )
        taken = {argument["name"] for argument in arguments}
        event = next((answer["event"] for answer in success if answer["event"]), None)
        has_choice = any(len(answer["media_types"]) > 1 for answer in success)
        return {
            "operation": operation,
            "arguments": arguments,
            "groups": {
                where: [p for p in operation.parameters if p.where == where]
                for where in ("path", "query", "header", "cookie")
            },
            "body": body,
            "body_type": union(self._body_types(body)) if body else "",
            "accepts": accepts,
            "content_type": _free("content_type", taken) if _has_choice(body) else "",
            "produces": None if [*produces] == ["application/json"] else [*produces],
            "extra": _free("extra", taken),
            "accept": _free("accept", taken) if has_choice else "",
            "styles": styles,
            "event_type": self._type(event) if event else "",
            "event_media_type": event.media_type if event else "",
            "answers": answers,
            "success": success,
            "errors": [answer for answer in answers if answer not in success],
            "success_type": union(answer["type"] for answer in success),
            "first_type": union(answer["first_type"] for answer in success),
            "all_types": union(answer["type"] for answer in answers),
            "first_types": union(
                answer["first_type" if answer in success else "type"] for answer in answers
            ),
        }

    def _style(self, parameter: Parameter) -> str:
        """Return the usual style for a parameter that may be an object, which has to be told."""
        names = names_in(parse_type(self._models.types[parameter.type_key]))
        if names.isdisjoint(("Any", "dict")) and names.isdisjoint(self._models.objects):
            return ""
        if parameter.where in ("query", "cookie"):
            return 'Style("form", explode=True)'
        return 'Style("simple")'

    def _argument_type(self, parameter: Parameter) -> str:
        members = [*members_of(self._python_type(parameter.type_key))]
        # An id is often at hand as text, and the server decides whether it is one.
        if "UUID" in members and "str" not in members:
            members.insert(members.index("UUID") + 1, "str")
        return " | ".join(members)

    def _python_type(self, key: str) -> str:
        return renamed(parse_type(self._models.types[key]), self._qualified)

    def _qualified(self, name: str) -> str:
        if name in self._models.names:
            self.uses_models = True
            return f"models.{name}"
        if name in self._models.imports:
            module, name = self._models.imports[name]
            self.imports[name] = module, name
        return name

    def _body_types(self, body: Body) -> Iterator[str]:
        for content in body.contents:
            yield self._type(content)
        if any(content.kind != "json" for content in body.contents):
            yield "bytes"
            if _has_choice(body):
                yield "str"

    def _type(self, content: Content) -> str:
        return {"bytes": "bytes", "text": "str"}.get(content.kind) or self._python_type(
            content.type_key
        )

    def _parser(self, answer: Answer) -> str:
        parsers = {
            essence_of(content.media_type): {"bytes": "raw", "text": "text"}.get(content.kind)
            or f"Json({self._type(content)})"
            for content in answer.contents
        }
        if len(parsers) < 2:
            return next(iter(parsers.values()), "nothing")
        return f"ByType({{{', '.join(f'{key!r}: {parser}' for key, parser in parsers.items())}}})"


def _with_defaults(server: Node) -> str:
    """Return the URL of a server, with the defaults of its variables."""
    url = server.text("url")
    for name, variable in server.entries("variables"):
        url = url.replace(f"{{{name}}}", variable.object().text("default"))
    return url


def _has_choice(body: Body | None) -> bool:
    """Whether the media type of a body has to be passed."""
    kinds = [content.kind for content in body.contents] if body else []
    return kinds not in ([], ["json"], ["json", "bytes"])


def _free(name: str, taken: set[str]) -> str:
    """Return the name of an argument that no parameter of the spec has."""
    return name if name not in taken else _free(f"{name}_", taken)


def _argument_doc(parameter: Parameter) -> str:
    text = parameter.description or f"The {parameter.where} parameter `{parameter.name}`"
    if not text.endswith((".", "!", "?")):
        text += "."
    return f"{text} The server's default is {parameter.default}." if parameter.default else text

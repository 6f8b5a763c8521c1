"""Renders the modules of a compiled package from templates."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jinja2

from tools.codegen.document import Document
from tools.codegen.models import Model, Models
from tools.codegen.operations import Content, Operation, Operations, Parameter

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_PARSERS = {"text": "text", "bytes": "raw"}


class Templates:
    """The templates, with what every module of a package has in common.

    Args:
        package: Import name of the package that is made.
        support: Import name of the package that it builds on.
        command: What a person types to make it anew.
        spec: Name of the spec's file.
    """

    def __init__(self, *, package: str, support: str, command: str, spec: str) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,
        )
        self._environment.filters["doc"] = _doc
        self._environment.filters["literal"] = repr
        self._environment.globals.update(
            package=package, support=support, command=command, spec=spec
        )

    def facts(self, document: Document, operations: Operations) -> str:
        """Renders what the spec says of the API as a whole."""
        servers = document.root.get("servers") or [{}]
        info = document.root.get("info", {})
        return self._render(
            "spec.py",
            title=str(info.get("title", "")),
            version=str(info.get("version", "")),
            prefix=urlsplit(str(servers[0].get("url", ""))).path.rstrip("/"),
            operations=operations.operations,
        )

    def generated(self, models: Models) -> str:
        """Renders the module with all models."""
        return self._render("generated.py", source=models.source)

    def models_init(self, models: Models, extra: dict[str, tuple[str, ...]]) -> str:
        """Renders the package of models; `extra` are hand-written modules beside the spec's."""
        names = [model.name for model in models.models]
        everything = sorted([*names, *(name for found in extra.values() for name in found)])
        return self._render("models_init.py", names=names, extra=extra, everything=everything)

    def stub(self, model: Model) -> str:
        """Renders the module that re-exports one model."""
        return self._render("stub.py", model=model)

    def api_init(self, operations: Operations) -> str:
        """Renders the package of endpoints."""
        return self._render("api_init.py", tags=_tags(operations))

    def tag_init(self, tag: Operation, operations: Operations) -> str:
        """Renders the package of one tag's endpoints."""
        members = [operation for operation in operations.operations if operation.tag == tag.tag]
        return self._render("tag_init.py", tag=tag, members=members)

    def endpoint(self, operation: Operation, models: Models) -> str:
        """Renders one endpoint's module."""
        return self._render("endpoint.py", **_Endpoint(operation, models).context())

    def _render(self, name: str, **context: Any) -> str:
        return self._environment.get_template(f"{name}.jinja").render(**context)


def _tags(operations: Operations) -> list[Operation]:
    return sorted({o.tag: o for o in operations.operations}.values(), key=lambda o: o.tag)


def _doc(text: str, indent: int = 0) -> str:
    """Gives text that can stand in a docstring, later lines indented."""
    text = text.replace("\\", "\\\\").replace('"""', "'''")
    return re.sub(r"\n(?=[^\n])", "\n" + " " * indent, text)


class _Endpoint:
    """What the template of an endpoint needs to know."""

    def __init__(self, operation: Operation, models: Models) -> None:
        self._operation = operation
        self._models = models
        self._names = {model.name for model in models.models}
        self._imports: dict[str, set[str]] = {}

    def context(self) -> dict[str, Any]:
        operation = self._operation
        parameters = sorted(operation.parameters, key=lambda p: (p.where != "path", not p.required))
        arguments: list[dict[str, Any]] = [
            {
                "name": parameter.argument,
                "type": self._argument_type(parameter),
                "parameter": parameter,
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
                "parser": self._parser(answer.content),
                "type": self._content_type(answer.content),
                "success": answer.is_success,
            }
            for answer in operation.answers
        ]
        success = [answer["type"] for answer in answers if answer["success"]]
        body = operation.body
        return {
            "operation": operation,
            "arguments": arguments,
            "groups": {
                where: [p for p in operation.parameters if p.where == where]
                for where in ("path", "query", "header")
            },
            "body_type": _union([self._content_type(c) for c in body.contents]) if body else "",
            "body": body,
            "accepts": sorted(
                (c.media_type for c in body.contents) if body else (),
                key=lambda media_type: "json" not in media_type,
            ),
            "joined": sorted(
                p.name for p in operation.parameters if p.joined and p.where == "query"
            ),
            "answers": answers,
            "success_type": _union(success) or "None",
            "all_types": _union([answer["type"] for answer in answers]) or "None",
            "imports": {module: sorted(names) for module, names in sorted(self._imports.items())},
            "uses_models": any("models." in answer["type"] for answer in answers)
            or bool(body and any("models." in self._content_type(c) for c in body.contents))
            or any("models." in argument["type"] for argument in arguments),
        }

    def _argument_type(self, parameter: Parameter) -> str:
        type_ = self._python_type(parameter.probe)
        # An id is often at hand as text, and the server decides whether it is one.
        parts = type_.split(" | ")
        if "UUID" in parts and "str" not in parts:
            parts.insert(parts.index("UUID") + 1, "str")
        return " | ".join(parts)

    def _python_type(self, probe: str) -> str:
        type_ = self._models.types[probe]

        def qualified(match: re.Match[str]) -> str:
            name = match[0]
            if name in self._names:
                return f"models.{name}"
            module = self._models.imports.get(name)
            if module:
                self._imports.setdefault(module, set()).add(name)
            return name

        return _IDENTIFIER.sub(qualified, type_)

    def _content_type(self, content: Content | None) -> str:
        if content is None:
            return "None"
        return {"bytes": "bytes", "text": "str"}.get(content.kind) or self._python_type(
            content.probe
        )

    def _parser(self, content: Content | None) -> str:
        if content is None:
            return "nothing"
        return _PARSERS.get(content.kind) or f"Json({self._python_type(content.probe)})"


def _argument_doc(parameter: Parameter) -> str:
    text = parameter.description or f"The {parameter.where} parameter `{parameter.name}`"
    if not text.endswith((".", "!", "?")):
        text += "."
    return f"{text} The server's default is {parameter.default}." if parameter.default else text


def _union(types: list[str]) -> str:
    unique = list(dict.fromkeys(part for type_ in types for part in type_.split(" | ")))
    if "None" in unique:
        unique.remove("None")
        unique.append("None")
    return " | ".join(unique)

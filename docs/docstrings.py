"""A Sphinx extension that reads docstrings as this repository writes them."""

import re
from collections.abc import Iterator

from pydantic import BaseModel
from sphinx.application import Sphinx
from sphinx.domains.python import PyClasslike
from sphinx.util.typing import ExtensionMetadata

# Objects of these classes come from methods of the SDK; how it creates them is internal.
_CREATED_BY_THE_SDK = {
    "stepflow_api.lowlevel.Operation",
    "stepflow_client.BatchResults",
    "stepflow_client.Items",
    "stepflow_client.RunHandle",
    "stepflow_client.SyncRunHandle",
    "stepflow_client.flow_builder.Expression",
    "stepflow_client.flow_builder.Reference",
    "stepflow_runtime.ComponentContext",
    "stepflow_runtime.StepflowCluster",
    "stepflow_runtime.StepflowRuntime",
}
_ASYNC_FORMS = {"asyncio": "sync", "asyncio_detailed": "sync_detailed"}
_HEADING = re.compile(r" *#+ (.+)")
_LIST_ITEM = re.compile(r"([-*]|\d+\.) ")
_SECTION = re.compile(r"[A-Z][a-z]+:")
_ERROR = re.compile(r"    ([\w.]+): (.*)")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Put these readers before napoleon, which reads the other sections of Google style.

    Returns:
        That pages can be read side by side.
    """
    for field in PyClasslike.doc_field_types:
        if field.name == "variable":
            field.label = "Attributes"
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-bases", _show_public_bases)
    app.connect("autodoc-process-signature", _name_fields)
    app.connect("autodoc-process-docstring", _shorten_async_form, priority=100)
    app.connect("autodoc-process-docstring", _restructure, priority=200)
    return {"parallel_read_safe": True}


def restructured(markdown: list[str]) -> list[str]:
    """Turn what docstrings have of Markdown into reStructuredText.

    The server's descriptions are Markdown, and our own docstrings indent code as Markdown does.

    Returns:
        Its lines, with fenced and indented code, headings and lists in reStructuredText.
    """
    lines: list[str] = []
    fence = section = code = False
    for line in markdown:
        text = line.strip()
        indent = line[: len(line) - len(line.lstrip())]
        starts = not lines or not lines[-1].strip()
        section = section or _SECTION.fullmatch(line) is not None
        if text.startswith("```"):
            fence = not fence
            language = text.strip("`")
            if fence:
                # rustdoc says `ignore` of code that it is not to run.
                language = "text" if language in ("", "ignore") else language
                lines += ["", f"{indent}.. code-block:: {language}"]
            lines.append("")
        elif fence:
            lines.append(f"    {line}" if text else "")
        elif heading := _HEADING.fullmatch(line):
            lines += [f"{indent}**{heading[1]}**", ""]
        elif indent and starts and not section and not code and not _in_list(lines):
            code = True
            lines += ["::", "", line]
        else:
            code = code and (bool(indent) or not text)
            if _LIST_ITEM.match(text) and not starts and not _in_list(lines):
                lines.append("")
            lines.append(line)
    return lines


def with_fields(google: list[str]) -> Iterator[str]:
    """Turn the sections Returns and Raises into fields.

    napoleon takes the colon before a list for the end of a type, and joins the lines of an error.

    Yields:
        Its lines, the other sections as they are.
    """
    section = ""
    first = False
    for line in google:
        if line and not line.startswith(" "):
            section = line if line in ("Returns:", "Raises:") else ""
            first = bool(section)
            if first:
                yield ""
                continue
        error = _ERROR.fullmatch(line)
        if section == "Raises:" and error:
            yield f":raises {error[1]}: {error[2]}"
        elif section == "Returns:" and first:
            first = False
            yield f":returns: {line.strip()}"
        else:
            yield line


def _in_list(lines: list[str]) -> bool:
    """Whether the last paragraph belongs to a list."""
    for line in reversed(lines):
        if _LIST_ITEM.match(line.strip()):
            return True
        if line and not line.startswith(" "):
            return False
    return False


def _show_public_bases(
    _app: Sphinx, _name: str, _value: type, _options: object, bases: list[type]
) -> None:
    while private := [base for base in bases if base.__name__.startswith("_")]:
        place = bases.index(private[0])
        bases[place : place + 1] = private[0].__bases__


def _name_fields(
    _app: Sphinx,
    _what: str,
    name: str,
    value: object,
    _options: object,
    signature: str | None,
    _returns: str | None,
) -> tuple[str | None, None] | None:
    """Return the signature of a class that users do not create or of a model, None for others.

    That of a model has the names that Python code uses; types stand at each field.
    """
    if name in _CREATED_BY_THE_SDK:
        return "", None
    if not (isinstance(value, type) and issubclass(value, BaseModel)):
        return None
    value.model_rebuild()
    fields = [
        key if field.is_required() else f"{key}={field.get_default()!r}"
        for key, field in value.model_fields.items()
    ]
    return f"({', '.join(['*', *fields])})" if fields else signature, None


def _restructure(
    _app: Sphinx, _what: str, _name: str, _value: object, _options: object, lines: list[str]
) -> None:
    lines[:] = with_fields(restructured(lines))


def _shorten_async_form(
    _app: Sphinx, what: str, name: str, _value: object, _options: object, lines: list[str]
) -> None:
    """Refer from the async forms of an operation to the sync ones, which read the same."""
    module, _, form = name.rpartition(".")
    if what == "function" and module.startswith("stepflow_api.api.") and form in _ASYNC_FORMS:
        lines[:] = [f"As :func:`~{module}.{_ASYNC_FORMS[form]}`, to be awaited.", ""]

"""Writes prepared schemas as modules of pydantic models: a class, enumeration or alias each.

Base classes are chosen by how a model is used, defaults are made such that a type checker agrees,
and hand-written models take the place of the generated ones.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tools.codegen.annotations import imports_of, limits_of, name_of, type_of
from tools.codegen.directions import reachable
from tools.codegen.document import JSON
from tools.codegen.errors import printable
from tools.codegen.expressions import members_of, names_in, parse_type
from tools.codegen.groups import Group, Groups
from tools.json_types import is_json_array, is_json_object

_WORD = re.compile(r"\w+")

BASES = ("AnswerModel", "FreeKeys", "Model", "RequestModel", "SendsConstants")


class Modules:
    """The modules of models.

    Args:
        made: Prepared schema of each class, enumeration and alias by its name.
        support: Import name of the package with the base classes.

    Attributes:
        imports: For each imported name its module, and its name there.
        uses: For each class and alias the others in its definition.
    """

    def __init__(self, made: JSON, support: str) -> None:
        self._made = made
        self.imports = imports_of(support)
        self.uses: dict[str, set[str]] = {}
        for name in made:
            self._use(name)

    def _use(self, name: str) -> None:
        """Finds the uses of a name, after those of its base classes, which are defined first."""
        if name not in self.uses:
            for base in self._refs(name):
                self._use(base)
            self.uses[name] = direct_uses(self._made[name])

    def is_model(self, name: str) -> bool:
        """Whether a name is that of a class with fields, rather than an enumeration or an alias."""
        schema = self._made.get(name, {})
        return "properties" in schema or "allOf" in schema

    def text(
        self, group: Group, groups: Groups, *, package: str, support: str, kinds: Mapping[str, str]
    ) -> str:
        """Gives the module of a group, without its first lines; it may import names too many.

        Args:
            group: The group.
            groups: All groups.
            package: Import name of the package that is made.
            support: Import name of the package with the base classes.
            kinds: Base class by the name of the class or alias.
        """
        imports: list[str] = []
        own = [groups.generated(name)[1] for name in group.names]
        parts, late = ["", f"__all__ = {sorted(own)!r}"], list[str]()
        for name in group.names:
            parts += ["", "", *self._definition(name, groups, kinds)]
        for used in sorted({used for name in group.names for used in groups.uses[name]}):
            for module, found in sorted({(groups.home(used), used), groups.generated(used)}):
                line = f"from {package}.models.{module} import {found}"
                if used not in group.names:
                    imports.append(line)
                elif module != group.module:
                    # Written by hand, it builds on a class of this module.
                    late.append(f"{line} as {found}  # noqa: E402")
        models = {
            found
            for name in filter(self.is_model, group.names)
            for found in (groups.generated(name)[1], name)
        }
        if group.is_cyclic and models:
            late.append(f"complete({', '.join(sorted(models))})")
        text = "\n".join([*parts, *late]) + "\n"
        words = {*_WORD.findall(text)}
        known = {name: (f"{support}._base", name) for name in (*BASES, "complete")} | self.imports
        for as_name in sorted(words & known.keys()):
            module, name = known[as_name]
            imports.append(
                f"from {module} import {name}" + (f" as {as_name}" if as_name != name else "")
            )
        return "\n".join([*imports, text])

    def _definition(self, name: str, groups: Groups, kinds: Mapping[str, str]) -> Iterator[str]:
        schema = self._made[name]
        if self.is_model(name):
            bases = self._bases(name, kinds, groups)
            yield f"class {groups.generated(name)[1]}({', '.join(bases)}):"
            yield from _docstring(schema["description"], "    ")
            yield ""
            yield from self._body(schema)
        elif "enum" in schema:
            base = "StrEnum" if schema["type"] == "string" else "IntEnum"
            yield f"class {name}({base}):"
            yield from _docstring(schema["description"], "    ")
            yield ""
            docs = schema.get("x-enum-descriptions") or [""] * len(schema["enum"])
            for member, value, doc in zip(
                schema["x-enum-varnames"], schema["enum"], docs, strict=True
            ):
                yield f"    {member} = {value!r}"
                yield from _docstring(doc, "    ") if doc else ()
        else:
            # As text, since its members may be hand-written models, imported later.
            yield f"{name} = TypeAliasType({name!r}, {type_of(schema)!r})"
            yield from _docstring(schema["description"], "")

    def _parts(self, schema: JSON) -> list[JSON]:
        return [part for part in schema.get("allOf", [schema]) if "$ref" not in part]

    def _refs(self, name: str) -> list[str]:
        return [name_of(part) for part in self._made[name].get("allOf", ()) if "$ref" in part]

    def _bases(self, name: str, kinds: Mapping[str, str], groups: Groups) -> list[str]:
        refs, kind = self._refs(name), kinds[name]
        bases = [groups.generated(base)[1] for base in refs]
        # Last, it decides what becomes of unknown fields.
        if not bases or (kind != "Model" and kind not in map(kinds.get, refs)):
            bases.append(kind)
        if self._has_free_keys(name) and not any(map(self._inherits_free_keys, refs)):
            bases.insert(0, "FreeKeys")
        inherits = any(self._sends_constants(base) for base in refs)
        return ["SendsConstants", *bases] if self._has_constant(name) and not inherits else bases

    def _sends_constants(self, name: str) -> bool:
        return self._has_constant(name) or any(map(self._sends_constants, self._refs(name)))

    def _has_free_keys(self, name: str) -> bool:
        return any("additionalProperties" in part for part in self._parts(self._made[name]))

    def _inherits_free_keys(self, name: str) -> bool:
        return self._has_free_keys(name) or any(map(self._inherits_free_keys, self._refs(name)))

    def _has_constant(self, name: str) -> bool:
        return any(
            _is_sent(part["properties"][key], key in part["required"])
            for part in self._parts(self._made[name])
            for key in part["properties"]
        )

    def _body(self, schema: JSON) -> Iterator[str]:
        parts = self._parts(schema)
        extra = [part["additionalProperties"] for part in parts if "additionalProperties" in part]
        if extra:
            yield '    model_config = ConfigDict(extra="allow")'
            if is_json_object(extra[0]):
                yield f"    __pydantic_extra__: dict[str, {type_of(extra[0])}]"
            yield ""
        for part in parts:
            for key, value in part["properties"].items():
                attributes = part["attributes"]
                line = self._field(attributes[key], key, value, key in part["required"])
                if "date" in attributes.values():
                    line = _without_date(line)
                yield f"    {attributes[key]}: {line}"
                yield from _docstring(value.get("description", ""), "    ")

    def _field(self, attribute: str, key: str, schema: JSON, required: bool) -> str:
        """Gives a field's type and default."""
        type_ = type_of(schema)
        default = schema.get("default")
        arguments: dict[str, Any] = {"alias": key} if key != attribute else {}
        arguments |= limits_of(schema)
        if schema.get("deprecated"):
            arguments["deprecated"] = True
        value = ""
        if _is_sent(schema, required):
            value = repr(schema["const"])
        elif default is not None and not required:
            holds_models = any(map(self.is_model, direct_uses(schema)))
            value, needs_validation = self._default(default, schema)
            if holds_models and (is_json_array(default) or is_json_object(default)):
                arguments["validate_default"] = True
            if needs_validation:
                value = f"Field(default={value}, validate_default=True)"
        elif not required:
            type_ = type_ if type_.endswith("| None") else f"{type_} | None"
            value = "None"
        if arguments:
            written = ", ".join(f"{name}={value!r}" for name, value in sorted(arguments.items()))
            type_ = f"Annotated[{type_}, Field({written})]"
        return f"{type_} = {value}" if value else type_

    def _default(self, value: Any, schema: JSON) -> tuple[str, bool]:
        """Gives a default as Python, and whether pydantic has to make of it what its type says."""
        enumeration = self._made.get(name_of(schema), {})
        if "enum" in enumeration and value in enumeration["enum"]:
            member = enumeration["x-enum-varnames"][enumeration["enum"].index(value)]
            return f"{name_of(schema)}.{member}", False
        if is_json_array(value):
            items = schema.get("items", {})
            members = [self._default(one, items)[0] for one in value]
            is_typed = "array" in schema.get("type", ())
            return f"[{', '.join(members)}]", bool(value) or not is_typed
        if is_json_object(value):
            return repr(value), bool(value) or "object" not in schema.get("type", ())
        if isinstance(value, str):
            types = {part.strip() for part in type_of(schema).split("|")}
            return repr(value), "str" not in types
        if "$ref" in schema:
            return repr(value), True
        return repr(float(value)) if schema.get("type") == "number" else repr(value), False


def direct_uses(schema: JSON) -> set[str]:
    """Gives the components that a prepared schema itself refers to."""
    return reachable({}, [schema], deep=False)


def _is_sent(schema: JSON, required: bool) -> bool:
    """Whether a field is a constant that every document has."""
    return "const" in schema and required and not schema.get("nullable")


def _without_date(line: str) -> str:
    """Gives a field of a class in which `date` is an attribute."""
    type_, equals, default = line.partition(" = ")
    if "date" not in names_in(parse_type(type_)):
        return line
    members = [
        "date_aliased" if text == "date" else text
        for text in (ast.unparse(member) for member in members_of(parse_type(type_)))
    ]
    return " | ".join(members) + equals + default


def _docstring(text: str, indent: str) -> Iterator[str]:
    if not text:
        return
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    lines = ['"""', *printable(text, keep="\n\t").split("\n"), '"""']
    yield from (indent + line if line else "" for line in lines)

"""Applies an OpenAPI Overlay to a spec.

Source: https://spec.openapis.org/overlay/latest.html, versions 1.0 and 1.1.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Annotated, Any, Self

from jsonpath import JSONPathEnvironment, JSONPathMatch
from jsonpath.exceptions import JSONPathError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from tools.codegen.errors import SpecError
from tools.codegen.yaml_reader import parse_yaml
from tools.json_types import is_json_array, is_json_object

JSON = dict[str, Any]

# The standard's paths alone, without the library's additions.
_PATHS = JSONPathEnvironment(strict=True)


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")

    @model_validator(mode="after")
    def _has_known_keys(self) -> Self:
        fields = type(self).model_fields.items()
        known = ", ".join(field.alias or name for name, field in fields)
        for key in self.model_extra or {}:
            if not key.startswith("x-"):
                raise ValueError(f"has the key {key!r}; it can have {known} and x-...")
        return self


class _Info(_Part):
    title: str
    version: str


class _Action(_Part):
    target: str
    description: str | None = None
    update: Any = None
    copied: Annotated[str | None, Field(alias="copy")] = None
    remove: bool = False

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        given = {"update", "copied", "remove"} & self.model_fields_set
        if len(given) != 1 or (given == {"remove"} and not self.remove):
            raise ValueError("needs one of update, copy and remove: true")
        return self


def _supported(version: str) -> str:
    if re.fullmatch(r"1\.[01]\.\d+", version) is None:
        raise ValueError(f"is {version!r}; versions 1.0 and 1.1 are known")
    return version


class _Overlay(_Part):
    overlay: Annotated[str, AfterValidator(_supported)]
    info: _Info
    extends: str | None = None
    actions: Annotated[list[_Action], Field(min_length=1)]


def apply_overlay(spec: JSON, path: Path) -> JSON:
    """Return the spec with the changes of an overlay; the spec itself stays as it is.

    The standard lets an action pass whose target the spec does not have. Here every action has to
    change something: one that does not is left over from an earlier spec, or was misspelt.

    Raises:
        SpecError: The file is no overlay, or one of its actions cannot be applied to the spec or
            changes nothing. The place names the action, such as `#/actions/2`.
    """
    result = copy.deepcopy(spec)
    for index, action in enumerate(_read(path).actions):
        try:
            before = copy.deepcopy(result)
            result = _applied(result, action)
            if result == before:
                raise ValueError("changes nothing: the spec says the same; remove the action")
        except ValueError as error:
            raise SpecError(f"#/actions/{index}", f"{action.target} {error}", path) from error
    return result


def _read(path: Path) -> _Overlay:
    try:
        return _Overlay.model_validate(parse_yaml(path.read_bytes()))
    except OSError as error:
        raise SpecError("", f"cannot be read: {error.strerror}", path) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = "#" + "".join(f"/{part}" for part in first["loc"])
        raise SpecError(place, first["msg"].removeprefix("Value error, "), path) from error
    except ValueError as error:
        raise SpecError("", f"is not YAML: {error}", path) from error


def _applied(root: JSON, action: _Action) -> JSON:
    targets = _found(root, action.target)
    if not targets:
        raise ValueError("is not in the spec; correct it, or remove the action")
    if action.remove:
        _remove(targets)
        return root
    value = action.update
    if action.copied is not None:
        sources = _found(root, action.copied)
        if len(sources) != 1:
            raise ValueError(f"copies {action.copied}, which {len(sources)} places match; 1 has to")
        value = sources[0].obj
    for target in targets:
        # The value must not be shared by the places that it goes to.
        merged = _merged(target.obj, copy.deepcopy(value), whole=True)
        if target.parent is None:
            root = merged
        else:
            container: Any = target.parent.obj
            container[target.parts[-1]] = merged
    return root


def _found(root: JSON, path: str) -> list[JSONPathMatch]:
    try:
        return list(_PATHS.finditer(path, root))
    except JSONPathError as error:
        raise ValueError(f"is no JSONPath of RFC 9535: {str(error).splitlines()[0]}") from error


def _remove(targets: list[JSONPathMatch]) -> None:
    # From the end, so that the indices of those to come hold.
    for target in sorted(targets, key=lambda match: match.parts, reverse=True):
        if target.parent is None:
            raise ValueError("selects the whole spec, which cannot be removed")
        container: Any = target.parent.obj
        del container[target.parts[-1]]


def _merged(old: Any, new: Any, *, whole: bool = False) -> Any:
    if is_json_object(old) and is_json_object(new):
        merged = {key: _merged(old[key], new[key]) if key in new else old[key] for key in old}
        return merged | {key: new[key] for key in new if key not in old}
    if is_json_array(old) and (whole or is_json_array(new)):
        return old + (new if is_json_array(new) else [new])
    kinds = (dict, list)
    if isinstance(old, kinds) or isinstance(new, kinds):
        raise ValueError(
            "cannot be updated: an object, an array or a simple value is to take the "
            "place of another kind; remove the old value by an action before"
        )
    return new

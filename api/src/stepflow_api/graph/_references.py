"""References in expressions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

__all__ = ["Reference", "references"]

# Servers refuse values that are nested 200 levels deep.
_DEPTH = 200


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference in an expression.

    Attributes:
        kind: What is read: a step's output, the flow's input, or a variable.
        name: Id of the step, path in the input, or path of the variable.
        is_conditional: Whether it is read only under a condition: in a branch of `$if`, after the
            first expression of `$coalesce`, or as the default of a variable.
        is_late: Whether the output of another step decides that it is read. Released servers do
            not start a step that has only such references.
    """

    kind: Literal["step", "input", "variable"]
    name: str
    is_conditional: bool = False
    is_late: bool = False


def references(value: Any) -> list[Reference]:
    """Return the references of an expression, in order; those of 200 levels and more are left out.

    Args:
        value: The expression as JSON, as in a flow file. It is read as servers read it: the first
            of `$literal`, `$if`, `$coalesce`, `$step`, `$input` and `$variable` in an object
            decides what the object is, and other objects are values.
    """
    found: list[Reference] = []
    _collect(value, found, False, False, 0)
    return found


def _collect(value: Any, found: list[Reference], conditional: bool, late: bool, depth: int) -> None:
    if depth >= _DEPTH:
        return
    depth += 1
    if isinstance(value, list | tuple):
        for one in cast("list[Any]", value):
            _collect(one, found, conditional, late, depth)
        return
    if not isinstance(value, Mapping) or "$literal" in value:
        return
    expression = cast("Mapping[str, Any]", value)
    if "$if" in expression:
        parts = [expression["$if"], expression.get("then"), expression.get("else")]
        start = len(found)
        _collect(parts[0], found, conditional, late, depth)
        late = late or _reads_step(found, start)
        for part in parts[1:]:
            _collect(part, found, True, late, depth)
    elif "$coalesce" in expression:
        values = expression["$coalesce"]
        listed: list[Any] = cast("Any", values) if isinstance(values, list) else []
        for part in listed:
            start = len(found)
            _collect(part, found, conditional, late, depth)
            conditional, late = True, late or _reads_step(found, start)
    elif "$step" in expression:
        found.append(Reference("step", str(expression["$step"]), conditional, late))
    elif "$input" in expression:
        found.append(Reference("input", str(expression["$input"]), conditional, late))
    elif "$variable" in expression:
        found.append(Reference("variable", str(expression["$variable"]), conditional, late))
        # Servers look for the steps that an expression needs everywhere but here.
        _collect(expression.get("default"), found, True, True, depth)
    else:
        for one in expression.values():
            _collect(one, found, conditional, late, depth)


def _reads_step(found: list[Reference], start: int) -> bool:
    return any(one.kind == "step" for one in found[start:])

"""Flows written in Python."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, TypeAdapter, ValidationError

from stepflow_api.errors import first_problem, one_line
from stepflow_api.graph import Reference as Read
from stepflow_api.graph import references
from stepflow_api.models import ErrorAction, Flow, Step
from stepflow_api.types import UNSET
from stepflow_client._core.flow_source import FlowSource, resolve
from stepflow_client._flow_values import Expression, Reference, flow_value, path_key, plain_json
from stepflow_client.errors import InvalidInput

__all__ = ["Expression", "FlowBuilder", "Reference"]


class FlowBuilder:
    """Builds a flow, step by step; a mistake raises `InvalidInput` where it is made.

    Inputs of steps and the output are JSON values with references (`b.input["prompt"]`,
    `step["messages"]`) and other expressions, also those of flow files, such as
    `{"$step": "ask"}`: pass data that may look like one through `literal`. A schema is a pydantic
    model, another type, or a JSON Schema as a dict.

    Args:
        name: The flow's name.
        description: What it does.
        version: Its version.
        metadata: JSON for other tools.
        input_schema: Type or schema of the input.
        output_schema: Type or schema of the output.
        variables_schema: Type or schema of all variables, an object.

    Raises:
        InvalidInput: An argument is invalid.

    Example:
        >>> b = FlowBuilder("greeting")
        >>> ask = b.step("ask", "/create_messages", {"user_prompt": b.input["prompt"]})
        >>> flow = b.build(output=ask["messages"][0]["content"])
        >>> client.run(flow, {"prompt": "Hello!"}).output
        'Hello!'
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        description: str | None = None,
        version: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        input_schema: Any = None,
        output_schema: Any = None,
        variables_schema: Any = None,
    ) -> None:
        fields: dict[str, Any] = {"name": name, "description": description, "version": version}
        if metadata is not None:
            fields["metadata"] = plain_json(metadata, "the flow's metadata")
        given = {name: value for name, value in fields.items() if value is not None}
        try:
            self._flow = Flow.from_dict({**given, "steps": []})
        except ValidationError as error:
            raise InvalidInput(f"the flow: {first_problem(error)}; correct it there") from error
        self._steps: dict[str, Step] = {}
        schemas = {"input": input_schema, "output": output_schema, "variables": variables_schema}
        for part, schema in schemas.items():
            if schema is not None:
                self._properties()[part] = self._schema(
                    schema, f"the {part} schema", is_output=part == "output"
                )

    @classmethod
    def from_flow(cls, flow: FlowSource) -> Self:
        """Create a builder from a copy of an existing flow.

        Args:
            flow: A `Flow`, a dict, or the path of a YAML or JSON file.

        Raises:
            InvalidInput: It is not a flow, or has two steps of one id.
        """
        source = resolve(flow)
        if isinstance(source, str):
            raise InvalidInput("the flow is an id of a stored flow; pass client.get_flow(id)")
        builder = cls()
        builder._flow = source.load().model_copy(deep=True)
        for step in builder._flow.steps or []:
            builder._check_id(step.id)
            builder._steps[step.id] = step
        return builder

    @property
    def input(self) -> Reference:
        """The flow's input; `b.input["prompt"]` is a part of it."""
        return Reference(self, "$input", None, ())

    @property
    def steps(self) -> dict[str, Reference]:
        """References to the outputs of all steps, by id."""
        return {name: Reference(self, "$step", name, ()) for name in self._steps}

    def variable(self, name: str, *keys: str | int, default: Any = UNSET) -> Reference:
        """Return a reference to a variable of the flow.

        Args:
            name: The variable's name.
            keys: Keys of a part of it, as in `variable("name")["key"]`.
            default: Value or expression if the variable, or this part of it, does not exist.
        """
        found = Reference(self, "$variable", None, tuple(map(path_key, (name, *keys))))
        if default is not UNSET:
            found.document["default"] = self._value(default, f"the default of {name!r}")
        return found

    def literal(self, value: Any) -> Expression:
        """Return a value that servers pass on as it is, whatever keys it has.

        Args:
            value: A JSON value.
        """
        return Expression(self, {"$literal": plain_json(value, "the literal")})

    def if_(self, condition: Any, then: Any, else_: Any = None) -> Expression:
        """Return an expression that is one of two values.

        Servers up to 0.13 never start a step that only a branch reads, if the condition reads a
        step too: pass it `must_execute=True`. `build` warns of that.

        Args:
            condition: Value or expression. null, false and a missing part count as false, and
                everything else as true, also 0 and empty texts.
            then: Value or expression if it is true.
            else_: Value or expression if it is false.
        """
        document = {"$if": self._value(condition, "the condition of if_")}
        document["then"] = self._value(then, "then of if_")
        if else_ is not None:
            document["else"] = self._value(else_, "else_ of if_")
        return Expression(self, document)

    def coalesce(self, *values: Any) -> Expression:
        """Return an expression that is the first of some values that is not null.

        As with `if_`, a step that only a later value reads needs `must_execute=True`. A missing
        part is an error, not null.

        Args:
            values: Values and expressions.
        """
        parts = [self._value(one, f"coalesce: [{at}]") for at, one in enumerate(values)]
        return Expression(self, {"$coalesce": parts})

    def step(
        self,
        id: str,
        component: str,
        input: Any = None,
        *,
        on_error: ErrorAction | Mapping[str, Any] | None = None,
        must_execute: bool | None = None,
        metadata: Mapping[str, Any] | None = None,
        output_schema: Any = None,
        before: str | None = None,
    ) -> Reference:
        """Add a step, and return a reference to its output.

        Args:
            id: Id of the step; no other step may have it.
            component: Path of the component, such as `/create_messages`.
            input: Input of the component: a JSON value with expressions in it.
            on_error: What a failure does: a model such as `OnErrorRetry()`, or its JSON. The
                default value of `OnErrorDefault` is plain JSON. Servers from 0.12 on reject
                `max_retries`.
            must_execute: Whether the step runs even if nothing reads its output.
            metadata: JSON for other tools.
            output_schema: Type or schema of the output.
            before: Id of the step before which it is inserted; by default it is the last one.

        Raises:
            InvalidInput: The id exists already, the input is not JSON, or it reads a step that does
                not come before this one.
        """
        self._check_id(id)
        earlier = self._before(before) if before is not None else self._steps
        step = self._step(
            {"id": id, "component": component}, input, on_error, must_execute, metadata
        )
        _check_reads(step.input, f"step {id!r}", earlier, id)
        if output_schema is not None:
            where = f"the output schema of step {id!r}"
            schema = self._schema(output_schema, where, is_output=True)
            found = self._properties().setdefault("steps", {"type": "object"})
            found.setdefault("properties", {})[id] = schema
        if before is None:
            self._steps[id] = step
        else:
            self._steps = {**earlier, id: step, **self._steps}
        return Reference(self, "$step", id, ())

    def change(
        self,
        id: str,
        *,
        component: str | None = None,
        input: Any = None,
        on_error: ErrorAction | Mapping[str, Any] | None = None,
        must_execute: bool | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Change a step; what is not passed stays as it is.

        Args:
            id: Id of the step.
            component: The new component.
            input: The new input.
            on_error: What a failure does.
            must_execute: Whether the step runs even if nothing reads its output.
            metadata: The new metadata.

        Raises:
            InvalidInput: There is no such step, or a value is invalid, as in `step`.
        """
        document = self._steps[self._known(id)].model_dump(by_alias=True, exclude_unset=True)
        if component is not None:
            document["component"] = component
        step = self._step(document, input, on_error, must_execute, metadata)
        _check_reads(step.input, f"step {id!r}", self._before(id), id)
        self._steps[id] = step

    def remove(self, id: str) -> None:
        """Remove a step; `build` checks that nothing reads it.

        Args:
            id: Id of the step.
        """
        del self._steps[self._known(id)]
        schemas: Any = self._flow.schemas or {}
        schemas.get("properties", {}).get("steps", {}).get("properties", {}).pop(id, None)

    def build(self, output: Any = None) -> Flow:
        """Return the flow; the builder can be used again after it.

        Args:
            output: Output of the flow: a JSON value with expressions in it. By default it is that
                of `from_flow`, or null.

        Raises:
            InvalidInput: The output is not JSON, or a step or the output reads a step that does
                not exist before it.
        """
        flow = self._flow.model_copy(deep=True)
        if self._steps or flow.steps:
            flow.steps = [step.model_copy(deep=True) for step in self._steps.values()]
        if output is not None:
            flow.output = self._value(output, "the output")
        known: dict[str, Step] = {}
        reads: list[Read] = []
        for id, step in self._steps.items():
            reads += _check_reads(step.input, f"step {id!r}", known, id)
            known[id] = step
        reads += _check_reads(flow.output, "the output", known)
        started = {one.name for one in reads if not one.is_late}
        for id in dict.fromkeys(one.name for one in reads if one.is_late):
            if id not in started and not self._steps[id].must_execute:
                warnings.warn(
                    f"servers up to 0.13 never start step {id!r}, since another step decides"
                    " whether it is read; pass must_execute=True to it",
                    stacklevel=2,
                )
        return flow

    def _value(self, value: Any, where: str) -> Any:
        return flow_value(value, where, self)

    def _properties(self) -> dict[str, Any]:
        if self._flow.schemas is None:
            self._flow.schemas = {"type": "object"}
        found: dict[str, Any] = self._flow.schemas.setdefault("properties", {})
        return found

    def _schema(self, schema: Any, where: str, *, is_output: bool) -> Any:
        if isinstance(schema, Mapping):
            return plain_json(schema, where)
        mode: Literal["serialization", "validation"] = (
            "serialization" if is_output else "validation"
        )
        try:
            found = TypeAdapter(schema).json_schema(
                mode=mode, ref_template="#/schemas/$defs/{model}"
            )
        # Whatever pydantic and the type itself raise.
        except Exception as error:
            problem = one_line(str(error)).split(". ")[0]
            raise InvalidInput(
                f"{where} cannot be made of {schema!r}: {problem}; pass a JSON Schema as a dict"
            ) from error
        definitions = found.pop("$defs", {})
        if definitions:
            self._properties()
            known: dict[str, Any] = (self._flow.schemas or {}).setdefault("$defs", {})
            for name, definition in definitions.items():
                if known.get(name, definition) != definition:
                    raise InvalidInput(
                        f"{where} has a type {name!r}, and another schema a different one of this"
                        " name; rename one"
                    )
            known.update(definitions)
        return found

    def _check_id(self, id: str) -> None:
        if not id or not isinstance(id, str):
            raise InvalidInput(f"the step id {id!r} is not a text with characters; change it")
        if id in self._steps:
            raise InvalidInput(f"there are two steps {id!r}; use different ids")

    def _before(self, id: str) -> dict[str, Step]:
        steps = list(self._steps.items())
        return dict(steps[: list(self._steps).index(self._known(id))])

    def _known(self, id: str) -> str:
        if id not in self._steps:
            raise InvalidInput(f"there is no step {id!r}; the steps are {_listed(self._steps)}")
        return id

    def _step(
        self,
        document: dict[str, Any],
        input: Any,
        on_error: ErrorAction | Mapping[str, Any] | None,
        must_execute: bool | None,
        metadata: Mapping[str, Any] | None,
    ) -> Step:
        place = f"step {document['id']!r}"
        if input is not None:
            document["input"] = self._value(input, f"{place}: input")
        if on_error is not None:
            if isinstance(on_error, BaseModel):
                on_error = on_error.model_dump(by_alias=True, exclude_unset=True)
            document["onError"] = plain_json(on_error, f"{place}: on_error")
        if must_execute is not None:
            document["mustExecute"] = must_execute
        if metadata is not None:
            document["metadata"] = plain_json(metadata, f"{place}: metadata")
        try:
            return Step.from_dict(document)
        except ValidationError as error:
            raise InvalidInput(f"{place}: {first_problem(error)}; correct it there") from error


def _check_reads(
    value: Any, place: str, known: Collection[str], id: str | None = None
) -> list[Read]:
    found = [one for one in references(value) if one.kind == "step"]
    for one in found:
        if one.name == id:
            raise InvalidInput(f"{place} reads its own output; read another step")
        if one.name not in known:
            raise InvalidInput(
                f"{place} reads step {one.name!r}, which is not before it; the steps before it are"
                f" {_listed(known)}"
            )
    return found


def _listed(ids: Collection[str]) -> str:
    return one_line(", ".join(map(repr, ids))) if ids else "none"

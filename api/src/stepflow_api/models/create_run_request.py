"""`CreateRunRequest` that takes one input as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self, cast

from pydantic import BeforeValidator

from stepflow_api.models._any_overrides import AnyOverrides
from stepflow_api.models._generated.create_run_request import GeneratedCreateRunRequest

__all__ = ["CreateRunRequest"]


def as_inputs(value: Any) -> list[Any]:
    return list(cast("list[Any]", value)) if isinstance(value, list | tuple) else [value]


class CreateRunRequest(GeneratedCreateRunRequest):
    """Request to run a flow once, or once for each input of a list.

    Cause:
        The server takes a list of inputs alone, and most runs have one input.

    Wire:
        `{"flowId": "...", "input": [{"name": "World"}]}`.

    Can go when:
        The server takes one input as it is.

    Attributes:
        input: One input of any JSON type but a list, or a list (or tuple) with one input for each
            item. It is always a list once the request is made. For one input that is itself a
            list, write `[[1, 2, 3]]`, or use `CreateRunRequest.single`.
        overrides: As a model, as `{"steps": {...}}`, or as a map of step ids.

    Example:
        >>> CreateRunRequest(flow_id="f" * 64, input={"name": "World"}).to_dict()["input"]
        [{'name': 'World'}]
    """

    __retyped__: ClassVar[Mapping[str, str]] = {
        "input": "one input is wrapped in a list",
        "overrides": "a map in any of the shapes that WorkflowOverrides takes becomes one",
    }

    input: Annotated[Any, BeforeValidator(as_inputs)]
    overrides: AnyOverrides = None  # type: ignore[assignment]

    @classmethod
    def single(cls, flow_id: str, input: Any, **fields: Any) -> Self:
        """Create a request for one run; its input may be a list.

        Args:
            flow_id: The flow to run.
            input: The run's input, any JSON value.
            **fields: The other fields, under Python's names.

        Raises:
            pydantic.ValidationError: A field is wrong.
        """
        return cls.model_validate({"flow_id": flow_id, "input": [input], **fields})

"""Whatever an endpoint is asked for, it raises nothing outside of the package's error tree."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import re
from types import ModuleType
from typing import Any, cast

from pydantic import ValidationError
from schemathesis.core import NOT_SET
from schemathesis.generation import GenerationMode

from api.tests.schemathesis.generated_requests import (
    INVALID_REQUESTS,
    Case,
    Known,
    Operation,
    for_each_request,
)
from stepflow_api import Client, models
from stepflow_api.errors import StepflowError
from stepflow_api.types import Response

_BODIES: dict[
    str, type[models.StoreBlobRequest | models.CreateRunRequest | models.StoreFlowRequest]
]
_BODIES = {
    "storeBlob": models.StoreBlobRequest,
    "createRun": models.CreateRunRequest,
    "storeFlow": models.StoreFlowRequest,
}


def snake_case(name: str) -> str:
    """Return the Python spelling of a name in JSON."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def operation_id(case: Case) -> str:
    """Return the name of the request's operation."""
    return str(case.operation.definition.raw["operationId"])


def endpoint(case: Case) -> ModuleType:
    """Return the module of the request's operation."""
    tag = case.operation.definition.raw["tags"][0]
    return importlib.import_module(
        f"stepflow_api.api.{tag.lower()}.{snake_case(operation_id(case))}"
    )


def options(case: Case) -> dict[str, Any]:
    """Return the request's query and body; what the endpoint has no argument for is left out."""
    parameters = inspect.signature(endpoint(case).sync).parameters.values()
    taken = {parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}
    named = {snake_case(name): value for name, value in (case.query or {}).items()}
    if case.body is not NOT_SET:
        named["body"] = case.body
    return {name: named[name] for name in named.keys() & (taken - {"client"})}


def test_an_endpoint_raises_nothing_else(
    operation: Operation, sync_client: Client, known: Known
) -> None:
    calls = 0

    def call(case: Case) -> None:
        nonlocal calls
        module = endpoint(case)
        path = list((case.path_parameters or {}).values())
        with contextlib.suppress(StepflowError):
            module.sync(*path, client=sync_client, **options(case))
        with contextlib.suppress(StepflowError):
            answer = module.sync_detailed(*path, client=sync_client, **options(case))
            assert isinstance(answer, Response)
        if operation_id(case) in _BODIES:
            send_model(module, case)
        calls += 1

    def send_model(module: ModuleType, case: Case) -> None:
        document = cast("dict[str, Any]", case.body)
        try:
            body = _BODIES[operation_id(case)].from_dict(document)
        except ValidationError:
            # That a document is no model is said by pydantic, before there is a call.
            return
        with contextlib.suppress(StepflowError):
            module.sync(client=sync_client, body=body)

    for mode in GenerationMode:
        for_each_request(operation, mode, known, call)
    assert calls > INVALID_REQUESTS

"""Clients and executor protocols side by side; arguments are documented."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import pytest

import stepflow_client
from stepflow_client import (
    RunHandle,
    StepflowClient,
    SyncRunHandle,
    SyncStepflowClient,
    executor,
    options,
)

CREATING = ("run", "submit", "run_batch", "submit_batch")


def members(cls: type) -> dict[str, Any]:
    """Return the public members of a class, inherited ones too."""
    return {name: getattr(cls, name) for name in dir(cls) if not name.startswith("_")}


def test_a_method_is_the_same_in_both_executors() -> None:
    here = members(executor.StepflowExecutor)
    there = members(executor.SyncStepflowExecutor)
    assert here.keys() == there.keys()
    for name in here:
        assert inspect.iscoroutinefunction(here[name])
        assert not inspect.iscoroutinefunction(there[name])
        assert here[name].__doc__ == there[name].__doc__
        signature = str(inspect.signature(there[name])).replace("SyncRunHandle", "RunHandle")
        assert str(inspect.signature(here[name])) == signature


@pytest.mark.parametrize(
    ("client", "protocol"),
    [
        (StepflowClient, executor.StepflowExecutor),
        (SyncStepflowClient, executor.SyncStepflowExecutor),
    ],
)
def test_an_executor_takes_the_options_of_a_client(client: type, protocol: type) -> None:
    for name in CREATING:
        signature = inspect.signature(getattr(protocol, name))
        assert str(signature) == str(inspect.signature(getattr(client, name)))


def test_options_are_shown_one_by_one() -> None:
    parameters = inspect.signature(StepflowClient.run).parameters
    kinds = options.RunOptions.__annotations__
    assert parameters.keys() == {"self", "flow", "input", *kinds}
    for name in kinds:
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
    assert parameters["retry_create"].default is False
    assert str(parameters["timeout"]) == "timeout: 'float | None' = None"
    text = "is lost;\n        the flow may then run twice.\n    idempotency_key: Key"
    assert text in (inspect.getdoc(StepflowClient.run) or "")


@pytest.mark.parametrize("cls", [StepflowClient, SyncStepflowClient, RunHandle, SyncRunHandle])
def test_arguments_after_the_first_are_documented(cls: type) -> None:
    for name, member in members(cls).items():
        for parameter in list(inspect.signature(member).parameters)[1:] if callable(member) else ():
            documented = f"{parameter}: " in (member.__doc__ or "")
            assert documented, f"{cls.__name__}.{name} does not document {parameter}"


def test_what_is_exported_is_sorted_and_there() -> None:
    assert stepflow_client.__all__ == sorted(stepflow_client.__all__)
    for name in stepflow_client.__all__:
        assert hasattr(stepflow_client, name)


def test_clients_are_executors() -> None:
    assert issubclass(StepflowClient, executor.StepflowExecutor)
    assert issubclass(SyncStepflowClient, executor.SyncStepflowExecutor)


def test_names_that_were_not_used_yet() -> None:
    script = f"import sys; sys.path = {sys.path!r}\n"
    script += "import stepflow_client, stepflow_api\n"
    script += "assert {*stepflow_client.__all__} <= {*dir(stepflow_client)}\n"
    script += "assert stepflow_client.__version__ == stepflow_api.__version__\n"
    script += "assert stepflow_client.errors.Timeout.__module__ == 'stepflow_client.errors'\n"
    script += "assert stepflow_client.RunHandle is stepflow_client.RunHandle\n"
    script += "print(getattr(stepflow_client, 'None', 'no such name'))\n"
    script += "stepflow_client.Client"
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stdout == "no such name\n"
    problem = "AttributeError: module 'stepflow_client' has no attribute 'Client'"
    assert done.stderr.splitlines()[-1] == problem

"""Both clients side by side: the same methods, signatures and documentation."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

import stepflow_client
from stepflow_client import RunHandle, StepflowClient, SyncRunHandle, SyncStepflowClient, executor

PAIRS = [
    (StepflowClient, SyncStepflowClient),
    (RunHandle, SyncRunHandle),
    (executor.StepflowExecutor, executor.SyncStepflowExecutor),
]

#: What is awaited in one and not in the other.
ASYNC_ONLY = (
    ("AsyncIterator", "Iterator"),
    ("AsyncGenerator[RunEvent, None]", "Generator[RunEvent, None, None]"),
    ("AsyncClient", "Client"),
    ("AsyncBaseTransport", "BaseTransport"),
    ("async with", "with"),
    ("await ", ""),
    ("__aenter__", "__enter__"),
    ("__aexit__", "__exit__"),
    ("One client serves many tasks at once. It belongs to one event loop.", "CALLERS"),
    ("One client serves many threads at once.", "CALLERS"),
    ("without blocking", "blocking"),
)


def plain(text: str) -> str:
    for one, other in ASYNC_ONLY:
        text = text.replace(one, other)
    text = re.sub(r"Sync(?=StepflowClient|RunHandle|StepflowExecutor)", "", text)
    return " ".join(text.split())


def members(cls: type) -> dict[str, Any]:
    return {
        plain(name): value
        for name, value in vars(cls).items()
        if callable(value) or isinstance(value, property)
        if not name.startswith("_") or name in ("__init__", "__enter__", "__aenter__")
    }


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_both_have_the_same_members(one: type, other: type) -> None:
    assert list(members(one)) == list(members(other))
    assert plain(one.__doc__ or "") == plain(other.__doc__ or "") != ""


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [
        pytest.param(one, other, name, id=f"{one.__name__}-{name}")
        for one, other in PAIRS
        for name in members(one)
    ],
)
def test_a_method_is_the_same_in_both(one: type, other: type, name: str) -> None:
    here, there = members(one)[name], members(other)[name]
    assert type(here) is type(there)
    if not name.startswith("__"):
        assert here.__doc__
    assert plain(here.__doc__ or "") == plain(there.__doc__ or "")
    if isinstance(here, property):
        here, there = here.fget, there.fget
    assert plain(str(inspect.signature(here))) == plain(str(inspect.signature(there)))
    if one is StepflowClient and name not in ("__init__", "handle", "url"):
        assert inspect.iscoroutinefunction(here) or inspect.isasyncgenfunction(here)
    assert not inspect.iscoroutinefunction(there)


@pytest.mark.parametrize(("one", "other"), PAIRS[:2])
def test_arguments_after_the_first_are_documented(one: type, other: type) -> None:
    for cls in (one, other):
        for name, member in members(cls).items():
            if isinstance(member, property) or name.startswith("__"):
                continue
            for parameter in list(inspect.signature(member).parameters)[1:]:
                documented = f"{parameter}: " in (member.__doc__ or "")
                assert documented, f"{cls.__name__}.{name} does not document {parameter}"


def test_what_is_exported_is_sorted_and_there() -> None:
    assert stepflow_client.__all__ == sorted(stepflow_client.__all__)
    for name in stepflow_client.__all__:
        assert hasattr(stepflow_client, name)


def test_clients_are_executors() -> None:
    assert issubclass(StepflowClient, executor.StepflowExecutor)
    assert issubclass(SyncStepflowClient, executor.SyncStepflowExecutor)

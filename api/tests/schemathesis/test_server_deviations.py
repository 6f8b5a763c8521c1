"""The server deviates from its spec in the ways that `deviations.yaml` lists, and in no others."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest
import requests
import yaml
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.openapi.checks import JsonSchemaError

from api.tests.schemathesis.generated_requests import (
    Case,
    Known,
    Operation,
    for_each_request,
    operations,
)
from tools.spec.server import StepflowServer

_TIMEOUT_SECONDS = 20


@pytest.fixture(scope="session")
def list_file() -> Path:
    """The list of deviations."""
    return Path(os.environ["DEVIATIONS"])


@pytest.fixture(scope="session")
def listed(list_file: Path) -> list[str]:
    """The listed deviations."""
    groups = yaml.safe_load(list_file.read_text(encoding="utf-8"))
    assert all(group["why"].strip() and group["seen"] for group in groups)
    return [deviation for group in groups for deviation in group["seen"]]


def deviations(case: Case, url: str) -> list[str]:
    """Sends a request, and names each way in which the answer deviates from the spec."""
    try:
        response = case.call(base_url=f"{url}/api/v1", timeout=_TIMEOUT_SECONDS)
    except requests.RequestException as error:
        return [f"{case.operation.label}: {type(error).__name__}"]
    try:
        case.validate_response(response)
    except FailureGroup as group:
        return [
            f"{case.operation.label}: {response.status_code} {_name(failure)}"
            for failure in group.exceptions
        ]
    return []


def _name(failure: BaseException) -> str:
    # Anything else is a fault of the check.
    assert isinstance(failure, Failure), failure
    name = type(failure).__name__
    if isinstance(failure, JsonSchemaError):
        name += f" ({failure.schema_path[-1]} of /{'/'.join(map(str, failure.instance_path))})"
    return name


def problems(listed: Collection[str], found: Mapping[str, str], file: Path) -> list[str]:
    """Says how the list has to be edited.

    Args:
        listed: The deviations in the list.
        found: The deviations of the server, each with a request that shows it.
        file: The list.

    Returns:
        One line for each deviation that is new or has vanished, and then what to do; nothing when
        the list is right.
    """
    new = [f"new: {name} (seen with: {found[name]})" for name in found if name not in listed]
    gone = [f"vanished: {name}" for name in listed if name not in found]
    if not new and not gone:
        return []
    remedy = (
        f"To fix it: edit {file}: write a new deviation under its reason, once that is understood;"
        " delete one that has vanished, and its reason with the last one."
    )
    return [*new, *gone, remedy]


def test_the_server_deviates_as_listed(
    operation: Operation,
    server: StepflowServer,
    known: Known,
    listed: list[str],
    list_file: Path,
) -> None:
    found: dict[str, str] = {}

    def note(case: Case) -> None:
        for deviation in deviations(case, server.url):
            found.setdefault(deviation, case.as_curl_command())

    for mode in GenerationMode:
        for_each_request(operation, mode, known, note)
    of_operation = [name for name in listed if name.startswith(f"{operation.label}: ")]
    if wrong := problems(of_operation, found, list_file):
        pytest.fail("\n".join(wrong), pytrace=False)


def test_the_list_names_each_deviation_of_an_operation_once(spec: Path, listed: list[str]) -> None:
    labels = {operation.label for operation in operations(spec)}
    assert [name for name in listed if name.partition(": ")[0] not in labels] == []
    assert len(listed) == len(set(listed))


def test_the_message_names_what_is_new_and_what_has_vanished() -> None:
    file = Path("list.yaml")
    assert problems(["a", "b"], {"b": "curl /b", "a": "curl /a"}, file) == []
    assert problems(["a", "b"], {"b": "curl /b", "c": "curl /c"}, file) == [
        "new: c (seen with: curl /c)",
        "vanished: a",
        "To fix it: edit list.yaml: write a new deviation under its reason, once that is"
        " understood; delete one that has vanished, and its reason with the last one.",
    ]

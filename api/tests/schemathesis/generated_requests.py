"""Requests that schemathesis makes of the stored spec, the same ones in every run.

Schemathesis is an outsider: it reads the spec, and knows nothing of this package or of the server.
Valid requests do what the spec allows; invalid ones break one of its rules.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias
from unittest import mock

import hypothesis
import schemathesis
from hypothesis import strategies
from hypothesis.internal.conjecture import providers
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation

#: How many requests an operation gets at most. Invalid ones take long to find, and say less.
VALID_REQUESTS, INVALID_REQUESTS = 200, 40

_SEED = 20250101

#: The parameters and fields that hold the id of something that the server has to know.
IDS: Mapping[str, str] = {
    "run_id": "run",
    "flow_id": "flow",
    "flowId": "flow",
    "blob_id": "blob",
}

_SETTINGS = hypothesis.settings(
    # The same requests on every machine and in every run: nothing is remembered or shrunk.
    database=None,
    phases=[hypothesis.Phase.generate],
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)

Known = Mapping[str, Sequence[str]]
Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
Case: TypeAlias = schemathesis.Case[Any]


def operations(spec: Path) -> Iterator[Operation]:
    """Return the operations of a spec."""
    schema = schemathesis.openapi.from_dict(json.loads(spec.read_bytes()))
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        yield result.ok()


def for_each_request(
    operation: Operation,
    mode: GenerationMode,
    known: Known,
    use: Callable[[Case], object],
) -> None:
    """Hands every generated request of an operation to a function.

    Args:
        operation: The operation.
        mode: Whether the requests are valid.
        known: Ids by what they are of. Many of the valid requests name one of them: of an id that
            it does not know, a server can only say just that.
        use: What to do with a request.
    """
    key = (operation.label, mode)
    if key not in _generated:
        _generated[key] = generate(operation, mode)
    for case, choice in _generated[key]:
        if choice:
            _name_known(case.path_parameters, known, choice)
            _name_known(case.body, known, choice)
        try:
            use(case)
        except BaseException as error:
            error.add_note(f"with the request: {case.as_curl_command()}")
            raise


#: The requests by operation and mode: to make them takes many times as long as to send them.
_generated: dict[tuple[str, GenerationMode], list[tuple[Case, int]]] = {}


def generate(operation: Operation, mode: GenerationMode) -> list[tuple[Case, int]]:
    """Make the requests of an operation, each with a number that chooses what it is to name.

    Args:
        operation: The operation.
        mode: Whether the requests are valid.
    """
    made: list[tuple[Case, int]] = []
    choices = strategies.integers(0, 3) if mode.is_positive else strategies.just(0)

    @hypothesis.seed(_SEED)
    @hypothesis.settings(
        _SETTINGS, max_examples=VALID_REQUESTS if mode.is_positive else INVALID_REQUESTS
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode), choice=choices)
    def each(case: Case, choice: int) -> None:
        made.append((case, choice))

    # Hypothesis draws some values from the constants of the source files that happen to be
    # imported, as far as it can read them in a tenth of a second. It has no setting against that.
    with mock.patch.object(providers, "is_local_module_file", return_value=False):
        each()
    return made


def _name_known(values: Any, known: Known, choice: int) -> None:
    for name, kind in IDS.items():
        if isinstance(values, dict) and name in values:
            values[name] = known[kind][choice % len(known[kind])]

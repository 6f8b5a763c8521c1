"""The error tree: drawn as it is, picklable, on one line."""

from __future__ import annotations

import datetime
import pickle
import re
import uuid

import pytest

import stepflow_api.errors
from stepflow_api.models import Diagnostics, FlowError, FlowResultFailed
from stepflow_client import errors

RUN = uuid.UUID(int=1)
REQUEST = {"method": "POST", "url": "http://h/runs"}

SAMPLES = [
    errors.InvalidInput("no"),
    errors.FlowInvalid("no", Diagnostics(diagnostics=[], num_fatal=1, num_error=0, num_warning=0)),
    errors.RunError("no", RUN),
    errors.FlowFailed("no", RUN, FlowResultFailed(error=FlowError(code=1, message="m"))),
    errors.FlowFailed("no", RUN, None),
    errors.RunCancelled("no", RUN),
    errors.Timeout("no", run_id=RUN, seconds=1.5),
    errors.Unreachable("no", **REQUEST, attempts=3, run_id=RUN),
    errors.RunOutcomeUnknown(
        "no", **REQUEST, flow_id="f", since=datetime.datetime.now(datetime.UTC)
    ),
    errors.Unsupported("no", method="GET", url="http://h", status_code=404),
]


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
def test_errors_pickle_with_all_they_carry(error: errors.StepflowError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert re.fullmatch(r"([A-Z]+ http://h\S*: (404 Not Found: )?)?no", str(error))
    assert vars(back) == vars(error)


def own_errors() -> set[type[Exception]]:
    return {
        value
        for name in errors.__all__
        if (value := getattr(errors, name)).__module__ == "stepflow_client.errors"
    }


def test_every_own_error_has_a_sample() -> None:
    assert {type(error) for error in SAMPLES} == own_errors()


def test_all_errors_of_the_api_are_here_and_in_order() -> None:
    assert errors.__all__ == sorted(errors.__all__)
    assert set(stepflow_api.errors.__all__) <= set(errors.__all__)
    for name in stepflow_api.errors.__all__:
        assert getattr(errors, name) is getattr(stepflow_api.errors, name)


def test_the_tree_is_drawn_as_it_is() -> None:
    parents: dict[str, str] = {}
    above: dict[int, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"    ([│ ]*)(?:[├└]── )?([A-Z]\w+(?:, \w+)*)( \*)?", line)
        if not found or not line.startswith("    "):
            continue
        depth = line.index(found[2])
        for name in found[2].split(", "):
            parents[name] = above.get(depth - 4, "")
            above[depth] = name
            assert (getattr(errors, name) in own_errors()) == bool(found[3])
    assert {cls.__name__ for cls in own_errors()} < set(parents)
    for name, parent in parents.items():
        assert not parent or issubclass(getattr(errors, name), getattr(errors, parent))


def test_a_timeout_is_a_timeout_error() -> None:
    assert issubclass(errors.Timeout, TimeoutError)
    assert issubclass(errors.InvalidInput, ValueError)

"""`FlowError`: what it says of a failure, and what its repr leaves out."""

from __future__ import annotations

from typing import Any

import pytest

from stepflow_api.models import FlowError, FlowResultFailed

#: As a server of 0.11 sends it.
STACK = {
    "stack": [
        {
            "error": 'step "read" failed',
            "attachments": ["Component: /load_file", "Component execution failed for step 'read'"],
            "backtrace": "   0: first\n   1: second\n",
        },
        {"error": "error executing user-defined function"},
        {"error": "invalid input"},
    ]
}


def test_the_stack_of_a_server() -> None:
    error = FlowError(code=-32300, message='step "read" failed', data=STACK)
    assert error.step == "read"
    assert error.causes == [
        'step "read" failed',
        "error executing user-defined function",
        "invalid input",
    ]
    assert error.details.splitlines() == [
        'step "read" failed (code -32300)',
        "  Component: /load_file",
        "  Component execution failed for step 'read'",
        "  backtrace:",
        "     0: first",
        "     1: second",
        "caused by: error executing user-defined function",
        "caused by: invalid input",
    ]
    assert "backtrace" not in repr(error)
    assert repr(error) == (
        "FlowError(code=-32300, message='step \"read\" failed', step='read',"
        " causes=['error executing user-defined function', 'invalid input'])"
    )
    assert "first" not in repr(FlowResultFailed(outcome="failed", error=error))


def test_the_step_beside_the_message() -> None:
    error = FlowError(code=1, message="division by zero", data=STACK)
    assert error.step == "read"
    assert error.causes[0] == "division by zero"


@pytest.mark.parametrize(
    "data",
    [
        None,
        1,
        "text",
        [],
        {"stack": 1},
        {"stack": [1, None, {}, {"error": 1, "attachments": 2, "backtrace": 3}]},
    ],
)
def test_other_data(data: Any) -> None:
    error = FlowError(code=5, message="no path", data=data)
    assert error.step is None
    assert error.causes == ["no path"]
    assert error.details.startswith("no path (code 5)")
    assert repr(error).startswith("FlowError(code=5, message='no path'")
    assert FlowError.from_dict(error.to_dict()) == error


def test_a_stack_among_other_data() -> None:
    error = FlowError(code=1, message="no", data={"stack": [{"error": "why"}], "more": 1})
    assert error.causes == ["no", "why"]
    assert error.details == "no (code 1)\ncaused by: why"


def failing(message: str, *attachments: Any) -> FlowError:
    return FlowError(code=1, message=message, data={"stack": [{"attachments": [*attachments]}]})


def test_the_step_that_a_message_names() -> None:
    of_step = "Component execution failed for step '{}'".format
    assert failing('step "outer" failed', of_step("inner")).step == "outer"
    assert failing("no", 1, "of step 'a'", of_step("it's")).step == "it's"
    assert failing('step "a" failed "b" failed').step == 'a" failed "b'
    # Someone else's words.
    assert failing('the worker says: step "a" failed').step is None
    assert failing("no", 1, None).details == "no (code 1)"


def test_data_without_a_stack_are_shown() -> None:
    for data, lines in (
        ({"é": 1}, ["{", '  "é": 1', "}"]),
        ([], ["[]"]),
        (0, ["0"]),
        ({"stack": 1}, ["{", '  "stack": 1', "}"]),
    ):
        error = FlowError(code=5, message="no", data=data)
        assert error.details.splitlines() == ["no (code 5)", *lines]
        assert repr(error) == f"FlowError(code=5, message='no', data={data!r})"
    assert repr(FlowError(code=5, message="no")) == "FlowError(code=5, message='no')"

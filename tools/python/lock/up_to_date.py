"""The body of every lock_up_to_date_test, whose target sets $REQUIREMENTS, $LOCK and $UPDATE."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from packaging.markers import default_environment

from tools.python.lock.check import problems


def test_lock_answers_the_requirements() -> None:
    """Fails with one line for each package that differs, and the command that fixes it."""
    requirements = Path(os.environ["REQUIREMENTS"])
    lock = Path(os.environ["LOCK"])

    found = problems(
        requirements.read_text(encoding="utf-8"),
        lock.read_text(encoding="utf-8"),
        {name: str(value) for name, value in default_environment().items()},
    )

    if found:
        remedy = f"To fix it: tools/bazel run {os.environ['UPDATE']}"
        heading = f"{lock} does not answer {requirements}."
        pytest.fail("\n".join([*found, f"{heading} {remedy}"]), pytrace=False)

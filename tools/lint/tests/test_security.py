"""The threat model names the tests that `//:security` runs: Bazel sees that there are such."""

import ast
import re
from pathlib import Path

from tools.python.tests.starlark import source


def test_the_threat_model_names_its_tests() -> None:
    suites = {one["name"]: one["tests"] for one in source("BUILD.bazel", "test_suite")}
    lines = Path("SECURITY.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("|") and "\u2192" in line][1:]

    named = [re.findall(r"`(//[^`]+)`", row.split("|")[4]) for row in rows]

    # Each threat has a test, and each test is run.
    assert len(named) > 10
    assert all(named)
    assert {label for labels in named for label in labels} == set(
        ast.literal_eval(suites["'security'"])
    )

"""The build without modules takes the same packages as the one with them."""

from __future__ import annotations

import pytest

from tools.python.tests.starlark import constants, source

_FILES = {"_HUBS": "dependencies.bzl", "_DEV_HUBS": "third_party/dev_dependencies.bzl"}
_ALIKE = ("extra_pip_args", "isolated", "python_interpreter")


@pytest.mark.parametrize("name", _FILES)
def test_hubs(name: str) -> None:
    hubs = constants("MODULE.bazel")[name]

    assert hubs
    assert constants(_FILES[name])[name] == hubs
    # One stands for each hub in files that WORKSPACE loads, since a load cannot be computed.
    packages = _FILES[name].replace("dependencies", "packages")
    with open(packages, encoding="utf-8") as file:
        text = file.read()
    assert [hub for hub in hubs if f'load("@{hub}//:requirements.bzl", ' not in text] == []
    assert text.count("load(") == len(hubs)


def test_arguments() -> None:
    files = {"dependencies.bzl": ["pip_parse"], "MODULE.bazel": ["pip.parse", "dev_pip.parse"]}
    found = [
        {name: call[name] for name in _ALIKE}
        for file, functions in files.items()
        for function in functions
        for call in source(file, function)
    ]

    assert len(found) == 3
    assert found[1:] == found[:1] * 2

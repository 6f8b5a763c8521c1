"""The build without modules takes the same packages as the one with them."""

from __future__ import annotations

import pytest

from tools.python.tests.starlark import constants, source

_FILES = {
    "_HUBS": "dependencies.bzl",
    "_DEV_HUBS": "third_party/dev_dependencies.bzl",
    "_ENVIRONMENT_HUBS": "third_party/dev_dependencies.bzl",
}
_ALIKE = ("download_only", "extra_pip_args", "isolated", "python_interpreter")


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
    others = [other for other in _FILES if other != name and _FILES[other] == _FILES[name]]
    counted = [hubs, *(constants(_FILES[name])[other] for other in others)]
    assert text.count("load(") == sum(map(len, counted))


def test_arguments() -> None:
    files = {
        "MODULE.bazel": ["pip.parse", "dev_pip.parse"],
        "dependencies.bzl": ["pip_parse"],
        "third_party/dev_dependencies.bzl": ["pip_parse"],
    }
    locked, locked_dev, environments, *without_modules = (
        {name: call.get(name) for name in _ALIKE}
        for file, functions in files.items()
        for function in functions
        for call in source(file, function)
    )

    assert locked == locked_dev
    assert without_modules == [locked, environments]

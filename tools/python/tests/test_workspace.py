"""The build without modules takes the same packages as the one with them."""

from __future__ import annotations

from pathlib import Path

from tools.python.tests.starlark import constants, source

_ALIKE = ("extra_pip_args", "isolated", "python_interpreter")


def test_hubs() -> None:
    hubs = constants("MODULE.bazel")["_HUBS"]

    assert hubs
    assert constants("dependencies.bzl")["_HUBS"] == hubs
    # One stands for each hub in the file that WORKSPACE loads, since a load cannot be computed.
    packages = Path("packages.bzl").read_text(encoding="utf-8")
    assert [hub for hub in hubs if f'load("@{hub}//:requirements.bzl", ' not in packages] == []
    assert packages.count("load(") == len(hubs)


def test_arguments() -> None:
    with_modules, without_modules = (
        [{name: call[name] for name in _ALIKE} for call in source(file, function)]
        for file, function in (("MODULE.bazel", "pip.parse"), ("dependencies.bzl", "pip_parse"))
    )

    assert with_modules == without_modules

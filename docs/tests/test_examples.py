"""The examples in docstrings, on a server."""

from __future__ import annotations

import ast
import asyncio
import doctest
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import stepflow_api
import stepflow_client
import stepflow_runtime
from stepflow_client import StepflowClient, SyncStepflowClient
from stepflow_runtime import StepflowRuntime

FLOW = """\
name: greeting
steps:
  - id: ask
    component: /create_messages
    input: {user_prompt: {$input: name}}
output: {$step: ask, path: "messages[0].content"}
"""
PACKAGES = (stepflow_api, stepflow_client, stepflow_runtime)
EXAMPLES = {
    test.name: test
    for package in PACKAGES
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if not module.name.endswith("__main__")
    for test in doctest.DocTestFinder().find(importlib.import_module(module.name))
    if test.examples
}


@pytest.fixture(scope="module")
def runtime() -> Iterator[StepflowRuntime]:
    """A server."""
    with StepflowRuntime.start() as runtime:
        yield runtime


@pytest.fixture
def names(
    runtime: StepflowRuntime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, Any]]:
    """Names that examples use, and the folder and server that they run in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEPFLOW_URL", runtime.url)
    Path("flow.yaml").write_text(FLOW, encoding="utf-8")
    names = {
        name: getattr(package, name)
        for package in (stepflow_api, stepflow_client, stepflow_runtime)
        for name in package.__all__
    }
    with SyncStepflowClient() as client:
        handles = [client.submit("flow.yaml", {"name": name}) for name in ("World", "Ada")]
        for handle in handles:
            handle.result()
        yield names | {"client": client, "handle": handles[0], "other_id": handles[1].id}


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_prints_what_it_says(
    name: str, names: dict[str, Any], runtime: StepflowRuntime
) -> None:
    test = EXAMPLES[name]
    test.globs |= names
    client = StepflowClient()
    with asyncio.Runner() as runner:

        def run(source: str) -> None:
            code = compile(source, name, "single", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            runner.run(eval(code, test.globs))

        if any("await " in example.source for example in test.examples):
            test.globs |= {"client": client, "run": run}
        for example in test.examples:
            example.source = example.source.replace("http://localhost:7840", runtime.url)
            if "await " in example.source:
                example.source = f"run({example.source!r})\n"
        report: list[str] = []
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append)
        runner.run(client.close())
        assert not report, "".join(report)

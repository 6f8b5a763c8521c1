"""Each example has the outputs in its folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runtime.examples.example import BUILTIN, Example
from stepflow_client.errors import FlowFailed
from stepflow_runtime import StepflowRuntime

FOLDER = Path("runtime/examples")


@pytest.fixture(scope="module")
def runtime() -> Iterator[StepflowRuntime]:
    with StepflowRuntime.start() as runtime:
        yield runtime


@pytest.fixture
def done() -> list[int]:
    return []


def test_every_folder_is_an_example() -> None:
    folders = {path.parent.name for path in FOLDER.glob("*/flow.yaml")}
    assert folders == {*BUILTIN, "python_component"}


@pytest.mark.parametrize("name", BUILTIN)
def test_outputs_are_the_expected_ones(
    runtime: StepflowRuntime, done: list[int], name: str
) -> None:
    example = Example.read(FOLDER / name)
    outputs = example.run(runtime.sync_client, done.append)
    assert example.differences(outputs) == []
    assert len(outputs) == len(example.inputs)
    assert done[-1:] == ([len(outputs)] if example.is_batch else [])


@pytest.mark.parametrize("setting", ["variables", "overrides"])
def test_each_setting_counts(runtime: StepflowRuntime, done: list[int], setting: str) -> None:
    example = Example.read(FOLDER / "customised_run")
    without: dict[str, Any] = {setting: {}}
    outputs = replace(example, **without).run(runtime.sync_client, done.append)
    assert example.differences(outputs)


@pytest.mark.parametrize("output", [True, 1.0, "1", [1], None])
def test_a_difference_of_type_counts(output: object) -> None:
    example = replace(Example.read(FOLDER / "blob_chain"), expected=[1])
    assert example.differences([1]) == []
    assert example.differences([output])
    assert example.differences([1, 1])


@pytest.mark.parametrize("name", BUILTIN)
def test_a_flow_that_fails_is_an_error(
    runtime: StepflowRuntime, done: list[int], name: str
) -> None:
    example = Example.read(FOLDER / name)
    with pytest.raises(FlowFailed, match="not found"):
        replace(example, inputs=[{}]).run(runtime.sync_client, done.append)


def test_the_commands_of_the_readme_give_the_same(runtime: StepflowRuntime, tmp_path: Path) -> None:
    client = tmp_path / "stepflow-client"
    client.write_text(f'#!/bin/sh\nexec {sys.executable} -m stepflow_client.cli "$@"\n')
    client.chmod(0o755)
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```sh\n(stepflow-client .*?)```", readme, re.DOTALL)
    commands = re.split(r"^(?=stepflow-client)", script, flags=re.MULTILINE)[1:]
    assert len(commands) == len(BUILTIN)
    for name, command in zip(BUILTIN, commands, strict=True):
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=FOLDER,
            env={
                **os.environ,
                "PATH": f"{tmp_path}:{os.environ['PATH']}",
                "PYTHONPATH": os.pathsep.join(os.path.abspath(entry) for entry in sys.path),
                "STEPFLOW_URL": runtime.url,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        example = Example.read(FOLDER / name)
        if example.is_batch:
            outputs = [json.loads(line)["result"] for line in done.stdout.splitlines()]
        else:
            outputs = [json.loads(done.stdout)]
        assert example.differences(outputs) == []

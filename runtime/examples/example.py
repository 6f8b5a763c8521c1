"""One example: a folder with a flow, what goes in, and what must come out."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stepflow_api.models import FlowResultFailed
from stepflow_client import SyncStepflowExecutor
from stepflow_client.errors import FlowFailed

#: The examples that need nothing but a server, in the order in which to read them.
BUILTIN = ("blob_chain", "batch_map", "customised_run")


@dataclass(frozen=True)
class Example:
    """A flow, its inputs, and the expected outputs.

    Attributes:
        name: The folder's name.
        flow: Path of the flow.
        inputs: One input for each run.
        expected: The output of each run.
        is_batch: Whether all inputs go into one batch.
        variables: Values of the flow's variables.
        overrides: Changes to steps, by step id.
    """

    name: str
    flow: Path
    inputs: list[Any]
    expected: list[Any]
    is_batch: bool
    variables: dict[str, Any]
    overrides: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Example:
        """Read an example.

        Args:
            folder: Has `flow.yaml`, then `input.json` and `expected.json`, or `inputs.jsonl` and
                `expected.jsonl` for a batch; `variables.json` and `overrides.json` where needed.

        Raises:
            OSError: A file is missing.
            ValueError: A file is no JSON.
        """
        is_batch = (folder / "inputs.jsonl").exists()
        if is_batch:
            inputs, expected = _lines(folder / "inputs.jsonl"), _lines(folder / "expected.jsonl")
        else:
            inputs, expected = [_read(folder / "input.json")], [_read(folder / "expected.json")]
        return cls(
            folder.name,
            folder / "flow.yaml",
            inputs,
            expected,
            is_batch,
            _read(folder / "variables.json", {}),
            _read(folder / "overrides.json", {}),
        )

    def run(self, executor: SyncStepflowExecutor, on_done: Callable[[int], object]) -> list[Any]:
        """Run the flow for each input and wait.

        Args:
            executor: Runs it.
            on_done: Is called with the number of runs that have ended.

        Returns:
            The output of each run in the order of the inputs.

        Raises:
            StepflowError: A run failed, or could not be made.
        """
        if not self.is_batch:
            result = executor.run(
                self.flow,
                self.inputs[0],
                variables=self.variables,
                overrides=self.overrides,
                raise_on_failure=True,
            )
            return [result.output]
        results = executor.run_batch(
            self.flow,
            self.inputs,
            variables=self.variables,
            overrides=self.overrides,
            on_progress=lambda progress: on_done(progress.done),
        )
        for number, result in enumerate(results):
            if isinstance(result, FlowResultFailed):
                problem = f"run {results.run_id}: item {number} failed: {result.error.message}"
                raise FlowFailed(problem, results.run_id, result)
        return [result.output for result in results]

    def differences(self, outputs: list[Any]) -> list[str]:
        """Compare outputs with the expected ones.

        Args:
            outputs: What `run` has given.

        Returns:
            The lines of a diff; none where all are equal, types and order included.
        """
        return list(
            difflib.unified_diff(
                _as_lines(self.expected),
                _as_lines(outputs),
                "expected",
                "output",
                lineterm="",
            )
        )


def _as_lines(outputs: list[Any]) -> list[str]:
    texts = [json.dumps(output, indent=2, sort_keys=True, ensure_ascii=False) for output in outputs]
    return "\n".join(texts).splitlines()


def _read(path: Path, default: Any = None) -> Any:
    if default is not None and not path.exists():
        return default
    return _parse(path, path.read_text(encoding="utf-8"))


def _lines(path: Path) -> list[Any]:
    return [_parse(path, line) for line in path.read_text(encoding="utf-8").splitlines()]


def _parse(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{path} is no valid JSON: {error}; correct it there") from error

"""Both type checkers pass on the package and its examples, and refuse wrong calls."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import stepflow_runtime
from tools.pytest.type_checkers import CHECKERS, Refused

PACKAGE = Path(stepflow_runtime.__file__).parent
EXAMPLES = re.findall(
    r"```python\n(.*?)```", Path("runtime/README.md").read_text(encoding="utf-8"), re.DOTALL
)
RIGHT = """\
from stepflow_client import StepflowExecutor, SyncStepflowExecutor
from stepflow_runtime import LogConfig, RestartPolicy, StepflowRuntime


async def right() -> None:
    async with StepflowRuntime.start({"plugins": {}}, port=0, data_dir="data") as runtime:
        executor: StepflowExecutor = runtime
        other: StepflowExecutor = runtime.client
        sync: SyncStepflowExecutor = runtime.sync_client
        await executor.run("flow.yaml", 1)
        await other.run("flow.yaml", 1)
        sync.run("flow.yaml", 1)
    with StepflowRuntime.start(
        "config.yml",
        binary="stepflow-server",
        env={"A": "1"},
        inherit_env=False,
        log_config=LogConfig(level="debug", format="text"),
        restart_policy=RestartPolicy.ALWAYS,
        max_restarts=1,
        startup_timeout=1,
        shutdown_timeout=0.5,
        on_crash=lambda exit_code, lines: print(exit_code + 1, lines[-1].strip()),
    ) as runtime:
        print(runtime.url.strip(), runtime.port + 1, runtime.pid + 1, runtime.recent_logs()[0])
        runtime.stop()
"""
#: Each line that says so must be refused, and nothing else.
WRONG = """\
from stepflow_client import SyncStepflowExecutor
from stepflow_runtime import LogConfig, StepflowRuntime


def wrong(runtime: StepflowRuntime) -> None:
    StepflowRuntime.start(7)  # refused
    StepflowRuntime.start(None, 8080)  # refused
    StepflowRuntime.start(port="8080")  # refused
    StepflowRuntime.start(restart_policy="always")  # refused
    StepflowRuntime.start(on_crash=lambda: None)  # refused
    LogConfig("info")  # refused
    LogConfig(level="loud")  # refused
    executor: SyncStepflowExecutor = runtime  # refused
    runtime.run("flow.yaml")  # refused
    runtime.port = 5  # refused
    del executor
"""


@pytest.mark.parametrize("checker", CHECKERS)
def test_package_and_examples_pass(checker: Callable[..., Refused], tmp_path: Path) -> None:
    assert EXAMPLES
    paths = [PACKAGE]
    for number, code in enumerate([*EXAMPLES, RIGHT]):
        paths.append(tmp_path / f"example_{number}.py")
        paths[-1].write_text(code, encoding="utf-8")
    refused = checker(tmp_path, *paths)
    assert not refused, "\n".join(map(str, refused))


@pytest.mark.parametrize("checker", CHECKERS)
def test_wrong_calls_are_refused(checker: Callable[..., Refused], tmp_path: Path) -> None:
    path = tmp_path / "wrong.py"
    path.write_text(WRONG, encoding="utf-8")
    marked = {n for n, line in enumerate(WRONG.splitlines(), start=1) if "# refused" in line}
    assert len(marked) == 10
    found = checker(tmp_path, path)
    assert {line for _, line, _ in found} == marked, found

"""Runs pytest as Bazel expects a test to run."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest


class _Shard:
    """Leaves to one shard every n-th test."""

    def __init__(self, index: int, total: int) -> None:
        self._index = index
        self._total = total

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        others = [item for n, item in enumerate(items) if n % self._total != self._index]
        items[:] = items[self._index :: self._total]
        config.hook.pytest_deselected(items=others)


def main(arguments: Sequence[str]) -> int:
    """Runs pytest as the environment says; returns the exit code."""
    environment = os.environ
    settings = Path(__file__).with_name("pytest.ini")
    options = [f"--config-file={settings}", f"--rootdir={Path.cwd()}"]
    plugins: list[object] = []
    # Nothing but TEST_TMPDIR is writable in the sandbox.
    sys.dont_write_bytecode = True
    if temporary := environment.get("TEST_TMPDIR"):
        options.append(f"--basetemp={temporary}/pytest")
    if report := environment.get("XML_OUTPUT_FILE"):
        options.append(f"--junitxml={report}")
    test_filter = environment.get("TESTBRIDGE_TEST_ONLY")
    if test_filter:
        options.append(f"-k{test_filter}")
    if environment.get("TESTBRIDGE_TEST_RUNNER_FAIL_FAST") == "1":
        options.append("--exitfirst")
    shards = int(environment.get("TEST_TOTAL_SHARDS", "1"))
    if shards > 1:
        Path(environment["TEST_SHARD_STATUS_FILE"]).touch()
        plugins.append(_Shard(int(environment["TEST_SHARD_INDEX"]), shards))

    code = pytest.main([*options, *arguments], plugins=plugins)
    # Other shards have the tests, or the filter means other targets.
    if code == pytest.ExitCode.NO_TESTS_COLLECTED and (shards > 1 or test_filter):
        return 0
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Run pytest the way Bazel expects a test to run."""

import contextlib
import faulthandler
import os
import signal
import sys
import time
from collections.abc import Generator, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

import pytest

#: How much of the target's time one phase of a test may take.
_PHASE = 1 / 3
#: When no further test starts, so that the report is written before Bazel kills the target.
_DEADLINE = 0.8
#: When the process exits without a report, because it hangs where no test can be failed.
_EXIT = 0.9


class _TimeLimit:
    """Fail a test that hangs, by its name, while there is still time to report it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds * _DEADLINE
        self._message = ""
        signal.signal(signal.SIGALRM, self._fail)
        # A copy of stderr, because pytest captures the original.
        faulthandler.dump_traceback_later(seconds * _EXIT, exit=True, file=os.dup(2))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection(self) -> Generator[None, object, object]:
        with self._limit("collecting the tests"):
            return (yield)

    # The last to begin, since a teardown of other plugins follows for each setup of theirs.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        if time.monotonic() >= self._deadline:
            item.session.shouldfail = f"{self._seconds:g} s are too short for all tests"
            pytest.fail(f"no time was left to start {item.nodeid}", pytrace=False)
        with self._limit(f"setup of {item.nodeid}"):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        with self._limit(item.nodeid):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        with self._limit(f"teardown of {item.nodeid}"):
            return (yield)

    @contextlib.contextmanager
    def _limit(self, what: str) -> Generator[None]:
        left = self._deadline - time.monotonic()
        # Teardown comes after a test that has used up the time, and still has to stop servers.
        limit = max(min(self._seconds * _PHASE, left), self._seconds / 20)
        self._message = f"timeout: {what} did not finish within {limit:.1f} s"
        # Repeated, because an event loop or a cleanup can swallow the exception or hang as well.
        signal.setitimer(signal.ITIMER_REAL, limit, self._seconds / 20)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _fail(self, _signum: int, _frame: FrameType | None) -> None:
        faulthandler.dump_traceback(file=2)
        pytest.fail(self._message)


class _Shard:
    """Keep every n-th of the tests that the filter left."""

    def __init__(self, index: int, total: int) -> None:
        self._index = index
        self._total = total
        self.has_tests_elsewhere = False

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        others = [item for n, item in enumerate(items) if n % self._total != self._index]
        items[:] = items[self._index :: self._total]
        self.has_tests_elsewhere = bool(others)
        config.hook.pytest_deselected(items=others)


def main(arguments: Sequence[str]) -> int:
    """Run pytest with the settings of the environment; return the exit code."""
    environment = os.environ
    settings = Path(__file__).with_name("pytest.ini")
    options = [f"--config-file={settings}", f"--rootdir={Path.cwd()}"]
    plugins: list[object] = []
    if temporary := environment.get("TEST_TMPDIR"):
        options.append(f"--basetemp={temporary}/pytest")
    if sys.prefix == sys.base_prefix:
        # Nothing but TEST_TMPDIR is writable in the sandbox; Bazel brings compiled modules along.
        # In an environment, which lies there, programs that the tests start share what is compiled.
        sys.dont_write_bytecode = True
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
    if find_spec("sniffio") is None:
        # httpcore tries to import it several times per request, from each folder of the path.
        sys.modules["sniffio"] = None  # type: ignore[assignment]
    if report := environment.get("XML_OUTPUT_FILE"):
        options.append(f"--junitxml={report}")
    test_filter = environment.get("TESTBRIDGE_TEST_ONLY")
    if test_filter:
        options.append(f"-k{test_filter}")
    if environment.get("TESTBRIDGE_TEST_RUNNER_FAIL_FAST") == "1":
        options.append("--exitfirst")
    if seconds := environment.get("TEST_TIMEOUT"):
        plugins.append(_TimeLimit(float(seconds)))
    shard = None
    if (shards := int(environment.get("TEST_TOTAL_SHARDS", "1"))) > 1:
        Path(environment["TEST_SHARD_STATUS_FILE"]).touch()
        shard = _Shard(int(environment["TEST_SHARD_INDEX"]), shards)
        plugins.append(shard)

    code = pytest.main([*options, *arguments], plugins=plugins)
    # If a thread keeps the interpreter from exiting, nothing else writes the report.
    sys.stdout.flush()
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        if shard and shard.has_tests_elsewhere:
            return 0
        if test_filter:
            print(
                f"no test of this target matches --test_filter={test_filter}:"
                " correct it, or name only the targets that have such a test",
                file=sys.stderr,
            )
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

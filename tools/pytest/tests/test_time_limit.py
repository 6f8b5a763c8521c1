"""Tests that hang are reported by name, before Bazel kills the target."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

RUNNER = Path("tools/pytest/main.py").absolute()

#: Tests that hang, by what their report must name.
HANGS = {
    "test_hang.py::test_hang": "def test_hang(): threading.Event().wait()",
    "test_hang.py::test_sleep": "def test_sleep(): time.sleep(3600)",
    "test_hang.py::test_busy": "def test_busy():\n    while True: pass",
    "test_hang.py::test_process": """
def test_process():
    subprocess.run(["sleep", "3600"], stdout=subprocess.PIPE)
""",
    "test_hang.py::test_asyncio": "def test_asyncio(): asyncio.run(asyncio.Event().wait())",
    "test_hang.py::test_swallowed": """
def test_swallowed():
    async def busy():
        while True: pass
    async def main():
        await asyncio.gather(busy(), return_exceptions=True)
        await asyncio.Event().wait()
    asyncio.run(main())
""",
    "setup of test_hang.py::test_setup": """
@pytest.fixture
def stuck(): threading.Event().wait()
def test_setup(stuck): pass
""",
    "teardown of test_hang.py::test_teardown": """
@pytest.fixture
def stuck():
    yield
    threading.Event().wait()
def test_teardown(stuck): pass
""",
    "collecting the tests": "threading.Event().wait()",
}

AT_EXIT = """
def keep_interpreter(): threading.Event().wait()
def test_exit(): threading.Thread(target=keep_interpreter).start()
"""

TOO_MANY = """
@pytest.mark.parametrize("number", range(1000))
def test_slow(number): time.sleep(0.5)
"""


class Running:
    """A run of pytest in a separate folder."""

    def __init__(self, folder: Path, code: str) -> None:
        folder.mkdir()
        self.report = folder / "test.xml"
        imports = "import asyncio, subprocess, threading, time, pytest\n"
        (folder / "test_hang.py").write_text(imports + code)
        self._process = subprocess.Popen(
            [sys.executable, RUNNER, "-v", "test_hang.py"],
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": os.pathsep.join(sys.path),
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "TEST_TIMEOUT": "24",
                "XML_OUTPUT_FILE": str(self.report),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def end(self) -> tuple[int, str]:
        """Wait for the exit code and the output."""
        output, _ = self._process.communicate()
        return self._process.returncode, output

    def kill(self) -> None:
        """End it, whatever it does."""
        with self._process:
            self._process.kill()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    """All of them at the same time, because each waits for its limit."""
    folder = tmp_path_factory.mktemp("running")
    codes = {**HANGS, "exit": AT_EXIT, "too many": TOO_MANY}
    found = {what: Running(folder / str(n), code) for n, (what, code) in enumerate(codes.items())}
    yield found
    for one in found.values():
        one.kill()


@pytest.mark.parametrize("what", HANGS)
def test_hang(running: dict[str, Running], what: str) -> None:
    code, output = running[what].end()

    # An alarm during collection can reach pytest itself instead of a test file.
    assert code in (
        pytest.ExitCode.TESTS_FAILED,
        pytest.ExitCode.INTERRUPTED,
        pytest.ExitCode.INTERNAL_ERROR,
    ), output
    assert f"timeout: {what} did not finish within" in output
    assert "most recent call first" in output
    assert f"timeout: {what} did not finish within" in running[what].report.read_text()


def test_hang_at_exit(running: dict[str, Running]) -> None:
    code, output = running["exit"].end()

    assert code == 1
    assert "1 passed" in output
    assert "in keep_interpreter" in output


def test_tests_that_take_too_long_together(running: dict[str, Running]) -> None:
    code, output = running["too many"].end()

    assert code == 1
    assert "24 s are too short for all tests" in output
    assert "no time was left to start test_hang.py::test_slow[" in output
    assert "KeyError" not in output

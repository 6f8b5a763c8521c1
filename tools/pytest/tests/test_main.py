"""The test runner as Bazel sees it: exit code, report and output."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

RUNNER = Path("tools/pytest/main.py").absolute()
TESTS = """\
def test_apple():
    pass

def test_banana():
    pass

def test_cherry():
    pass
"""
ASYNC = """\
import pytest

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_async():
    pass
"""


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, RUNNER, "-v", *arguments],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "TEST_TMPDIR": str(folder / "tmp"),
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def passed(output: str) -> list[str]:
    return [line.split("::")[1].split()[0] for line in output.splitlines() if "PASSED" in line]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "test_fruit.py").write_text(TESTS)
    return tmp_path


def test_passing_tests(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '--nonsense'\n")
    (folder / "test_async.py").write_text(ASYNC)
    for name in ("one", "two"):
        (folder / name).mkdir()
        (folder / name / "conftest.py").write_text(
            f"import pytest\n@pytest.fixture\ndef name():\n    return {name!r}\n"
        )
        (folder / name / "test_same.py").write_text(
            f"def test_{name}(name):\n    assert name == {name!r}\n"
        )
    before = set(folder.rglob("*"))
    files = ["test_fruit.py", "test_async.py", "one/test_same.py", "two/test_same.py"]
    report = folder / "tmp/test.xml"

    done = run(folder, *files, XML_OUTPUT_FILE=str(report))

    names = ["test_apple", "test_banana", "test_cherry", "test_async", "test_one", "test_two"]
    assert (done.returncode, passed(done.stdout)) == (0, names)
    cases = ElementTree.parse(report).iter("testcase")
    assert [case.get("name") for case in cases] == names
    # Nothing is written beside the tests.
    assert {path for path in folder.rglob("*") if folder / "tmp" not in path.parents} == before


@pytest.mark.parametrize(
    ("content", "code", "output"),
    [
        ("def test_bad():\n    assert 1 == 2\n", 1, "1 failed"),
        ("import nothing_of_that_name\n", 2, "nothing_of_that_name"),
        ("import warnings\ndef test_bad():\n    warnings.warn('old')\n", 1, "UserWarning: old"),
        ("import pytest\n@pytest.mark.slwo\ndef test_bad():\n    pass\n", 2, "slwo"),
        ("", 5, "no tests ran"),
    ],
)
def test_what_fails(folder: Path, content: str, code: int, output: str) -> None:
    (folder / "test_bad.py").write_text(content)

    done = run(folder, "test_bad.py")

    assert done.returncode == code
    assert output in done.stdout


def test_filter(folder: Path) -> None:
    done = run(folder, "test_fruit.py", TESTBRIDGE_TEST_ONLY="apple or cherry")

    assert done.returncode == 0
    assert passed(done.stdout) == ["test_apple", "test_cherry"]


@pytest.mark.parametrize("shards", [1, 2])
def test_filter_that_matches_nothing(folder: Path, shards: int) -> None:
    done = run(
        folder,
        "test_fruit.py",
        TESTBRIDGE_TEST_ONLY="vegetable",
        TEST_TOTAL_SHARDS=str(shards),
        TEST_SHARD_INDEX="0",
        TEST_SHARD_STATUS_FILE=str(folder / "status"),
    )

    assert done.returncode == 5
    assert "no test of this target matches --test_filter=vegetable" in done.stdout


def test_filter_that_cannot_be_read(folder: Path) -> None:
    assert run(folder, "test_fruit.py", TESTBRIDGE_TEST_ONLY="apple or").returncode != 0


def test_fail_fast(folder: Path) -> None:
    (folder / "test_bad.py").write_text(
        "def test_one():\n    assert False\ndef test_two():\n    assert False\n"
    )

    assert "2 failed" in run(folder, "test_bad.py").stdout
    assert "1 failed" in run(folder, "test_bad.py", TESTBRIDGE_TEST_RUNNER_FAIL_FAST="1").stdout


def test_shards_share_the_tests(folder: Path) -> None:
    seen = []
    for index in range(4):
        status = folder / f"status{index}"
        done = run(
            folder,
            "test_fruit.py",
            TEST_TOTAL_SHARDS="4",
            TEST_SHARD_INDEX=str(index),
            TEST_SHARD_STATUS_FILE=str(status),
        )
        # The last shard is left without a test.
        assert done.returncode == 0
        assert status.exists()
        seen.append(passed(done.stdout))

    assert seen == [["test_apple"], ["test_banana"], ["test_cherry"], []]

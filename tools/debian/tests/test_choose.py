"""tools/bazel runs the first Bazel there is, in the order that it promises."""

import shutil
from pathlib import Path

import pytest

from tools.debian.tests.machine import Machine

REPORT = 'echo "$(basename "$0") ran"; exit 7'


@pytest.fixture
def wrapper(machine: Machine) -> Path:
    machine.script(machine.debian / "run", REPORT)
    return machine.clone / "tools/bazel"


def test_bazel_real_comes_first(machine: Machine, wrapper: Path) -> None:
    machine.program("bazelisk", REPORT)
    real = machine.program("the-real-bazel", REPORT, folder=machine.root / "real")
    machine.environment["BAZEL_REAL"] = str(real)

    done = machine.run(wrapper, "build", "//a b", "--flag=*")

    assert (done.returncode, done.stdout, done.stderr) == (7, "the-real-bazel ran\n", "")
    assert machine.calls("the-real-bazel") == [["build", "//a b", "--flag=*"]]


def test_bazel_real_that_is_no_program(machine: Machine, wrapper: Path) -> None:
    machine.environment["BAZEL_REAL"] = "/nowhere/bazel"

    done = machine.run(wrapper, "version")

    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        "tools/bazel: BAZEL_REAL=/nowhere/bazel is not an executable file;"
        " correct it, or unset it to let tools/bazel choose\n",
    )


@pytest.mark.parametrize("name", ["bazel", None])
def test_otherwise_the_path_comes_first_and_debian_last(
    machine: Machine, wrapper: Path, name: str | None
) -> None:
    if name:
        machine.program(name, REPORT)
    name = name or "run"

    done = machine.run(wrapper, "build", "//a b")

    assert (done.returncode, done.stdout) == (7, f"{name} ran\n")
    assert machine.calls(name) == [["build", "//a b"]]


def test_bazelisk_comes_before_bazel(machine: Machine, wrapper: Path) -> None:
    machine.program("bazel", REPORT)
    machine.program("bazelisk", REPORT, folder=machine.root / "later")
    machine.environment["PATH"] += f":{machine.root}/later"

    assert machine.run(wrapper, "version").stdout == "bazelisk ran\n"


def test_it_does_not_choose_itself(machine: Machine, wrapper: Path) -> None:
    links = machine.root / "links"
    links.mkdir()
    (links / "bazel").symlink_to(wrapper)
    copies = machine.root / "copies"
    copies.mkdir()
    shutil.copy(wrapper, copies / "bazel")
    machine.environment["PATH"] = f"{links}:{copies}:{machine.environment['PATH']}"

    assert machine.run(wrapper, "version").stdout == "run ran\n"
    assert machine.run(links / "bazel", "version").stdout == "run ran\n"

    machine.program("bazel", REPORT)
    assert machine.run(wrapper, "version").stdout == "bazel ran\n"


def test_what_is_no_program_is_passed_over(machine: Machine, wrapper: Path) -> None:
    (machine.root / "own/bazel").mkdir()
    other = machine.root / "other"
    machine.program("bazel", REPORT, folder=other).chmod(0o644)
    machine.environment["PATH"] += f":{other}"

    assert machine.run(wrapper, "version").stdout == "run ran\n"


def test_any_folder_of_the_repository(machine: Machine, wrapper: Path) -> None:
    assert wrapper.exists()
    folder = machine.clone / "api/src"
    folder.mkdir(parents=True)

    done = machine.run(Path("../../tools/bazel"), "version", cwd=folder)

    assert done.stdout == "run ran\n"

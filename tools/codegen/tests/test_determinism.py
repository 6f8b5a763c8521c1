"""The same spec compiles to the same bytes, everywhere and at any time."""

import io
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest

from tools.codegen.compile import main
from tools.pytest.forked import run_forked

SPECS = ("museum", "zoo")
HERE = Path(__file__).parent
COMPILER = Path(os.environ["COMPILER"]).absolute()
RUFF = Path(os.environ["RUFF"]).absolute()


def execute(
    arguments: Sequence[str], *, env: Mapping[str, str], cwd: Path | None
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([COMPILER, *arguments], env=env, cwd=cwd, capture_output=True, text=True)


#: Spares the seconds of an interpreter's start, where nothing is read at its start.
fork = partial(run_forked, main)


def compiled(
    name: str,
    out: Path,
    spec: Path,
    start: Callable[..., "subprocess.CompletedProcess[str]"],
    cwd: Path | None = None,
    /,
    **environment: str,
) -> dict[str, bytes]:
    """Compile with only the given environment variables, and return the bytes by file."""
    out.mkdir(parents=True)
    folder = HERE / "specimen" / name
    hand_written = [
        f"{file.relative_to(folder).as_posix()}={file.absolute()}"
        for file in sorted(folder.rglob("*.py"))
    ]
    made = start(
        [
            f"--spec={spec}",
            f"--package={name}",
            "--support=stepflow_api",
            "--command=tools/bazel run //zoo:update",
            f"--ruff={RUFF}",
            f"--archive={out / 'made.zip'}",
            f"--folder={out}",
            "--output",
            "models/__init__.py",
            "spec.py",
            "--hand-written",
            *hand_written,
        ],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "RUNFILES_DIR": str(Path.cwd().parent), **environment},
    )
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
    return {file.name: file.read_bytes() for file in out.rglob("*") if file.is_file()}


@pytest.fixture(scope="module", params=SPECS)
def name(request: pytest.FixtureRequest) -> str:
    value: str = request.param
    return value


@pytest.fixture(scope="module")
def usual(name: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    files = compiled(
        name,
        tmp_path_factory.mktemp(name) / "usual",
        (HERE / "specimen" / f"{name}.json").absolute(),
        execute,
        PYTHONHASHSEED="0",
    )
    assert set(files) == {"made.zip", "__init__.py", "spec.py"}
    assert b"_MODULES = {\n" in files["__init__.py"]
    assert b"class " in files["made.zip"]
    return files


def test_linters_have_nothing_to_correct(usual: dict[str, bytes], tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(usual["made.zip"])) as archive:
        archive.extractall(tmp_path)
    options = ["--isolated", "--no-cache", "--target-version=py311", "--line-length=100"]
    options.append("--select=F,I,UP,RUF022,RUF100")
    done = subprocess.run([RUFF, "check", *options, tmp_path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


@pytest.mark.parametrize(
    "environment",
    [
        # Several differences at once, since each start takes seconds.
        {
            "PYTHONHASHSEED": "1",
            **{"HOME": "/nonexistent", "USER": "somebody", "LOGNAME": "somebody"},
            **{"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        },
        {
            "PYTHONHASHSEED": "4242",
            **{"TZ": "Pacific/Kiritimati", "SOURCE_DATE_EPOCH": "2000000000"},
            **{"LANG": "C.UTF-8", "COLUMNS": "20", "FORCE_COLOR": "1"},
        },
    ],
    ids=lambda environment: "-".join(environment),
)
def test_the_environment_changes_nothing(
    name: str, usual: dict[str, bytes], environment: dict[str, str], tmp_path: Path
) -> None:
    spec = (HERE / "specimen" / f"{name}.json").absolute()
    assert compiled(name, tmp_path / "out", spec, execute, **environment) == usual


def test_the_working_folder_and_the_path_of_the_spec_change_nothing(
    name: str, usual: dict[str, bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    shutil.copyfile(HERE / "specimen" / f"{name}.json", folder / f"{name}.json")
    # Both generators and the formatter look for settings there, unless they are told not to.
    (folder / "pyproject.toml").write_text(
        '[tool.datamodel-codegen]\nclass-name-prefix = "X"\n[tool.ruff]\nline-length = 40\n',
        encoding="utf-8",
    )
    (folder / "ruff.toml").write_text("line-length = 40\n", encoding="utf-8")
    assert compiled(name, tmp_path / "out", Path(f"{name}.json"), fork, folder) == usual


def test_the_mode_of_new_files_changes_nothing(
    name: str, usual: dict[str, bytes], tmp_path: Path
) -> None:
    spec = (HERE / "specimen" / f"{name}.json").absolute()
    before = os.umask(0o077)
    try:
        assert compiled(name, tmp_path / "out", spec, fork) == usual
    finally:
        os.umask(before)

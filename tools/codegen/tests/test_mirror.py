"""The mirror is compared with what the spec compiles to, and made equal to it."""

import os
import stat
import zipfile
from pathlib import Path

import pytest

from tools.codegen import mirror

COMMANDS = ("tools/bazel run //zoo:update", "tools/bazel run //zoo:update_spec")
MADE = {
    "api/run/list_runs.py": "# list_runs\n",
    "models/__init__.py": "# names\n",
    "models/run.py": (
        'class Run:\n    """A run."""\n\n    id: str\n    count: int = 0\n'
        '\n\nName = TypeAliasType("Name", "str")\n'
    ),
}


class Workspace:
    """A folder with a mirror and an archive, and the command line over both."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.mirror = root / "generated" / "zoo"
        self.archive = root / "made.zip"
        monkeypatch.chdir(root)
        monkeypatch.setenv("BUILD_WORKSPACE_DIRECTORY", str(root))
        self.make(MADE)
        for path, text in MADE.items():
            self.write(path, text)

    def make(self, files: dict[str, str]) -> None:
        with zipfile.ZipFile(self.archive, "w") as target:
            for path, text in files.items():
                target.writestr(path, text)

    def write(self, path: str, text: str) -> None:
        file = self.mirror / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def run(self, *options: str) -> int:
        return mirror.main(
            [
                *options,
                f"--archive={self.archive}",
                "--mirror=generated",
                "--package=zoo",
                f"--command={COMMANDS[0]}",
                f"--spec-command={COMMANDS[1]}",
            ]
        )

    def files(self) -> dict[str, str]:
        return {
            file.relative_to(self.mirror).as_posix(): file.read_text(encoding="utf-8")
            for file in self.mirror.rglob("*")
            if file.is_file()
        }


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    return Workspace(tmp_path, monkeypatch)


def test_an_equal_mirror_passes_without_a_word(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert workspace.run() == 0
    assert capsys.readouterr().out == ""


def test_other_line_endings_are_a_difference_that_update_fixes(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    module = workspace.mirror / "models/run.py"
    module.write_bytes(module.read_bytes().replace(b"\n", b"\r\n"))

    assert workspace.run() == 1
    assert "model module run (models/run.py): differs in text" in capsys.readouterr().out
    assert workspace.run("--update") == 0
    assert module.read_bytes() == MADE["models/run.py"].encode()
    assert workspace.run() == 0


RUN = MADE["models/run.py"]
CASES: dict[str, tuple[dict[str, str | None], str]] = {
    "field in the spec alone": (
        {"models/run.py": RUN.replace("    count: int = 0\n", "")},
        "model Run, field count: missing in the mirror: int = 0",
    ),
    "field in the mirror alone": (
        {"models/run.py": RUN.replace("    id: str\n", "    id: str\n    note: str\n")},
        "model Run, field note: in the mirror, no longer in the spec",
    ),
    "field of another type": (
        {"models/run.py": RUN.replace("id: str", "id: int")},
        "model Run, field id: int -> str",
    ),
    "model in the mirror alone": (
        {"models/run.py": RUN + "\n\nclass Old:\n    id: str\n"},
        "model Old: in the mirror, no longer made from the spec",
    ),
    "model in the spec alone": (
        {"models/run.py": RUN.replace("Name = ", "Title = ")},
        "model Name: made from the spec, missing in the mirror",
    ),
    "docstring": (
        {"models/run.py": RUN.replace("A run.", "Some run.")},
        "model Run, field docstring",
    ),
    "comment alone": (
        {"models/run.py": RUN + "# edited\n"},
        "model module run (models/run.py): differs in text",
    ),
    "no Python": (
        {"models/run.py": "class\n"},
        "models/run.py: is no Python (line 1)",
    ),
    "endpoint edited": (
        {"api/run/list_runs.py": "# edited\n"},
        "endpoint list_runs (api/run/list_runs.py): differs",
    ),
    "endpoint renamed": (
        {"api/run/list_runs.py": None, "api/run/runs.py": "# runs\n"},
        "endpoint runs (api/run/runs.py): in the mirror, no longer made from the spec",
    ),
    "stub of a model that is gone": (
        {"models/old.py": "# stub\n"},
        "model module old (models/old.py): in the mirror, no longer made from the spec",
    ),
    "file beside the package": (
        {"../stray.py": "# stray\n"},
        "../stray.py: in the mirror, no longer made from the spec",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_difference_is_named_with_both_commands_and_fixed_by_the_update(
    case: str, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    edits, expected = CASES[case]
    for path, text in edits.items():
        if text is None:
            (workspace.mirror / path).unlink()
        else:
            workspace.write(path, text)

    assert workspace.run() == 1
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == "generated is not what the spec compiles to:"
    assert any(line.strip().startswith(expected) for line in lines), lines
    assert [command for command in COMMANDS if any(line.endswith(command) for line in lines)] == [
        *COMMANDS
    ]

    assert workspace.run("--update") == 0
    assert workspace.files() == MADE
    assert not (workspace.root / "generated" / "stray.py").exists()
    capsys.readouterr()
    assert workspace.run() == 0


def test_the_update_changes_nothing_outside_of_the_mirror(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = workspace.root / "outside"
    outside.mkdir()
    (outside / "kept.py").write_text("kept")
    for file in (workspace.mirror / "api" / "run").iterdir():
        file.unlink()
    (workspace.mirror / "api" / "run").rmdir()
    (workspace.mirror / "api" / "run").symlink_to(outside)
    (workspace.mirror / "models" / "run.py").unlink()
    (workspace.mirror / "models" / "run.py").symlink_to(outside / "kept.py")
    assert workspace.run("--update") == 0
    assert "removed the link zoo/api/run" in capsys.readouterr().out
    assert workspace.files() == MADE
    assert not (workspace.mirror / "api" / "run").is_symlink()
    assert [(file.name, file.read_text()) for file in outside.iterdir()] == [("kept.py", "kept")]


@pytest.mark.parametrize("path", ["../../escaped.py", "/tmp/escaped.py", "api/../../../escaped.py"])
@pytest.mark.parametrize("options", [(), ("--update",)])
def test_an_archive_that_leads_out_of_the_package_is_refused(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], path: str, options: tuple[str, ...]
) -> None:
    workspace.make({**MADE, path: "escaped"})
    assert workspace.run(*options) == 1
    err = capsys.readouterr().err
    assert "leads out of the package" in err
    assert err.count("\n") == 1
    assert list(workspace.root.rglob("escaped.py")) == []


def test_models_come_first_and_lists_of_them_last(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in MADE:
        workspace.write(path, MADE[path].replace("str", "int") + "# edited\n")
    assert workspace.run() == 1
    assert capsys.readouterr().out.splitlines()[1:5] == [
        "  model Name, field alias: TypeAliasType('Name', 'int') -> TypeAliasType('Name', 'str')",
        "  model Run, field id: int -> str",
        "  endpoint list_runs (api/run/list_runs.py): differs",
        "  models/__init__.py: differs",
    ]


def test_the_update_removes_folders_that_become_empty(workspace: Workspace) -> None:
    workspace.make({path: text for path, text in MADE.items() if not path.startswith("api/")})
    assert workspace.run("--update") == 0
    assert not (workspace.mirror / "api").exists()


def test_the_update_makes_a_mirror_where_there_is_none(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("BUILD_WORKSPACE_DIRECTORY", str(elsewhere))
    assert workspace.run("--update") == 0
    made = elsewhere / "generated" / "zoo" / "models" / "run.py"
    assert made.read_text(encoding="utf-8") == MADE["models/run.py"]
    assert stat.S_IMODE(made.stat().st_mode) == 0o644


def test_the_update_leaves_nothing_of_its_own_and_nothing_of_others(workspace: Workspace) -> None:
    workspace.write("models/__pycache__/run.pyc", "")
    workspace.write("notes/deep/notes.txt", "")
    (workspace.mirror / "models" / "empty").mkdir()
    untouched = (workspace.mirror / "models" / "run.py").stat()
    assert workspace.run("--update") == 0
    assert workspace.files() == MADE
    assert [path.name for path in sorted(workspace.mirror.rglob("*")) if path.is_dir()] == [
        "api",
        "run",
        "models",
    ]
    after = (workspace.mirror / "models" / "run.py").stat()
    assert (after.st_ino, after.st_mtime_ns) == (untouched.st_ino, untouched.st_mtime_ns)


def test_python_s_cache_is_no_difference(workspace: Workspace) -> None:
    workspace.write("models/__pycache__/run.pyc", "")
    assert workspace.run() == 0


def test_an_update_without_a_difference_says_so(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert workspace.run("--update") == 0
    assert capsys.readouterr().out == "generated is up to date\n"


def test_a_place_that_cannot_be_written_gives_one_line_and_keeps_the_old_file(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A read-only folder stops no one who is root; a full disk is out of a test's reach.
    def full(source: str, target: str) -> None:
        raise OSError(28, "No space left on device", target)

    workspace.write("models/run.py", "# edited\n")
    monkeypatch.setattr(os, "replace", full)
    assert workspace.run("--update") == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "No space left on device" in error
    assert (workspace.mirror / "models/run.py").read_text(encoding="utf-8") == "# edited\n"
    assert not list((workspace.mirror / "models").glob(".*"))


def test_a_folder_that_cannot_be_made_gives_one_line(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Not even root can make a folder here.
    monkeypatch.setenv("BUILD_WORKSPACE_DIRECTORY", "/proc")
    assert workspace.run("--update") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("/proc/generated: cannot be written: ")
    assert line.endswith(f"; correct that and run {COMMANDS[0]}")


def test_an_interrupted_update_says_how_to_go_on(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(source: str, target: str) -> None:
        raise KeyboardInterrupt

    workspace.write("models/run.py", "# edited\n")
    monkeypatch.setattr(os, "replace", interrupted)
    assert workspace.run("--update") == 130
    assert capsys.readouterr().err == f"generated: half rewritten; run {COMMANDS[0]}\n"
    assert not list((workspace.mirror / "models").glob(".*"))

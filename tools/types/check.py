"""Has a type checker judge a package: the body of the tests that the macro type_checks declares."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.packages import ROOTS

_REJECTED = re.compile(r"# rejected$")
#: An example of a page. One with a caption is a file of that name, which other examples import.
_EXAMPLE = re.compile(
    r"^```(?:python|\{code-block\} python\n:caption: (\S+\.py)\n)\n(.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
_MYPY_LINE = re.compile(r"(.+?):(\d+): error: (.*)")


class CheckerError(Exception):
    """A type checker failed; the message has its output."""


@dataclass(frozen=True, order=True)
class Finding:
    """What a type checker objects to.

    Attributes:
        file: The file, as a path in the repository.
        line: Its line, from 1; of a README, that of the example's first line is added.
        message: The objection.
    """

    file: str
    line: int
    message: str


def main(arguments: Sequence[str]) -> int:
    """Check types, and that what must be rejected is.

    Args:
        arguments: The command line without the program's name.

    Returns:
        The exit code: 0 when the types are as they should be.
    """
    parser = argparse.ArgumentParser(prog="types", description=__doc__, fromfile_prefix_chars="@")
    parser.add_argument("checker", choices=sorted(_CHECKERS))
    parser.add_argument("--settings", type=Path, required=True, help="pyproject.toml")
    parser.add_argument("--packages", nargs="*", default=[], help="folders of packages")
    parser.add_argument("--check", nargs="*", default=[], help="files and READMEs to check")
    parser.add_argument("--calls", nargs="*", default=[], help="files with calls to be rejected")
    parser.add_argument("--imports", nargs="*", default=[], help="files that these import")
    options = parser.parse_args(arguments)
    settings = options.settings.absolute()
    with tempfile.TemporaryDirectory() as folder:
        tree = _Tree(Path(folder, "tree"), options.packages)
        for file in options.imports:
            tree.add(file)
        checked = [path for file in [*options.check, *options.calls] for path in tree.add(file)]
        try:
            found = _CHECKERS[options.checker](tree.folder, settings, checked)
        except CheckerError as error:
            print(f"{options.checker} cannot check: {error}", file=sys.stderr)
            return 1
        problems = _judge([tree.named(one) for one in found], options.calls)
    if problems:
        print(f"{options.checker} (strict) objects, or takes what it must reject:")
        print(*(f"  {one.file}:{one.line}: {one.message}" for one in problems), sep="\n")
        print("To fix it: correct the types there; a line with `# rejected` must be a wrong call.")
    return int(bool(problems))


class _Tree:
    """One folder with what lies in several import roots, as it lies in an installed package."""

    def __init__(self, folder: Path, packages: Sequence[str]) -> None:
        self.folder = folder
        # Files of later roots win.
        self._roots = {
            f"{package}/{root}/": place
            for package in packages
            for place, root in enumerate(ROOTS, start=1)
        }
        self._sources: dict[str, tuple[int, str, int]] = {}

    def add(self, file: str) -> list[str]:
        """Put a file, or the examples of a README, into the folder; return their paths there."""
        text = Path(file).read_text(encoding="utf-8")
        if file.endswith(".md"):
            name = file.removesuffix(".md").replace("/", "_")
            return [
                self._put(
                    match[1] or f"{name}_{number}.py",
                    match[2],
                    0,
                    file,
                    text[: match.start(2)].count("\n"),
                )
                for number, match in enumerate(_EXAMPLE.finditer(text), start=1)
            ]
        root = next((root for root in self._roots if file.startswith(root)), "")
        return [self._put(file.removeprefix(root), text, self._roots.get(root, 0), file, 0)]

    def _put(self, path: str, text: str, priority: int, source: str, line: int) -> str:
        if self._sources.get(path, (-1,))[0] <= priority:
            self._sources[path] = (priority, source, line)
            place = self.folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        return path

    def named(self, found: Finding) -> Finding:
        """Return a finding with the file's path in the repository."""
        path = os.path.relpath(self.folder / found.file, self.folder)
        _, source, line = self._sources.get(path, (0, path, 0))
        return Finding(source, found.line + line, found.message)


def _judge(found: Sequence[Finding], calls: Sequence[str]) -> list[Finding]:
    """Return what should not have been found, and what should have been."""
    expected = {
        (file, number)
        for file in calls
        for number, line in enumerate(Path(file).read_text(encoding="utf-8").splitlines(), start=1)
        if _REJECTED.search(line)
    }
    places = {(one.file, one.line) for one in found}
    missing = [Finding(*place, "is not rejected") for place in expected - places]
    return sorted([one for one in found if (one.file, one.line) not in expected] + missing)


def _run(module: str, tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=tree,
        env={
            **os.environ,
            "HOME": str(tree.parent),
            "MYPYPATH": str(tree),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def _mypy(tree: Path, settings: Path, files: Sequence[str]) -> list[Finding]:
    arguments = tree.parent / "arguments"
    arguments.write_text("\n".join(files), encoding="utf-8")
    done = _run(
        "mypy",
        tree,
        *(f"--config-file={settings}", f"--cache-dir={os.devnull}", "--follow-imports=silent"),
        *("--no-error-summary", "--hide-error-context", "--no-pretty", f"@{arguments}"),
    )
    found = [
        Finding(match[1], int(match[2]), match[3])
        for match in map(_MYPY_LINE.fullmatch, done.stdout.splitlines())
        if match
    ]
    if done.stderr or bool(found) != bool(done.returncode):
        raise CheckerError(f"{done.stdout}{done.stderr}")
    return found


def _basedpyright(tree: Path, settings: Path, files: Sequence[str]) -> list[Finding]:
    own = tomllib.loads(settings.read_text(encoding="utf-8"))["tool"]["basedpyright"]
    file = tree.parent / "pyrightconfig.json"
    paths = [str(tree), *(path for path in sys.path if path)]
    include = [str(tree / path) for path in files]
    file.write_text(json.dumps({**own, "include": include, "extraPaths": paths}), "utf-8")
    done = _run("basedpyright", tree, "--outputjson", f"--project={file}")
    try:
        report = json.loads(done.stdout)
        found = [
            Finding(
                os.path.relpath(one["file"], tree.resolve()),
                one["range"]["start"]["line"] + 1,
                one["message"].partition("\n")[0],
            )
            for one in report["generalDiagnostics"]
            if one["severity"] == "error"
        ]
        analysed = report["summary"]["filesAnalyzed"]
    except (ValueError, KeyError):
        raise CheckerError(f"{done.stdout}{done.stderr}") from None
    if analysed < len(set(files)):
        raise CheckerError(f"it looked at {analysed} of {len(set(files))} files")
    return found


_CHECKERS = {"basedpyright": _basedpyright, "mypy": _mypy}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Keeps the checked-in copy of a compiled package equal to what its spec compiles to."""

import argparse
import difflib
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tools.codegen.fields import fields_of

_DIFF_LINES = 60
_CACHE = "__pycache__"


class ArchiveError(Exception):
    """An archive that the compiler did not make."""


def read_archive(archive: Path) -> dict[str, str]:
    """Return the text of each module that the compiler made, by its path in the package.

    Raises:
        ArchiveError: A path leads out of the package.
    """
    with zipfile.ZipFile(archive) as source:
        names = source.namelist()
        for name in names:
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts:
                raise ArchiveError(f"{archive}: {name!r} leads out of the package; compile it anew")
        return {name: source.read(name).decode() for name in names}


def read_mirror(folder: Path, package: str) -> dict[str, str]:
    """Return the text of each file of the mirror, by its path in the package.

    A file that lies beside the package's folder has a path that begins with `../`.
    """
    return {
        # As bytes, since reading text would hide the line endings of another system.
        Path(os.path.relpath(file, folder / package)).as_posix(): file.read_bytes().decode(
            errors="replace"
        )
        for file in sorted(folder.rglob("*"))
        if file.is_file() and _CACHE not in file.parts
    }


def differences(mirror: dict[str, str], made: dict[str, str]) -> Iterator[str]:
    """Yield a line for each model, field, endpoint or file that differs from the compiled spec."""
    for path in sorted(mirror.keys() | made.keys(), key=lambda path: (_rank(path), path)):
        old, new = mirror.get(path), made.get(path)
        if old == new:
            continue
        what = _subject(path)
        if old is None or new is None:
            yield f"{what}: {_one_sided(new is None)}"
        elif _is_model(path):
            yield from _model_differences(path, old, new) or [f"{what}: differs in text"]
        else:
            yield f"{what}: differs"


def _rank(path: str) -> int:
    """Put first what others follow from: models, endpoints, then lists of them."""
    return 0 if _is_model(path) else 1 if _subject(path) != path else 2


def _is_model(path: str) -> bool:
    return path.startswith("models/") and not path.endswith("/__init__.py")


def _subject(path: str) -> str:
    parts = path.removesuffix(".py").split("/")
    if parts[0] == "api" and len(parts) == 3 and parts[2] != "__init__":
        return f"endpoint {parts[2]} ({path})"
    return f"model module {parts[-1]} ({path})" if _is_model(path) else path


def _model_differences(path: str, old: str, new: str) -> list[str]:
    try:
        was, now = fields_of(old), fields_of(new)
    except SyntaxError as error:
        return [f"{path}: is no Python (line {error.lineno})"]
    lines: list[str] = []
    for model in sorted(was.keys() | now.keys()):
        if model not in was or model not in now:
            lines.append(f"model {model}: {_one_sided(model in was)}")
            continue
        for field in sorted(was[model].keys() | now[model].keys()):
            before, after = was[model].get(field), now[model].get(field)
            if before != after:
                how = f"{before} -> {after}"
                if before is None:
                    how = f"missing in the mirror: {after}"
                elif after is None:
                    how = "in the mirror, no longer in the spec"
                lines.append(f"model {model}, field {field}: {how}")
    return lines


def _one_sided(is_in_mirror: bool) -> str:
    if is_in_mirror:
        return "in the mirror, no longer made from the spec"
    return "made from the spec, missing in the mirror"


def unified_diff(mirror: dict[str, str], made: dict[str, str]) -> list[str]:
    """Return the start of the diff that makes the mirror what the spec compiles to."""
    lines = [
        line
        for path in sorted(mirror.keys() & made.keys())
        for line in difflib.unified_diff(
            mirror[path].splitlines(),
            made[path].splitlines(),
            *(f"mirror/{path}", f"spec/{path}"),
            n=2,
            lineterm="",
        )
    ]
    rest = len(lines) - _DIFF_LINES
    return lines if rest <= 0 else [*lines[:_DIFF_LINES], f"... {rest} more lines"]


def update(folder: Path, package: str, made: dict[str, str]) -> Iterator[str]:
    """Make the mirror what the compiler made, and yield a line for each file that changed.

    Symbolic links are removed rather than followed, so nothing outside of the folder changes.
    """
    for link in [path for path in folder.rglob("*") if path.is_symlink()]:
        link.unlink()
        yield f"removed the link {link.relative_to(folder)}"
    mirror = read_mirror(folder, package)
    for path in sorted(mirror.keys() | made.keys()):
        file = Path(os.path.normpath(folder / package / path))
        if path not in made:
            file.unlink()
            yield f"removed {path}"
        elif mirror.get(path) != made[path]:
            file.parent.mkdir(parents=True, exist_ok=True)
            _replace(file, made[path])
            yield f"{'changed' if path in mirror else 'added'} {path}"
    for below in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        if below.name == _CACHE:
            shutil.rmtree(below)
        elif not any(below.iterdir()):
            below.rmdir()


def _replace(file: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as target:
            target.write(text)
        os.chmod(name, 0o644)
        os.replace(name, file)
    except BaseException:
        os.unlink(name)
        raise


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mirror", description=__doc__)
    add = parser.add_argument
    add("--update", action="store_true", help="rewrite the mirror rather than check it")
    add("--archive", type=Path, required=True, help="zip with what the spec compiles to")
    add("--mirror", type=Path, required=True, help="the mirror's folder in the workspace")
    add("--package", required=True, help="the package's folder in the mirror")
    add("--command", required=True, help="what rewrites the mirror")
    add("--spec-command", help="what stores the spec anew")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Check or rewrites the mirror."""
    arguments = _arguments(argv)
    try:
        made = read_archive(arguments.archive)
    except ArchiveError as error:
        print(error, file=sys.stderr)
        return 1
    if not arguments.update:
        return _check(arguments, made)
    folder = Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", "."), arguments.mirror)
    try:
        (folder / arguments.package).mkdir(parents=True, exist_ok=True)
        changed = list(update(folder, arguments.package, made))
    except OSError as error:
        place = error.filename or folder
        problem = f"{place}: cannot be written: {error.strerror}"
        print(f"{problem}; correct that and run {arguments.command}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{arguments.mirror}: half rewritten; run {arguments.command}", file=sys.stderr)
        return 130
    print("\n".join(changed) or f"{arguments.mirror} is up to date")
    return 0


def _check(arguments: argparse.Namespace, made: dict[str, str]) -> int:
    mirror = read_mirror(arguments.mirror, arguments.package)
    found = list(differences(mirror, made))
    if not found:
        return 0
    print(f"{arguments.mirror} is not what the spec compiles to:")
    print(*(f"  {line}" for line in found), sep="\n")
    print("", *unified_diff(mirror, made), "", sep="\n")
    if arguments.spec_command:
        print(f"If the spec is not the server's, run first: {arguments.spec_command}")
    print(f"To fix it: {arguments.command}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

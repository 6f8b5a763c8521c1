"""Compiles every OpenAPI document of a folder, and prints what becomes of each.

    python -m tools.codegen.judge --ruff PATH FOLDER

A package that is compiled is imported with warnings as errors, each operation is checked to have
its four forms, and mypy checks it in strict mode. The folder is data of others; nothing is kept.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.codegen.compile import compile_package
from tools.codegen.errors import Refusals, SpecError

_OPENAPI = re.compile(r"""^\s*["']?openapi["']?\s*:\s*["']?3""", re.MULTILINE)
_SUFFIXES = (".json", ".yaml", ".yml")

# Runs in a process of its own, since packages stay loaded.
_IMPORT = """
import contextlib, importlib, inspect, pkgutil, sys
package = importlib.import_module(sys.argv[1] + ".models")
for name in package.__all__:
    getattr(package, name)
for found in pkgutil.walk_packages(sys.modules[sys.argv[1]].__path__, sys.argv[1] + "."):
    importlib.import_module(found.name)
for name in package.__all__:
    model = getattr(package, name)
    if hasattr(model, "model_rebuild"):
        model.model_rebuild()
facts = importlib.import_module(sys.argv[1] + ".spec")
for operation in facts.OPERATIONS.values():
    module = importlib.import_module(sys.argv[1] + "." + operation.module)
    names = ("sync", "sync_detailed", "asyncio", "asyncio_detailed")
    forms = [getattr(module, name) for name in names]
    parameters = [list(inspect.signature(form).parameters) for form in forms]
    assert all(found == parameters[0] for found in parameters), operation
    for parser in module.OPERATION.answers.values():
        with contextlib.suppress(ValueError):
            parser(b"null")
print(len(facts.OPERATIONS), len(package.__all__))
"""


@dataclass
class Verdict:
    """What became of a document.

    Attributes:
        document: Its path in the folder.
        refusals: Why it is not compiled.
        imports: What is wrong with the package as it is imported; empty if nothing is.
        types: How many errors mypy finds.
        size: How many operations and models it has.
        seconds: How long it took to compile.
    """

    document: str
    refusals: list[str]
    imports: str = ""
    types: Sequence[str] = ()
    size: str = ""
    seconds: float = 0.0

    def row(self) -> str:
        """Return a line of the table."""
        if self.refusals:
            return f"REFUSED  {self.document}: {self.refusals[0]} ({len(self.refusals)} in all)"
        word = "FAILS" if self.imports else "UNTYPED" if self.types else "works"
        rest = self.imports or (f"{len(self.types)} errors: {self.types[0]}" if self.types else "")
        return f"{word:8} {self.document}: {self.size}, {self.seconds:.1f} s {rest}"


def documents(folder: Path) -> list[Path]:
    """Return the files of a folder that say that they are OpenAPI 3."""
    files = [one for one in sorted(folder.rglob("*")) if one.suffix in _SUFFIXES and one.is_file()]
    return [one for one in files if _OPENAPI.search(one.read_text("utf-8", errors="replace"))]


def judge(file: Path, name: str, arguments: argparse.Namespace) -> Verdict:
    """Compile a document, and check what comes out."""
    verdict = Verdict(str(file.relative_to(arguments.folder)), [])
    begin = time.perf_counter()
    try:
        files = compile_package(
            file,
            sources=[one for one in file.parent.rglob("*") if one.suffix in _SUFFIXES],
            package=name,
            support="stepflow_api",
            command="judge",
            hand_written={},
            ruff=arguments.ruff,
        )
    except SpecError as error:
        errors = error.errors if isinstance(error, Refusals) else [error]
        verdict.refusals = [str(one) for one in errors]
        return verdict
    verdict.seconds = time.perf_counter() - begin
    with tempfile.TemporaryDirectory() as folder:
        for path, text in {**files, "__init__.py": "", "py.typed": ""}.items():
            target = Path(folder, name, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        found = _run(folder, "-W", "error", "-c", _IMPORT, name)
        verdict.size = found.stdout.strip().replace(" ", " operations, ") + " models"
        verdict.imports = found.stderr.strip().rpartition("\n")[2]
        if arguments.types:
            checked = _run(
                folder,
                *("-m", "mypy", "--strict", "--follow-imports=silent", "--no-error-summary"),
                *(f"--cache-dir={arguments.cache}", "-p", name),
            )
            verdict.types = [line for line in checked.stdout.splitlines() if ": error:" in line]
            if checked.returncode and not verdict.types:
                verdict.types = [" ".join((checked.stdout + checked.stderr).split())]
    return verdict


def _run(folder: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    # mypy does not run where this has a folder of the interpreter.
    ours = [one for one in sys.path if not one.startswith((sys.prefix, sys.base_prefix))]
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([folder, *sys.path]),
            "MYPYPATH": os.pathsep.join([folder, *ours]),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
    )


def main(argv: list[str]) -> int:
    """Judge all documents, and print the table."""
    parser = argparse.ArgumentParser(prog="judge", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with OpenAPI documents")
    parser.add_argument("--ruff", type=Path, help="the formatter's executable; none by default")
    parser.add_argument("--types", action="store_true", help="check the types as well, with mypy")
    parser.add_argument("--cache", type=os.path.abspath, default=".mypy_cache", help="mypy's cache")
    arguments = parser.parse_args(argv)
    verdicts: list[Verdict] = []
    for number, file in enumerate(documents(arguments.folder)):
        verdicts.append(judge(file, f"judged{number}", arguments))
        print(verdicts[-1].row(), flush=True)
    compiled = [verdict for verdict in verdicts if not verdict.refusals]
    imported = [verdict for verdict in compiled if not verdict.imports]
    typed = [verdict for verdict in imported if not verdict.types]
    print(
        f"{len(compiled)} of {len(verdicts)} documents compile, {len(imported)} of them can be"
        f" imported" + (f", {len(typed)} have no error of types" if arguments.types else "")
    )
    return int(len(imported) < len(verdicts))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The hand-written modules of a compiled package, as far as the compiler has to know them."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tools.codegen.errors import SpecError


@dataclass(frozen=True)
class HandWritten:
    """One hand-written module under `models/` or `api/`.

    Attributes:
        path: Where it lies in the package, such as `models/run_details.py`.
        classes: Names that it offers: `__all__`, else its public classes and values.
        imported: Names that it imports from `models.generated`.
    """

    path: PurePosixPath
    classes: tuple[str, ...]
    imported: frozenset[str]

    @property
    def module(self) -> str:
        """The module's own name."""
        return self.path.stem

    @property
    def is_model(self) -> bool:
        """Whether it offers models: a public module directly under `models/`."""
        return self.path.parent == PurePosixPath("models") and not self.module.startswith("_")


def read_hand_written(files: Iterable[Path], package: str) -> list[HandWritten]:
    """Reads hand-written modules.

    Args:
        files: The modules, at paths that have the package's folder in them.
        package: The package's import name.

    Raises:
        SpecError: A module is no Python.
    """
    found = []
    for file in sorted(files):
        parts = file.parts
        start = len(parts) - parts[::-1].index(package)
        path = PurePosixPath(*parts[start:])
        if path.parts[0] not in ("models", "api"):
            continue
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except (SyntaxError, ValueError) as error:
            line = f" line {error.lineno}:" if isinstance(error, SyntaxError) else ""
            raise SpecError(
                str(path), f"{line} is no Python module ({error.args[0]})".strip()
            ) from error
        found.append(HandWritten(path, _offered(tree), _imported(tree)))
    return found


def _offered(tree: ast.Module) -> tuple[str, ...]:
    offered = []
    for node in tree.body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id="__all__")], value=ast.List() | ast.Tuple() as names
            ):
                return tuple(sorted(ast.literal_eval(names)))
            case ast.ClassDef(name=name) | ast.Assign(targets=[ast.Name(id=name)]):
                offered.append(name)
            case ast.AnnAssign(target=ast.Name(id=name)):
                offered.append(name)
    return tuple(sorted(name for name in offered if not name.startswith("_")))


def _imported(tree: ast.Module) -> frozenset[str]:
    return frozenset(
        name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("generated")
        for name in node.names
    )

"""The hand-written modules of a compiled package, as far as the compiler has to know them."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tools.codegen.errors import SpecError
from tools.codegen.fields import names_of
from tools.codegen.groups import GENERATED
from tools.codegen.models import Model

_MODELS = re.compile(r"(^|\.)models(\._generated)?(\.\w+)?$")


@dataclass(frozen=True)
class HandWritten:
    """One hand-written module of models.

    Attributes:
        path: Where it lies in the package, such as `models/run_details.py`.
        names: Names that it offers: `__all__`, else its public classes and values.
        imported: Names that it imports from the package of models.
    """

    path: str
    names: tuple[str, ...]
    imported: frozenset[str]

    @property
    def name(self) -> str:
        """The module's own name."""
        return PurePosixPath(self.path).stem


def read_hand_written(files: Mapping[str, Path]) -> list[HandWritten]:
    """Read the modules that offer models: the public ones directly under `models/`.

    Raises:
        SpecError: A module is no Python.
    """
    found: list[HandWritten] = []
    for path, file in sorted(files.items()):
        try:
            tree = ast.parse(file.read_bytes())
        except OSError as error:
            raise SpecError(path, f"cannot be read: {error.strerror}") from error
        except (SyntaxError, ValueError) as error:
            number = getattr(error, "lineno", None)
            line = f", line {number}" if number else ""
            raise SpecError(f"{path}{line}", f"is no Python module: {error.args[0]}") from error
        module = PurePosixPath(path)
        if module.is_relative_to("models/_generated") or path == "models/_generated.py":
            raise SpecError(
                path, "stands where the compiler's modules do; put it directly under models/"
            )
        if module.parent == PurePosixPath("models") and not module.stem.startswith("_"):
            found.append(HandWritten(path, _offered(tree), _imported(tree)))
    return found


def check_hand_written(
    written: list[HandWritten], models: list[Model]
) -> dict[str, tuple[str, ...]]:
    """Check the hand-written modules of models against those of the spec.

    Returns:
        The names that each module offers which takes no model's place, by the module's name.

    Raises:
        SpecError: A module does not offer what it has to, or what others offer.
    """
    by_module = {model.module: model for model in models}
    owners = {model.name: f"models/{model.module}.py" for model in models}
    extra: dict[str, tuple[str, ...]] = {}
    for module in written:
        model = by_module.get(module.name)
        if model is None:
            if not module.names:
                raise SpecError(
                    module.path, "offers no class; name a private module with an underscore"
                )
            for name in module.names:
                if owners.setdefault(name, module.path) != module.path:
                    raise SpecError(
                        module.path, f"offers {name}, as {owners[name]} does; rename one of them"
                    )
            extra[module.name] = module.names
        elif model.name not in module.names:
            raise SpecError(
                module.path, f"does not define {model.name}, the model whose place it takes"
            )
        elif model.name in module.imported:
            raise SpecError(
                module.path,
                f"imports {model.name}, which is this module's own; its generated class is called"
                f" {GENERATED}{model.name}, in models/_generated/{module.name}.py",
            )
    return extra


def _offered(tree: ast.Module) -> tuple[str, ...]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names = [one for one in ast.walk(node.value) if isinstance(one, ast.Constant)]
            return tuple(sorted(str(name.value) for name in names))
    return tuple(sorted(name for name in names_of(tree.body) if not name.startswith("_")))


def _imported(tree: ast.Module) -> frozenset[str]:
    return frozenset(
        name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and _MODELS.search(node.module or "")
        for name in node.names
    )

"""Which module may import which: packages, their private names, and the layers inside them."""

from __future__ import annotations

import ast
import graphlib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tools.packages import ROOTS, modules

ROOT = Path(__file__).parents[3]


def dependencies() -> dict[str, set[str]]:
    """Return each package, with the packages of the repository that its wheel includes."""
    direct = {}
    for file in ROOT.glob("*/pyproject.toml"):
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        names = {one.replace("-", "_") for one in project["dependencies"]}
        direct[project["name"].replace("-", "_")] = names
    found: dict[str, set[str]] = {}
    for package in graphlib.TopologicalSorter(direct).static_order():
        if package in direct:
            own = direct[package] & direct.keys()
            found[package] = own.union(*(found[one] for one in own))
    return found


#: Each package, with the packages of the repository that it may import.
PACKAGES = dependencies()

#: The layers of a package, from the top: a module imports its own layer and those below it. What is
#: not listed belongs to the lowest one.
LAYERS = {
    "stepflow_api": (
        ("api", "lowlevel", "support", "testing"),
        ("client",),
        ("_exchange.driver",),
        ("_exchange.exchange",),
        ("_exchange",),
        ("_transport.transport",),
        ("_transport.httpx_transport",),
        ("_transport",),
        ("_operation", "_error_message"),
        ("models", "graph"),
    ),
    "stepflow_client": (
        ("__main__", "cli"),
        ("client", "sync_client", "executor", "flow_builder"),
        ("_server_methods", "_sync_server_methods"),
        ("handle", "sync_handle"),
        ("_factory",),
        ("_core", "_report", "difference", "options", "timeline"),
        ("_requests",),
    ),
}


class Import(NamedTuple):
    """One import: where it stands, of what, and whether only type checkers see it."""

    module: str
    line: int
    target: str
    is_typing: bool

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"


def files(package: str) -> dict[str, Path]:
    """Return the files of a package by module name; hand-written ones replace generated ones."""
    folder = ROOT / package.removeprefix("stepflow_")
    found = modules((folder / root for root in ROOTS), package)
    return {
        ".".join(path.with_suffix("").parts).removesuffix(".__init__"): file
        for path, file in found.items()
    }


MODULES = {module: file for package in PACKAGES for module, file in files(package).items()}


def imports(module: str) -> Iterator[Import]:
    """Return the imports of a module, those inside of functions included."""
    tree = ast.parse(MODULES[module].read_bytes())
    typing = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            targets = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for target in targets:
            yield Import(module, node.lineno, target, id(node) in typing)


IMPORTS = [one for module in MODULES for one in imports(module)]


def imported_module(one: Import) -> str | None:
    """Return the module of the repository that is imported; None for other packages."""
    owner = one.target.rpartition(".")[0]
    return next((name for name in (one.target, owner) if name in MODULES), None)


def layer(module: str) -> int:
    """Return the number of a module's layer, counted from the top."""
    package, _, rest = module.partition(".")
    layers = LAYERS.get(package, ())
    fitting = [
        (len(name), number)
        for number, names in enumerate(layers)
        for name in names
        if f"{rest}.".startswith(f"{name}.")
    ]
    return max(fitting)[1] if fitting else len(layers)


def test_a_package_imports_only_those_before_it() -> None:
    allowed = {name: {name, *others} for name, others in PACKAGES.items()}
    folders = {package.removeprefix("stepflow_") for package in PACKAGES}
    ours = {*PACKAGES, *folders, "tools", "compat"}
    wrong = [
        str(one)
        for one in IMPORTS
        if (top := one.target.partition(".")[0]) in ours
        and top not in allowed[one.module.partition(".")[0]]
    ]
    assert not wrong, "\n".join(wrong)


def test_no_package_imports_private_names_of_another() -> None:
    wrong = [
        str(one)
        for one in IMPORTS
        if one.target.partition(".")[0] in PACKAGES.keys() - {one.module.partition(".")[0]}
        and any(part.startswith("_") and part != "__version__" for part in one.target.split("."))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", LAYERS)
def test_a_layer_imports_only_those_below_it(package: str) -> None:
    wrong = [
        f"{one}, which is above it"
        for one in IMPORTS
        if (target := imported_module(one)) is not None
        and one.module.partition(".")[0] == target.partition(".")[0] == package
        # A package's own module names its submodules, to import them when they are first used.
        and one.module not in (package, target.rpartition(".")[0])
        and layer(target) < layer(one.module)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_imports_itself_through_others(package: str) -> None:
    graph: dict[str, set[str]] = {}
    for one in IMPORTS:
        target = imported_module(one)
        # A module imports the packages around it first.
        if target is None or one.is_typing or one.module.startswith(f"{target}."):
            continue
        # A model that replaces a generated one is imported by it and imports it.
        here, there = (
            "stepflow_api.models" if name.startswith("stepflow_api.models.") else name
            for name in (one.module, target)
        )
        if here != there and here.startswith(package):
            graph.setdefault(here, set()).add(there)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1][::-1]), pytrace=False)


def test_one_module_imports_httpx() -> None:
    """It alone knows that there are httpx and httpx2; the mock server is a transport of httpx."""
    found = {
        one.module
        for one in IMPORTS
        if one.target.partition(".")[0] in ("httpx", "httpx2") and not one.is_typing
    }
    assert found == {"stepflow_api._transport.httpx_libraries", "stepflow_api.testing"}

"""The site, as the build makes it."""

import importlib
import inspect
import os
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sphinx.util.inventory import InventoryFile

import stepflow_api.api

SITE = Path(os.environ["SITE"])


def modules() -> Iterator[str]:
    yield from ("stepflow_api", "stepflow_api.errors", "stepflow_api.models", "stepflow_api.types")
    yield from ("stepflow_api.lowlevel", "stepflow_api.testing")
    yield from ("stepflow_client", "stepflow_client.errors")
    yield from ("stepflow_runtime", "stepflow_runtime.errors")
    for module in pkgutil.walk_packages(stepflow_api.api.__path__, "stepflow_api.api."):
        if not module.ispkg and "._" not in module.name:
            yield module.name


@pytest.fixture(scope="module")
def documented() -> set[str]:
    """Return the objects of the reference by their names."""
    inventory = InventoryFile.loads((SITE / "objects.inv").read_bytes(), uri="")
    return {name for kind, names in inventory.data.items() if kind != "py:module" for name in names}


def test_nothing_was_warned_of() -> None:
    warnings = Path(os.environ["WARNINGS"]).read_text()
    assert not warnings, (
        "the site is built with warnings; mend what they name and see them with"
        f" `tools/bazel test //docs:site_test`:\n{warnings}"
    )


@pytest.mark.parametrize("module", [*modules()])
def test_every_public_name_is_in_the_reference(module: str, documented: set[str]) -> None:
    public = importlib.import_module(module)
    # What several modules export is described once.
    homes = (
        module,
        "stepflow_api",
        "stepflow_api.errors",
        "stepflow_api.types",
        "stepflow_client.errors",
    )
    missing = {
        name
        for name, value in ((name, getattr(public, name)) for name in public.__all__)
        # That there is a docstring is for the linter to say.
        if not inspect.ismodule(value) and value.__doc__
        if documented.isdisjoint(f"{home}.{name}" for home in homes)
    }
    assert not missing, (
        f"the reference lacks {sorted(missing)} of {module}; list it in a page of docs/reference"
    )


def test_each_page_can_be_reached_from_the_front_page() -> None:
    front = (SITE / "index.html").read_text()
    pages = {str(page.relative_to(SITE)) for page in SITE.rglob("*.html")}
    made_by_sphinx = {"genindex.html", "index.html", "py-modindex.html", "search.html"}
    unreachable = {page for page in pages - made_by_sphinx if f'href="{page}"' not in front}
    assert not unreachable, f"docs/index.md does not lead to {sorted(unreachable)}"


def test_the_command_is_documented() -> None:
    assert "--max-concurrency" in (SITE / "reference/command.html").read_text()

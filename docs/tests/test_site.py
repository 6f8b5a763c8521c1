"""The site, as the build makes it."""

import html.parser
import importlib
import inspect
import json
import os
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from sphinx.util.inventory import InventoryFile

import stepflow_api.api
import stepflow_runtime.errors
from stepflow_client import errors

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
        "the site is built with warnings; fix what they name, and show them with"
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


class Page(html.parser.HTMLParser):
    """The links of a page, and what links can refer to."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.descriptions = 0
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an id, and the target of a link, an image, a script or a style sheet."""
        attributes = dict(attrs)
        self.ids.add(attributes.get("id") or "")
        self.descriptions += tag == "meta" and attributes.get("name") == "description"
        for name in ("href", "src"):
            if target := attributes.get(name):
                self.links.add(target)


def test_links_and_anchors_resolve() -> None:
    pages = {file: Page(file) for file in SITE.rglob("*.html")}
    broken: list[str] = []
    for file, page in pages.items():
        for link in page.links:
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            target = Path(os.path.normpath(file.parent / unquote(url.path))) if url.path else file
            ids = pages[target].ids if target in pages else None
            if not target.exists() or (url.fragment and ids and unquote(url.fragment) not in ids):
                broken.append(f"{file.relative_to(SITE)}: {link}")
    assert not broken, "links lead nowhere:\n" + "\n".join(sorted(broken))


def test_each_page_has_a_description() -> None:
    made_by_sphinx = {"genindex.html", "py-modindex.html", "search.html"}
    files = [file for file in SITE.rglob("*.html") if file.name not in made_by_sphinx]
    assert [file for file in files if Page(file).descriptions != 1] == []


def test_each_error_has_a_cause_and_a_remedy() -> None:
    page = (SITE / "errors.html").read_text(encoding="utf-8")
    names = {*errors.__all__, *stepflow_runtime.errors.__all__} - {"RuntimeFailure", "StatusError"}
    rows = {name for name in names if f'<span class="pre">{name}</span></code></p></td>' in page}
    assert names - rows == {"StepflowError"}


def test_no_signature_shows_internal_classes() -> None:
    page = (SITE / "reference/stepflow_runtime.html").read_text(encoding="utf-8")
    assert 'id="stepflow_runtime.StepflowRuntime"' in page
    assert "Supervisor" not in page


def test_no_page_shows_internal_objects() -> None:
    internal = re.compile(r"&lt;(built-in|function|module)\b| object( at 0x\w+)?&gt;|\b_random\b")
    assert [
        f"{file.relative_to(SITE)}: {found[0]}"
        for file in SITE.rglob("*.html")
        if (found := internal.search(file.read_text(encoding="utf-8")))
    ] == []


def test_each_page_can_be_reached_from_the_front_page() -> None:
    front = (SITE / "index.html").read_text()
    pages = {str(page.relative_to(SITE)) for page in SITE.rglob("*.html")}
    made_by_sphinx = {"genindex.html", "index.html", "py-modindex.html", "search.html"}
    unreachable = {page for page in pages - made_by_sphinx if f'href="{page}"' not in front}
    assert not unreachable, f"docs/index.md does not lead to {sorted(unreachable)}"


def test_the_command_is_documented() -> None:
    page = (SITE / "reference/command.html").read_text()
    assert "--max-concurrency" in page
    assert '<span class="pre">--follow</span>' in page
    assert "``" not in page
    # Its lists have whole sentences.
    assert "...</p>" not in page


def test_the_search_finds_the_command_and_the_package() -> None:
    index = (SITE / "searchindex.js").read_text().removeprefix("Search.setIndex(").rstrip(")")
    found = json.loads(index)
    ((page, _, is_main),) = found["indexentries"]["stepflow-client (command)"]
    assert found["docnames"][page] == "reference/command"
    # Other entries come after all else that is found.
    assert is_main
    assert "stepflow-client" in found["alltitles"]


def test_the_source_of_a_page_can_be_read() -> None:
    page = SITE / "tutorial/1-a-flow.html"
    assert "../_sources/tutorial/1-a-flow.md.txt" in Page(page).links
    assert (
        "# 1. From a function to a flow" in (SITE / "_sources/tutorial/1-a-flow.md.txt").read_text()
    )

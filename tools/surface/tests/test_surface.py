"""Which names are public, what their lines look like, and what the commands say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.surface.surface import main

PUBLIC = """\
from __future__ import annotations
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Literal, overload

from other import Elsewhere
from p._private import Base, Hidden, Shown
from pydantic import BaseModel, Field

__all__ = ["LIMIT", "Elsewhere", "Made", "Model", "Options", "Shown", "Thing", "choose", "wait"]
LIMIT: Final = 7
HIDDEN = 8

class Model(BaseModel):
    model_config = {}
    known: ClassVar[int] = 1
    flow_id: Annotated[str, Field(alias="flowId")]
    names: list[str] = Field(default_factory=list)
    kind: Literal["a"] = "a"

class Options(TypedDict, total=False):
    timeout: float

class Thing(Base):
    table = {_key(): 1}
    def __init__(self, size: int, *, _clock: object = None) -> None:
        self.size = size
        self._secret = size
    def __repr__(self) -> str: ...
    def _hidden(self) -> None: ...
    @property
    def area(self) -> float: ...
    @classmethod
    def make(cls, /, *sizes: int, **rest: Any) -> Thing: ...

@overload
def choose(a: int) -> int: ...
@overload
def choose(a: str) -> str: ...
def choose(a): ...

class Made(Thing):
    def __init__(self, parts: list[Hidden]) -> None: ...

async def wait(a, b=2, *, seconds: float = 1.5) -> None: ...
"""
PRIVATE = """\
class Hidden:
    def inherited(self) -> int: ...
class Base(dict[str, int], Hidden):
    def inherited(self) -> bool: ...
    @property
    def area(self) -> object: ...
    def __reduce__(self) -> object: ...
class Shown: ...
class NotShown: ...
"""
LISTING = """\
# Public names of p; `update it` writes this file.
module p
alias p.Elsewhere = other.Elsewhere
attribute p.LIMIT: Final = 7
class p.Made(Thing)
class p.Model(BaseModel)
field p.Model.flow_id: str  # required, alias 'flowId'
field p.Model.kind: Literal['a'] = 'a'
attribute p.Model.known: int = 1
field p.Model.names: list[str] = list()
class p.Options(TypedDict)
field p.Options.timeout: float
class p.Shown
class p.Thing(dict[str, int])
def p.Thing.__init__(self, size: int) -> None
property p.Thing.area: float
def p.Thing.inherited(self) -> bool
classmethod def p.Thing.make(cls, /, *sizes: int, **rest: Any) -> Thing
attribute p.Thing.size: int
attribute p.Thing.table = ...
def p.choose(a: int) -> int
def p.choose(a: str) -> str
module p.sub
alias p.sub.Thing = p.Thing
async def p.wait(a, b=2, *, seconds: float = 1.5) -> None
"""
ARGUMENTS = ["--package=p", "--listing=api.txt", "--command=update it", "made", "src"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package in two folders, and the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BUILD_WORKSPACE_DIRECTORY", str(tmp_path))
    (tmp_path / "src/p").mkdir(parents=True)
    (tmp_path / "made/p").mkdir(parents=True)
    (tmp_path / "src/p/__init__.py").write_text(PUBLIC)
    (tmp_path / "src/p/_private.py").write_text(PRIVATE)
    (tmp_path / "made/p/sub.py").write_text("from p import Thing\n__all__ = ['Thing']\n")
    (tmp_path / "made/p/__init__.py").write_text("def replaced() -> None: ...\n")
    return tmp_path


def test_the_listing_has_a_line_for_each_public_name(folder: Path) -> None:
    assert main(["--update", *ARGUMENTS]) == 0
    assert (folder / "api.txt").read_text() == LISTING
    assert main(ARGUMENTS) == 0


def test_other_line_endings_are_a_difference(folder: Path) -> None:
    (folder / "api.txt").write_bytes(LISTING.replace("\n", "\r\n").encode())
    assert main(ARGUMENTS) == 1
    assert main(["--update", *ARGUMENTS]) == 0
    assert (folder / "api.txt").read_bytes() == LISTING.encode()


def test_the_test_says_what_breaks_callers_and_what_to_do(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--update", *ARGUMENTS])
    capsys.readouterr()
    source = PUBLIC.replace("b=2, *, seconds: float = 1.5", "b=2")
    source = source.replace('"choose", "wait"', '"new", "wait"')
    source += "def new() -> None: ...\n"
    (folder / "src/p/__init__.py").write_text(source)
    assert main(ARGUMENTS) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("api.txt is not what p offers:\n  breaks callers: ")
    assert "  breaks callers: p.wait: argument seconds removed\n" in shown
    assert "  breaks callers: p.choose: removed\n" in shown
    assert "  compatible: p.new: new: def() -> None\n" in shown
    assert "2 of 3 changes break callers: undo them, or tell callers in CHANGELOG.md" in shown
    assert shown.endswith("To fix it, where the changes are meant: update it\n")
    assert main(["--update", *ARGUMENTS]) == 0
    assert "breaks callers: p.choose: removed" in capsys.readouterr().out
    assert main(ARGUMENTS) == 0


def test_a_method_that_a_private_base_no_longer_has_breaks_callers(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--update", *ARGUMENTS])
    (folder / "src/p/_private.py").write_text(PRIVATE.replace("inherited", "_inherited"))
    assert main(ARGUMENTS) == 1
    assert "  breaks callers: p.Thing.inherited: removed\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("def wait(a: _Base) -> None: ...", "p.wait: shows the internal name _Base"),
        ("def wait(a=_LIMIT): ...", "p.wait: shows the internal name _LIMIT"),
        ("class wait(other._base.Base): ...", "p.wait: shows the internal name _base"),
        ("wait: list[other._Base]", "p.wait: shows the internal name _Base"),
    ],
)
def test_an_internal_name_fails(
    folder: Path, capsys: pytest.CaptureFixture[str], source: str, name: str
) -> None:
    (folder / "src/p/__init__.py").write_text(f'__all__ = ["wait"]\n{source}\n')
    assert main(["--update", *ARGUMENTS]) == 1
    assert capsys.readouterr().err == f"{name}; make that public\n"
    assert not (folder / "api.txt").exists()


def test_a_listing_that_is_missing_or_edited_fails(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(ARGUMENTS) == 1
    assert "compatible: p.wait: new: async def(" in capsys.readouterr().out
    (folder / "api.txt").write_text(f"{LISTING}# a note\n")
    assert main(ARGUMENTS) == 1
    assert "api.txt was edited by hand\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def broken(:", "p: cannot be read: "),
        ("\ud800", "p: cannot be read: "),
    ],
)
def test_sources_that_cannot_be_read_are_named_on_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], source: str, message: str
) -> None:
    (folder / "src/p/__init__.py").write_bytes(source.encode("utf-8", "surrogatepass"))
    assert main(ARGUMENTS) == 1
    shown = capsys.readouterr().err
    assert shown.startswith(message) and shown.count("\n") == 1, shown
    assert str(folder) not in shown


def test_a_package_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--package=q", *ARGUMENTS[1:]]) == 1
    assert capsys.readouterr().err == "q: found in none of made, src; correct the folders\n"

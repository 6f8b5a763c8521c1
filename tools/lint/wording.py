"""Checks the wording of all files: spelling by codespell, and phrases that slow readers down."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import codespell_lib

#: Phrases, and what to write instead.
PHRASES = {
    r"gives(?! (up|way))": "return, provide or show",
    r"give (a|an|bytes|it|its|one|seconds|text|the|valid|values|\d+)": "pass, use or assign",
    r"goes on": "continue, keep running; a run in progress",
    r"handed in": "pass",
    r"(end|ends|ended|exit|exits|exited) by itself": "exit, or on its own",
    r"(bring|brings) along": "include",
    r"mend|mends|mended|mendable": "fix",
    r"sees? to it": "ensure",
    r"of its own making": "its own",
    r"stands? twice": "duplicate",
    r"tells": "report, show or distinguish",
    r"that is no(?! longer| more)": "that is not a",
    r"under way": "in progress, in use",
    r"what came": "the response, the body",
    r"whoever": "anyone who, or name the reader",
    r"without a trace": "it is cleaned up automatically",
}
_PHRASE = re.compile(
    "|".join(rf"(?P<p{number}>\b(?:{one})\b)" for number, one in enumerate(PHRASES)), re.IGNORECASE
)
_SUFFIXES = (".bazel", ".bzl", ".md", ".py", ".rst", ".toml", ".yaml")
#: Parts of words, and names in protocols, that codespell takes for mistakes.
_NO_MISTAKES = "enbled,ser,strin,te,updat"
#: Generated files, files of other tools, and this list.
_EXCLUDED = re.compile(
    r"\.|bazel-|node_modules|[a-z]+/generated/|tools/lint/(tests/test_)?wording\.py"
)


def main(arguments: Sequence[str]) -> int:
    """Check all files; return the exit code, 1 if there is something to reword.

    Args:
        arguments: The top of the repository, or a file there.
    """
    parser = argparse.ArgumentParser(prog="wording", description=__doc__)
    parser.add_argument("root", type=Path, help="the top of the repository, or a file there")
    root: Path = parser.parse_args(arguments).root.resolve()
    root = root if root.is_dir() else root.parent
    files = sorted(_files(root, root))
    found = [line for file in files for line in _phrases(file, str(file.relative_to(root)))]
    print(*found, sep="\n", end="\n" if found else "")
    spelling = ["--ignore-words-list", _NO_MISTAKES, *map(str, files)]
    mistakes = codespell_lib.main(*spelling) if files else 0
    if not found and not mistakes:
        return 0
    print("To fix it: reword these lines; names and quotations of others go into wording.py.")
    return 1


def _files(folder: Path, root: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_symlink() or _EXCLUDED.match(str(path.relative_to(root)) + "/" * path.is_dir()):
            continue
        if path.is_dir():
            yield from _files(path, root)
        elif path.suffix in _SUFFIXES:
            yield path


def _phrases(file: Path, name: str) -> Iterator[str]:
    better = [*PHRASES.values()]
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        for match in _PHRASE.finditer(line):
            assert match.lastgroup is not None
            yield f"{name}:{number}: {match[0]!r}; write: {better[int(match.lastgroup[1:])]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

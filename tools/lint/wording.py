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
    r"give(?! (up|way))": "pass, use, provide or assign",
    r"(go|goes|going|went) on": "continue, keep running; a run in progress",
    r"handed( in| over)?": "pass",
    r"by (itself|themselves)": "on its own",
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
    r"(come|comes|came) of": "result from, become",
    r"how often in a row": "the number of consecutive",
    r"a (line|result) each": "one per line",
    r"(is|are) taken for": "treated as",
    r"have to bear|bear (that|it|this)": "support, be safe to",
    r"where (none|nothing) is (given|passed)": "by default",
    r"(field|value)s? (it|they) do(es)? not know": "unknown fields, unknown values",
    r"is for people who": "use it to",
    r"can be awaited": "in async code, await",
    r"told_by|maybe_acted|piecemeal": "the field's own term",
}
#: A space of a phrase: it may continue on the next line, of a comment too.
_SPACE = r"\s+(?:#:?\s+)?"
_PHRASE = re.compile(
    "|".join(
        rf"(?P<p{number}>\b(?:{one})\b)".replace(" ", _SPACE) for number, one in enumerate(PHRASES)
    ),
    re.IGNORECASE,
)
_SUFFIXES = {
    *(".bazel", ".bzl", ".cfg", ".css", ".html", ".in", ".ini", ".jinja", ".jinja2", ".md", ".py"),
    *(".rst", ".svg", ".toml", ".yaml", ".yml"),
}
#: Shell scripts have no suffix.
_SCRIPT = b"#!"
#: Parts of words, and names in protocols, that codespell takes for mistakes.
_NO_MISTAKES = "enbled,ser,strin,te,updat"
#: Generated files, files of other tools, this list, and scripts whose bytes are the key of a cache.
_EXCLUDED = re.compile(
    r"\.|bazel-|node_modules|[a-z]+/generated/|tools/lint/(tests/test_)?wording\.py|tools/debian/"
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
        elif path.suffix in _SUFFIXES or _is_script(path):
            yield path


def _is_script(path: Path) -> bool:
    if path.suffix:
        return False
    with path.open("rb") as file:
        return file.read(len(_SCRIPT)) == _SCRIPT


def _phrases(file: Path, name: str) -> Iterator[str]:
    better = [*PHRASES.values()]
    text = file.read_text(encoding="utf-8")
    for match in _PHRASE.finditer(text):
        assert match.lastgroup is not None
        line = text.count("\n", 0, match.start()) + 1
        phrase = re.sub(_SPACE, " ", match[0])
        yield f"{name}:{line}: {phrase!r}; write: {better[int(match.lastgroup[1:])]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

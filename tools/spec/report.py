"""Says how a stored spec differs from the one that the server serves."""

from __future__ import annotations

from tools.spec.compatibility import judge, verdict
from tools.spec.normalise import SpecError, parse


def explain(stored: bytes, served: str) -> list[str]:
    """Compare the content of the stored file with what should stand in it.

    Returns:
        What storing the served document changes: one line for everything, then one for each
        change, which says whether it breaks callers. Nothing when the two are equal, byte for byte.
    """
    if stored == served.encode():
        return []
    try:
        judgements = judge(parse(stored), parse(served))
    except SpecError as error:
        return [f"the stored file is no OpenAPI document: {error}"]
    if not judgements:
        return ["only the layout of the file differs (white space, escapes, repeated keys)"]
    return [verdict(judgements), *map(str, judgements)]


def bazel_run(target: str) -> str:
    """Return the command that runs a target, as it is typed at the top of the repository."""
    return f"tools/bazel run {target}"

"""Show which popular packages can be installed beside ours: `//tools/wheel:neighbours`.

`uv pip compile` chooses the versions, from metadata alone: nothing is built or installed. What our
packages require is read from their pyproject.toml files, so their wheels need not exist.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import InvalidName, canonicalize_name

from tools.files import PlaceError, marked_part, replace_file, with_marked_part
from tools.python.lock.pip_settings import uv_environment

# The lines of a page that enclose the table.
BEGIN = "<!-- Made by `tools/bazel run //tools/wheel:neighbours`; edits are lost. -->"
END = "<!-- End of the table. -->"

_NEIGHBOURS = [
    "anthropic",
    "apache-airflow-core",
    "autogen-core",
    "bentoml",
    "browser-use",
    "chromadb",
    "crewai",
    "dagster",
    "fastapi",
    "google-adk",
    "gradio",
    "hatchet-sdk",
    "haystack-ai",
    "instructor",
    "jupyterlab",
    "langchain",
    "langflow",
    "litellm",
    "llama-index-core",
    "marimo",
    "mcp",
    "nemoguardrails",
    "open-webui",
    "openai",
    "prefect",
    "pydantic-ai",
    "semantic-kernel",
    "streamlit",
    "temporalio",
    "vllm",
    "weaviate-client",
    "zenml",
]
_SHARED = ("pydantic", "httpx", "typing-extensions")
_NOTHING = "–"


class NeighboursError(Exception):
    """The table cannot be made; the message is one line that says why."""


class NoSolution(Exception):
    """No versions satisfy the requirements; the message is uv's explanation."""


@dataclass(frozen=True)
class Neighbour:
    """The result for one package.

    Attributes:
        name: Its name.
        version: The newest version that can be installed alone.
        result: Whether that version can be installed beside our packages, as Markdown.
        versions: The versions of both and of all dependencies, by name; empty after a conflict.
    """

    name: str
    version: str
    result: str
    versions: Mapping[str, str]

    def row(self) -> str:
        """Return the row of the table."""
        shared = (self.versions.get(name, _NOTHING) for name in _SHARED)
        return f"| {' | '.join((f'`{self.name}`', self.version, self.result, *shared))} |"


class Uv:
    """The resolver."""

    def __init__(self, program: str, python: str) -> None:
        # Nothing is built: that would run code of the packages.
        self._command = [program, "pip", "compile", "-", "--quiet", "--color=never"]
        self._command += ["--no-header", "--no-annotate", "--only-binary=:all:"]
        self._command += [f"--python={sys.executable}", f"--python-version={python}"]

    def resolve(self, requirements: Sequence[str], *options: str) -> dict[str, str]:
        """Return the resolved versions by name.

        Args:
            requirements: Lines of a requirements file.
            options: Further options of `uv pip compile`.

        Raises:
            NoSolution: No versions satisfy the requirements.
            NeighboursError: uv failed for another reason.
        """
        done = subprocess.run(
            [*self._command, *options],
            input="\n".join(requirements),
            env=uv_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if not done.returncode:
            return dict(re.findall(r"^([^\s=]+)==(\S+)", done.stdout, re.MULTILINE))
        if "No solution found" in done.stderr:
            raise NoSolution(done.stderr)
        print(done.stderr, end="", file=sys.stderr)
        raise NeighboursError(
            f"uv could not resolve {requirements[0]}, for the reason above:"
            " see that the package index is reachable"
        )


def own_requirements(root: Path) -> list[str]:
    """Return the dependencies of our packages, without extras."""
    projects = [
        tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        for file in root.glob("*/pyproject.toml")
    ]
    found = {one for project in projects for one in project["dependencies"]}
    return sorted(found - {project["name"] for project in projects})


def examine(uv: Uv, name: str, ours: Sequence[str]) -> Neighbour:
    """Resolve a package alone, then the same version beside ours.

    Without the pin, uv could hide a conflict behind an old version of the package.

    Raises:
        NeighboursError: The package was not found, or uv failed.
    """
    try:
        newest = uv.resolve([name], "--no-deps")[name]
    except NoSolution:
        raise NeighboursError(
            f"{name} was not found, or has no wheel for this Python: check its name and the index"
        ) from None
    wanted, left_out, notes = f"{name}=={newest}", list[str](), list[str]()
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as excludes:
        option = f"--excludes={excludes.name}"
        while True:
            try:
                alone = uv.resolve([wanted], option)
                break
            except NoSolution as error:
                source = without_wheel(str(error))
                if source and source not in (name, *left_out):
                    print(source, file=excludes, flush=True)
                    left_out.append(source)
                elif wanted != name:
                    # Its parts may not all be published yet.
                    wanted = name
                    notes.append(f"{newest} cannot be installed even alone")
                else:
                    return Neighbour(name, newest, "cannot be installed even alone", {})
        version = alone[name]
        try:
            versions = uv.resolve([f"{name}=={version}", *ours], option)
            results = ["yes", *differences(alone, versions)]
        except NoSolution as error:
            versions = dict[str, str]()
            results = [f"**no**: {conflict(str(error), ours)}"]
    if left_out:
        results.append(f"not checked, for lack of a wheel: `{'`, `'.join(left_out)}`")
    return Neighbour(name, version, "; ".join([*results, *notes]), versions)


def without_wheel(explanation: str) -> str | None:
    """Return the first package that uv's explanation says has no wheel, or None."""
    found = re.search(r"(\S+)\s+ha(?:s|ve)\s+no\s+usable\s+wheels", explanation)
    return _name(found[1]) if found else None


def conflict(explanation: str, ours: Sequence[str]) -> str:
    """Return uv's explanation of a conflict as one line of Markdown.

    Args:
        explanation: The error output of uv.
        ours: The dependencies of our packages.
    """
    own = {_name(one): one for one in ours}
    text = " ".join(explanation.partition("cause:")[2].split())
    for package, other in re.findall(r"(\S+) depends? on ([^\s{]+(?:\{.*?\}\S*)?)", text):
        other = re.sub(r"\{.*?\}", "", other).rstrip(".,")
        if (name := _name(other)) in own:
            return f"`{_name(package)}` requires `{other}`, ours `{own[name]}`"
    first, _, _ = text.removeprefix("Because ").partition(", we can conclude")
    return first


def differences(alone: Mapping[str, str], beside: Mapping[str, str]) -> list[str]:
    """Return the versions that differ because of our packages, as Markdown.

    Args:
        alone: The versions that are installed with a package alone.
        beside: The versions that are installed with it and our packages.
    """
    return [
        f"`{name}` {beside.get(name, 'missing')} instead of {version}"
        for name, version in alone.items()
        if beside.get(name) != version
    ]


def _name(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(prog="neighbours", description=__doc__)
    parser.add_argument("--uv", default="uv", help="path of uv")
    parser.add_argument("--python", default="3.11", help="version of Python (default: 3.11)")
    parser.add_argument("--page", type=Path, help="page in which to replace the table")
    parser.add_argument("names", nargs="*", metavar="PACKAGE", help="only these packages")
    options = parser.parse_args(arguments)
    page = options.page and Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", ""), options.page)
    uv = Uv(options.uv, options.python)
    table = [
        f"With Python {options.python} on {platform.system()} {platform.machine()},"
        f" {datetime.date.today()}:",
        "",
        f"| package | version | installs beside ours | {' | '.join(_SHARED)} |",
        "|---|---|---|---|---|---|",
    ]
    try:
        names = [canonicalize_name(name, validate=True) for name in options.names or _NEIGHBOURS]
        if page:
            marked_part(page.read_text(encoding="utf-8"), BEGIN, END)
        ours = own_requirements(Path())
        print(*table, sep="\n", flush=True)
        for name in names:
            table.append(examine(uv, name, ours).row())
            print(table[-1], flush=True)
        if page:
            text = page.read_text(encoding="utf-8")
            replace_file(page, with_marked_part(text, BEGIN, END, "\n".join(table)))
    except (InvalidName, NeighboursError, PlaceError) as error:
        print(f"neighbours: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"neighbours: {error.strerror}: {error.filename}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

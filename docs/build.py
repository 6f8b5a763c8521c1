"""Builds the site: guides, and a reference of every public name."""

import argparse
import importlib
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from sphinx.cmd.build import build_main

import stepflow_api.api
import stepflow_runtime.models

SOURCE = "docs/"
COMMAND = ("stepflow_client.cli._commands", "stepflow-client")


def main() -> int:
    """Run the command.

    Returns:
        Sphinx's exit code. What it warns of goes to a file, for a test to read.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--html", type=Path, required=True, help="folder to write the site to")
    parser.add_argument("--warnings", type=Path, required=True, help="file to write warnings to")
    parser.add_argument("pages", type=Path, nargs="+", help="files of the site's source")
    arguments = parser.parse_args()
    # In Sphinx, BaseModel has the annotations that its source has for type checkers alone, and
    # pydantic cannot build models with free keys that are made after that.
    for name in stepflow_runtime.models.__all__:
        getattr(stepflow_runtime.models, name)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        for page in arguments.pages:
            target = source / str(page).removeprefix(SOURCE)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(page, target)
            if page.suffix == ".md":
                # In the repository, links of its front page lead to this folder.
                target.write_text(target.read_text().replace(f"]({SOURCE}", "]("))
        reference = source / "reference"
        write_operations(reference / "operations")
        write_command(reference / "command.md")
        log = Path(folder, "warnings")
        code = build_main(
            [
                "--quiet",
                "--no-color",
                f"--doctree-dir={folder}/doctrees",
                f"--warning-file={log}",
                str(source),
                str(arguments.html),
            ]
        )
        # Where the files were copied to says nothing to the reader.
        arguments.warnings.write_text(re.sub(r"\S*(/source/|\.runfiles/\w+/)", "", log.read_text()))
    return code


def write_operations(folder: Path) -> None:
    """Write a page for each tag of the API, with its operations, and a list of the pages."""
    folder.mkdir(parents=True)
    tags = [tag.name for tag in pkgutil.iter_modules(stepflow_api.api.__path__)]
    for tag in tags:
        package = importlib.import_module(f"stepflow_api.api.{tag}")
        page = _title(f"stepflow_api.api.{tag}", "=")
        for operation in pkgutil.iter_modules(package.__path__):
            if operation.name.startswith("_"):
                continue
            name = f"{package.__name__}.{operation.name}"
            page += _title(operation.name, "-")
            page += f".. automodule:: {name}\n   :exclude-members: OPERATION\n\n"
            if hasattr(importlib.import_module(name), "OPERATION"):
                # Its value is internal.
                page += f".. autodata:: {name}.OPERATION\n   :no-value:\n\n"
        (folder / f"{tag}.rst").write_text(page)
    contents = "".join(f"   {tag}\n" for tag in tags)
    index = _title("stepflow_api.api", "=") + f".. toctree::\n   :titlesonly:\n\n{contents}"
    (folder / "index.rst").write_text(index)


def write_command(file: Path) -> None:
    """Write a page with what the command's `--help` says."""
    module, name = COMMAND
    # The package has the same name, so that the search needs a title of the page's own.
    command = [*f"-m typer {module} utils docs --name {name} --title".split(), f"{name} (command)"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, check=True, text=True
    )
    text = _with_full_help(done.stdout)
    # The search shows pages with a main index entry first.
    index = f"```{{index}} ! single: {name} (command)\n```\n\n"
    # Two hyphens in plain text would become a dash; other code is code already.
    file.write_text(index + re.sub(r"(`[^`]*`)|(?<=[ (])(--[\w-]+)", _as_code, text))


def _with_full_help(page: str) -> str:
    """Replace the shortened help in lists of commands by the first line of each command's part."""
    parts = re.findall(r"^##+ `(.+)`\n\n(.+)$", page, re.MULTILINE)
    first_lines = {command.rpartition(" ")[2]: line for command, line in parts}
    return re.sub(
        r"^\* `([\w-]+)`: .*\.\.\.$",
        lambda found: f"* `{found[1]}`: {first_lines[found[1]]}",
        page,
        flags=re.MULTILINE,
    )


def _as_code(found: re.Match[str]) -> str:
    return found[1] or f"`{found[2]}`"


def _title(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}\n\n"


if __name__ == "__main__":
    sys.exit(main())

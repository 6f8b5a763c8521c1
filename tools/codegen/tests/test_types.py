import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = ("annotated_types", "httpx", "pydantic", "pydantic_core", "stepflow_api")
USAGE = Path(__file__).parent / "specimen" / "usage.py"


@pytest.fixture(scope="session")
def found(specimens: Path, tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, int, str]]:
    """What mypy has to say: file, line and error."""
    cache = tmp_path_factory.mktemp("cache")
    (specimens / "usage.py").write_bytes(USAGE.read_bytes())
    # Where each package has a folder of its own; mypy knows the interpreter's.
    folders = {
        str(Path(str(spec.origin)).parents[1])
        for spec in map(importlib.util.find_spec, PACKAGES)
        if spec is not None
    }
    packages = [folder for folder in sorted(folders) if not folder.startswith(sys.prefix)]
    made = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--python-version=3.11"),
            *("--explicit-package-bases", "--no-error-summary", "--hide-error-context"),
            # Of other packages only the types are of interest.
            *("--follow-imports=silent", f"--cache-dir={cache}", "."),
        ],
        cwd=specimens,
        env={
            **os.environ,
            "MYPYPATH": os.pathsep.join(packages),
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        capture_output=True,
        text=True,
    )
    assert made.stderr == ""
    lines = [
        re.fullmatch(r"(.+?):(\d+): (?:error: .*\[([\w-]+)\]|note: .*)", line)
        for line in made.stdout.splitlines()
    ]
    assert None not in lines, made.stdout
    return {(line[1], int(line[2]), line[3]) for line in lines if line and line[3]}


def test_generated_packages_are_typed(found: set[tuple[str, int, str]]) -> None:
    assert {error for error in found if error[0] != "usage.py"} == set()


def test_a_type_checker_knows_what_can_be_done_with_them(
    found: set[tuple[str, int, str]],
) -> None:
    expected = {
        ("usage.py", number, match[1])
        for number, line in enumerate(USAGE.read_text().splitlines(), 1)
        if (match := re.search(r"# error: ([\w-]+)$", line))
    }
    assert len(expected) > 8
    assert {error for error in found if error[0] == "usage.py"} == expected

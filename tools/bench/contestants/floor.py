"""What cannot be done without: Python itself, what the SDK is built on, json, the binary."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Generator
from pathlib import Path

from tools.bench.contestants.common import (
    imports,
    items_answer,
    page,
    plain_number,
    run_module,
    starts,
)
from tools.bench.worker import Run, World, serve


@contextlib.contextmanager
def _loads(world: World) -> Generator[Run]:
    content = page(world)

    def run(count: int) -> object:
        document = {}
        for _ in range(count):
            document = json.loads(content)
        return items_answer(document["items"], plain_number)

    yield run


@contextlib.contextmanager
def _datamodel_codegen(world: World) -> Generator[Run]:
    """Pydantic models of the spec, with the cheapest formatter there is."""
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder, "models.py")
        arguments = [
            f"--input={world['spec']}",
            "--input-file-type=openapi",
            "--output-model-type=pydantic_v2.BaseModel",
            f"--output={models}",
            "--disable-timestamp",
            "--ignore-pyproject",
            "--formatters=builtin",
        ]

        def run(count: int) -> object:
            measured = run_module("datamodel_code_generator", arguments, count)
            if "class RunDetails" not in models.read_text(encoding="utf-8"):
                raise RuntimeError("datamodel-codegen wrote no RunDetails")
            return measured

        yield run


if __name__ == "__main__":
    serve(
        {
            "import": imports("pass"),
            "import_and_use": imports("from pydantic import BaseModel; import httpx"),
            "items_page": _loads,
            "items_iterated": _loads,
            "compile": _datamodel_codegen,
            "start": starts("bare"),
        },
        packages=["datamodel-code-generator", "httpx", "pydantic"],
    )

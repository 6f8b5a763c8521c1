"""What no client can do without: Python itself, the SDK's libraries, json, the server's binary.

And the launcher that the server's wheel has.
"""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from tools.bench.contestants.common import (
    Case,
    World,
    module,
    page,
    plain_items,
    python,
    repeated,
    starts,
)


@contextlib.contextmanager
def _loads(world: World) -> Generator[Callable[[], Any]]:
    yield functools.partial(json.loads, page(world))


def _datamodel_codegen(world: World, folder: Path) -> list[str]:
    """Pydantic models of the spec, with the cheapest formatter there is."""
    return [
        f"--input={world['spec']}",
        "--input-file-type=openapi",
        "--output-model-type=pydantic_v2.BaseModel",
        f"--output={folder / 'models.py'}",
        "--disable-timestamp",
        "--ignore-pyproject",
        "--formatters=builtin",
    ]


_ITEMS = repeated(_loads, lambda document: plain_items(document["items"]))

CASES: dict[str, dict[str, Case]] = {
    "floor": {
        "import": python("pass"),
        "import_and_use": python("from pydantic import BaseModel; import httpx"),
        "items_page": _ITEMS,
        "items_iterated": _ITEMS,
        "compile": module(
            "datamodel_code_generator",
            _datamodel_codegen,
            lambda _, folder: "class RunDetails" in (folder / "models.py").read_text("utf-8"),
        ),
        "start": starts("bare"),
    },
    "stepflow_orchestrator": {"start": starts("upstream")},
}

"""openapi-python-client: what it makes of the same spec, and making it.

Two things stop openapi-python-client 0.29.1, and both are valid OpenAPI 3.1:

- a property whose schema is `true` (`OnErrorDefault.defaultValue`): `{}` means the same;
- a default that is an object (`items` of three responses) loses the whole model: it is left out.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any
from uuid import UUID

from tools.bench.contestants.common import RUN_MODULE, Case, World, module, repeated, run_python


def readable(node: dict[str, Any]) -> dict[str, Any]:
    """Change an object of a spec, as the `object_hook` that reads it, where it has one of both."""
    properties: dict[str, Any] = node.get("properties", {}) if node.get("type") == "object" else {}
    for name, schema in properties.items():
        if schema is True:
            properties[name] = {}
        elif isinstance(schema.get("default"), dict):
            del schema["default"]
    return node


def _arguments(world: World, folder: Path) -> list[str]:
    # Where ruff is on the path, as after any `pip install`, it formats what it has made.
    (folder / "bin").mkdir()
    (folder / "bin/ruff").symlink_to(world["ruff"])
    os.environ["PATH"] = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    spec = json.loads(Path(world["spec"]).read_text(encoding="utf-8"), object_hook=readable)
    (folder / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    return [
        "generate",
        f"--path={folder / 'spec.json'}",
        "--meta=none",
        f"--output-path={folder / 'generated_client'}",
        "--overwrite",
        # A model that is left out would make this client faster than it is.
        "--fail-on-warning",
    ]


@contextlib.contextmanager
def _get_run(world: World) -> Generator[Callable[[], Any]]:
    with tempfile.TemporaryDirectory() as folder:
        run_python(RUN_MODULE, "openapi_python_client", *_arguments(world, Path(folder)))
        sys.path.insert(0, folder)
        package = importlib.import_module("generated_client")
        get_run = importlib.import_module("generated_client.api.run.get_run")
        with package.Client(base_url=f"{world['url']}/api/v1") as client:
            yield functools.partial(get_run.sync, UUID(world["run_id"]), client=client)


CASES: dict[str, dict[str, Case]] = {
    "openapi-python-client": {
        "sync_call": repeated(
            _get_run, lambda run: [str(run.run_id), run.status.value, run.items.completed]
        ),
        "compile": module(
            "openapi_python_client",
            _arguments,
            lambda _, folder: (folder / "generated_client/models/run_details.py").exists(),
        ),
    }
}

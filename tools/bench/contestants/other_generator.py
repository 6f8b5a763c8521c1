"""openapi-python-client: what it makes of the same spec, and making it."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from uuid import UUID

from tools.bench.contestants.common import run_module
from tools.bench.worker import Run, World, serve


@contextlib.contextmanager
def _sync_call(world: World) -> Generator[Run]:
    sys.path.insert(0, world["generated_client"])
    from generated_client import Client
    from generated_client.api.run import get_run
    from generated_client.models import RunDetails

    with Client(base_url=f"{world['url']}/api/v1") as client:
        run_id = UUID(world["run_id"])

        def run(count: int) -> object:
            found = get_run.sync(run_id, client=client)
            for _ in range(count - 1):
                found = get_run.sync(run_id, client=client)
            assert isinstance(found, RunDetails)
            return [str(found.run_id), found.status.value, found.items.completed]

        yield run


@contextlib.contextmanager
def _compile(world: World) -> Generator[Run]:
    with tempfile.TemporaryDirectory() as folder:
        # Where ruff is on the path, as after any `pip install`, it formats what it has made.
        programs = Path(folder, "bin")
        programs.mkdir()
        (programs / "ruff").symlink_to(world["ruff"])
        os.environ["PATH"] = f"{programs}{os.pathsep}{os.environ['PATH']}"
        made = Path(folder, "made")
        arguments = [
            "generate",
            f"--path={world['patched_spec']}",
            "--meta=none",
            f"--output-path={made}",
            "--overwrite",
            "--fail-on-warning",
        ]

        def run(count: int) -> object:
            measured = run_module("openapi_python_client", arguments, count)
            if not (made / "models/run_details.py").exists():
                raise RuntimeError("openapi-python-client made no RunDetails")
            return measured

        yield run


if __name__ == "__main__":
    serve(
        {"sync_call": _sync_call, "compile": _compile},
        packages=["openapi-python-client", "httpx", "attrs"],
    )

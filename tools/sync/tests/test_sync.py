"""A synchronous module is made from an asynchronous one, and a difference is reported."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools.sync.sync import main

ASYNCHRONOUS = '''\
"""Asynchronous client."""

from collections.abc import AsyncGenerator, AsyncIterator

from stepflow_client.errors import InvalidInput
from stepflow_client.handle import RunHandle


class StepflowClient:
    """Serves many tasks of one event loop."""

    async def __aenter__(self) -> RunHandle:
        return await self._client.run_async(self._core.runs.create(InvalidInput, options))

    async def list_runs(self) -> AsyncIterator[int]:
        while page := await self._client.run_async(self.pages()):
            for run in page:
                yield run

    async def events(self) -> AsyncGenerator[Event, None]:
        async with self._http as http:
            await http.aclose()
'''
SYNCHRONOUS = '''\
# Made from client.py by `update it`; edit that file instead.
"""Synchronous client."""

from collections.abc import Generator, Iterator

from stepflow_client.errors import InvalidInput
from stepflow_client.sync_handle import SyncRunHandle


class SyncStepflowClient:
    """Serves many threads."""

    def __enter__(self) -> SyncRunHandle:
        return self._client.run(self._core.runs.create(InvalidInput, options))

    def list_runs(self) -> Iterator[int]:
        while page := self._client.run(self.pages()):
            yield from page

    def events(self) -> Generator[Event, None, None]:
        with self._http as http:
            http.close()
'''


def test_a_module_is_checked_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ruff = Path(os.environ["RUFF"]).resolve()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BUILD_WORKSPACE_DIRECTORY", str(tmp_path))
    Path("client.py").write_text(ASYNCHRONOUS, encoding="utf-8")
    arguments = ["--command=update it", f"--ruff={ruff}", "client.py=sync_client.py"]
    assert main(arguments) == 1
    assert "+    def list_runs(self) -> Iterator[int]:\n" in capsys.readouterr().out
    assert main(["--update", *arguments]) == 0
    assert Path("sync_client.py").read_text(encoding="utf-8") == SYNCHRONOUS
    assert main(arguments) == 0
    Path("sync_client.py").write_text(SYNCHRONOUS.replace("many", "some"), encoding="utf-8")
    capsys.readouterr()
    assert main(arguments) == 1
    out = capsys.readouterr().out
    assert '-    """Serves some threads."""\n+    """Serves many threads."""\n' in out
    assert out.endswith("To update them: update it\n")
    # Other line endings are a difference as well.
    Path("sync_client.py").write_bytes(SYNCHRONOUS.replace("\n", "\r\n").encode())
    assert main(arguments) == 1
    assert main(["--update", *arguments]) == 0
    assert Path("sync_client.py").read_bytes() == SYNCHRONOUS.encode()

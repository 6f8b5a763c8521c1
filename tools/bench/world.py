"""The real server and what it holds, the same for all contestants."""

from __future__ import annotations

import contextlib
import functools
import http.client
import json
import tempfile
import zipfile
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from tools.spec.server import StepflowServer

#: Returns its input: what the server itself takes for it is next to nothing.
FLOW: Mapping[str, Any] = {"name": "echo", "steps": [], "output": {"$input": "$"}}


class World:
    """A server with flows and runs.

    Args:
        server: The running server.
        folder: Takes answers as files, and what else contestants read.
        paths: Files of this repository that contestants read, by what they are.
    """

    def __init__(self, server: StepflowServer, folder: Path, paths: Mapping[str, str]) -> None:
        self._server = server
        self.folder = folder
        self.paths = paths
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        self.flow_id: str = self._post("/flows", {"flow": FLOW})["flowId"]
        self._runs: dict[int, str] = {}

    @functools.cached_property
    def generated_client(self) -> str:
        """The folder with the package that openapi-python-client has made."""
        folder = self.folder / "generated"
        with zipfile.ZipFile(self.paths["generated_client"]) as archive:
            archive.extractall(folder)
        return str(folder)

    @property
    def url(self) -> str:
        """The server's address, without the API's prefix."""
        return self._server.url

    @functools.cached_property
    def version(self) -> str:
        """The server's version."""
        version: str = json.loads(self._exchange("GET", "/health"))["version"]
        return version

    def run_id(self, items: int) -> str:
        """Return the id of a run that has ended, with inputs `{"n": 0}`, `{"n": 1}` and so on."""
        if items not in self._runs:
            inputs = [{"n": number} for number in range(items)]
            run = self._post("/runs", {"flowId": self.flow_id, "input": inputs, "wait": True})
            self._runs[items] = run["runId"]
        return self._runs[items]

    def items_file(self, items: int) -> Path:
        """Return a file with the server's answer to GET /runs/{run_id}/items."""
        file = self.folder / f"items_{items}.json"
        if not file.exists():
            file.write_bytes(self._exchange("GET", f"/runs/{self.run_id(items)}/items"))
        return file

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _post(self, path: str, document: Any) -> Any:
        return json.loads(self._exchange("POST", path, json.dumps(document).encode()))

    def _exchange(self, method: str, path: str, body: bytes | None = None) -> bytes:
        headers = {"content-type": "application/json"} if body else {}
        self._connection.request(method, "/api/v1" + path, body, headers)
        response = self._connection.getresponse()
        content = response.read()
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status} {content[:200]!r}")
        return content


@contextlib.contextmanager
def real_server(paths: Mapping[str, str]) -> Generator[World]:
    """Start a server for as long as a block of code needs it.

    Args:
        paths: Files of this repository by what they are, `server` among them.
    """
    quiet = {"STEPFLOW_LOG_LEVEL": "error", "STEPFLOW_OTHER_LOG_LEVEL": "error"}
    with (
        tempfile.TemporaryDirectory(prefix="stepflow-bench-") as folder,
        StepflowServer(paths["server"], environment=quiet) as server,
        contextlib.closing(World(server, Path(folder), paths)) as world,
    ):
        yield world

"""The real server and what it stores, the same for all contestants."""

from __future__ import annotations

import contextlib
import copy
import http.client
import json
import tempfile
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from tools.spec.server import StepflowServer

#: Returns its input: what the server itself takes for it is next to nothing.
FLOW: Mapping[str, Any] = {"name": "echo", "steps": [], "output": {"$input": "$"}}

Facts = tuple[Mapping[str, Any], Any]


class World:
    """A server with a flow. Its methods return the facts of a case, and the right answer.

    Args:
        server: The running server.
        folder: For responses as files, and larger specs.
        paths: Files that contestants read: server, spec, ruff, hand_written.
    """

    def __init__(self, server: StepflowServer, folder: Path, paths: Mapping[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        self._folder = folder
        self._base = {**paths, "url": server.url}
        self._flow_id = json.loads(self._send("POST", "/flows", {"flow": FLOW}))["flowId"]
        self.version: str = json.loads(self._send("GET", "/health"))["version"]

    def nothing(self, _: int) -> Facts:
        """Return what is enough for code that needs no server."""
        return self._base, "done"

    def one_run(self, items: int) -> Facts:
        """Return a completed run."""
        run_id = self._run(items)
        return {**self._base, "run_id": run_id}, [run_id, "completed", items]

    def callers(self, number: int) -> Facts:
        """Return a flow for so many callers at once; the answer is the number of wrong outputs."""
        return {**self._base, "flow_id": self._flow_id, "callers": number}, 0

    def items(self, number: int) -> Facts:
        """Return a run with so many items; the answer is their number and the sum of outputs."""
        run_id = self._run(number)
        file = self._folder / "items.json"
        file.write_bytes(self._send("GET", f"/runs/{run_id}/items"))
        facts = {**self._base, "run_id": run_id, "items_file": str(file)}
        return facts, [number, sum(range(number))]

    def spec(self, times: int) -> Facts:
        """Return the stored spec, so many times as large."""
        file = self._folder / "spec.json"
        document = json.loads(Path(self._base["spec"]).read_text(encoding="utf-8"))
        file.write_text(json.dumps(multiplied(document, times)), encoding="utf-8")
        has = f"api/run/get_run_copy{times}.py" if times > 1 else "api/run/get_run.py"
        return {**self._base, "spec": str(file), "has": has}, "done"

    def healthy(self, _: int) -> Facts:
        """Return a server's binary; the answer is what it reports of its health."""
        return self._base, ["healthy", self.version]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _run(self, items: int) -> str:
        inputs = [{"n": number} for number in range(items)]
        body = {"flowId": self._flow_id, "input": inputs, "wait": True}
        run_id: str = json.loads(self._send("POST", "/runs", body))["runId"]
        return run_id

    def _send(self, method: str, path: str, document: Any = None) -> bytes:
        body = json.dumps(document) if document else None
        headers = {"content-type": "application/json"} if document else {}
        self._connection.request(method, "/api/v1" + path, body, headers)
        response = self._connection.getresponse()
        content = response.read()
        if response.status >= 300:
            raise OSError(f"{method} {path}: {response.status} {content[:200]!r}")
        return content


@contextlib.contextmanager
def real_server(paths: Mapping[str, str]) -> Generator[World]:
    """Start a server for a block of code.

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


def multiplied(document: Any, times: int) -> Any:
    """Return a spec with each path and schema so many times, each copy under a name of its own.

    Args:
        document: The spec.
        times: 1 for the spec as it is.
    """
    result = copy.deepcopy(document)
    schemas = document["components"]["schemas"]
    for number in range(2, times + 1):
        text = json.dumps([document["paths"], schemas])
        for name in schemas:
            reference = f'"#/components/schemas/{name}'
            text = text.replace(f'{reference}"', f'{reference}Copy{number}"')
        paths, copied = json.loads(text)
        for path, item in paths.items():
            for operation in item.values():
                if isinstance(operation, dict) and "operationId" in operation:
                    operation["operationId"] += f"Copy{number}"
            result["paths"][f"/copy{number}{path}"] = item
        for name, schema in copied.items():
            result["components"]["schemas"][f"{name}Copy{number}"] = schema
    return result

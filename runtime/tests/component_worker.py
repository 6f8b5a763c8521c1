"""A worker for servers up to 0.11 that needs only the standard library.

Its one component, `/do`, writes to the outputs and may exit, as its input says.
"""

from __future__ import annotations

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_INFO = {"component": "/do", "description": "Writes, and may exit."}


def execute(input: dict[str, Any]) -> dict[str, Any]:
    """Follow the instructions of an input.

    Args:
        input: `stdout` and `stderr` are written; `times` says how often; `exit` is an exit code.
    """
    for name, stream in (("stdout", sys.stdout), ("stderr", sys.stderr)):
        if name in input:
            for _ in range(int(input.get("times", 1))):
                print(input[name], file=stream)
    if "exit" in input:
        os._exit(int(input["exit"]))
    return {"output": "done"}


class Handler(BaseHTTPRequestHandler):
    """Answers the server's JSON-RPC requests."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a health check."""
        self._answer({})

    def do_POST(self) -> None:
        """Answer a request."""
        request: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if "id" not in request:
            return self._answer("", 202)
        match request["method"]:
            case "initialize":
                # The names of 0.9, and of later servers.
                result: Any = {"server_protocol_version": 1, "serverProtocolVersion": 1}
            case "components/list":
                result = {"components": [_INFO]}
            case "components/info":
                result = {"info": _INFO}
            case _:
                result = execute(request["params"]["input"])
        return self._answer({"jsonrpc": "2.0", "id": request["id"], "result": result})

    def log_message(self, format: str, *args: Any) -> None:
        """Log no requests."""

    def _answer(self, value: Any, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.send_header("Stepflow-Instance-Id", str(os.getpid()))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    print("starting")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(json.dumps({"port": server.server_port}))
    server.serve_forever()

"""A worker as the server starts one, with as much of its protocol as it takes to be started.

It writes its process id into the file that it is given. A second argument keeps it from ever
answering.
"""

import http.server
import json
import os
import sys
import time
from pathlib import Path
from typing import Any


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers each request with what the initialisation asks for."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if "id" in request:
            result: dict[str, Any] = {"serverProtocolVersion": 1, "components": []}
            self._answer({"jsonrpc": "2.0", "id": request["id"], "result": result})
        else:
            self.send_response(202)
            self.send_header("content-length", "0")
            self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self, document: Any) -> None:
        content = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main() -> None:
    """Serves for ever."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    partial = Path(f"{sys.argv[1]}.partial")
    partial.write_text(str(os.getpid()), encoding="utf-8")
    partial.rename(sys.argv[1])
    while len(sys.argv) > 2:
        time.sleep(1)
    print(json.dumps({"port": server.server_port}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

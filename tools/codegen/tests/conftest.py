import importlib
import json
import os
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def specimens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The packages compiled from the specimens, in a folder that can be imported from."""
    root = tmp_path_factory.mktemp("specimens")
    for name in ("museum", "zoo"):
        with zipfile.ZipFile(HERE / f"{name}.zip") as archive:
            archive.extractall(root / name)
        for file in (HERE / "specimen" / name).rglob("*.py"):
            target = root / name / file.relative_to(HERE / "specimen" / name)
            target.write_bytes(file.read_bytes())
    sys.path.insert(0, str(root))
    yield root
    sys.path.remove(str(root))


@pytest.fixture(scope="session")
def zoo(specimens: Path) -> Any:
    return importlib.import_module("zoo.models")


@pytest.fixture(scope="session")
def museum(specimens: Path) -> Any:
    return importlib.import_module("museum.models")


@dataclass
class Received:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """A server that keeps what it receives and answers what it is told."""

    url: str
    received: list[Received] = field(default_factory=list)
    status: int = 200
    content_type: str = "application/json"
    content: bytes = b"null"

    def answers(self, status: int, content: Any, content_type: str = "application/json") -> None:
        self.status, self.content_type = status, content_type
        self.content = content if isinstance(content, bytes) else json.dumps(content).encode()


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            told.received.append(Received(self.command, self.path, headers, body))
            self.send_response(told.status)
            has_body = told.status not in (204, 304)
            if has_body:
                self.send_header("content-type", told.content_type)
                self.send_header("content-length", str(len(told.content)))
            self.end_headers()
            if has_body:
                self.wfile.write(told.content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    told = Server(f"http://127.0.0.1:{http.server_port}")
    yield told
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture(scope="session")
def ruff() -> Path:
    return Path(os.environ["RUFF"]).absolute()

"""http.client of Python alone."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Generator
from urllib.parse import urlsplit

from tools.bench.contestants.common import summary_of
from tools.bench.worker import Run, World, serve


@contextlib.contextmanager
def _sync_call(world: World) -> Generator[Run]:
    path = f"/api/v1/runs/{world['run_id']}"
    with contextlib.closing(
        http.client.HTTPConnection(urlsplit(str(world["url"])).netloc)
    ) as connection:

        def call() -> bytes:
            connection.request("GET", path)
            return connection.getresponse().read()

        def run(count: int) -> object:
            content = call()
            for _ in range(count - 1):
                content = call()
            return lambda: summary_of(json.loads(content))

        yield run


if __name__ == "__main__":
    serve({"sync_call": _sync_call})

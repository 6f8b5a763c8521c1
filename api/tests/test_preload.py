"""A web application under a server that loads it once and forks its workers from that process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from stepflow_api import Client
from stepflow_api.api.blob import store_blob
from stepflow_api.models import StoreBlobRequest
from tools.spec.server import StepflowServer

WORKERS = 4
REQUESTS = 2000
CALLERS = 8
BLOBS = 50


@pytest.fixture
def website(server: StepflowServer, tmp_path: Path) -> Iterator[str]:
    """The URL of the application."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "--preload", "--workers", str(WORKERS)),
            *("--bind", "127.0.0.1:0", "--no-control-socket", "--worker-tmp-dir", str(tmp_path)),
            "api.tests.support.preloaded:application",
        ],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "STEPFLOW_URL": server.url,
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    lines = iter(process.stderr.readline, "")
    url = next((found[1] for line in lines if (found := re.search(r"at: (http\S+)", line))), None)
    # Nothing else reads its log, and a full pipe would block it.
    reader = threading.Thread(target=process.stderr.read)
    reader.start()
    try:
        assert url is not None
        yield url
    finally:
        process.terminate()
        reader.join()
        process.communicate()


def test_each_worker_receives_its_own_responses(
    server: StepflowServer, sync_client: Client, website: str
) -> None:
    ids = [
        store_blob.sync(body=StoreBlobRequest(data={"number": number}), client=sync_client).blob_id
        for number in range(BLOBS)
    ]
    # It opens a connection for each request, so that all workers have some.
    opener = build_opener(ProxyHandler({}))

    def ask(number: int) -> tuple[dict[str, int], str]:
        with opener.open(f"{website}/{ids[number % BLOBS]}", timeout=60) as response:
            return json.load(response), response.headers["x-pid"]

    with ThreadPoolExecutor(CALLERS) as pool:
        found = list(pool.map(ask, range(REQUESTS)))
    assert [data for data, _ in found] == [{"number": n % BLOBS} for n in range(REQUESTS)]
    assert len({pid for _, pid in found}) == WORKERS

"""A web application whose client is created and used before its workers are forked."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from stepflow_api import Client
from stepflow_api.api.blob import get_blob
from stepflow_api.api.health import health_check

client = Client(os.environ["STEPFLOW_URL"])
health_check.sync(client=client)


def application(
    environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
) -> Iterable[bytes]:
    """Respond to `/ID` with the data of that blob and the worker's process id."""
    blob = get_blob.sync(environ["PATH_INFO"][1:], client=client)
    start_response("200 OK", [("Content-Type", "application/json"), ("X-Pid", str(os.getpid()))])
    return [json.dumps(blob.data).encode()]

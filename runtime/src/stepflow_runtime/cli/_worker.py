"""The subcommand that serves components from a process of its own."""

from __future__ import annotations

import argparse
import json
import os
import threading
from urllib.parse import urlsplit

from stepflow_runtime._clients import Clients
from stepflow_runtime._components.calls import Calls
from stepflow_runtime._components.functions import find_components
from stepflow_runtime._components.json_rpc import JsonRpcWorker
from stepflow_runtime._components.pull import PullWorker
from stepflow_runtime.cli._modules import load
from stepflow_runtime.cli._output import line
from stepflow_runtime.errors import InvalidInput, InvalidState

#: Variables that servers from 0.12 on set for the workers that they start.
_TASKS_VARIABLE = "STEPFLOW_TASKS_URL"
_QUEUE_VARIABLE = "STEPFLOW_QUEUE_NAME"
_DEFAULT_QUEUE = "python"
_PARENT_SECONDS = 1.0


def work(arguments: argparse.Namespace) -> int:
    """Serve components until a signal, or until the server that started this process is gone.

    Returns:
        The exit code.

    Raises:
        InvalidInput: The components cannot be used.
        OSError: The system has no more ports, files or threads.
    """
    parent = os.getppid()
    calls = Calls(find_components(load(arguments.components)))
    url = arguments.tasks_url or os.environ.get(_TASKS_VARIABLE)
    if not url:
        rpc = JsonRpcWorker(calls, "", path="/")
        rpc.start()
        calls.clients = lambda: _clients(rpc.server_url)
        # The server reads the port from this line.
        line(json.dumps({"port": rpc.port}))
    else:
        address = _address(url)
        queue = arguments.queue or os.environ.get(_QUEUE_VARIABLE) or _DEFAULT_QUEUE
        calls.clients = lambda: _clients(f"http://{address}")
        PullWorker(calls, queue, "").start(address)
    never = threading.Event()
    # A server that is killed leaves its workers behind.
    while arguments.tasks_url or os.getppid() == parent:
        never.wait(_PARENT_SECONDS)
    return 0


def _address(url: str) -> str:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    try:
        is_usable = parts.port != 0 and bool(parts.hostname)
    except ValueError:
        is_usable = False
    if not is_usable or parts.scheme != "http" or "@" in parts.netloc or parts.path.strip("/"):
        raise InvalidInput(f"--tasks-url is {url!r}; write HOST:PORT")
    return parts.netloc


_made: dict[str, Clients] = {}


def _clients(url: str | None) -> Clients:
    if url is None:
        raise InvalidState("servers before 0.10 do not tell their workers where they listen")
    return _made.setdefault(url, Clients([url], None))

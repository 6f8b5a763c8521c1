"""The methods of both clients that send requests."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from client.tests.support import ECHO

RUN_ID = "00000000-0000-0000-0000-000000000001"
FLOW_ID = "0" * 64

#: Every method that sends requests.
CALLS: dict[str, Callable[..., Any]] = {
    "run": lambda client, **options: client.run(FLOW_ID, 1, **options),
    "submit": lambda client, **options: client.submit(FLOW_ID, 1, **options),
    "run_batch": lambda client, **options: client.run_batch(FLOW_ID, [1], **options),
    "submit_batch": lambda client, **options: client.submit_batch(FLOW_ID, [1], **options),
    "list_runs": lambda client, **options: client.list_runs(**options),
    "validate": lambda client, **options: client.validate(ECHO, **options),
    "store_flow": lambda client, **options: client.store_flow(ECHO, **options),
    "get_flow": lambda client, **options: client.get_flow(FLOW_ID, **options),
    "get_variables": lambda client, **options: client.get_variables(FLOW_ID, **options),
    "list_components": lambda client, **options: client.list_components(**options),
    "put_blob": lambda client, **options: client.put_blob(1, **options),
    "get_blob": lambda client, **options: client.get_blob("b", **options),
    "health": lambda client, **options: client.health(**options),
    "server_version": lambda client, **options: client.server_version(**options),
    "handle.result": lambda client, **options: client.handle(RUN_ID).result(**options),
    "handle.results": lambda client, **options: client.handle(RUN_ID).results(**options),
    "handle.status": lambda client, **options: client.handle(RUN_ID).status(**options),
    "handle.items": lambda client, **options: client.handle(RUN_ID).items(**options),
    "handle.steps": lambda client, **options: client.handle(RUN_ID).steps(**options),
    "handle.events": lambda client, **options: client.handle(RUN_ID).events(**options),
    "handle.timeline": lambda client, **options: client.handle(RUN_ID).timeline(**options),
    "handle.report": lambda client, **options: client.handle(RUN_ID).report(os.devnull, **options),
    "handle.diff": lambda client, **options: client.handle(RUN_ID).diff(RUN_ID, **options),
    "handle.cancel": lambda client, **options: client.handle(RUN_ID).cancel(**options),
}

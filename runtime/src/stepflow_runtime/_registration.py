"""Whether workers have registered with the server."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Collection


def are_registered(plugins: Collection[str], host: str, port: int, deadline: float) -> bool:
    """Whether the workers of plugins have registered with the server.

    Args:
        plugins: Names of plugins in the server's config.
        host: The server's host.
        port: The server's port.
        deadline: When to give up, by the monotonic clock.
    """
    if not plugins:
        return True
    seconds = max(0.001, deadline - time.monotonic())
    connection = http.client.HTTPConnection(host, port, timeout=seconds)
    try:
        connection.request("GET", "/api/v1/components?excludeSchemas=true")
        answer = json.loads(connection.getresponse().read())
        failed = {one.get("plugin") for one in answer.get("failedPlugins") or ()}
    except (OSError, http.client.HTTPException, ValueError):
        return False
    except (AttributeError, TypeError, RecursionError):
        # Not what a Stepflow server answers.
        return False
    finally:
        connection.close()
    return failed.isdisjoint(plugins)

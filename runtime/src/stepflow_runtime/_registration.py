"""Whether workers have registered with the server."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Collection


def are_registered(
    plugins: Collection[str],
    host: str,
    port: int,
    deadline: float,
    components: Collection[str] = (),
) -> bool:
    """Whether the plugins' workers have registered by the deadline, of the monotonic clock.

    The server must also list `components`: until it has asked a worker for its components, it does
    not count as failed either.
    """
    if not plugins:
        return True
    seconds = max(0.001, deadline - time.monotonic())
    connection = http.client.HTTPConnection(host, port, timeout=seconds)
    try:
        connection.request("GET", "/api/v1/components?excludeSchemas=true")
        answer = json.loads(connection.getresponse().read())
        failed = {one.get("plugin") for one in answer.get("failedPlugins") or ()}
        listed = {
            str(one.get("path") or one.get("component")).rpartition("/")[2]
            for one in answer.get("components") or ()
        }
    except (OSError, http.client.HTTPException, ValueError):
        return False
    except (AttributeError, TypeError, RecursionError):
        # Not what a Stepflow server answers.
        return False
    finally:
        connection.close()
    return failed.isdisjoint(plugins) and listed.issuperset(components)

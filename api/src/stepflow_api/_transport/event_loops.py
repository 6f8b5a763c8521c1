"""Event loops: which one runs, and which one a client belongs to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from stepflow_api.errors import InvalidRequest

if TYPE_CHECKING:
    import asyncio


def loop_of_this_call(used: asyncio.AbstractEventLoop | None) -> asyncio.AbstractEventLoop:
    """Return the event loop of this call.

    Raises:
        InvalidRequest: No asyncio event loop is running, or it is not the one of earlier calls and
            that one is not closed.
    """
    loop = asyncio_loop()
    if used is not None and used is not loop and not used.is_closed():
        raise InvalidRequest(
            "this client is in use by another event loop; create one Client for each loop"
        )
    return loop


def asyncio_loop() -> asyncio.AbstractEventLoop:
    """Return the running asyncio event loop, which every async call needs.

    Raises:
        InvalidRequest: There is none, or the call comes from a trio task.
    """
    refuse_trio()
    loop = running_loop()
    if loop is None:
        raise InvalidRequest(
            "this async call needs a running asyncio event loop, and this thread has none; await it"
            " inside asyncio.run(...), or use the synchronous form"
        )
    return loop


def refuse_trio() -> None:
    """Raise an error inside a trio task, which cannot await asyncio's coroutines.

    Raises:
        InvalidRequest: The call comes from a trio task.
    """
    # An asyncio loop may be running as well, with trio on top of it.
    trio = sys.modules.get("trio.lowlevel")
    try:
        if trio is None or trio.current_task() is None:
            return
    except (RuntimeError, AttributeError):
        # There is no task, or another thread is importing trio.
        return
    raise InvalidRequest(
        "this call needs asyncio, and trio runs this task; use asyncio, or run the synchronous form"
        " in a thread with trio.to_thread.run_sync"
    )


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that runs in this thread; None if there is none."""
    # Importing asyncio takes as long as a fifth of this package; without it there is no loop.
    module = sys.modules.get("asyncio")
    try:
        return None if module is None else module.get_running_loop()
    except RuntimeError:
        return None

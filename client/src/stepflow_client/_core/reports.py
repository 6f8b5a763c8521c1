"""Reads a run and makes the page about it."""

from __future__ import annotations

from uuid import UUID

from stepflow_api.lowlevel import Steps
from stepflow_client._core.core import Core
from stepflow_client._core.records import read_record
from stepflow_client._core.timelines import read_timeline
from stepflow_client._report.page import report_page
from stepflow_client._requests.deadline import Deadline


def read_report(core: Core, run_id: UUID, limit: int, deadline: Deadline) -> Steps[str]:
    """Return the page about a run as it is now, with at most `limit` items."""
    timeline = yield from read_timeline(core.sender, run_id, limit, deadline)
    chosen = {item.index for item in timeline.items}
    record = yield from read_record(core, timeline.run, chosen, deadline, with_steps=True)
    return report_page(timeline, record)

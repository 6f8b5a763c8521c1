# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `Recovery`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api.base import RequestModel

__all__ = ["Recovery"]


class Recovery(RequestModel):
    """
    How the server resumes runs of servers that are gone.
    """

    enabled: bool | None = None
    """
    Whether it looks for such runs while it is running, too. By default true.
    """
    check_interval_secs: Annotated[int | None, Field(alias="checkIntervalSecs", ge=0)] = None
    """
    Time between two looks, in seconds. By default 30.
    """
    max_startup_recovery: Annotated[int | None, Field(alias="maxStartupRecovery", ge=0)] = None
    """
    Maximum number of runs to resume at the start. By default 100.
    """
    max_claims_per_check: Annotated[int | None, Field(alias="maxClaimsPerCheck", ge=0)] = None
    """
    Maximum number of runs to resume at each look. By default 10.
    """
    lease_ttl_secs: Annotated[int | None, Field(alias="leaseTtlSecs", ge=0)] = None
    """
    Time after which a server that gives no sign of life counts as gone, in seconds. By default 30.
    """
    checkpoint_interval: Annotated[int | None, Field(alias="checkpointInterval", ge=0)] = None
    """
    Number of journal entries between two checkpoints; 0 for none. By default 1000.
    """

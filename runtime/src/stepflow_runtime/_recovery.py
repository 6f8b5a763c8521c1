"""Settings for how the server resumes runs that an earlier server left in progress."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final, cast

from stepflow_runtime._database import has_lease_manager

_log = logging.getLogger("stepflow_runtime")

#: By default the server resumes 100 runs at its start, and ten more every 30 seconds.
ALL_RUNS: Final = 1_000_000

#: Settings of the periodic check alone; a config that has one wants the check.
_OF_PERIODIC_CHECK: Final = frozenset({"checkIntervalSecs", "leaseTtlSecs", "maxClaimsPerCheck"})


def complete_recovery(config: dict[str, Any]) -> None:
    """Make the only server of a database resume all runs at its start, and none later.

    The server's periodic check also resumes runs that are just being created, and so executes their
    steps twice. Settings in the config are kept.
    """
    given = config.get("recovery", {})
    if has_lease_manager(config) or not isinstance(given, Mapping):
        return
    settings = cast(Mapping[str, Any], given)
    completed: dict[str, Any] = {"maxStartupRecovery": ALL_RUNS}
    if not _OF_PERIODIC_CHECK & settings.keys():
        completed["enabled"] = False
    config["recovery"] = {**completed, **settings}


def warn_of_periodic_check(config: Mapping[str, Any]) -> None:
    """Log a warning if a config leaves the server's periodic check for runs to resume on."""
    given = config.get("recovery")
    is_off = isinstance(given, Mapping) and cast("Any", given).get("enabled") is False
    if not is_off and not has_lease_manager(config):
        _log.warning(
            "the config leaves the server's periodic recovery on: it may also resume runs that are"
            " just being created, and execute their steps twice; for a single server set"
            " recovery: {enabled: false, maxStartupRecovery: %d}",
            ALL_RUNS,
        )

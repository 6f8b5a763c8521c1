# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `LeaseManager`."""

from __future__ import annotations

from stepflow_runtime.models.etcd_lease_manager import EtcdLeaseManager
from stepflow_runtime.models.no_lease_manager import NoLeaseManager
from typing_extensions import TypeAliasType

__all__ = ["LeaseManager"]


LeaseManager = TypeAliasType("LeaseManager", "NoLeaseManager | EtcdLeaseManager")
"""
How servers agree on which of them executes a run.
"""

# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `EtcdLeaseManager`."""

from __future__ import annotations

from typing import Literal

from stepflow_api.base import RequestModel, SendsConstants

__all__ = ["EtcdLeaseManager"]


class EtcdLeaseManager(SendsConstants, RequestModel):
    """
    Leases in etcd, for servers that share a storage.
    """

    type: Literal["etcd"] = "etcd"
    endpoints: list[str]
    """
    URLs of etcd.
    """
    key_prefix: str | None = None
    """
    Beginning of all keys in etcd. By default `/stepflow/leases`.
    """

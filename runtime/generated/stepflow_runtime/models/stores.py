# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `Stores`."""

from __future__ import annotations

from stepflow_api.base import RequestModel
from stepflow_runtime.models.store import Store

__all__ = ["Stores"]


class Stores(RequestModel):
    """
    A storage each for metadata, blobs and journal.
    """

    metadata: Store
    """
    Where flows and runs are stored.
    """
    blobs: Store | None = None
    """
    Where blobs are stored. By default with the metadata.
    """
    journal: Store | None = None
    """
    Where the progress of runs is stored. By default with the metadata.
    """

# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `Storage`."""

from __future__ import annotations

from stepflow_runtime.models.in_memory_store import InMemoryStore
from stepflow_runtime.models.postgres_store import PostgresStore
from stepflow_runtime.models.sqlite_store import SqliteStore
from stepflow_runtime.models.stores import Stores
from typing_extensions import TypeAliasType

__all__ = ["Storage"]


Storage = TypeAliasType("Storage", "InMemoryStore | SqliteStore | PostgresStore | Stores")
"""
One storage for everything, or one each for metadata, blobs and journal.
"""

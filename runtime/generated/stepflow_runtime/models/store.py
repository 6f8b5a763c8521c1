# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `Store`."""

from __future__ import annotations

from stepflow_runtime.models.filesystem_store import FilesystemStore
from stepflow_runtime.models.in_memory_store import InMemoryStore
from stepflow_runtime.models.postgres_store import PostgresStore
from stepflow_runtime.models.sqlite_store import SqliteStore
from typing_extensions import TypeAliasType

__all__ = ["Store"]


Store = TypeAliasType("Store", "InMemoryStore | SqliteStore | PostgresStore | FilesystemStore")
"""
A storage.
"""

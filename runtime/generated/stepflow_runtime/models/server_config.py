# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `ServerConfig`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api.base import RequestModel
from stepflow_runtime.models.blob_api import BlobApi
from stepflow_runtime.models.in_memory_store import InMemoryStore
from stepflow_runtime.models.lease_manager import LeaseManager
from stepflow_runtime.models.plugin import Plugin
from stepflow_runtime.models.recovery import Recovery
from stepflow_runtime.models.retry import Retry
from stepflow_runtime.models.route_rule import RouteRule
from stepflow_runtime.models.sqlite_store import SqliteStore
from stepflow_runtime.models.storage import Storage

__all__ = ["ServerConfig"]


class ServerConfig(RequestModel):
    """
    Configuration of a Stepflow server.
    """

    working_directory: Annotated[str | None, Field(alias="workingDirectory")] = None
    """
    Folder that relative paths start at. By default the folder of the config file.
    """
    plugins: dict[str, Plugin]
    """
    Plugins by name; they execute components.
    """
    routes: dict[str, list[RouteRule]]
    """
    By path, the rules which plugin executes the components below a path. The first rule that fits
    is used.

    Servers before 0.13 match paths with placeholders, such as `/python/{*component}`; later servers
    take them as prefixes of one segment, such as `/python`, or `/` for all others.
    """
    storage_config: Annotated[Storage | None, Field(alias="storageConfig")] = None
    """
    Where flows, runs and blobs are stored; servers before 0.10 ignore it. By default in memory.
    """
    state_store: Annotated[InMemoryStore | SqliteStore | None, Field(alias="stateStore")] = None
    """
    Where flows and runs are stored, for servers before 0.10; later ones ignore it. By default in
    memory.
    """
    lease_manager: Annotated[LeaseManager | None, Field(alias="leaseManager")] = None
    """
    How servers that share a storage agree on which of them executes a run. By default one server
    alone.
    """
    recovery: Recovery | None = None
    """
    How the server resumes runs of servers that are gone.
    """
    blob_api: Annotated[BlobApi | None, Field(alias="blobApi")] = None
    """
    How workers reach blobs.
    """
    retry: Retry | None = None
    """
    How the server repeats steps that failed; servers before 0.11 ignore it.
    """

# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `SqliteStore`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from stepflow_api.base import RequestModel, SendsConstants

__all__ = ["SqliteStore"]


class SqliteStore(SendsConstants, RequestModel):
    """
    In a SQLite database.
    """

    type: Literal["sqlite"] = "sqlite"
    database_url: Annotated[str, Field(alias="databaseUrl")]
    """
    URL of the database.
    """
    max_connections: Annotated[int | None, Field(alias="maxConnections", ge=0)] = None
    """
    Maximum number of connections to the database. By default 10.
    """
    auto_migrate: Annotated[bool | None, Field(alias="autoMigrate")] = None
    """
    Whether the server creates and updates its tables at its start. By default true.
    """

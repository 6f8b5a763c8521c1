# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `PostgresStore`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from stepflow_api.base import RequestModel, SendsConstants

__all__ = ["PostgresStore"]


class PostgresStore(SendsConstants, RequestModel):
    """
    In a PostgreSQL database. For servers from 0.13 on that are built with it.
    """

    type: Literal["postgres"] = "postgres"
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

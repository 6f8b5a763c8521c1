# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `GrpcPlugin`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from stepflow_api.base import RequestModel, SendsConstants

__all__ = ["GrpcPlugin"]


class GrpcPlugin(SendsConstants, RequestModel):
    """
    Workers that fetch their tasks from the server over gRPC. For servers from 0.12 on.
    """

    type: Literal["grpc"] = "grpc"
    queue_name: Annotated[str | None, Field(alias="queueName")] = None
    """
    Name of the queue that the workers fetch tasks from; needed.
    """
    command: str | None = None
    """
    Program that starts the worker; without it, the server waits for a worker that is started
    elsewhere.
    """
    args: list[str] | None = None
    """
    Arguments of the program.
    """
    env: dict[str, str] | None = None
    """
    Environment variables of the program; values may refer to others, such as `${HOME}`.
    """
    queue_timeout_secs: Annotated[int | None, Field(alias="queueTimeoutSecs", ge=0)] = None
    """
    Maximum time that a task waits for a worker, in seconds; more than 0. By default 30.
    """
    execution_timeout_secs: Annotated[int | None, Field(alias="executionTimeoutSecs", ge=0)] = None
    """
    Maximum time that a worker executes a task, in seconds. By default no limit.
    """

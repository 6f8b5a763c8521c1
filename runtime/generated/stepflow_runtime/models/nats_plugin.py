# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `NatsPlugin`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from stepflow_api.base import RequestModel, SendsConstants

__all__ = ["NatsPlugin"]


class NatsPlugin(SendsConstants, RequestModel):
    """
    Workers that fetch their tasks from NATS JetStream. For servers from 0.13 on that are built with
    it.
    """

    type: Literal["nats"] = "nats"
    url: str
    """
    URL of the NATS server.
    """
    stream: str | None = None
    """
    Name of the stream; a route rule may name another one.
    """
    consumer: str | None = None
    """
    Name of the durable consumer.
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

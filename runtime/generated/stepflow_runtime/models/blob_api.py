# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `BlobApi`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api.base import RequestModel

__all__ = ["BlobApi"]


class BlobApi(RequestModel):
    """
    How workers reach blobs.
    """

    enabled: bool | None = None
    """
    Whether the server has endpoints for blobs. By default true.
    """
    url: str | None = None
    """
    URL that workers use for blobs. By default this server's.
    """
    blob_threshold: Annotated[int | None, Field(alias="blobThreshold", ge=0)] = None
    """
    Size from which on inputs and outputs of steps are stored as blobs, in bytes; 0 for never. By
    default 1 MiB.
    """

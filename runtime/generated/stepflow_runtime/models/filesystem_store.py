# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Model `FilesystemStore`."""

from __future__ import annotations

from typing import Literal

from stepflow_api.base import RequestModel, SendsConstants

__all__ = ["FilesystemStore"]


class FilesystemStore(SendsConstants, RequestModel):
    """
    In files of a folder, for blobs alone.
    """

    type: Literal["filesystem"] = "filesystem"
    directory: str | None = None
    """
    The folder. By default a temporary one, gone with the server.
    """

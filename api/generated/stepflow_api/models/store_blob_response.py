# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `StoreBlobResponse`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from stepflow_api.base import AnswerModel

__all__ = ["StoreBlobResponse"]


class StoreBlobResponse(AnswerModel):
    """
    Response when a blob is stored
    """

    blob_id: Annotated[str, Field(alias="blobId")]
    """
    The content-based blob ID (SHA-256 hash)
    """
    filename: str | None = None
    """
    The filename if one was provided
    """

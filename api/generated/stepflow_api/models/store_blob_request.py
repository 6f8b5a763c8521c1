# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `StoreBlobRequest`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from stepflow_api.base import RequestModel
from stepflow_api.models.blob_type import BlobType

__all__ = ["StoreBlobRequest"]


class StoreBlobRequest(RequestModel):
    """
    Request to store a blob (JSON mode)
    """

    data: Any
    """
    The JSON data to store
    """
    blob_type: Annotated[BlobType, Field(alias="blobType")] = BlobType.DATA
    """
    The type of blob (data or flow). Defaults to "data".
    """
    filename: str | None = None
    """
    Optional filename to associate with the blob.
    """

# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `GetBlobResponse`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from stepflow_api.base import AnswerModel
from stepflow_api.models.blob_type import BlobType

__all__ = ["GetBlobResponse"]


class GetBlobResponse(AnswerModel):
    """
    Response when retrieving a blob (JSON mode)
    """

    data: Any
    """
    The blob data
    """
    blob_type: Annotated[BlobType, Field(alias="blobType")]
    """
    The blob type
    """
    blob_id: Annotated[str, Field(alias="blobId")]
    """
    The blob ID (for confirmation)
    """
    filename: str | None = None
    """
    The filename if one was set
    """

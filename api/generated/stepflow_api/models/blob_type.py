# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Model `BlobType`."""

from __future__ import annotations

from stepflow_api.base import StrEnum

__all__ = ["BlobType"]


class BlobType(StrEnum):
    """
    Type of blob stored in the blob store.

    Cases:
    * `flow`: A workflow/flow definition
    * `data`: Generic data blob
    * `binary`: Raw binary data (base64-encoded in JSON transport)
    """

    FLOW = "flow"
    """
    A workflow/flow definition
    """
    DATA = "data"
    """
    Generic data blob
    """
    BINARY = "binary"
    """
    Raw binary data (base64-encoded in JSON transport)
    """

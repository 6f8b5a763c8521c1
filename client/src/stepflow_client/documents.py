"""YAML and JSON documents: read with limits, and with errors that name the place."""

from __future__ import annotations

from stepflow_client._core.documents import parse, read_file

__all__ = ["parse", "read_file"]

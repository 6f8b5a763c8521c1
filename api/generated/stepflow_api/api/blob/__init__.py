# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Endpoints of the tag Blob.

- `store_blob`: `POST /blobs`
- `get_blob`: `GET /blobs/{blob_id}`
"""

# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Endpoints of the tag Health.

- `health_check`: `GET /health`
"""

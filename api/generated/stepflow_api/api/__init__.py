# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Endpoints, one module for each operation, by the spec's tags.

- `stepflow_api.api.blob`
- `stepflow_api.api.component`
- `stepflow_api.api.flow`
- `stepflow_api.api.health`
- `stepflow_api.api.run`
"""

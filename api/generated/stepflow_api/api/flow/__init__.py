# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Endpoints of the tag Flow.

- `store_flow`: `POST /flows`
- `get_flow`: `GET /flows/{flow_id}`
- `delete_flow`: `DELETE /flows/{flow_id}`
- `get_flow_variables`: `GET /flows/{flow_id}/variables`
"""

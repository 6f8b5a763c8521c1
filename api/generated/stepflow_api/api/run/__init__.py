# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Endpoints of the tag Run.

- `list_runs`: `GET /runs`
- `create_run`: `POST /runs`
- `get_run`: `GET /runs/{run_id}`
- `delete_run`: `DELETE /runs/{run_id}`
- `get_run_items`: `GET /runs/{run_id}/items`
- `get_run_flow`: `GET /runs/{run_id}/flow`
- `get_run_steps`: `GET /runs/{run_id}/steps`
- `cancel_run`: `POST /runs/{run_id}/cancel`
- `get_run_events`: `GET /runs/{run_id}/events`
"""

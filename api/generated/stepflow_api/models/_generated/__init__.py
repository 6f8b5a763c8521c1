# Made by `tools/bazel run //api:update` from openapi.json and overlay.yaml; edits are lost.
"""Generated models on which hand-written ones build, or that refer to each other."""

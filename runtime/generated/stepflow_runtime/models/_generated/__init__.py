# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Generated models on which hand-written ones build, or that refer to each other."""

"""Batch operations: one flow, many inputs.

The server runs a batch as one run with an item for each input, so a batch's id is its run's id, and
everything here is one or more calls of the run operations.

- `create_batch`, `get_batch`, `list_batches`, `cancel_batch`
- `get_batch_outputs`, `list_batch_runs`
"""

"""Outputs of a batch."""

from __future__ import annotations

from stepflow_api.base import AnswerModel
from stepflow_api.models.batch_output_info import BatchOutputInfo

__all__ = ["ListBatchOutputsResponse"]


class ListBatchOutputsResponse(AnswerModel):
    """The outputs of a batch.

    The spec has no batches: the outputs are the items of the batch's run. Wire: `{"outputs":
    [{"batchInputIndex": 0, "status": "completed", "result": {"outcome": "success", "result":
    42}}]}`. Can go when nobody asks for batches any more.

    Attributes:
        outputs: One for each input, in the order of the inputs.
    """

    outputs: list[BatchOutputInfo]

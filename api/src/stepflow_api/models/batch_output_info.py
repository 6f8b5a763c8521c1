"""Output of one input of a batch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stepflow_api.base import AnswerModel
from stepflow_api.models.execution_status import ExecutionStatus
from stepflow_api.models.flow_result import FlowResult

__all__ = ["BatchOutputInfo"]


class BatchOutputInfo(AnswerModel):
    """The output of one input of a batch.

    The spec has no batches: the server runs one as a run with several items, of which this is one.
    Wire: `{"batchInputIndex": 0, "status": "completed", "result": {"outcome": "success", "result":
    42}}`. Can go when nobody asks for batches any more.

    Attributes:
        batch_input_index: Place of the input in the batch, from 0.
        status: Status of its run.
        result: Its result; None while it runs.
    """

    batch_input_index: Annotated[int, Field(alias="batchInputIndex", ge=0)]
    status: ExecutionStatus
    result: FlowResult | None = None

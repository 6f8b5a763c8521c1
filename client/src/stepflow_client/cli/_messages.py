"""Messages of errors in the command's own words: options instead of arguments of Python."""

from __future__ import annotations

import re

from stepflow_client.errors import RunOutcomeUnknown, StepflowError

_WORDS = (
    (r"; raise the timeout argument", "; raise --timeout"),
    (r"within timeout=", "within --timeout "),
    (r"Call it again with the same idempotency_key", "Repeat it with the same --idempotency-key"),
    (r"^idempotency_key is ", "--idempotency-key is "),
    (r"; pass a UUID, as submit\(\) and list_runs\(\) do", "; `stepflow-client runs` lists ids"),
    (r": check the URL, and server_version\(\)", ": check --url"),
    (
        r"^since is (.*); pass the sequence_number of an event, or 0 .*",
        r"--since is \1; pass the"
        " number of an event, or 0 for all events",
    ),
)


def message_of(error: StepflowError) -> str:
    """Return the message of an error for someone who has typed a command."""
    if isinstance(error, RunOutcomeUnknown) and "same idempotency_key" not in str(error):
        return (
            "the response to creating the run was lost, so the run may exist or not: look in"
            f" `stepflow-client runs` for a run of flow {error.flow_id} created since"
            f" {error.since.isoformat(timespec='milliseconds')} before you run it again"
        )
    message = str(error)
    for python, command in _WORDS:
        message = re.sub(python, command, message)
    return message

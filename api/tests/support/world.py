"""What a server has to hold for each operation to have something to work on."""

from __future__ import annotations

from api.tests.support.exchange import SERVER
from api.tests.support.flows import (
    UNKNOWN_HASH,
    SlowFlow,
    echo_flow,
    failing_flow,
    message_flow,
    run,
    store,
)
from stepflow_api import Client, models
from stepflow_api.api.blob import store_blob, store_blob_bytes


class World:
    """Flows, runs and blobs of every kind.

    Attributes:
        slow: A flow whose runs last until the test ends them.
        flow: A plain flow.
        rich_flow: One with every field that the server keeps.
        bare_flow: One with nothing but an output.
        done: A run that is completed.
        failed: A run that failed.
        running: A run in progress.
        batch: A run with three items, two of them completed.
        blob: A blob of JSON.
        named_blob: A blob of JSON with a file name.
        binary_blob: A blob of bytes that are no text. On 0.9 blobs have an id that nothing has.
    """

    def __init__(self, client: Client, slow: SlowFlow) -> None:
        self.slow = slow
        self.flow = store(client, message_flow())
        self.rich_flow = store(client, rich_flow())
        self.bare_flow = store(client, models.Flow(output={"$input": "$"}))
        self.done = str(run(client, self.flow, {"prompt": "hi"}).run_id)
        self.failed = str(run(client, failing_flow()).run_id)
        self.batch = str(run(client, self.flow, [{"prompt": "a"}, {}, {"prompt": "c"}]).run_id)
        self.running = slow.start({"n": 1})
        self.blob = self.named_blob = self.binary_blob = UNKNOWN_HASH
        if SERVER >= (0, 10):
            self.blob = _blob(client, {"a": [1, None, "ä"]})
            self.named_blob = _blob(client, "text", filename="notes.json")
            self.binary_blob = store_blob_bytes.sync(b"\0\xff\xfe", client=client).blob_id


def rich_flow() -> models.Flow:
    """A flow with every field that the server keeps."""
    variables = {
        "type": "object",
        "properties": {
            "greeting": {"type": "string", "env_var": "GREETING", "default": "Hello"},
            "times": {"type": "integer", "default": 3},
        },
    }
    step = models.Step(
        id="load",
        component="/load_file",
        input={"path": {"$variable": "greeting"}},
        on_error=models.OnErrorDefault(default_value={"data": None}),
        must_execute=True,
        metadata={"team": "a"},
    )
    case = models.TestCase(
        name="fails",
        description="It has no file",
        input=2,
        output=_outcome(),
    )
    return echo_flow(
        name="rich",
        description="Has everything",
        version="1.2",
        schemas={"type": "object", "properties": {"variables": variables}},
        steps=[step],
        output={"read": {"$step": "load"}, "greeting": {"$variable": "greeting"}},
        test=models.TestConfig(cases=[case]),
        examples=[models.ExampleInput(name="one", description="A number", input=1)],
        metadata={"owner": {"name": "b"}},
    )


def _outcome() -> models.FlowResult:
    if SERVER < (0, 12):
        return models.FlowResultFailed(error=models.FlowError(code=1, message="no"))
    # These make a float of the code, and refuse it then.
    return models.FlowResultSuccess(result={"read": None})


def _blob(client: Client, data: object, **fields: object) -> str:
    body = models.StoreBlobRequest.from_dict({"data": data, **fields})
    return store_blob.sync(client=client, body=body).blob_id

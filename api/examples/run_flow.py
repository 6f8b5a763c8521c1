"""Stores a flow on a server, runs it, and prints the typed answer."""

import argparse
import asyncio
import sys

from stepflow_api import Client, StepflowError
from stepflow_api.api.flow import store_flow
from stepflow_api.api.run import create_run
from stepflow_api.models import CreateRunRequest, Flow, Step, StoreFlowRequest

FLOW = Flow(
    name="greeting",
    steps=[
        Step(
            id="ask",
            component="/create_messages",
            input={"user_prompt": {"$input": "prompt"}},
        )
    ],
    output={"$step": "ask", "path": "messages[0].content"},
)


async def run(url: str, prompt: str) -> None:
    """Run the flow once.

    Args:
        url: Where the server is.
        prompt: The flow's input.

    Raises:
        StepflowError: The server cannot be reached, or refuses a request.
    """
    async with Client(base_url=url) as client:
        stored = await store_flow.asyncio(client=client, body=StoreFlowRequest(flow=FLOW))
        response = await create_run.asyncio_detailed(
            client=client,
            body=CreateRunRequest(flow_id=stored.flow_id, input={"prompt": prompt}, wait=True),
        )
        print(response.status_code, response.parsed)


def main() -> int:
    """Read the arguments and run the flow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://localhost:7840", help="where the server is")
    parser.add_argument("--prompt", default="Hello!", help="the flow's input")
    arguments = parser.parse_args()
    try:
        asyncio.run(run(arguments.url, arguments.prompt))
    except StepflowError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

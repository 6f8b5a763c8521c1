"""Serves Python functions as components of flows.

The server starts this file and calls it; pip install 'stepflow-py[http]==0.11.2' has what it needs.
"""

import asyncio
from collections import Counter

import msgspec
from stepflow_py.worker import StepflowServer

server = StepflowServer(include_builtins=False)


class Text(msgspec.Struct):
    """What the component takes."""

    text: str


class Words(msgspec.Struct):
    """The result."""

    words: int
    most_common: str


@server.component
def count_words(input: Text) -> Words:
    """Count the words of a text and find the most common one."""
    counts = Counter(input.text.lower().split())
    return Words(words=counts.total(), most_common=counts.most_common(1)[0][0])


if __name__ == "__main__":
    asyncio.run(server.run())

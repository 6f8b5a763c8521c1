"""Runs a flow with a step that is a Python function of this folder's worker.py."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stepflow_runtime import StepflowRuntime

HERE = Path(__file__).parent


def config(worker: Sequence[str]) -> dict[str, Any]:
    """Return the server's configuration.

    Args:
        worker: The command that starts the worker; the server starts and ends it.
    """
    return {
        "plugins": {
            "builtin": {"type": "builtin"},
            "python": {"type": "stepflow", "command": worker[0], "args": list(worker[1:])},
        },
        "routes": {
            "/python/{*component}": [{"plugin": "python"}],
            "/{*component}": [{"plugin": "builtin"}],
        },
    }


def main() -> None:
    """Start a server with the worker, run the flow once, and print its output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "worker",
        nargs="*",
        default=[sys.executable, str(HERE / "worker.py")],
        help="command that starts the worker; by default worker.py with this Python",
    )
    worker: list[str] = parser.parse_args().worker
    text = json.loads((HERE / "input.json").read_text(encoding="utf-8"))
    with StepflowRuntime.start(config(worker)) as runtime:
        result = runtime.sync_client.run(HERE / "flow.yaml", text, raise_on_failure=True)
    print(json.dumps(result.output))


if __name__ == "__main__":
    main()

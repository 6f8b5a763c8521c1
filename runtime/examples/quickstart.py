"""Starts a Stepflow server, runs the examples on it, prints their outputs, and stops it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from runtime.examples.example import Example
    from stepflow_client import SyncStepflowExecutor

UNEXPECTED = 1
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the examples.

    Args:
        arguments: The command line; by default this process's.

    Returns:
        0 where each output is the expected one, 1 where one is not or something failed, 130 after
        Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="quickstart", description=__doc__)
    parser.add_argument(
        "folders", nargs="*", type=Path, help="examples to run; by default the three beside this"
    )
    folders: list[Path] = parser.parse_args(arguments).folders
    try:
        return _quickstart(folders)
    except KeyboardInterrupt:
        print("quickstart: interrupted; the server is stopped", file=sys.stderr)
        return INTERRUPTED


def _quickstart(folders: Sequence[Path]) -> int:
    # Imported here, so that Ctrl-C is one line from the beginning.
    from rich.console import Console

    from runtime.examples.example import BUILTIN, Example
    from stepflow_api.errors import StepflowError, one_line
    from stepflow_runtime import StepflowRuntime

    console = Console(soft_wrap=True, highlight=False)
    here = Path(__file__).parent
    begin = time.perf_counter()
    try:
        examples = [Example.read(folder) for folder in folders or [here / name for name in BUILTIN]]
        console.print("Starting a Stepflow server")
        with console.status("Starting", spinner="line"):
            runtime = StepflowRuntime.start()
        with runtime:
            version = runtime.sync_client.server_version()
            console.print(f"Version {version} at {runtime.url}, ready in {_since(begin)}")
            unexpected = 0
            for number, example in enumerate(examples, 1):
                flow = runtime.sync_client.get_flow(runtime.sync_client.store_flow(example.flow))
                title = f"\n[{number}/{len(examples)}] {example.name}: {flow.description}"
                console.print(title, style="bold", markup=False)
                unexpected += not _run(console, example, runtime.sync_client)
    except OSError as error:
        print(
            f"quickstart: cannot read {error.filename}: {error.strerror};"
            " an example has flow.yaml, input.json and expected.json",
            file=sys.stderr,
        )
        return UNEXPECTED
    except (StepflowError, ValueError) as error:
        print(f"quickstart: {one_line(str(error))}", file=sys.stderr)
        return UNEXPECTED
    console.print(f"\nThe server is stopped; all of it took {_since(begin)}")
    return UNEXPECTED if unexpected else 0


def _run(console: Console, example: Example, executor: SyncStepflowExecutor) -> bool:
    """Run one example and print its outputs; return whether they are the expected ones."""
    begin = time.perf_counter()
    runs = f"{len(example.inputs)} {'run' if len(example.inputs) == 1 else 'runs'}"
    with console.status(f"{runs}, 0 done", spinner="line") as status:
        outputs = example.run(executor, lambda done: status.update(f"{runs}, {done} done"))
    duration = _since(begin)
    for output in outputs:
        console.print_json(json.dumps(output), indent=None if example.is_batch else 2)
    differences = example.differences(outputs)
    for line in differences:
        console.print(line, markup=False)
    verdict = "not as expected" if differences else "as expected"
    console.print(f"{runs}, {verdict}, in {duration}", style="red" if differences else "green")
    return not differences


def _since(begin: float) -> str:
    return f"{1000 * (time.perf_counter() - begin):.0f} ms"


if __name__ == "__main__":
    sys.exit(main())

"""How what the SDK takes grows with what it is given."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.bench.cases import SDK, callers, items, module
from tools.bench.driver import Contestant, run_case
from tools.bench.ratios import METRICS, Spread, exponent
from tools.bench.world import World

_ROUNDS = 3
_SECONDS = 0.2
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True, slots=True)
class Growth:
    """One series of sizes.

    Attributes:
        title: For the table.
        unit: What a size counts.
        case: What the SDK does, by the name of the case.
        sizes: Smallest first.
        metric: What is measured; for callers, of one call.
        world: Returns the arguments of the SDK for a size, and the expected result.
    """

    title: str
    unit: str
    case: str
    sizes: tuple[int, ...]
    metric: str
    world: Callable[[World, int], tuple[Mapping[str, Any], Any]]


@dataclass(frozen=True, slots=True)
class Grown:
    """The result.

    Attributes:
        values: Seconds for each size.
        exponent: The power that they grow with, without the smallest third of the sizes, where what
            does not grow hides what does.
    """

    values: dict[int, Spread]
    exponent: float


def multiplied(document: Any, times: int) -> Any:
    """Return a spec so many times the size: as many paths and schemas, each under its own name.

    Args:
        document: The spec.
        times: 1 for the spec as it is.
    """
    result = copy.deepcopy(document)
    schemas = document["components"]["schemas"]
    for number in range(2, times + 1):
        text = json.dumps({"paths": document["paths"], "schemas": schemas})
        for name in schemas:
            text = text.replace(
                f'"#/components/schemas/{name}"', f'"#/components/schemas/{name}Copy{number}"'
            )
        part = json.loads(text)
        for path, methods in part["paths"].items():
            for method in _METHODS:
                if method in methods:
                    methods[method]["operationId"] += f"Copy{number}"
            result["paths"][f"/copy{number}{path}"] = methods
        for name, schema in part["schemas"].items():
            result["components"]["schemas"][f"{name}Copy{number}"] = schema
    return result


def _spec(world: World, times: int) -> tuple[Mapping[str, Any], Any]:
    paths = world.paths
    file = world.folder / f"spec_{times}.json"
    document = json.loads(Path(paths["spec"]).read_text(encoding="utf-8"))
    file.write_text(json.dumps(multiplied(document, times)), encoding="utf-8")
    last = f"get_run_copy{times}" if times > 1 else "get_run"
    facts: dict[str, Any] = {
        "spec": str(file),
        "ruff": paths["ruff"],
        "hand_written": [],
        "has": f"api/run/{last}.py",
    }
    return facts, "done"


_ITEMS = (1, 10, 100, 1_000, 10_000, 100_000)

GROWTH: dict[str, Growth] = {
    "growth_items_page": Growth(
        "items to models, whole page",
        "items",
        "items_page",
        _ITEMS,
        "cpu",
        lambda world, number: items(number)(world),
    ),
    "growth_items_iterated": Growth(
        "items, iterated one by one",
        "items",
        "items_iterated",
        _ITEMS,
        "cpu",
        lambda world, number: items(number)(world),
    ),
    "growth_callers": Growth(
        "one call (POST /runs, wait=true) among others",
        "callers",
        "concurrent_calls",
        (1, 4, 16, 64, 256),
        "wall",
        lambda world, number: callers(number)(world),
    ),
    "growth_spec": Growth(
        "compiling a larger spec",
        "times the spec",
        "compile",
        (1, 2, 5, 10, 25, 50),
        "cpu",
        _spec,
    ),
}


def run_growth(
    name: str, world: World, environment: Mapping[str, str], rounds: int | None
) -> Grown:
    """Run the SDK at every size, each in a process of its own, in turn.

    Args:
        name: One of `GROWTH`.
        world: The server.
        environment: The SDK's environment.
        rounds: Number of measured rounds; None for the default.

    Raises:
        BenchError: It fails, or returns a wrong answer.
    """
    growth = GROWTH[name]
    measure = METRICS[growth.metric]
    values: dict[int, Spread] = {}
    for size in growth.sizes:
        facts, expected = growth.world(world, size)
        with Contestant(
            f"{SDK} at {size}", module(SDK), environment, growth.case, facts, expected
        ) as contestant:
            run_case([contestant], rounds=rounds or _ROUNDS, seconds=_SECONDS)
        values[size] = Spread.of([measure(one) for one in contestant.series.rounds])
    larger = growth.sizes[len(growth.sizes) // 2 - 1 :]
    return Grown(values, exponent(larger, [values[size].median for size in larger]))

"""The cases: what is measured, beside what, and the targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from tools.bench.world import World

#: The contestant that this repository is.
SDK = "stepflow"

#: The same in one more process: how far its ratio is from 1 is what measuring itself adds.
AGAIN = "stepflow again"

#: Memory that the SDK may take, a row of its own beside the contestants.
ALLOWED = "allowed"

MEGABYTE = 1_000_000


class Program(NamedTuple):
    """How a contestant is run.

    Attributes:
        packages: The program of `//tools/bench` whose installed packages it uses.
        module: The module in `contestants` that has its cases.
        versions: Distributions whose versions are reported.
    """

    packages: str
    module: str
    versions: tuple[str, ...]


PROGRAMS = {
    SDK: Program("sdk", "sdk", ("httpx", "pydantic")),
    "floor": Program("sdk", "floor", ("datamodel-code-generator", "httpx", "pydantic")),
    "httpx": Program("http_clients", "http_clients", ("httpx", "httpcore", "anyio")),
    "httpx2": Program("http_clients", "http_clients", ("httpx2", "httpcore2", "anyio")),
    "http.client": Program("http_clients", "http_clients", ()),
    "aiohttp": Program("http_clients", "http_clients", ("aiohttp",)),
    "pyreqwest": Program("http_clients", "http_clients", ("pyreqwest",)),
    "stepflow-py": Program("old_client", "old_client", ("stepflow-py", "aiohttp", "pydantic")),
    "openapi-python-client": Program(
        "other_generator", "other_generator", ("openapi-python-client", "httpx", "attrs")
    ),
    "stepflow_orchestrator": Program("sdk", "floor", ("stepflow-orchestrator",)),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that contestants do.

    Attributes:
        title: For tables and the chart.
        unit: What one operation is.
        metric: What is compared: wall, cpu, rate or peak (memory).
        world: Returns the facts that contestants need, for a size, and the right answer.
        others: The contestants beside the SDK, each with its target: the highest ratio of the SDK
            to it, for rates the lowest. None where there is no target.
        floor_is: What the contestant "floor" does.
        floor: The contestant that does only what no client can do without.
        size: Passed to `world`.
        count: Operations in a round; None for as many as take long enough.
        rounds: Rounds that count, where the command line does not say.
        memory: Bytes that the SDK may take beyond the response it reads; None for no bound.
    """

    title: str
    unit: str
    metric: str
    world: Callable[[World, int], tuple[Mapping[str, Any], Any]]
    others: Mapping[str, float | None]
    floor_is: str = ""
    floor: str = "floor"
    size: int = 1
    count: int | None = None
    rounds: int = 15
    memory: int | None = None

    def label(self, contestant: str) -> str:
        """Return a contestant's name for tables and the chart."""
        if contestant == ALLOWED and self.memory:
            answer = "answer + " if self.metric == "peak" else ""
            return f"{ALLOWED}: {answer}{self.memory / MEGABYTE:.0f} MB"
        return f"floor: {self.floor_is}" if contestant == "floor" else contestant


CASES = {
    "import": Case(
        "import of the package alone",
        *("import", "wall", World.nothing, {"floor": 1.1, "stepflow-py": 0.05}, "bare Python"),
        count=1,
        rounds=25,
    ),
    "import_and_use": Case(
        "import, one model and a client",
        *("import", "wall", World.nothing, {"floor": 1.05, "stepflow-py": 0.3}),
        floor_is="pydantic and httpx",
        count=1,
        rounds=25,
    ),
    "sync_call": Case(
        "sync call, typed (GET a run)",
        *("call", "cpu", World.one_run),
        {
            "httpx": 0.3,
            "httpx2": 0.85,
            "http.client": 1.2,
            "pyreqwest": None,
            "openapi-python-client": 0.3,
        },
    ),
    "async_call": Case(
        "async call, one caller (GET a run)",
        *("call", "cpu", World.one_run),
        {"httpx": 0.3, "httpx2": 0.85, "aiohttp": 1.05, "pyreqwest": None, "stepflow-py": 0.7},
        floor="aiohttp",
    ),
    "concurrent_calls": Case(
        "64 async callers (POST /runs, wait=true)",
        *("call", "rate", World.callers),
        {"httpx": 5, "httpx2": None, "aiohttp": 1, "pyreqwest": None, "stepflow-py": 1.8},
        floor="aiohttp",
        size=64,
    ),
    "items_page": Case(
        "10,000 items to models, whole page",
        *("page", "cpu", World.items, {"floor": 2.5, "stepflow-py": 0.2}, "json.loads"),
        size=10_000,
    ),
    "items_iterated": Case(
        "10,000 items, iterated one by one",
        *("page", "cpu", World.items, {"floor": 1.5, "stepflow-py": 0.1}, "json.loads"),
        size=10_000,
    ),
    "compile": Case(
        "compiling the spec",
        *("compilation", "wall", World.spec, {"floor": 1.3, "openapi-python-client": 0.6}),
        floor_is="datamodel-codegen",
        count=1,
        memory=120 * 1024 * 1024,
    ),
    "start": Case(
        "embedded start to healthy",
        *("start", "wall", World.healthy, {"floor": 1.08, "stepflow_orchestrator": 0.65}),
        floor_is="exec to healthy",
        count=1,
        rounds=25,
    ),
    "memory": Case(
        "memory for 100,000 iterated items",
        *("page", "peak", World.items, {"httpx": None, "stepflow-py": None}),
        size=100_000,
        count=1,
        rounds=1,
        memory=60 * MEGABYTE,
    ),
}


class Growth(NamedTuple):
    """How the SDK's cost in a case grows with the size.

    Attributes:
        title: For the table and the chart.
        unit: What a size counts.
        case: The name of the case.
        metric: What is measured; for callers, of one call.
        sizes: Smallest first.
    """

    title: str
    unit: str
    case: str
    metric: str
    sizes: tuple[int, ...]


_ITEMS = (1, 10, 100, 1_000, 10_000, 100_000)

GROWTH = {
    "growth_items_page": Growth(
        "items to models, whole page", "items", "items_page", "cpu", _ITEMS
    ),
    "growth_items_iterated": Growth(
        "items, iterated one by one", "items", "items_iterated", "cpu", _ITEMS
    ),
    "growth_callers": Growth(
        "one call (POST /runs, wait=true) among others",
        *("callers", "concurrent_calls", "wall", (1, 4, 16, 64, 256)),
    ),
    "growth_spec": Growth(
        "compiling a larger spec", "times the spec", "compile", "cpu", (1, 2, 5, 10, 25, 50)
    ),
}

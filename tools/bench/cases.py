"""What is compared, with what, and what is hoped for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tools.bench.world import World

SDK = "stepflow"
"""The contestant that this repository is."""

AGAIN = "stepflow again"
"""The same in one more process: how far its ratio is from 1 is what the measuring itself adds."""

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on the ratio of the SDK to another contestant.

    Attributes:
        than: The other contestant.
        metric: What is compared, one of `ratios.METRICS`.
        limit: The ratio that is allowed at most; for rates the one that is needed at least.
    """

    than: str
    metric: str
    limit: float

    def met(self, ratio: float) -> bool:
        """Whether a ratio is within the bound."""
        return ratio >= self.limit if self.metric == "rate" else ratio <= self.limit


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that contestants do.

    Attributes:
        title: For the table.
        unit: What one operation is.
        contestants: The contestants; the SDK is first.
        targets: For the SDK.
        world: Returns the arguments of the contestants, and the expected result.
        floor: The contestant that does only what nobody can do without; None where none does.
        floor_is: What that is.
        metric: What the chart shows.
        count: Operations in a round; None for as many as take long enough.
        rounds: Rounds that count, where the command line does not say; None for the usual number.
        over_response: Bytes of memory that the SDK may take beyond the answer; None for no bound.
    """

    title: str
    unit: str
    contestants: tuple[str, ...]
    targets: tuple[Target, ...]
    world: Callable[[World], tuple[Mapping[str, Any], Any]]
    floor: str | None = None
    floor_is: str = ""
    metric: str = "cpu"
    count: int | None = None
    rounds: int | None = None
    over_response: int | None = None

    def label(self, contestant: str) -> str:
        """Return a contestant's name, and of the floor what it is."""
        if contestant == self.floor == "floor":
            return f"floor: {self.floor_is}"
        return contestant


PROGRAMS = {
    SDK: "sdk",
    AGAIN: "sdk",
    "floor": "floor",
    "httpx": "raw_httpx",
    "httpx2": "raw_httpx2",
    "http.client": "raw_http_client",
    "aiohttp": "raw_aiohttp",
    "pyreqwest": "raw_pyreqwest",
    "stepflow-py": "old_client",
    "openapi-python-client": "other_generator",
    "stepflow_orchestrator": "upstream_launcher",
}
"""The program of each contestant, a target under `//tools/bench/contestants`."""


def module(contestant: str) -> str:
    """Return the module that a contestant's program runs."""
    return f"tools.bench.contestants.{PROGRAMS[contestant]}"


def _no_world(world: World) -> tuple[Mapping[str, Any], Any]:
    return {}, "done"


def _one_run(world: World) -> tuple[Mapping[str, Any], Any]:
    run_id = world.run_id(1)
    facts = {"url": world.url, "run_id": run_id, "generated_client": world.generated_client}
    return facts, [run_id, "completed", 1]


def callers(number: int) -> Callable[[World], tuple[Mapping[str, Any], Any]]:
    """Return the world of so many callers at once."""

    def facts(world: World) -> tuple[Mapping[str, Any], Any]:
        return {"url": world.url, "flow_id": world.flow_id, "callers": number}, {"wrong": 0}

    return facts


def items(number: int) -> Callable[[World], tuple[Mapping[str, Any], Any]]:
    """Return the world of a run with so many items."""

    def facts(world: World) -> tuple[Mapping[str, Any], Any]:
        known = {
            "url": world.url,
            "run_id": world.run_id(number),
            "items_file": str(world.items_file(number)),
        }
        return known, [number, sum(range(number))]

    return facts


def _spec(world: World) -> tuple[Mapping[str, Any], Any]:
    paths = world.paths
    hand_written = [
        f"{file.rpartition('/src/stepflow_api/')[2]}={file}"
        for file in paths["hand_written"].split()
    ]
    facts = {
        "spec": paths["spec"],
        "patched_spec": paths["patched_spec"],
        "ruff": paths["ruff"],
        "hand_written": hand_written,
        "has": "api/run/get_run.py",
    }
    return facts, "done"


def _server(world: World) -> tuple[Mapping[str, Any], Any]:
    return {"server": world.paths["server"]}, [["healthy", world.version]]


CASES: dict[str, Case] = {
    "import": Case(
        title="import of the package alone",
        unit="import",
        contestants=(SDK, AGAIN, "floor", "stepflow-py"),
        targets=(Target("floor", "wall", 1.1), Target("stepflow-py", "wall", 0.05)),
        world=_no_world,
        floor="floor",
        floor_is="bare Python",
        metric="wall",
        count=1,
        rounds=25,
    ),
    "import_and_use": Case(
        title="import, one model and a client",
        unit="import",
        contestants=(SDK, AGAIN, "floor", "stepflow-py"),
        targets=(Target("floor", "wall", 1.05), Target("stepflow-py", "wall", 0.3)),
        world=_no_world,
        floor="floor",
        floor_is="pydantic and httpx",
        metric="wall",
        count=1,
        rounds=25,
    ),
    "sync_call": Case(
        title="sync call, typed (GET a run)",
        unit="call",
        contestants=(
            SDK,
            AGAIN,
            "httpx",
            "httpx2",
            "http.client",
            "pyreqwest",
            "openapi-python-client",
        ),
        targets=(
            Target("httpx", "cpu", 0.3),
            Target("httpx2", "cpu", 0.85),
            Target("http.client", "cpu", 1.2),
            Target("openapi-python-client", "cpu", 0.3),
        ),
        world=_one_run,
    ),
    "async_call": Case(
        title="async call, one caller (GET a run)",
        unit="call",
        contestants=(SDK, AGAIN, "httpx", "httpx2", "aiohttp", "pyreqwest", "stepflow-py"),
        targets=(
            Target("httpx", "cpu", 0.3),
            Target("httpx2", "cpu", 0.85),
            Target("aiohttp", "cpu", 1.05),
            Target("stepflow-py", "cpu", 0.7),
        ),
        world=_one_run,
        floor="aiohttp",
        floor_is="aiohttp alone",
    ),
    "concurrent_calls": Case(
        title="64 async callers (POST /runs, wait=true)",
        unit="call",
        contestants=(SDK, AGAIN, "httpx", "httpx2", "aiohttp", "pyreqwest", "stepflow-py"),
        targets=(
            Target("httpx", "rate", 5.0),
            Target("aiohttp", "rate", 1.0),
            Target("stepflow-py", "rate", 1.8),
        ),
        world=callers(64),
        floor="aiohttp",
        floor_is="aiohttp alone",
        metric="rate",
    ),
    "items_page": Case(
        title="10,000 items to models, whole page",
        unit="page",
        contestants=(SDK, AGAIN, "floor", "stepflow-py"),
        targets=(Target("floor", "cpu", 2.5), Target("stepflow-py", "cpu", 0.2)),
        world=items(10_000),
        floor="floor",
        floor_is="json.loads",
    ),
    "items_iterated": Case(
        title="10,000 items, iterated one by one",
        unit="page",
        contestants=(SDK, AGAIN, "floor", "stepflow-py"),
        targets=(Target("floor", "cpu", 1.5), Target("stepflow-py", "cpu", 0.1)),
        world=items(10_000),
        floor="floor",
        floor_is="json.loads",
    ),
    "compile": Case(
        title="compiling the spec",
        unit="compilation",
        contestants=(SDK, AGAIN, "floor", "openapi-python-client"),
        targets=(Target("floor", "wall", 1.3), Target("openapi-python-client", "wall", 0.6)),
        world=_spec,
        floor="floor",
        floor_is="datamodel-codegen",
        metric="wall",
        count=1,
    ),
    "start": Case(
        title="embedded start to healthy",
        unit="start",
        contestants=(SDK, AGAIN, "floor", "stepflow_orchestrator"),
        targets=(Target("floor", "wall", 1.08), Target("stepflow_orchestrator", "wall", 0.65)),
        world=_server,
        floor="floor",
        floor_is="exec to healthy",
        metric="wall",
        count=1,
        rounds=25,
    ),
    "memory": Case(
        title="memory for 100,000 iterated items",
        unit="page",
        contestants=(SDK, AGAIN, "httpx", "stepflow-py"),
        targets=(),
        world=items(100_000),
        metric="peak",
        count=1,
        rounds=1,
        over_response=60 * MEGABYTE,
    ),
}

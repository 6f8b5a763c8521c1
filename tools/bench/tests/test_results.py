"""What the rounds say, in tables."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tools.bench.cases import AGAIN, ALLOWED, CASES, SDK
from tools.bench.contestants.other_generator import readable
from tools.bench.driver import Round
from tools.bench.results import (
    Spread,
    all_met,
    exponent,
    ratio,
    report,
    rows,
)
from tools.bench.world import multiplied

MEGABYTE = 1_000_000


@pytest.fixture(autouse=True)
def cases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Targets of the tests, so that those of the benchmark can change."""
    targets: dict[str, dict[str, float | None]] = {
        "sync_call": {"httpx": 0.85, "pyreqwest": None, "openapi-python-client": 0.75},
        "concurrent_calls": {"httpx": 5, "aiohttp": 0.45},
        "items_page": {"floor": 4, "stepflow-py": 0.2},
    }
    for name, others in targets.items():
        monkeypatch.setitem(CASES, name, replace(CASES[name], others=others))


def rounds(*seconds: float, peak: float = 50 * MEGABYTE) -> list[Round]:
    return [Round(one, one / 2, peak) for one in seconds]


def run(name: str, *others: list[Round], again: Any = None, allowed: int | None = None) -> Any:
    """Return a run of one case; the first of the others is the SDK."""
    contestants = [SDK, AGAIN, *CASES[name].others]
    each = [others[0], again or others[0], *others[1:]]
    case = {
        "rounds": dict(zip(contestants, each, strict=True)),
        "versions": {"httpx": {"httpx": "1.0"}},
        "allowed": allowed,
    }
    document = {"machine": "2 CPUs", "cases": {name: case}, "growth": {}}
    return json.loads(json.dumps(document))


def cells(first: str, *runs: Any) -> list[str]:
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in report(runs)]
    (found,) = (line for line in lines if line[:1] == [first])
    return found[1:]


def test_rounds_are_compared_with_those_of_the_same_time() -> None:
    # The machine is ten times as slow in the second round, for both.
    found = ratio(rounds(1, 10, 1), rounds(2, 20, 2), "wall")
    assert found == Spread(0.5, 0.5, 0.5)
    assert ratio(rounds(1), rounds(2), "rate").median == 2


def test_the_spread_is_the_middle_half() -> None:
    assert Spread.of([1, 2, 3, 4, 100]) == Spread(2, 3, 4)
    assert Spread.of([5]) == Spread(5, 5, 5)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
def test_the_exponent_is_the_power_of_the_size(power: float) -> None:
    points = [(size, 3 * size**power) for size in (1, 10, 100, 1000)]
    assert exponent(points) == pytest.approx(power)


def test_a_row_has_the_ratio_of_each_run_and_whether_all_meet_the_target() -> None:
    met = run("sync_call", rounds(0.7), rounds(1), rounds(2), rounds(1))
    missed = run("sync_call", rounds(0.8, 0.8), rounds(1, 1), rounds(2, 2), rounds(1, 1))
    runs = [met, {"machine": "", "cases": {}, "growth": {}}, missed]
    assert all_met(met) and not all_met(missed)
    ratios = ["0.7 (0.7 to 0.7)", "–", "0.8 (0.8 to 0.8)"]
    figures = ["1 s", "500 ms", "50.0 MB"]
    assert cells("httpx", *runs) == [*figures, *ratios, "CPU ≤ 0.85", "yes", ""]
    assert cells("openapi-python-client", *runs)[-3:] == ["CPU ≤ 0.75", "**in 1 of 2**", ""]
    assert cells("pyreqwest", *runs)[-3:] == ["", "", ""]
    assert cells("stepflow", met) == ["700 ms", "350 ms", "50.0 MB", "", "", "", ""]
    lines = list(report(runs))
    assert lines[0] == "- Run 1: 2 CPUs" and lines[-1] == "- httpx: httpx 1.0"
    assert "One call (`sync_call`), medians of 2 rounds, ratios of CPU:" in lines


def test_a_missed_target_is_beside_what_the_floor_reaches() -> None:
    far = run("items_page", rounds(5), rounds(4), rounds(10))
    assert cells("stepflow-py", far)[-2:] == ["**no**", "0.4, misses it as well"]
    near = run("items_page", rounds(5), rounds(1), rounds(10))
    assert cells("stepflow-py", near)[-2:] == ["**no**", "0.1"]
    assert cells("floor: json.loads", near)[-2:] == ["**no**", ""]
    assert cells("stepflow-py", run("items_page", rounds(1), rounds(1), rounds(10)))[-1] == ""


def test_a_rate_is_to_be_high() -> None:
    found = run("concurrent_calls", rounds(1), rounds(6), rounds(0.4))
    httpx, aiohttp = (
        rows("concurrent_calls", found["cases"]["concurrent_calls"])[who]
        for who in ("httpx", "aiohttp")
    )
    assert httpx.ratio.median == pytest.approx(6) and httpx.met
    assert aiohttp.ratio.median == pytest.approx(0.4) and not aiohttp.met
    assert cells("aiohttp", found)[-3] == "rate ≥ 0.45"


def test_an_unsteady_machine_is_reported() -> None:
    others = [rounds(1), rounds(2), rounds(2), rounds(2)]
    assert cells(AGAIN, run("sync_call", *others))[-2] == "control"
    unsteady = run("sync_call", *others, again=rounds(1.5))
    assert cells(AGAIN, unsteady)[-2] == "**the machine is not steady**"


@pytest.mark.parametrize(("allowed", "met"), [(74 * MEGABYTE, False), (75 * MEGABYTE, True)])
def test_memory_is_bound(allowed: int, met: bool) -> None:
    taken = [rounds(1, peak=75 * MEGABYTE), *[rounds(1, peak=150 * MEGABYTE)] * 2]
    found = run("memory", *taken, allowed=allowed)
    assert all_met(found) == met
    bound = rows("memory", found["cases"]["memory"])
    assert bound[ALLOWED].met == met and bound["httpx"].ratio.median == 0.5
    label = "allowed: answer + 60 MB"
    assert cells(label, found)[2:] == [
        f"{allowed / MEGABYTE:.1f} MB",
        str(bound[ALLOWED].ratio),
        "memory ≤ 1",
        "yes" if met else "**no**",
        "",
    ]


def test_growth_has_its_exponent_and_each_time() -> None:
    sizes = {str(10**power): rounds(10 ** (power - 3)) for power in range(6)}
    found = {"machine": "", "cases": {}, "growth": {"growth_callers": sizes}}
    row = cells("one call (POST /runs, wait=true) among others", found)
    assert row[:3] == ["wall", "callers", "1.00"]
    assert row[3].startswith("1: 1 ms, 10: 10 ms") and row[3].endswith("100,000: 100 s")


_SPEC = {
    "paths": {"/pets": {"get": {"operationId": "listPets", "responses": {}}}},
    "components": {
        "schemas": {
            "Pet": {
                "type": "object",
                "properties": {
                    "friend": {"$ref": "#/components/schemas/Pet"},
                    "anything": True,
                    "home": {"allOf": [], "default": {"at": "zoo"}},
                    "name": {"type": "string", "default": "Rex"},
                },
            }
        }
    },
}


def test_a_larger_spec_has_everything_as_often() -> None:
    large = multiplied(_SPEC, 3)
    assert list(large["paths"]) == ["/pets", "/copy2/pets", "/copy3/pets"]
    assert large["paths"]["/copy3/pets"]["get"]["operationId"] == "listPetsCopy3"
    schemas = large["components"]["schemas"]
    assert list(schemas) == ["Pet", "PetCopy2", "PetCopy3"]
    friend = schemas["PetCopy3"]["properties"]["friend"]
    assert friend == {"$ref": "#/components/schemas/PetCopy3"}
    assert multiplied(_SPEC, 1) == _SPEC


def test_the_patched_spec_lacks_what_its_generator_cannot_read_and_nothing_else() -> None:
    document = json.loads(json.dumps(_SPEC), object_hook=readable)
    assert document["components"]["schemas"]["Pet"]["properties"] == {
        "friend": {"$ref": "#/components/schemas/Pet"},
        "anything": {},
        "home": {"allOf": []},
        "name": {"type": "string", "default": "Rex"},
    }

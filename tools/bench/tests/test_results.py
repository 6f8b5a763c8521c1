"""What the rounds say."""

from __future__ import annotations

import json

import pytest

from tools.bench.cases import CASES, SDK, Target
from tools.bench.growth import multiplied
from tools.bench.openapi_python_client_spec import patch
from tools.bench.ratios import Spread, exponent, ratio
from tools.bench.results import Result, as_json, result_text
from tools.bench.tests.support import page, series, sync_call


def test_rounds_are_compared_with_those_of_the_same_time() -> None:
    # The machine is ten times as slow in the second round, for both.
    found = ratio(series(1, 10, 1), series(2, 20, 2), "wall")
    assert found == Spread(0.5, 0.5, 0.5)
    assert ratio(series(1), series(2), "rate").median == 2


def test_the_spread_is_the_middle_half() -> None:
    assert Spread.of([1, 2, 3, 4, 100]) == Spread(3, 2, 4)
    assert Spread.of([5]) == Spread(5, 5, 5)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
def test_the_exponent_is_the_power_of_the_size(power: float) -> None:
    sizes = [1, 10, 100, 1000]
    assert exponent(sizes, [3 * size**power for size in sizes]) == pytest.approx(power)


def test_a_rate_is_to_be_high_and_a_time_low() -> None:
    assert Target("httpx", "cpu", 0.85).met(0.8) and not Target("httpx", "cpu", 0.85).met(0.9)
    assert Target("httpx", "rate", 5.0).met(6) and not Target("httpx", "rate", 5.0).met(4)


def test_the_table_tells_what_is_missed() -> None:
    found = sync_call(series(0.8, 0.8), series(1, 1), series(1, 1))
    assert not found.met
    text = "\n".join(result_text(found))
    assert "cpu 0.8 (0.8 to 0.8), target <= 0.85: met" in text
    assert "cpu 0.8 (0.8 to 0.8), target <= 0.75: MISSED" in text
    assert sync_call(series(0.5), series(1), series(1)).met


@pytest.mark.parametrize(
    ("floor", "words"),
    [
        (4, "floor (json.loads) / stepflow-py 0.4 (0.4 to 0.4): not even the floor reaches it"),
        (1, "floor (json.loads) / stepflow-py 0.1 (0.1 to 0.1): the floor reaches it"),
    ],
)
def test_a_missed_target_is_beside_what_the_floor_reaches(floor: float, words: str) -> None:
    assert words in "\n".join(result_text(page(series(5), series(floor), series(10))))
    # Nothing is missed here.
    assert "reaches" not in "\n".join(result_text(page(series(1), series(floor), series(10))))


def test_an_unsteady_machine_is_told() -> None:
    found = sync_call(series(1.0), series(2), series(2), again=series(1.5))
    assert "the machine is not steady" in "\n".join(result_text(found))


def test_memory_is_bound_by_the_answer() -> None:
    taken = dict.fromkeys(CASES["memory"].contestants, series(1, peak=75_000_000))
    assert not Result("memory", taken, response=14_000_000).met
    assert Result("memory", taken, response=15_000_000).met


def test_the_json_has_what_the_table_has() -> None:
    found = sync_call(series(0.8), series(1), series(1))
    document = json.loads(json.dumps(as_json({"cpus": 2}, [found], {})))
    case = document["cases"]["sync_call"]
    assert case["met"] is False
    assert case["contestants"][SDK]["cpu"]["median"] == pytest.approx(0.4)
    assert [(one["to"], one["met"]) for one in case["ratios"]] == [
        ("httpx", True),
        ("openapi-python-client", False),
    ]


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
    document = json.loads(json.dumps(_SPEC))
    patch(document)
    properties = document["components"]["schemas"]["Pet"]["properties"]
    assert properties == {
        "friend": {"$ref": "#/components/schemas/Pet"},
        "anything": {},
        "home": {"allOf": []},
        "name": {"type": "string", "default": "Rex"},
    }

"""What the chart shows."""

from __future__ import annotations

import pytest

from tools.bench.bars import bars
from tools.bench.cases import AGAIN, CASES, SDK
from tools.bench.ratios import Spread
from tools.bench.results import Result
from tools.bench.tests.support import page, series, sync_call


def test_a_bar_says_how_many_times_as_much_the_other_takes() -> None:
    httpx, other = bars(sync_call(series(1, 1), series(2, 4), series(1, 1)))
    assert (httpx.label, other.label) == ("httpx", "openapi-python-client")
    # The ratios are 1/2 and 1/4: their median is 3/8, the middle half 5/16 to 7/16.
    assert httpx.cost == Spread(8 / 3, 16 / 7, 16 / 5)
    assert httpx.needed == pytest.approx(1 / 0.85) and httpx.met
    assert other.cost.median == 1 and not other.met


def test_a_floor_is_named_by_what_it_is() -> None:
    floor, _ = bars(page(series(4), series(2), series(30)))
    assert floor.label == "floor: json.loads"
    assert floor.cost.median == 0.5 and floor.needed == 0.25 and floor.met


def test_a_rate_is_a_cost_as_well() -> None:
    contestants = dict.fromkeys(CASES["concurrent_calls"].contestants, series(1))
    result = Result("concurrent_calls", {**contestants, "httpx": series(6), "aiohttp": series(0.4)})
    costs = {bar.label: (bar.cost.median, bar.met) for bar in bars(result)}
    assert costs == {
        "httpx": (pytest.approx(6), True),
        "aiohttp": (pytest.approx(0.4), False),
        "stepflow-py": (1, False),
    }


@pytest.mark.parametrize(("peak", "met"), [(75_000_000, True), (80_000_000, False)])
def test_memory_is_beside_what_is_allowed(peak: int, met: bool) -> None:
    taken = {SDK: series(1, peak=peak), AGAIN: series(1), "httpx": series(1, peak=150_000_000)}
    httpx, allowed = bars(Result("memory", taken, response=15_000_000))
    assert httpx.cost.median == 150_000_000 / peak and httpx.met
    assert allowed.label == "allowed: answer + 60 MB"
    assert allowed.cost.median == 75_000_000 / peak and allowed.met is met

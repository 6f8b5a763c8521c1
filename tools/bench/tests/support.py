"""Results as a benchmark would have found them."""

from __future__ import annotations

from tools.bench.cases import AGAIN, SDK
from tools.bench.driver import Round, Series
from tools.bench.results import Result


def series(*seconds: float, peak: int = 50_000_000) -> Series:
    return Series([Round(wall=one, cpu=one / 2) for one in seconds], peak, {"it": "1.0"})


def sync_call(ours: Series, httpx: Series, other: Series, again: Series | None = None) -> Result:
    contestants = {SDK: ours, AGAIN: again or ours, "httpx": httpx, "openapi-python-client": other}
    return Result("sync_call", contestants)


def page(ours: Series, floor: Series, other: Series) -> Result:
    contestants = {SDK: ours, AGAIN: ours, "floor": floor, "stepflow-py": other}
    return Result("items_page", contestants)

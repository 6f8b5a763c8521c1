"""Contestants and targets of the tests, so that those of the benchmark can change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tools.bench.cases import AGAIN, CASES, SDK, Target

_CONTESTANTS = {
    "sync_call": {
        "httpx": Target("httpx", "cpu", 0.85),
        "openapi-python-client": Target("openapi-python-client", "cpu", 0.75),
    },
    "concurrent_calls": {
        "httpx": Target("httpx", "rate", 5.0),
        "aiohttp": Target("aiohttp", "rate", 0.45),
        "stepflow-py": Target("stepflow-py", "rate", 1.8),
    },
    "items_page": {
        "floor": Target("floor", "cpu", 4.0),
        "stepflow-py": Target("stepflow-py", "cpu", 0.2),
    },
}


@pytest.fixture(autouse=True)
def cases(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, targets in _CONTESTANTS.items():
        contestants = (SDK, AGAIN, *targets)
        case = replace(CASES[name], contestants=contestants, targets=tuple(targets.values()))
        monkeypatch.setitem(CASES, name, case)

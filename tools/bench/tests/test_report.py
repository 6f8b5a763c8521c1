"""Runs become tables between the marks of a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools.bench.cases import CASES
from tools.bench.growth import Grown
from tools.bench.ratios import Spread
from tools.bench.report import BEGIN, END, insert, main, report
from tools.bench.results import Result, as_json
from tools.bench.tests.support import page, series, sync_call

_MACHINE = {
    "cpus": 2,
    "processor": "P 1",
    "system": "Linux x86_64",
    "python": "3.11.2",
    "server": "0.11.1",
}


def run(*results: Result, exponent: float = 1.0) -> Any:
    values = {1: Spread(0.001, 0.001, 0.001), 1000: Spread(1.0, 1.0, 1.0)}
    grown = {"growth_items_page": Grown(values, exponent)}
    return json.loads(json.dumps(as_json(_MACHINE, results, grown)))


def cells(text: str, *begin: str) -> list[str]:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    return next(row[len(begin) :] for row in rows if row[: len(begin)] == list(begin))


def test_a_row_has_the_ratio_of_each_run_and_whether_all_meet_the_target() -> None:
    call = CASES["sync_call"].title
    text = report(
        [
            run(sync_call(series(0.8), series(1), series(1))),
            run(sync_call(series(0.7, 0.7), series(1, 1), series(1, 1))),
            run(),
        ]
    )
    httpx = cells(text, call, "CPU", "httpx")
    assert httpx == ["≤ 0.85", "0.8 (0.8 to 0.8)", "0.7 (0.7 to 0.7)", "–", "yes", ""]
    assert cells(text, call, "CPU", "openapi-python-client")[-2] == "**in 1 of 2**"
    assert cells(text, call)[:3] == ["CPU", "httpx", "≤ 0.85"]
    assert "- Run 1: 2 CPUs (P 1), Linux x86_64, Python 3.11.2, server 0.11.1; 1 rounds" in text
    assert "- httpx: it 1.0" in text


def test_a_missed_target_is_beside_what_the_floor_reaches() -> None:
    title = CASES["items_page"].title
    far = report([run(page(series(5), series(4), series(10)))])
    assert cells(far, title, "CPU", "stepflow-py")[-2:] == [
        "**no**",
        "0.4: out of reach for the floor as well",
    ]
    near = report([run(page(series(5), series(1), series(10)))])
    assert cells(near, title, "CPU", "stepflow-py")[-2:] == ["**no**", "0.1"]
    assert cells(near, title, "CPU", "floor: json.loads")[-1] == ""


def test_an_unsteady_run_is_told() -> None:
    steady = sync_call(series(1.0), series(2), series(2))
    unsteady = sync_call(series(1.0), series(2), series(2), again=series(1.5))
    control = report([run(steady), run(unsteady)]).partition("## Control")[2]
    found = cells(control, CASES["sync_call"].title)
    assert found == ["1 (1 to 1)", "0.667 (0.667 to 0.667): **not steady**"]


def test_memory_and_growth_are_told() -> None:
    taken = dict.fromkeys(CASES["memory"].contestants, series(1, peak=75_000_001))
    result = Result("memory", taken, response=15_000_000)
    text = report([run(result, exponent=0.98), run(result, exponent=1.02)])
    assert cells(text, CASES["memory"].title, "memory", "what is allowed") == [
        *("≤ 75.0 MB", "75.0 MB", "75.0 MB", "**no**", "")
    ]
    assert cells(text, "items to models, whole page", "CPU", "items") == [
        *("0.98", "1.02", "1: 1 ms", "1,000: 1 s")
    ]


def test_what_is_written_by_hand_stays(tmp_path: Path) -> None:
    runs, file = tmp_path / "1.json", tmp_path / "RESULTS.md"
    runs.write_text(json.dumps(run(sync_call(series(1), series(1), series(1)))), encoding="utf-8")
    assert main([str(runs), f"--to={file}"]) == 0
    made = file.read_text(encoding="utf-8")
    assert made.startswith("# What the benchmark found\n") and "## Targets" in made
    by_hand = made.replace("# What", "# By hand: what") + "\nBy hand as well.\n"
    file.write_text(by_hand, encoding="utf-8")
    assert main([str(runs), str(runs), f"--to={file}"]) == 0
    again = file.read_text(encoding="utf-8")
    assert again.startswith("# By hand: what") and again.endswith("\nBy hand as well.\n")
    assert again.count(BEGIN) == again.count(END) == 1
    assert "- Run 2:" in again


@pytest.mark.parametrize("text", ["", BEGIN, f"{END} {BEGIN}", f"{BEGIN} {END} {BEGIN} {END}"])
def test_a_file_without_its_marks_is_left_alone(text: str) -> None:
    with pytest.raises(ValueError, match="has no place for the tables"):
        insert(text, "tables")


@pytest.mark.parametrize("text", [None, "{", "[]", '{"cases": {}}'])
def test_what_is_no_run_is_refused(
    text: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, file = tmp_path / "1.json", tmp_path / "RESULTS.md"
    if text is not None:
        runs.write_text(text, encoding="utf-8")
    assert main([str(runs), f"--to={file}"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("report: ") and "1.json" in message and message.count("\n") == 1
    assert not file.exists()

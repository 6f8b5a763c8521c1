"""Timelines as text and as HTML, to the letter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from client.tests.support import RUNNING
from stepflow_api.models import ExecutionStatus, RunSummary, StepStatus
from stepflow_client.timeline import Timeline, TimelineItem, TimelineStep

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def at(seconds: float | None) -> datetime | None:
    return None if seconds is None else START + timedelta(seconds=seconds)


def step(
    name: str,
    status: str,
    start: float | None = None,
    end: float | None = None,
    attempts: int | None = 1,
) -> TimelineStep:
    return TimelineStep(name, StepStatus(status), at(start), at(end), attempts)


def item(
    index: int, status: str, start: float | None, end: float | None, *steps: TimelineStep
) -> TimelineItem:
    return TimelineItem(index, ExecutionStatus(status), at(start), at(end), steps)


def timeline(
    items: Sequence[TimelineItem],
    counts: dict[str, int],
    end: float | None = None,
    *,
    name: str | None = "f",
    omitted: tuple[int, int] = (0, 0),
    has_times: bool = True,
) -> Timeline:
    numbers = dict.fromkeys(("completed", "running", "failed", "cancelled"), 0) | counts
    status = next(one for one in ("running", "failed", "completed") if numbers[one])
    run: dict[str, Any] = {
        **RUNNING["summary"],
        "status": status,
        "flowName": name,
        "createdAt": START,
        "completedAt": at(end),
        "items": {"total": sum(numbers.values()), **numbers},
    }
    return Timeline(RunSummary.model_validate(run), tuple(items), *omitted, has_times)


IN_PROGRESS = timeline(
    [
        item(
            0,
            "running",
            0.5,
            None,
            step("load", "completed", 0.5, 1, 12),
            step("a step with a name that is long", "failed", 1, 2.5, 3),
            step("late", "running", 9),
            step("not yet", "blocked"),
        )
    ],
    {"running": 1},
)
BATCH = timeline(
    [
        item(3, "failed", 1, 3, step("a", "completed", 1, 2, None), step("b", "failed", 2, 3)),
        item(1, "completed", 0, 75, step("a", "completed", 0, 70), step("b", "completed", 70, 75)),
    ],
    {"completed": 1998, "failed": 2},
    80,
    name=None,
    omitted=(1998, 1),
)
WITHOUT_TIMES = timeline(
    [item(0, "completed", None, 5, step("a", "completed")), item(1, "running", None, None)],
    {"completed": 1, "running": 1},
    has_times=False,
)
ONE_WITHOUT_TIMES = timeline(
    [item(0, "completed", None, 5, step("a", "completed", attempts=None))],
    {"completed": 1},
    5,
    has_times=False,
)
WITHOUT_STEPS = timeline([item(0, "completed", None, 0.25)], {"completed": 1}, 0.25)

#: A timeline, a width, and its text below the line with its id.
TEXTS: list[tuple[Timeline, int, str]] = [
    (
        IN_PROGRESS,
        80,
        """\
flow f: running, 1 item
created 2026-01-01 12:00:00.000+00:00

step                     status               start   duration 0          9.00 s
load                     completed (12x)    +500 ms     500 ms ██
a step with a name that… failed (3x)        +1.00 s     1.50 s  ████
late                     running            +9.00 s          -                 █
not yet                  blocked                  -          -
""",
    ),
    (
        IN_PROGRESS,
        55,
        """\
flow f: running, 1 item
created 2026-01-01 12:00:00.000+00:00

step              status               start   duration
load              completed (12x)    +500 ms     500 ms
a step with a na… failed (3x)        +1.00 s     1.50 s
late              running            +9.00 s          -
not yet           blocked                  -          -
""",
    ),
    (
        BATCH,
        80,
        """\
unnamed flow: failed after 1 min 20 s, 2,000 items: 1,998 completed, 2 failed
created 2026-01-01 12:00:00.000+00:00

step   status          start   duration 0                             1 min 20 s
item 3 failed        +1.00 s     2.00 s ··
  a    completed     +1.00 s     1.00 s █
  b    failed        +2.00 s     1.00 s  █
item 1 completed    +0.00 ms 1 min 15 s ······································
  a    completed    +0.00 ms 1 min 10 s ███████████████████████████████████
  b    completed  +1 min 10 s     5.00 s                                    ███

1,998 items left out, 1 of the 2 failed ones among them: shown are failed items,
then the slowest
""",
    ),
    (
        BATCH,
        40,
        """\
unnamed flow: failed after 1 min 20 s...
created 2026-01-01 12:00:00.000+00:00

step   status          start   duration
item 3 failed        +1.00 s     2.00 s
  a    completed     +1.00 s     1.00 s
  b    failed        +2.00 s     1.00 s
item 1 completed    +0.00 ms 1 min 15 s
  a    completed    +0.00 ms 1 min 10 s
  b    completed  +1 min 10 s     5.00 s

1,998 items left out, 1 of the 2 failed
ones among them: shown are failed items,
then the slowest
""",
    ),
    (
        WITHOUT_TIMES,
        60,
        """\
flow f: running, 2 items: 1 completed, 1 running
created 2026-01-01 12:00:00.000+00:00

step   status       finished
item 0 completed     +5.00 s
  a    completed
item 1 running             -

servers up to 0.11 do not report when steps start and
finish, and the steps of a run only when it has finished
""",
    ),
    (
        ONE_WITHOUT_TIMES,
        80,
        """\
flow f: completed after 5.00 s, 1 item
created 2026-01-01 12:00:00.000+00:00

step status
a    completed

servers up to 0.11 do not report when steps start and finish
""",
    ),
    (
        WITHOUT_STEPS,
        70,
        """\
flow f: completed after 250 ms, 1 item
created 2026-01-01 12:00:00.000+00:00

step status          start   duration 0                         250 ms
no steps
""",
    ),
]

#: The rows of a table, with the status and the place of a bar.
TABLES: list[tuple[Timeline, list[str]]] = [
    (
        IN_PROGRESS,
        [
            "step|status|start|duration|0 9.00 s",
            "load|✓ completed (12×)|+500 ms|500 ms|completed margin-left:5.56%;width:5.56%",
            "a step with a name that is long|✗ failed (3×)|+1.00 s|1.50 s"
            "|failed margin-left:11.11%;width:16.67%",
            "late|▸ running|+9.00 s|-|running margin-left:99.50%;width:0.50%",
            "not yet|○ blocked|-|-|",
        ],
    ),
    (
        BATCH,
        [
            "item, step|status|start|duration|0 1 min 20 s",
            "item 3|✗ failed|+1.00 s|2.00 s|failed margin-left:1.25%;width:2.50%",
            "a|✓ completed|+1.00 s|1.00 s|completed margin-left:1.25%;width:1.25%",
            "b|✗ failed|+2.00 s|1.00 s|failed margin-left:2.50%;width:1.25%",
            "item 1|✓ completed|+0.00 ms|1 min 15 s|completed margin-left:0.00%;width:93.75%",
            "a|✓ completed|+0.00 ms|1 min 10 s|completed margin-left:0.00%;width:87.50%",
            "b|✓ completed|+1 min 10 s|5.00 s|completed margin-left:87.50%;width:6.25%",
        ],
    ),
    (
        WITHOUT_TIMES,
        [
            "item, step|status|finished",
            "item 0|✓ completed|+5.00 s",
            "a|✓ completed|",
            "item 1|▸ running|-",
        ],
    ),
    (ONE_WITHOUT_TIMES, ["step|status", "a|✓ completed"]),
    (WITHOUT_STEPS, ["step|status|start|duration|0 250 ms", "no steps"]),
]


@pytest.mark.parametrize(("shown", "width", "text"), TEXTS)
def test_the_text(shown: Timeline, width: int, text: str) -> None:
    first, rest = shown.to_text(width=width).split("\n", 1)
    assert first == f"run {shown.run.run_id}"
    assert rest + "\n" == text
    with_signs = text.replace("█", "#").replace("·", ".").replace("…", ".")
    assert shown.to_text(width=width, ascii_only=True) == f"{first}\n{with_signs}".rstrip("\n")


def test_no_line_is_longer_than_the_width() -> None:
    long = timeline([item(0, "running", 0, 1, step("n" * 90, "s" * 90, 0, 1, 9))], {"running": 1})
    for width in (1, *range(40, 100)):
        for shown in (IN_PROGRESS, BATCH, WITHOUT_TIMES, WITHOUT_STEPS, long):
            lines = shown.to_text(width=width).splitlines()
            assert max(map(len, lines)) <= max(40, width), lines


@pytest.mark.parametrize(("shown", "rows"), TABLES)
def test_the_table(shown: Timeline, rows: list[str]) -> None:
    page = shown.to_html()
    page = re.sub(r'<div class="bar (\w+)" style="([^"]*)"></div>', r"\1 \2", page)
    page = re.sub("</t[dh]><t[dh]", "|<", page).replace("<span>", " ")
    found = re.findall(r"<tr[^>]*>(.*?)</tr>", page)
    assert [re.sub("<[^>]*>", "", row) for row in found] == rows
    name = shown.run.flow_name or "unnamed flow"
    words = re.sub("<[^>]*>", "", page.partition("<p>")[2].partition("</p>")[0])
    assert words.startswith(f"{name}: ")
    assert words.endswith(f"run {shown.run.run_id}, created 2026-01-01 12:00:00.000 UTC")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.00 ms"),
        (0.00099, "0.99 ms"),
        (0.000996, "1.0 ms"),
        (0.00994, "9.9 ms"),
        (0.00996, "10 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.00 s"),
        (9.994, "9.99 s"),
        (9.996, "10.0 s"),
        (59.994, "60.0 s"),
        (59.996, "1 min 0 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 0 min"),
        (90_000, "25 h 0 min"),
    ],
)
def test_a_duration(seconds: float, text: str) -> None:
    shown = timeline([], {"completed": 1}, seconds)
    assert f"flow f: completed after {text}, 1 item" in shown.to_text()


@pytest.mark.parametrize(
    ("status", "sign"),
    [
        ("completed", "✓"),
        ("failed", "✗"),
        ("recoveryFailed", "✗"),
        ("running", "▸"),
        ("cancelled", "⊘"),
        ("paused", "○"),
    ],
)
def test_each_status_has_a_sign(status: str, sign: str) -> None:
    shown = timeline([item(0, status, None, None)] * 2, {"running": 2}).to_html()
    assert shown.count(f'<span class="status {status}">{sign} {status}</span>') >= 2
    step_too = timeline([item(0, "running", 0, None, step("a", "skipped"))], {"running": 1})
    assert "⤼ skipped" in step_too.to_html()


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({"completed": 1, "cancelled": 1}, "2 items: 1 completed, 1 cancelled"),
        (
            {"completed": 1000, "failed": 2, "cancelled": 3, "running": 4},
            "1,009 items: 1,000 completed, 2 failed, 3 cancelled, 4 running",
        ),
        ({"failed": 1}, "1 item"),
    ],
)
def test_the_numbers_of_items(counts: dict[str, int], words: str) -> None:
    shown = timeline([], counts)
    assert shown.to_text().splitlines()[1].endswith(f", {words}")
    assert f"</span>, {words}<br>" in shown.to_html()


def test_names_and_statuses_of_a_server() -> None:
    name = "<two>\n\x1b\u202elines"
    steps = step(name, "completed", 0, 1), step("new\n\x1b", "<new>\n", 1, 2, 2)
    shown = timeline([item(0, "recoveryFailed", 0, 2, *steps)] * 2, {"failed": 2}, 2, name=name)
    text = shown.to_text()
    assert all(line.isprintable() for line in text.splitlines())
    assert "\nflow <two> lines: failed" in text
    assert "\n  <two> lines " in text and " recoveryFailed " in text and " <new> (2x) " in text
    page = shown.to_html()
    escaped = "&lt;two&gt;\n\\x1b\\u202elines"
    assert f"<b>{escaped}</b>" in page and f"<td>{escaped}</td>" in page
    assert page.count("&lt;new&gt;") == 3 * 2 and "<new>" not in page


def test_clocks_that_differ() -> None:
    steps = step("a", "completed", -1, 0.5), step("b", "completed", 1.5, 3), step("c", "running", 2)
    shown = timeline([item(0, "completed", -1, 3, *steps)], {"completed": 1}, 1)
    # Nothing is before the start, and all bars are within the picture, up to the last known time.
    assert [line.split()[2] for line in shown.to_text().splitlines()[5:]] == [
        "+0.00",
        "+1.50",
        "+2.00",
    ]
    assert shown.to_text().splitlines()[4].split()[-2:] == ["3.00", "s"]
    offsets = re.findall('<td class="time start">([^<]*)</td>', shown.to_html())
    assert offsets == ["+0.00 ms", "+1.50 s", "+2.00 s"]
    bars = re.findall(r"margin-left:([\d.]+)%;width:([\d.]+)%", shown.to_html())
    assert bars == [("0.00", "16.67"), ("50.00", "50.00"), ("66.67", "33.33")]
    # One that is running has a bar up to there.
    *_, first, last = shown.to_text(ascii_only=True).splitlines()
    assert first.rstrip("#").rstrip() == "b    completed     +1.50 s     1.50 s"
    assert len(first) == len(last) == 80 and last.count("#") == 14
    assert timeline([], {"completed": 1}, -1).end == START
    # An item may end after its steps.
    late = timeline([item(0, "completed", 1, 5, step("a", "completed", 1, 2))] * 2, {"running": 2})
    assert late.end == START + timedelta(seconds=5)
    before = timeline(
        [item(0, "completed", -3, -2, step("a", "completed", -3, -2))] * 2, {"completed": 2}
    )
    assert "width:0.50%" in before.to_html() and "margin-left:0.00%" in before.to_html()
    assert "\n  a    completed    +0.00 ms     1.00 s █\n" in before.to_text() + "\n"


def test_the_style_has_a_rule_for_each_class() -> None:
    statuses = ("completed", "failed", "running", "cancelled", "recoveryFailed")
    shown = timeline([item(n, one, 0, 1) for n, one in enumerate(statuses)], {"failed": 5}, 1)
    inner = timeline([item(0, "running", 0, 1, step("a", "completed"))] * 2, {"running": 2}, 1)
    page = shown.to_html() + inner.to_html() + WITHOUT_TIMES.to_html()
    style = page.partition("<style>")[2].partition("</style>")[0]
    ruled = set(re.findall(r"\.([a-zA-Z][\w-]*)", " ".join(re.findall(r"([^{}]+)\{", style))))
    used = {one for names in re.findall('class="([^"]*)"', page) for one in names.split()}
    assert {"plain", "inner", "note", "id", "start", "track"} <= used
    assert used <= ruled
    # A narrow screen has no column of starts.
    assert '<th class="time start">start</th>' in page
    narrow = style.partition("@media(max-width:600px)")[2]
    assert narrow.startswith("{.stepflow-timeline.stepflow-timeline .start{display:none}")
    # Each status has a colour as a word and as a bar, and each colour another one in the dark.
    for one in statuses:
        assert re.search(rf"\.status\.{one}[{{,][^}}]*color:var\(--", style)
    for one in statuses[:4]:
        assert f".bar.{one}{{background:var(--{one})}}" in style
    light, dark = re.findall(r"\{(--canvas[^}]*?)(?:color-scheme:light dark)?\}", style)
    colours = [dict(one.split(":") for one in part.strip(";").split(";")) for part in (light, dark)]
    assert colours[0].keys() == colours[1].keys() >= set(re.findall(r"var\((--\w+)\)", style))
    assert all(colours[0][name] != colours[1][name] for name in colours[0])

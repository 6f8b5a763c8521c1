"""The graph of a flow, its positions and its pictures, of invalid flows too."""

from __future__ import annotations

import itertools
import json
import math
import random
import re
from collections import Counter
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest

from stepflow_api.graph import Edge, Layout, Node, Reference, flow_graph, layout, references, svg
from stepflow_api.models import Flow

INPUT = {"$input": "x"}
#: Between two boxes in a row, in pixels; a little less, for the sake of rounding.
GAP = 19.9


def step(id: str, *reads: Any, **fields: Any) -> dict[str, Any]:
    """A step that reads steps, by id, and other expressions."""
    values = [{"$step": one} if isinstance(one, str) else one for one in reads]
    return {"id": id, "component": "/x", "input": values, **fields}


def flow(*steps: dict[str, Any], output: Any = None, name: str = "f") -> Flow:
    return Flow.from_dict({"name": name, "steps": list(steps), "output": output})


def random_flow(count: int, seed: int) -> Flow:
    chance = random.Random(seed)
    steps = [
        step(
            f"s{at}",
            *{f"s{max(0, at - 1 - int(chance.expovariate(0.3)))}" for _ in range(at and 2)},
            *[INPUT] * (chance.random() < 0.2),
        )
        for at in range(count)
    ]
    return flow(*steps, output=[{"$step": f"s{at}"} for at in range(0, count, 7)])


def fan(count: int) -> Flow:
    ids = [f"work{at}" for at in range(count)]
    return flow(step("split", INPUT), *(step(id, "split") for id in ids), step("join", *ids))


def halves(count: int) -> Flow:
    """Each step reads the one in the middle of those before it: the edges are long."""
    return flow(*(step(f"s{at}", *{f"s{at - 1}", f"s{at // 2}"}) for at in range(1, count)))


def chain(count: int) -> Flow:
    return flow(*(step(f"s{at}", f"s{at - 1}" if at else INPUT, "s0") for at in range(1, count)))


FLOWS = {
    "none": Flow.from_dict({}),
    "one": flow(step("s0", INPUT), output={"$step": "s0"}),
    **{f"random {count}": random_flow(count, count) for count in (2, 5, 20, 60, 300)},
    "fan": fan(58),
    "cycle": flow(step("a", "b"), step("b", "c"), step("c", "a"), output={"$step": "a"}),
    "long cycle": flow(step("a", "d"), step("b", "a"), step("c", "b", "d"), step("d", "c")),
    "unknown": flow(step("a", "nowhere", "elsewhere"), output={"$step": "nowhere"}),
    "itself": flow(step("a", "a")),
    "one id": flow(step("a", INPUT), step("a"), step("b", "a")),
    "odd ids": flow(
        *(
            step(id)
            for id in ('"<b>&amp;"', "日本語" * 30, "", "\x00\x1b[1m", "`x` #35; ]) --> end")
        ),
    ),
}


def test_nodes_and_edges() -> None:
    graph = flow_graph(
        flow(
            step("a", INPUT, {"$variable": "v"}, onError={"action": "retry", "maxRetries": 2}),
            step("b", "a", INPUT, mustExecute=True, onError={"action": "useDefault"}),
            step("c", {"$if": {"$step": "a"}, "then": {"$step": "b"}, "else": {"$step": "a"}}),
            output={"$literal": {"$step": "no"}},
        )
    )
    assert graph.nodes == (
        Node("input", "input"),
        Node("step", "a", "/x", ("retry 2×",), ("x",), ("v",)),
        Node("step", "b", "/x", ("must run", "default on error"), ("x",)),
        Node("step", "c", "/x"),
        Node("output", "output"),
    )
    # What is said to be as usual has no note.
    usual = flow(step("a", mustExecute=False, onError={"action": "fail"}), step("b", onError=None))
    assert [node.notes for node in flow_graph(usual).nodes] == [()] * 3
    # What reads the input and a step has no edge from the input.
    assert graph.edges == (Edge(0, 1), Edge(1, 2), Edge(1, 3), Edge(2, 3, is_conditional=True))


def test_what_a_step_reads_of_the_input_and_of_variables() -> None:
    variables = [{"$variable": name} for name in ("v", "w", "v")]
    condition = {"$if": {"$variable": "v"}, "then": INPUT, "else": INPUT}
    drawn = flow_graph(flow(step("a", condition, *variables, onError={"action": "retry"})))
    assert drawn.nodes[1] == Node("step", "a", "/x", ("retry",), ("x",), ("v", "w"))
    # Whatever else is read without a condition.
    assert drawn.edges == (Edge(0, 1, is_conditional=True),)
    onError = {"action": "retry", "maxRetries": 0}
    output = [condition, {"$variable": "u"}, INPUT]
    drawn = flow_graph(flow(step("a", onError=onError), output=output))
    assert drawn.nodes[1:] == (
        Node("step", "a", "/x", ("retry 0×",)),
        Node("output", "output", "", (), ("x",), ("v", "u")),
    )
    # It is read once without a condition.
    assert drawn.edges == (Edge(0, 2),)


def test_what_reads_one_of_two_steps_of_one_id_reads_the_first() -> None:
    assert flow_graph(FLOWS["one id"]).edges == (Edge(0, 1), Edge(1, 3))


def test_what_servers_reject() -> None:
    graph = flow_graph(flow(step("a", "b", "No"), step("b", "b"), output={"$step": "a"}))
    assert [node.kind for node in graph.nodes] == ["missing", "step", "step", "output"]
    assert graph.nodes[2].notes == ("reads itself",)
    invalid = [(edge.source, edge.target) for edge in graph.edges if edge.is_invalid]
    assert invalid == [(2, 1), (0, 1), (2, 2)]


def test_references() -> None:
    value = [
        {"$coalesce": [{"$step": "a", "path": "p"}, {"$input": "$.x"}]},
        {"$if": {"$input": "c"}, "then": {"$step": "b"}, "else": [{"$step": "c"}]},
        {"$variable": "v", "default": {"$step": "d"}},
        {"$literal": {"$step": "e"}},
        {"$other": {"$step": "f"}},
    ]
    assert references(value) == [
        Reference("step", "a"),
        Reference("input", "$.x", is_conditional=True, is_late=True),
        Reference("input", "c"),
        Reference("step", "b", is_conditional=True),
        Reference("step", "c", is_conditional=True),
        Reference("variable", "v"),
        Reference("step", "d", is_conditional=True, is_late=True),
        Reference("step", "f"),
    ]
    # The first of these names decides what an object is.
    both = {"$variable": "v", "$input": "i", "$step": "s"}
    assert [one.kind for one in references(both)] == ["step"]
    assert [one.kind for one in references({**both, "$coalesce": [INPUT]})] == ["input"]
    assert references({**both, "$coalesce": [INPUT], "$if": True}) == []
    assert references({**both, "$literal": 1}) == []
    assert references({"$variable": "v", "$input": "i"}) == [Reference("input", "i")]
    # Values that are no expressions that servers know.
    assert references(({"$step": 5}, {"$coalesce": 5}, {"$coalesce": {"$step": "a"}})) == [
        Reference("step", "5")
    ]
    assert references([{"$input": 5}, {"$variable": None}]) == [
        Reference("input", "5"),
        Reference("variable", "None"),
    ]
    # What decides about a part decides about the parts in it.
    inner = {"$if": True, "then": {"$coalesce": [{"$step": "b"}, {"$step": "c"}]}}
    late = [Reference("step", name, is_conditional=True, is_late=True) for name in "bc"]
    for outer in (
        {"$if": {"$step": "a"}, "then": inner},
        {"$coalesce": [{"$step": "a"}, None, inner]},
    ):
        assert references(outer) == [Reference("step", "a"), *late]
    deep: Any = {"$step": "a"}
    for level in range(100_000):
        if level in (199, 200):
            assert len(references(deep)) == (level < 200)
        deep = [deep]
    assert references(deep) == []


@pytest.mark.parametrize("name", FLOWS)
def test_the_layout_is_readable(name: str) -> None:
    found = layout(flow_graph(FLOWS[name]))
    assert len(found.boxes) == len(found.graph.nodes)
    for box in found.boxes:
        assert 0 <= box.x <= box.x + box.width <= found.width
        assert 0 <= box.y <= box.y + box.height <= found.height
    for one, other in itertools.combinations(found.boxes, 2):
        assert (
            one.x + one.width + GAP <= other.x
            or other.x + other.width + GAP <= one.x
            or one.y + one.height < other.y
            or other.y + other.height < one.y
        )
    for edge in found.graph.edges:
        upper, lower = sorted((edge.source, edge.target))
        if upper != lower:
            assert found.boxes[upper].y + found.boxes[upper].height < found.boxes[lower].y
    for line in found.lines:
        assert 0 <= line.x1 <= found.width and 0 <= line.x2 <= found.width
        assert line.y0 <= line.y1 < line.y2 <= line.y3 <= found.height
        # It leads to the next row, and its straight part is beside the boxes there.
        for box in found.boxes:
            assert not line.y1 < box.y < line.y2
            if line.y2 < line.y3 and box.y == line.y2:
                assert not box.x < line.x2 < box.x + box.width


@pytest.mark.parametrize("name", FLOWS)
def test_a_picture_has_the_same_margin_on_all_sides(name: str) -> None:
    found = layout(flow_graph(FLOWS[name]))
    places = [x for line in found.lines for x in (line.x1, line.x2)]
    margins = (
        min(*(box.x for box in found.boxes), *places, math.inf),
        min(box.y for box in found.boxes),
        found.width - max(*(box.x + box.width for box in found.boxes), *places, 0),
        found.height - max(box.y + box.height for box in found.boxes),
    )
    assert margins == pytest.approx((16, 16, 16, 16))


@pytest.mark.parametrize("count", [100, 1000])
def test_a_large_picture_is_about_as_wide_as_high(count: int) -> None:
    found = layout(flow_graph(fan(count)))
    assert 1 / 3 < found.width / found.height < 3


@pytest.mark.parametrize("order", [[3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]], ids=str)
def test_no_lines_cross_where_another_order_avoids_it(order: list[int]) -> None:
    upper = [step(f"a{at}") for at in range(4)]
    lower = [step(f"b{at}", f"a{at}") for at in order]
    lowest = [step(f"c{at}", f"b{at}") for at in range(4)]
    found = layout(flow_graph(flow(*upper, *lower, *lowest)))
    assert len(found.lines) == 8
    for one, other in itertools.combinations(found.lines, 2):
        if one.y0 == other.y0:
            assert (one.x1 < other.x1) == (one.x2 < other.x2)


@pytest.mark.parametrize("letter", ["x", "i", "語", "é"])
def test_long_texts_are_cut_to_the_width_of_a_box(letter: str) -> None:
    component = f"/{letter * 1000}"
    drawn = Flow.from_dict({"steps": [{"id": letter * 1000, "component": component}]})
    box = layout(flow_graph(drawn)).boxes[0]
    assert 200 < box.width <= 230
    for text, whole, size in zip(box.lines, (letter * 1000, component), (13, 11), strict=True):
        assert text.endswith("…") and whole.startswith(text[:-1])
        # A Chinese character is as wide as it is high.
        assert len(text) <= 206 / size * {"x": 2, "i": 4, "語": 1, "é": 2}[letter] + 1


def test_the_texts_of_a_box() -> None:
    drawn = flow(step(" two\nlines ", "no", mustExecute=True, onError={"action": "useDefault"}))
    missing, box, output = layout(flow_graph(drawn)).boxes
    assert missing.lines == ("no", "no such step")
    assert box.lines == ("two lines", "/x", "must run · default on error")
    assert (output.lines, output.width) == (("output",), 72)
    assert layout(flow_graph(flow(step("")))).boxes[0].lines == ("(no id)", "/x")
    # The id is larger than what is below it.
    text = "a text of a step"
    steps = [{"id": text, "component": ""}, {"id": "", "component": text}]
    wide, narrow, _ = layout(flow_graph(Flow.from_dict({"steps": steps}))).boxes
    assert wide.width > narrow.width * 1.2


@pytest.mark.parametrize("name", FLOWS)
def test_lines_lead_from_what_is_read_to_what_reads_it(name: str) -> None:
    found = layout(flow_graph(FLOWS[name]))
    expected = {
        (edge.source, edge.target) for edge in found.graph.edges if edge.source != edge.target
    }
    assert connected(found) == expected


def connected(found: Layout) -> set[tuple[int, int]]:
    """Return the pairs of boxes that lines connect, by where these start and end."""
    below = {(box.x + box.width / 2, box.y + box.height): at for at, box in enumerate(found.boxes)}
    above = {(box.x + box.width / 2, box.y): at for at, box in enumerate(found.boxes)}
    starts: dict[tuple[float, float], list[Any]] = {}
    for line in found.lines:
        starts.setdefault((line.x1, line.y0), []).append(line)
        # Heads are at boxes, and not where a line continues in the next row.
        assert not line.has_tail or (line.x1, line.y0) in below
        assert not line.has_head or (line.x2, line.y2) in above
    pairs: set[tuple[int, int]] = set()
    for at, box in enumerate(found.boxes):
        todo = list(starts.get((box.x + box.width / 2, box.y + box.height), []))
        tails = {id(line): line.has_tail for line in todo}
        while todo:
            line = todo.pop()
            end = above.get((line.x2, line.y2)) if line.y3 == line.y2 else None
            tail = tails[id(line)]
            if end is not None:
                assert line.has_head or tail
                pairs |= {(at, end)} if line.has_head else set()
                pairs |= {(end, at)} if tail else set()
                continue
            for further in starts.get((line.x2, line.y3), []):
                if (line.x2, line.y3) not in below and id(further) not in tails:
                    tails[id(further)] = tail
                    todo.append(further)
    return pairs


def test_a_chain_of_steps_is_straight() -> None:
    # Beside it is the line from the first step to the output.
    steps = (step("a", INPUT), step("a step of a chain", "a"), step("b", "a step of a chain"))
    found = layout(flow_graph(flow(*steps, output=[{"$step": "a"}, {"$step": "b"}])))
    first, second = (box for box in found.boxes if box.node.id in ("a step of a chain", "b"))
    assert first.x + first.width / 2 == pytest.approx(second.x + second.width / 2)


@pytest.mark.parametrize("first", [[INPUT], []], ids=["with an input", "without"])
def test_chains_stay_together_where_a_row_cannot_hold_all(first: list[Any]) -> None:
    chains = [[f"{chain}{at}" for at in range(4)] for chain in "abc"]
    steps = [step(c[at], *([c[at - 1]] if at else first)) for at in range(4) for c in chains]
    found = layout(flow_graph(flow(*steps)), columns=1)
    ids = [box.node.id for box in sorted(found.boxes, key=lambda box: box.y)]
    assert [id for id in ids if id[1:].isdecimal()] == list(itertools.chain(*chains))


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_a_step_that_reads_nothing_is_right_above_the_first_that_reads_it(columns: int) -> None:
    steps = (step("a", INPUT), step("b", "a"), step("free"), step("c", "b", "free"))
    found = layout(flow_graph(flow(*steps, step("d", "c", "free"))), columns=columns)
    y = {box.node.id: box.y for box in found.boxes}
    assert y["input"] < y["a"] < y["b"] < y["c"] < y["d"]
    # One that reads another stays below it.
    assert (y["free"] == y["b"]) is (columns > 1)
    rows = sorted(set(y.values()))
    assert len(rows) == (7 if columns == 1 else 6)
    assert found.height == pytest.approx(rows[-1] + found.boxes[-1].height + rows[0])


def test_the_input_is_above_the_steps() -> None:
    found = layout(flow_graph(flow(step("a"), step("b", "a"), output=INPUT)))
    first, *others = found.boxes
    assert first.node.kind == "input"
    assert all(first.y < box.y for box in others)


def test_edges_that_share_a_line_are_conditional_if_all_of_them_are() -> None:
    condition = {"$if": True, "then": {"$step": "a"}}
    steps = (step("a"), step("b", "a"), step("c", "b", condition), step("d", "c", "a"))
    found = layout(flow_graph(flow(*steps)), columns=1)
    bottom = found.boxes[0].y + found.boxes[0].height
    assert [line.is_conditional for line in found.lines if line.y0 == bottom] == [False, False]
    conditional = [line for line in found.lines if line.is_conditional]
    assert [line.y2 for line in conditional] == [found.boxes[2].y]


@pytest.mark.parametrize("reads", ["b", {"$if": True, "then": {"$step": "b"}}], ids=str)
def test_steps_that_read_each_other_have_an_arrow_with_two_heads(reads: Any) -> None:
    found = layout(flow_graph(flow(step("a", reads), step("b", "a"))))
    (line,) = found.lines
    assert (line.has_head, line.has_tail, line.is_invalid) == (True, True, True)
    assert not line.is_conditional
    assert svg(found).count('class="head invalid"') == 2


def test_a_row_has_a_limited_number_of_steps() -> None:
    # The others read nothing, so that they may be drawn in any row above the last step.
    reads = [f"free{at}" for at in range(9)]
    late = [*(step(id) for id in reads), *(step(f"s{at}", f"s{at - 1}") for at in range(1, 6))]
    for drawn, columns in ((fan(58), 4), (flow(*late, step("join", "s5", *reads)), 3)):
        rows = Counter(box.y for box in layout(flow_graph(drawn), columns=columns).boxes)
        assert max(rows.values()) == columns
    assert layout(flow_graph(fan(58))).width < 1500
    assert len(layout(flow_graph(fan(3)), columns=0).boxes) == 7


@pytest.mark.parametrize("name", FLOWS)
def test_svg(name: str) -> None:
    found = FLOWS[name]
    root = ElementTree.fromstring(found.to_svg())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    tags = {element.tag.partition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "title", "style", "rect", "path", "g", "text"}
    tooltips = [group.findtext("{*}title") or "" for group in root.iterfind("{*}g")]
    shown = [tooltip.split("\n")[0] for tooltip in tooltips]
    for one in found.steps or []:
        assert re.sub("[\x00-\x1f]", "\ufffd", one.id or "(no id)") in shown
    assert found._repr_html_() == found.to_svg()


def test_lines_of_a_picture_end_at_their_heads() -> None:
    condition = {"$if": True, "then": {"$step": "c"}}
    drawn = flow(step("a", "b"), step("b", "a"), step("c", "b"), output=[condition, {"$step": "a"}])
    found = layout(flow_graph(drawn))
    root = ElementTree.fromstring(svg(found))
    paths = [one for one in root.iterfind("{*}path") if "line" in str(one.get("class"))]
    for path, line in zip(paths, found.lines, strict=True):
        numbers = [float(one) for one in re.findall(r"[\d.]+", path.get("d") or "")]
        end = line.y3 if line.y3 > line.y2 else line.y2 - 7 * line.has_head
        assert numbers[1] == pytest.approx(line.y0 + 7 * line.has_tail, abs=0.1)
        assert numbers[-1] == pytest.approx(end, abs=0.1)
        kinds = str(path.get("class")).split()
        assert ("conditional" in kinds, "invalid" in kinds) == (
            line.is_conditional,
            line.is_invalid,
        )
    assert any(line.has_tail for line in found.lines)
    assert any(line.y3 > line.y2 for line in found.lines)
    assert any(line.is_conditional for line in found.lines)


def test_a_picture_has_the_name_of_the_flow_and_the_notes_of_its_steps() -> None:
    root = ElementTree.fromstring(flow(step("a", mustExecute=True), name="n").to_svg())
    assert root.findtext("{*}title") == "Flow n"
    tooltips = [group.findtext("{*}title") for group in root.iterfind("{*}g")]
    assert "a\n/x\nmust run" in tooltips


PICTURE = """\
<svg xmlns="http://www.w3.org/2000/svg" class="stepflow-graph" role="img" width="246" height="319"\
 viewBox="0 0 246 319" style="max-width:100%;height:auto">
<title>Flow n&amp;m</title>
<style></style>
<rect class="canvas" width="246" height="319" rx="8"/>
<path class="line invalid" d="M167.0 155.0V148.0C167.0 168.0 193.8 168.0 193.8 181.0"/>
<path class="head invalid" d="M193.8 188.0l-4 -8h8z"/>
<path class="head invalid" d="M167.0 148.0l-4 8h8z"/>
<path class="line" d="M167.0 148.0V148.0C167.0 168.0 101.8 168.0 101.8 181.0"/>
<path class="head" d="M101.8 188.0l-4 -8h8z"/>
<path class="line invalid" d="M63.5 131.0V148.0C63.5 168.0 101.8 168.0 101.8 181.0"/>
<path class="head invalid" d="M101.8 188.0l-4 -8h8z"/>
<path class="line" d="M101.8 234.0V234.0C101.8 254.0 101.8 254.0 101.8 267.0"/>
<path class="head" d="M101.8 274.0l-4 -8h8z"/>
<g><title>input</title>
<rect class="end" x="79.2" y="16.0" width="72.0" height="29.0" rx="14.5"/>
<text class="title" x="115.2" y="34.8">input</text>
</g>
<g><title>no</title>
<rect class="box missing" x="16.0" y="85.0" width="95.0" height="46.0" rx="6"/>
<text class="title" x="63.5" y="103.8">no</text>
<text class="text" x="63.5" y="120.8">no such step</text>
</g>
<a href="#1">
<g><title>a
completed
/x
must run
reads variable v</title>
<rect class="box status completed" x="131.0" y="85.0" width="72.0" height="63.0" rx="6"/>
<text class="title" x="167.0" y="103.8">a</text>
<text class="text" x="167.0" y="120.8">/x</text>
<text class="text" x="167.0" y="137.8">must run</text>
<text class="sign completed" x="141.0" y="100.0">✓</text>
</g></a>
<g><title>b&lt;
skipped
/x
reads input x</title>
<rect class="box status skipped" x="65.8" y="188.0" width="72.0" height="46.0" rx="6"/>
<text class="title" x="101.8" y="206.8">b&lt;</text>
<text class="text" x="101.8" y="223.8">/x</text>
<text class="sign skipped" x="75.8" y="203.0">⤼</text>
</g>
<g class="not-run"><title>c
/x</title>
<rect class="box" x="157.8" y="188.0" width="72.0" height="46.0" rx="6"/>
<text class="title" x="193.8" y="206.8">c</text>
<text class="text" x="193.8" y="223.8">/x</text>
</g>
<g><title>output</title>
<rect class="end" x="65.8" y="274.0" width="72.0" height="29.0" rx="14.5"/>
<text class="title" x="101.8" y="292.8">output</text>
</g>
</svg>
"""


def test_a_picture_to_the_letter() -> None:
    drawn = flow(
        step("a", "c", {"$variable": "v"}, mustExecute=True),
        step("b<", "a", INPUT, "no"),
        step("c", {"$if": True, "then": {"$step": "a"}}),
        output={"$step": "b<"},
        name="n&m",
    )
    statuses = {"a": "completed", "b<": "skipped"}
    picture = svg(layout(flow_graph(drawn)), statuses=statuses, links={"a": "#1"})
    assert re.sub("<style>.*</style>", "<style></style>", picture) == PICTURE
    assert "<title>Flow</title>" in FLOWS["none"].to_svg()


def test_the_sign_of_a_status_that_has_none() -> None:
    picture = svg(layout(flow_graph(FLOWS["one"])), statuses={"s0": "paused"})
    assert re.search('<text class="sign paused"[^>]*>○</text>', picture)


def test_every_colour_of_a_picture_is_another_one_in_the_dark() -> None:
    style = (re.search("<style>(.*)</style>", FLOWS["one"].to_svg()) or [""])[0]
    light, _, dark = style.partition("@media(prefers-color-scheme:dark)")
    colours = [
        {
            selector: re.findall("(fill|stroke):(#[0-9a-f]+)", rules)
            for selector, rules in re.findall(r"(\.stepflow-graph [^{}]+)\{([^{}]*)\}", part)
            if selector != ".stepflow-graph .sign"
        }
        for part in (light, dark)
    ]
    shown = {selector: found for selector, found in colours[0].items() if found}
    assert shown.keys() == colours[1].keys()
    for selector, found in shown.items():
        assert [kind for kind, _ in found] == [kind for kind, _ in colours[1][selector]]
        assert not {colour for _, colour in found} & {colour for _, colour in colours[1][selector]}
    # What the picture distinguishes by a class, the style does too.
    picture = svg(
        layout(flow_graph(flow(step("a", "no"), step("b", {"$if": 1, "then": {"$step": "a"}})))),
        statuses={"a": "failed"},
    )
    ruled = set(re.findall(r"\.([\w-]+)", " ".join(re.findall(r"([^{}]+)\{", style))))
    used = {one for names in re.findall('class="([^"]*)"', picture) for one in names.split()}
    assert {"missing", "conditional", "invalid", "not-run", "status", "sign"} <= used
    assert used <= ruled


def test_the_style_of_a_picture_concerns_nothing_else() -> None:
    style = re.search("<style>(.*)</style>", FLOWS["one"].to_svg())
    assert style is not None
    assert "prefers-color-scheme:dark" in style[1]
    # Printers would leave out the colours of boxes.
    assert re.search(r"@media print\{[^}]*[{;]print-color-adjust:exact\}", style[1])
    selectors = re.findall(r"([^{}]+)\{", style[1])
    assert all(one.startswith((".stepflow-graph", "@media")) for one in selectors)


def test_mermaid() -> None:
    text = flow(
        step("a", INPUT),
        step('1. "b" #1;`', "a", {"$coalesce": [1, {"$step": "no"}]}),
        output={"$step": "a"},
    ).to_mermaid()
    assert text == (
        "flowchart TD\n"
        '    n0(["input"])\n'
        '    n1["no<br>no such step"]:::invalid\n'
        '    n2["a<br>/x"]\n'
        '    n3["1#46; #34;b#34; #35;1#59;#96;<br>/x"]\n'
        '    n4(["output"])\n'
        "    n0 --> n2\n"
        "    n2 --> n3\n"
        "    n1 -.-> n3\n"
        "    n2 --> n4\n"
        "    linkStyle 2 stroke:#cf222e\n"
        "    classDef invalid stroke:#cf222e,stroke-dasharray:4\n"
    )


@pytest.mark.parametrize("name", FLOWS)
def test_text_forms_have_one_line_for_each_node_and_edge(name: str) -> None:
    graph = flow_graph(FLOWS[name])
    for text in (FLOWS[name].to_mermaid(), FLOWS[name].to_dot()):
        lines = text.splitlines()
        assert sum(bool(re.match(r"    n\d+ ?[\[(]", line)) for line in lines) == len(graph.nodes)
        assert sum(bool(re.match(r"    n\d+ -", line)) for line in lines) == len(graph.edges)
    markdown = FLOWS[name]._repr_markdown_()
    assert markdown is not None and markdown.count("```") == 2
    assert markdown.startswith("```mermaid\nflowchart TD\n") and markdown.endswith("\n```")


def test_a_label_is_on_one_line() -> None:
    drawn = flow(step("two\nlines"))
    assert '["two lines<br>/x"]' in drawn.to_mermaid()
    assert 'label="two lines\\n/x"' in drawn.to_dot()


def test_mermaid_of_an_invalid_edge_alone() -> None:
    assert flow(step("a", "a")).to_mermaid().splitlines()[3:] == [
        "    n0 --> n0",
        "    linkStyle 0 stroke:#cf222e",
    ]


def test_dot() -> None:
    text = flow(step('a"\\N'), output={"$step": 'a"\\N'}, name='"').to_dot()
    assert text.splitlines() == [
        'digraph "\\"" {',
        '    node [shape=box, style=rounded, fontname="sans-serif"];',
        f"    n0 [label={json.dumps(chr(10).join(['a' + chr(34) + chr(92) + 'N', '/x']))}];",
        '    n1 [label="output", shape=oval];',
        "    n0 -> n1;",
        "}",
    ]


def test_dot_shows_the_kinds_of_nodes_and_edges() -> None:
    condition = {"$if": True, "then": {"$step": "a"}}
    text = flow(
        step("a", INPUT, mustExecute=True, onError={"action": "useDefault"}),
        step("", condition, "no"),
        output={"$if": True, "then": {"$step": "no"}},
    ).to_dot()
    assert text.splitlines()[2:-1] == [
        '    n0 [label="input", shape=oval];',
        '    n1 [label="no\\nno such step", style="rounded,dashed", color=red];',
        '    n2 [label="a\\n/x\\nmust run, default on error"];',
        '    n3 [label="(no id)\\n/x"];',
        '    n4 [label="output", shape=oval];',
        "    n0 -> n2;",
        "    n2 -> n3 [style=dashed];",
        "    n1 -> n3 [color=red];",
        "    n1 -> n4 [style=dashed, color=red];",
    ]


def test_dot_has_letters_as_such() -> None:
    # Graphviz reads UTF-8, and no escape of a character.
    assert 'label="größe\\n/x"' in flow(step("größe"), name="日本").to_dot()
    assert 'digraph "日本" {' in flow(name="日本").to_dot()
    odd = flow(step("a\x00"), name="b\x00")
    assert 'digraph "b\ufffd" {' in odd.to_dot() and 'label="a\ufffd\\n' in odd.to_dot()


def test_notebooks_show_no_huge_picture() -> None:
    huge = random_flow(1001, 1)
    assert huge._repr_html_() is None
    assert huge._repr_markdown_() is None
    largest = chain(1001)
    assert len(largest.steps or ()) == 1000
    assert largest._repr_html_() and largest._repr_markdown_()
    for empty in (Flow(), Flow(steps=None), Flow(steps=[])):
        assert "output" in (empty._repr_html_() or "")
        assert "output" in (empty._repr_markdown_() or "")


@pytest.mark.parametrize(("make", "count"), [(chain, 10_000), (fan, 10_000), (halves, 2000)])
def test_thousands_of_steps(make: Callable[[int], Flow], count: int) -> None:
    found = layout(flow_graph(make(count)))
    assert len(found.boxes) > count
    # In proportion to the number of steps, however long the edges are.
    assert len(found.lines) < 12 * count


def test_long_edges_have_a_limited_number_of_places() -> None:
    count = 200
    steps = (
        step(f"s{at}", *(f"s{at - by}" for by in range(1, 20) if by <= at)) for at in range(count)
    )
    found = layout(flow_graph(flow(*steps)), columns=1)
    places = {(line.x2, line.y2) for line in found.lines if line.y2 < line.y3}
    # Each edge that is longer by one row has one place more, so that all of them are used up.
    assert len(places) == 8 * len(found.boxes) + 1000
    assert connected(found) == {(edge.source, edge.target) for edge in found.graph.edges}


def test_statuses_and_links_of_steps() -> None:
    reads = [INPUT, {"$variable": "v"}]
    picture = svg(
        layout(flow_graph(flow(step("a", *reads), step("b", "a"), step("c"), step('"d"')))),
        statuses={
            "a": "completed",
            "b": "failed",
            '"d"': "running",
            "other": "failed",
            "input": "failed",
        },
        links={"b": "#b&1", "input": "#input"},
    )
    assert "\nreads input x\nreads variable v</title>" in picture
    root = ElementTree.fromstring(picture)
    kinds = [box.get("class") for box in root.iterfind(".//{*}g/{*}rect")]
    assert sorted(map(str, kinds)) == [
        "box",
        "box status completed",
        "box status failed",
        "box status running",
        "end",
        "end",
    ]
    signs = {sign.text for sign in root.iterfind(".//{*}text") if "sign" in str(sign.get("class"))}
    assert signs == {"✓", "✗", "▸"}
    (link,) = root.iterfind("{*}a")
    assert link.get("href") == "#b&1"
    assert (link.findtext(".//{*}title") or "").startswith("b\nfailed\n")
    (faint,) = root.iterfind("{*}g[@class='not-run']")
    assert (faint.findtext("{*}title") or "").startswith("c")
    assert "sign" not in flow(step("a")).to_svg().split("</style>")[1]


def test_marks_of_direction_are_shown() -> None:
    assert "\\u202e" in flow(step("a\u202eb")).to_svg()
    assert "\u202e" not in flow(step("a\u202eb")).to_svg()

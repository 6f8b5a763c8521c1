"""Positions for the nodes and edges of a graph, in rows from top to bottom.

Layered drawing as by Sugiyama: each node gets a row below what it reads, with a limited number of
nodes per row; long edges get a place in each row that they cross, one for all that start or end at
the same node; the order in a row is that with few crossings; then each node moves as close to its
neighbours as the order permits.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter

from stepflow_api.graph._box_text import LINE_HEIGHT, PADDING, box_texts, box_width
from stepflow_api.graph._graph import Edge, Graph, Node
from stepflow_api.graph._rows import edge_ends, node_rows

__all__ = ["Box", "Layout", "Line", "layout"]

MARGIN = 16.0
ROW_GAP = 40.0
BOX_GAP = 20.0
LINE_GAP = 14.0

# Places of long edges for each node: beyond, the longest edges are drawn straight, so that the
# time and size stay proportional to the number of steps.
_PLACES_PER_NODE = 8

# Repetitions of the search for an order and for positions; few are enough, and each takes time.
_SWEEPS = 6
_SWEEPS_OF_LARGE = 2
_LARGE = 2000

# How much a connection wants to be straight: between nodes, of a node and a place, between places.
_STIFFNESS = (1.0, 0.3, 50.0)


@dataclass(frozen=True, slots=True)
class Box:
    """Position of a node, in pixels from the top left.

    Attributes:
        node: The node.
        x: Left edge.
        y: Top edge.
        width: Width.
        height: Height.
        lines: The texts in it, cut to its width: the id, then smaller ones.
    """

    node: Node
    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A part of an edge, drawn once for all edges that share it.

    Attributes:
        x1: Where it starts.
        y0: Where it starts, at the bottom of a box or a row.
        y1: Where its straight part through the rest of the row ends.
        x2: Where it ends.
        y2: Where it ends, at the top of a row.
        y3: Where its straight rest through the row ends; `y2` if it ends at a node.
        is_conditional: Whether all its edges are conditional.
        is_invalid: Whether one of its edges is invalid.
        has_head: Whether an arrowhead is at its end.
        has_tail: Whether one is at its start: an edge from a lower row.
    """

    x1: float
    y0: float
    y1: float
    x2: float
    y2: float
    y3: float
    is_conditional: bool
    is_invalid: bool
    has_head: bool
    has_tail: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions of all nodes and lines.

    Attributes:
        graph: The graph.
        width: Width of the picture in pixels.
        height: Height of the picture in pixels.
        boxes: One for each node, in the graph's order.
        lines: The edges.
    """

    graph: Graph
    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def layout(graph: Graph, *, columns: int | None = None) -> Layout:
    """Return where the nodes and edges of a graph are drawn.

    Args:
        graph: The graph.
        columns: Maximum number of nodes in a row; by default it grows with the graph.
    """
    count = len(graph.nodes)
    texts = [box_texts(node) for node in graph.nodes]
    if columns is None:
        columns = max(5, round(math.sqrt(count * 0.6)))
    row_of = node_rows(graph, max(1, columns))
    items = _Items(graph, row_of, [box_width(text) for text in texts])
    _order(items)
    xs = _positions(items)

    heights = [PADDING + LINE_HEIGHT * len(text) for text in texts]
    tops: list[float] = []
    row_heights: list[float] = []
    y = MARGIN
    for row in items.rows:
        tops.append(y)
        row_heights.append(max((heights[at] for at in row if at < count), default=0.0))
        y += row_heights[-1] + ROW_GAP
    left = min((x - width / 2 for x, width in zip(xs, items.widths, strict=True)), default=0.0)
    xs = [x - left + MARGIN for x in xs]
    right = max((x + width / 2 for x, width in zip(xs, items.widths, strict=True)), default=0.0)

    def place(at: int) -> tuple[float, float, float]:
        top = tops[items.row_of[at]]
        return xs[at], top, top + (heights[at] if at < count else row_heights[items.row_of[at]])

    boxes = [
        Box(
            node,
            xs[at] - items.widths[at] / 2,
            tops[items.row_of[at]],
            items.widths[at],
            heights[at],
            texts[at],
        )
        for at, node in enumerate(graph.nodes)
    ]
    lines: list[Line] = []
    for (start, end), link in items.links.items():
        x1, top, y0 = place(start)
        x2, y2, y3 = place(end)
        lines.append(
            Line(
                x1,
                y0,
                top + row_heights[items.row_of[start]],
                x2,
                y2,
                y3 if end >= count else y2,
                link.is_conditional,
                link.is_invalid,
                link.has_head and end < count,
                link.has_tail and start < count,
            )
        )
    return Layout(graph, right + MARGIN, y - ROW_GAP + MARGIN, tuple(boxes), tuple(lines))


@dataclass(frozen=True, slots=True)
class _Link:
    """A connection of items of neighbouring rows, or of distant ones if there are too many."""

    is_conditional: bool
    is_invalid: bool
    has_head: bool
    has_tail: bool


class _Items:
    """Nodes, and the places of long edges in the rows that they cross, numbered after the nodes.

    Attributes:
        count: Number of nodes.
        rows: The items of each row, from left to right.
        row_of: The row of each item.
        widths: The width of each item.
        above: The neighbours of each item in the row above.
        below: The neighbours of each item in the row below.
        links: The connections.
    """

    def __init__(self, graph: Graph, row_of: list[int], widths: list[float]) -> None:
        self.row_of = row_of
        self.widths = widths
        self.rows: list[list[int]] = [[] for _ in range(max(row_of) + 1)]
        for at, row in enumerate(row_of):
            self.rows[row].append(at)
        self.links: dict[tuple[int, int], _Link] = {}
        self.count = len(row_of)
        self._limit = (1 + _PLACES_PER_NODE) * self.count + 1000
        self._places: dict[tuple[int, bool, bool, int], int] = {}
        starts: Counter[int] = Counter()
        ends: Counter[int] = Counter()
        edges: list[tuple[bool, int, int, int, Edge]] = []
        for edge in graph.edges:
            upper, lower = edge_ends(edge)
            length = row_of[lower] - row_of[upper]
            if length:
                edges.append((edge.is_conditional, length, upper, lower, edge))
            if length > 1:
                starts[upper] += 1
                ends[lower] += 1
        # The places that several edges share look like the first of them. If there are too many
        # places, the longest edges do without.
        for _, _, upper, lower, edge in sorted(edges, key=itemgetter(0, 1)):
            self._connect(upper, lower, edge, starts[upper] > ends[lower])
        self.above: list[list[int]] = [[] for _ in self.row_of]
        self.below: list[list[int]] = [[] for _ in self.row_of]
        for start, stop in self.links:
            if self.row_of[stop] - self.row_of[start] == 1:
                self.above[stop].append(start)
                self.below[start].append(stop)

    def _connect(self, upper: int, lower: int, edge: Edge, from_upper: bool) -> None:
        """Add an edge, with a place in each row between its ends.

        The edges of the end that has more long ones share their places: from the other end, only
        those up to the first existing one are new.
        """
        reverse = edge.source > edge.target
        owner, other = (upper, lower) if from_upper else (lower, upper)
        rows = range(self.row_of[upper] + 1, self.row_of[lower])
        new: list[int] = []
        end = owner
        for row in reversed(rows) if from_upper else rows:
            place = self._places.get((owner, from_upper, reverse, row))
            if place is not None:
                end = place
                break
            new.append(row)
        way = [other]
        if len(self.row_of) + len(new) <= self._limit:
            for row in new:
                place = self._places[owner, from_upper, reverse, row] = len(self.row_of)
                self.row_of.append(row)
                self.widths.append(0.0)
                self.rows[row].append(place)
                way.append(place)
        else:
            end = owner
        way.append(end)
        if from_upper:
            way.reverse()
        for link in pairwise(way):
            shared = self.links.get(link, _Link(True, False, False, False))
            self.links[link] = _Link(
                shared.is_conditional and edge.is_conditional,
                shared.is_invalid or edge.is_invalid,
                # Two steps may read each other.
                shared.has_head or not reverse,
                shared.has_tail or reverse,
            )


def _order(items: _Items) -> None:
    """Order the rows so that few lines cross: each item at the middle of its neighbours."""
    place = [0.0] * len(items.row_of)

    def number(row: list[int]) -> None:
        for x, at in enumerate(row):
            place[at] = x / len(row)

    for row in items.rows:
        number(row)
    best, fewest = [list(row) for row in items.rows], _crossings(items, place)
    for sweep in range(_SWEEPS if len(items.row_of) < _LARGE else _SWEEPS_OF_LARGE):
        if not fewest:
            break
        down = sweep % 2 == 0
        neighbours = items.above if down else items.below
        for row in items.rows if down else reversed(items.rows):
            middle = {
                at: sum(map(place.__getitem__, neighbours[at])) / len(neighbours[at])
                if neighbours[at]
                else place[at]
                for at in row
            }
            row.sort(key=middle.__getitem__)
            number(row)
        if (crossings := _crossings(items, place)) < fewest:
            best, fewest = [list(row) for row in items.rows], crossings
    items.rows = best


def _crossings(items: _Items, place: list[float]) -> int:
    count = 0
    for row in items.rows:
        ends: list[float] = []
        for at in row:
            targets = sorted(place[lower] for lower in items.below[at])
            count += sum(len(ends) - bisect_left(ends, x + 1e-12) for x in targets)
            for x in targets:
                insort(ends, x)
    return count


def _positions(items: _Items) -> list[float]:
    """Return the middle of each item: as close to its neighbours as the order permits."""
    xs = [0.0] * len(items.row_of)
    offsets: list[list[float]] = []
    for row in items.rows:
        found, x, before = [0.0], 0.0, row[0] if row else 0
        for at in row[1:]:
            x += _distance(items, before, at)
            found.append(x)
            before = at
        offsets.append(found)
        for at, x in zip(row, found, strict=False):
            xs[at] = x - found[-1] / 2
    both = [up + down for up, down in zip(items.above, items.below, strict=True)]
    sweeps = _SWEEPS if len(items.row_of) < _LARGE else _SWEEPS_OF_LARGE
    for sweep in range(sweeps + 1):
        down = sweep % 2 == 0
        neighbours = both if sweep == sweeps else items.above if down else items.below
        rows = list(zip(items.rows, offsets, strict=True))
        for row, offset in rows if down else reversed(rows):
            wanted: list[tuple[float, float]] = []
            for at, shift in zip(row, offset, strict=False):
                total = weight = 0.0
                for other in neighbours[at]:
                    stiff = _STIFFNESS[(at >= items.count) + (other >= items.count)]
                    weight += stiff
                    total += stiff * xs[other]
                if weight:
                    wanted.append((total - weight * shift, weight))
                else:
                    wanted.append((xs[at] - shift, 1.0))
            for at, x, shift in zip(row, _increasing(wanted), offset, strict=False):
                xs[at] = x + shift
    _straighten(items, xs)
    return xs


def _distance(items: _Items, left: int, right: int) -> float:
    """Return the minimum distance of two neighbours in a row, from middle to middle."""
    is_thin = not items.widths[left] or not items.widths[right]
    return (items.widths[left] + items.widths[right]) / 2 + (LINE_GAP if is_thin else BOX_GAP)


def _straighten(items: _Items, xs: list[float]) -> None:
    """Move the items of each chain, which have no other neighbours in between, below each other."""
    before: dict[int, int] = {}
    after: dict[int, int] = {}
    for row in items.rows:
        for left, right in pairwise(row):
            before[right], after[left] = left, right
    next_of = {
        at: below[0]
        for at, below in enumerate(items.below)
        if len(below) == 1 and len(items.above[below[0]]) == 1
    }
    for start in sorted(next_of.keys() - next_of.values()):
        chain = [start]
        while chain[-1] in next_of:
            chain.append(next_of[chain[-1]])
        low = max(
            (xs[before[at]] + _distance(items, before[at], at) for at in chain if at in before),
            default=-math.inf,
        )
        high = min(
            (xs[after[at]] - _distance(items, at, after[at]) for at in chain if at in after),
            default=math.inf,
        )
        if low <= high:
            x = min(max(sum(xs[at] for at in chain) / len(chain), low), high)
            for at in chain:
                xs[at] = x


def _increasing(wanted: list[tuple[float, float]]) -> list[float]:
    """Return values that do not decrease, the closest by least squares.

    Args:
        wanted: Each wanted value times its weight, and its weight.
    """
    blocks: list[tuple[float, float, int]] = []
    for total, weight in wanted:
        count = 1
        while blocks and blocks[-1][0] * weight >= total * blocks[-1][1]:
            before, heavy, number = blocks.pop()
            total, weight, count = total + before, weight + heavy, count + number
        blocks.append((total, weight, count))
    return [total / weight for total, weight, count in blocks for _ in range(count)]

"""The rows in which the nodes of a graph are drawn."""

from __future__ import annotations

import heapq

from stepflow_api.graph._graph import Edge, Graph

__all__ = ["edge_ends", "node_rows"]


def edge_ends(edge: Edge) -> tuple[int, int]:
    """Return an edge's upper and lower end: the indices of an invalid one may be reversed."""
    return min(edge.source, edge.target), max(edge.source, edge.target)


def node_rows(graph: Graph, columns: int) -> list[int]:
    """Return the row of each node, below those of the nodes that it reads.

    What continues the latest row comes first, so that chains stay together where one row cannot
    hold all.
    """
    count = len(graph.nodes)
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for edge in graph.edges:
        upper, lower = edge_ends(edge)
        if upper != lower:
            above[lower].append(upper)
            below[upper].append(lower)
    last = count - 1
    waiting = [len(found) for found in above]
    ready = [(0, at) for at in range(last) if not waiting[at]]
    row_of = [0] * count
    sizes: list[int] = []
    while ready:
        row = len(sizes)
        taken = [heapq.heappop(ready)[1] for _ in range(min(columns, len(ready)))]
        # The input has the first row for itself.
        if row == 0 and graph.nodes[0].kind == "input":
            for at in taken[1:]:
                heapq.heappush(ready, (0, at))
            taken = taken[:1]
        sizes.append(len(taken))
        for at in taken:
            row_of[at] = row
            for lower in below[at]:
                waiting[lower] -= 1
                if not waiting[lower] and lower != last:
                    heapq.heappush(ready, (-row - 1, lower))
    # A node that reads nothing goes next to the first that reads it, if there is room.
    for at in range(last):
        if below[at] and not above[at] and graph.nodes[at].kind != "input":
            row = min(row_of[lower] if lower != last else len(sizes) for lower in below[at]) - 1
            while row > row_of[at] and sizes[row] >= columns:
                row -= 1
            if row > row_of[at]:
                sizes[row_of[at]] -= 1
                sizes[row] += 1
                row_of[at] = row
    row_of[last] = len(sizes)
    used = {row: number for number, row in enumerate(sorted(set(row_of)))}
    return [used[row] for row in row_of]

"""The graph of a flow: what reads what, where each step is drawn, and the drawings.

    from stepflow_api.graph import flow_graph, layout, svg

    graph = flow_graph(flow)          # nodes and edges
    positions = layout(graph)         # where they are drawn
    picture = svg(positions)          # the drawing

`Flow.to_svg`, `Flow.to_mermaid` and `Flow.to_dot` do the same in one call.
"""

from stepflow_api.graph._graph import Edge, Graph, Node, flow_graph
from stepflow_api.graph._layout import Box, Layout, Line, layout
from stepflow_api.graph._references import Reference, references
from stepflow_api.graph._svg import svg
from stepflow_api.graph._text import dot, mermaid

__all__ = [
    "Box",
    "Edge",
    "Graph",
    "Layout",
    "Line",
    "Node",
    "Reference",
    "dot",
    "flow_graph",
    "layout",
    "mermaid",
    "references",
    "svg",
]

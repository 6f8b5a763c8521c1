"""The graph of a flow, its layout, and drawings of it.

`Flow.to_svg`, `Flow.to_mermaid` and `Flow.to_dot` draw a flow in one call.

Example:
    >>> from stepflow_api.models import Flow, Step
    >>> flow = Flow(steps=[Step(id="ask", component="/create_messages")])
    >>> graph = flow_graph(flow)
    >>> [node.id for node in graph.nodes]
    ['ask', 'output']
    >>> picture = svg(layout(graph))
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

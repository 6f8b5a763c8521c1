"""A graph as Mermaid and DOT, for the tools that draw these."""

from __future__ import annotations

import json
import re

from stepflow_api.graph._graph import Graph, Node
from stepflow_api.graph._svg import printable_xml

__all__ = ["dot", "mermaid"]

# Everything that Mermaid, HTML or Markdown could interpret: "1. " is a list, "`" ends a fence.
_SPECIAL = re.compile(r"[^\w\s/.\-]|[.\-](?=\s)")

# The rim of each kind of node.
_SHAPES = {"input": ("([", "])"), "output": ("([", "])")}


def mermaid(graph: Graph) -> str:
    """Return a graph as the text of a Mermaid flowchart.

    Dashed arrows are read under a condition; what servers reject is red.

    Args:
        graph: The graph.
    """
    lines = ["flowchart TD"]
    for at, node in enumerate(graph.nodes):
        start, end = _SHAPES.get(node.kind, ("[", "]"))
        label = "<br>".join(_SPECIAL.sub(_entity, text) for text in _texts(node))
        red = ":::invalid" if node.kind == "missing" else ""
        lines.append(f'    n{at}{start}"{label}"{end}{red}')
    for edge in graph.edges:
        arrow = "-.->" if edge.is_conditional else "-->"
        lines.append(f"    n{edge.source} {arrow} n{edge.target}")
    invalid = [str(at) for at, edge in enumerate(graph.edges) if edge.is_invalid]
    if invalid:
        lines.append(f"    linkStyle {','.join(invalid)} stroke:#cf222e")
    if any(node.kind == "missing" for node in graph.nodes):
        lines.append("    classDef invalid stroke:#cf222e,stroke-dasharray:4")
    return "\n".join([*lines, ""])


def dot(graph: Graph) -> str:
    """Return a graph in the DOT language of Graphviz.

    Args:
        graph: The graph.
    """
    lines = [
        f"digraph {_quoted(printable_xml(graph.name or 'flow'))} {{",
        '    node [shape=box, style=rounded, fontname="sans-serif"];',
    ]
    for at, node in enumerate(graph.nodes):
        look = ", shape=oval" if node.kind in _SHAPES else ""
        look += ', style="rounded,dashed", color=red' if node.kind == "missing" else ""
        lines.append(f"    n{at} [label={_quoted(chr(10).join(_texts(node)))}{look}];")
    for edge in graph.edges:
        looks = ["style=dashed"] * edge.is_conditional + ["color=red"] * edge.is_invalid
        look = f" [{', '.join(looks)}]" if looks else ""
        lines.append(f"    n{edge.source} -> n{edge.target}{look};")
    return "\n".join([*lines, "}", ""])


def _texts(node: Node) -> list[str]:
    component = "no such step" if node.kind == "missing" else node.component
    texts = [node.id or "(no id)", component, ", ".join(node.notes)]
    return [printable_xml(" ".join(text.split())) for text in texts if text]


def _entity(match: re.Match[str]) -> str:
    return f"#{ord(match[0])};"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)

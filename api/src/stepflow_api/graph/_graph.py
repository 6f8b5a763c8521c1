"""The nodes and edges of a flow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from stepflow_api.graph._references import references

if TYPE_CHECKING:
    from stepflow_api.models.flow import Flow
    from stepflow_api.models.step import Step

__all__ = ["Edge", "Graph", "Node", "flow_graph"]


@dataclass(frozen=True, slots=True)
class Node:
    """A node: a step, the flow's input or output, or a step that does not exist.

    Attributes:
        kind: What it is; `missing` is a step that others read and the flow does not have.
        id: Id of the step; `input` or `output`.
        component: Component of the step; otherwise empty.
        notes: What is special: `must run`, `retry`, `default on error`, `reads itself`.
        inputs: Paths in the flow's input that it reads.
        variables: Variables that it reads.
    """

    kind: Literal["input", "step", "output", "missing"]
    id: str
    component: str = ""
    notes: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge: one node reads another.

    Attributes:
        source: Index of the node that is read.
        target: Index of the node that reads it.
        is_conditional: Whether it is read only under a condition.
        is_invalid: Whether servers reject it: a step reads itself, a later or a missing step.
    """

    source: int
    target: int
    is_conditional: bool = False
    is_invalid: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """The nodes of a flow and what each reads.

    Attributes:
        name: Name of the flow, if it has one.
        nodes: The input first, if anything reads it, then missing steps, the steps in the flow's
            order, and the output last.
        edges: Each pair of nodes once.
    """

    name: str | None
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def flow_graph(flow: Flow) -> Graph:
    """Return the graph of a flow, of an invalid one too.

    Steps that read both the flow's input and other steps have no edge from the input, which would
    cross the whole picture: `Node.inputs` says what they read of it.

    Args:
        flow: The flow.
    """
    steps = flow.steps or []
    reads = [references(step.input) for step in steps]
    reads.append(references(flow.output))
    known = {step.id for step in steps}
    missing = {
        one.name: None
        for found in reads
        for one in found
        if one.kind == "step" and one.name not in known
    }
    nodes = [Node("missing", name) for name in missing]
    has_input = any(one.kind == "input" for found in reads for one in found)
    if has_input:
        nodes.insert(0, Node("input", "input"))
    first = len(nodes)
    index = {name: at for at, name in enumerate(missing, int(has_input))}
    for at, one_step in enumerate(steps, first):
        # Servers reject two steps of one id; what reads it is drawn at the first.
        index.setdefault(one_step.id, at)
    edges: list[Edge] = []
    for at, found in enumerate(reads, first):
        inputs = tuple(dict.fromkeys(one.name for one in found if one.kind == "input"))
        variables = tuple(dict.fromkeys(one.name for one in found if one.kind == "variable"))
        sources: dict[int, bool] = {}
        for one in found:
            if one.kind == "step":
                source = index[one.name]
                sources[source] = sources.get(source, True) and one.is_conditional
        if inputs and not sources:
            sources[0] = all(one.is_conditional for one in found if one.kind == "input")
        if at == first + len(steps):
            nodes.append(Node("output", "output", "", (), inputs, variables))
        else:
            step = steps[at - first]
            notes = (*_notes(step), *(["reads itself"] if at in sources else []))
            nodes.append(Node("step", step.id, step.component, notes, inputs, variables))
        edges += [
            Edge(source, at, conditional, source >= at or nodes[source].kind == "missing")
            for source, conditional in sources.items()
        ]
    return Graph(flow.name, tuple(nodes), tuple(edges))


def _notes(step: Step) -> list[str]:
    notes = ["must run"] if step.must_execute else []
    on_error: Any = step.on_error
    if on_error is not None and on_error.action == "useDefault":
        notes.append("default on error")
    elif on_error is not None and on_error.action == "retry":
        limit = on_error.max_retries
        notes.append("retry" if limit is None else f"retry {limit}×")
    return notes

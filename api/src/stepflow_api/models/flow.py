"""`Flow` that keeps its tests and examples unchanged, and draws itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from stepflow_api._constants import PICTURE_LIMIT
from stepflow_api.models._generated.flow import GeneratedFlow

__all__ = ["Flow"]


class Flow(GeneratedFlow):
    """A flow: its steps and its output.

    Cause:
        Tests and examples are for other tools, and servers differ in what they accept there. The
        spec describes one version, so its types would reject or change flows that other servers
        run. The pictures of a flow are methods of it.

    Wire:
        A test case that expects a failure has a number as its error's `code` up to 0.11, and a name
        such as `"COMPONENT_FAILED"` from 0.12 on. Servers also accept `"test": []`.

    Can go when:
        All supported servers accept the same; then the pictures need another place.

    Attributes:
        test: The flow's test configuration, as JSON; a `TestConfig` for what the spec describes.
        examples: Example inputs, as JSON; a list of `ExampleInput` for what the spec describes.
    """

    __retyped__: ClassVar[Mapping[str, str]] = {
        "test": "a run does not read it, and servers differ in what they accept",
        "examples": "a run does not read it, and servers differ in what they accept",
    }

    test: Any = None
    examples: Any = None

    def to_svg(self) -> str:
        """Draw the flow as SVG: its steps, and what reads what, in light and dark colours.

        An invalid flow is drawn too, with what servers reject in red. `stepflow_api.graph` has the
        graph and the positions without the drawing.
        """
        from stepflow_api.graph import flow_graph, layout, svg

        return svg(layout(flow_graph(self)))

    def to_mermaid(self) -> str:
        """Return the flow as the text of a Mermaid flowchart, which GitHub and others draw.

        They refuse charts of more than 500 arrows or 50,000 characters; `to_svg` has no limit.
        """
        from stepflow_api.graph import flow_graph, mermaid

        return mermaid(flow_graph(self))

    def to_dot(self) -> str:
        """Return the flow in the DOT language of Graphviz."""
        from stepflow_api.graph import dot, flow_graph

        return dot(flow_graph(self))

    # Notebooks show the first that they can; None is none. A flow is shown by accident too, so the
    # picture of a huge one has to be asked for.
    def _repr_html_(self) -> str | None:
        return self.to_svg() if len(self.steps or ()) <= PICTURE_LIMIT else None

    def _repr_markdown_(self) -> str | None:
        if len(self.steps or ()) > PICTURE_LIMIT:
            return None
        return f"```mermaid\n{self.to_mermaid()}```"

"""`Flow` that keeps its tests and examples unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from stepflow_api.models.generated.flow import GeneratedFlow

__all__ = ["Flow"]


class Flow(GeneratedFlow):
    """A flow: its steps and its output.

    Cause:
        Tests and examples are for other tools, and servers differ in what they accept there. The
        spec describes one version, so its types would reject or change flows that other servers
        run.

    Wire:
        A test case that expects a failure has a number as its error's `code` up to 0.11, and a name
        such as `"COMPONENT_FAILED"` from 0.12 on. Servers also accept `"test": []`.

    Can go when:
        All supported servers accept the same.

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

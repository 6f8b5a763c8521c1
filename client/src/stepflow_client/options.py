"""Options of the methods that create runs, each defined once.

Clients, executor protocols, the embedded runtime and the command line all take these. To pass them
on, annotate `**options: Unpack[RunOptions]`.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypedDict, TypeVar

from stepflow_api.models import WorkflowOverrides
from stepflow_client._core.results import Progress

__all__ = [
    "RunBatchOptions",
    "RunOptions",
    "SubmitBatchOptions",
    "SubmitOptions",
    "show_options",
]

C = TypeVar("C", bound=type)


class SubmitOptions(TypedDict, total=False):
    """Options of `submit`, which every method that creates runs has."""

    overrides: Mapping[str, Any] | WorkflowOverrides | None
    """Changes to steps in this run, by step id."""

    variables: Mapping[str, Any] | None
    """Values of the flow's variables."""

    variables_from_env: bool
    """Whether variables missing in `variables` are read from the
    environment variables that the flow maps them to."""

    timeout: float | None
    """Maximum time for all of it, in seconds; None to wait for a run without
    limit, and to retry requests as configured."""

    retry_create: bool
    """Whether to create the run again if the response to creating it is lost;
    the flow may then run twice."""

    idempotency_key: str | None
    """Key of this call: the same call with the same key, later or from another
    process too, returns the run that the first created while the server has it."""

    headers: Mapping[str, str] | None
    """Header fields for this call, in place of the client's of the same names."""


class RunOptions(SubmitOptions, total=False):
    """Options of `run`: those of `submit`, and one more."""

    raise_on_failure: bool
    """Whether to raise `FlowFailed` if the flow fails."""


class SubmitBatchOptions(SubmitOptions, total=False):
    """Options of `submit_batch`: those of `submit`, and one more."""

    max_concurrency: int | None
    """Maximum number of items in progress; by default the server decides."""


class RunBatchOptions(SubmitBatchOptions, total=False):
    """Options of `run_batch`: those of `submit_batch`, and one more."""

    on_progress: Callable[[Progress], object] | None
    """Called at the start and whenever more items have finished; servers up to
    0.11 report finished items only when all have finished."""


def show_options(cls: C) -> C:
    """Show each option of a class's methods at run time, in place of `**options`.

    `help()` and `inspect.signature` then show what type checkers and editors show anyway.

    Args:
        cls: A class with methods that take `**options: Unpack[RunOptions]` or the like, in a module
            with `from __future__ import annotations`.

    Returns:
        The same class.
    """
    for method in vars(cls).values():
        options = _KINDS.get(str(getattr(method, "__annotations__", {}).get("options")))
        if options is None:
            continue
        signature = inspect.signature(method)
        *others, _ = signature.parameters.values()
        listed = [
            # An option that cannot be None is a switch, off by default.
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=None if "None" in hint.__forward_arg__ else False,
                annotation=hint.__forward_arg__,
            )
            for name, hint in options.__annotations__.items()
        ]
        method.__signature__ = signature.replace(parameters=[*others, *listed])
        entries = [f"{one}: {_TEXTS[one]}" for one in options.__annotations__ if one in _TEXTS]
        if _TEXTS and (line := re.search(r"\n( +)\*\*options: .*", method.__doc__ or "")):
            indented = "\n".join(entries).replace("\n", f"\n{line[1]}")
            method.__doc__ = method.__doc__.replace(line[0], f"\n{line[1]}{indented}")
    return cls


def _texts() -> dict[str, str]:
    """Return the text below each option, which Python does not keep; nothing without a source."""
    try:
        source = inspect.getsource(sys.modules[__name__])
    except OSError:
        return {}
    fields = re.findall(r'^    (\w+): [^\n]+\n    """(.+?)"""', source, re.DOTALL | re.MULTILINE)
    return dict(fields)


_TEXTS = _texts()
_KINDS = {
    f"Unpack[{kind.__name__}]": kind
    for kind in (SubmitOptions, RunOptions, SubmitBatchOptions, RunBatchOptions)
}

"""The forms in which a flow can be passed, and the ids of stored flows."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

import pydantic_core
from pydantic import ValidationError

from stepflow_api.errors import first_problem, one_line
from stepflow_api.models import Flow
from stepflow_client._constants import FLOW_CACHE_SIZE
from stepflow_client.documents import parse, read_file
from stepflow_client.errors import InvalidInput

__all__ = ["FlowSource"]

FlowSource: TypeAlias = "str | os.PathLike[str] | Mapping[str, Any] | Flow"
"""A flow: the path of a YAML or JSON file, a dict, a `Flow`, or the id of a stored flow."""

_FLOW_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class FlowContent:
    """A flow passed by its content: `key` is the content's hash, and `load` parses it."""

    key: bytes
    load: Callable[[], Flow]


def resolve(flow: FlowSource) -> str | FlowContent:
    """Return the id of a stored flow, or a flow's content; a file is read, but not parsed yet.

    Raises:
        InvalidInput: It is not a flow.
    """
    if isinstance(flow, str) and _FLOW_ID.fullmatch(flow):
        return flow
    if isinstance(flow, Flow):
        return FlowContent(_key(b"json", _as_json(flow)), lambda: flow)
    if isinstance(flow, Mapping):
        # Only a dict can be written as JSON.
        document = dict(flow)
        return FlowContent(_key(b"json", _as_json(document)), lambda: _model(document, "the flow"))
    try:
        path = Path(flow)
    except TypeError as error:
        raise InvalidInput(
            f"the flow is of type {type(flow).__name__}; pass a path, a dict, a Flow, or a flow id"
        ) from error
    return _file(path)


def _file(path: Path) -> FlowContent:
    is_json = path.suffix.lower() == ".json"
    content = read_file(path, "flow file")
    name = f"flow file {str(path)!r}"

    def load() -> Flow:
        return _model(parse(content, name=name, is_json=is_json), name)

    return FlowContent(_key(b"json" if is_json else b"yaml", content), load)


def _as_json(flow: Flow | Mapping[str, Any]) -> bytes:
    try:
        if isinstance(flow, Flow):
            return flow.to_json()
        return pydantic_core.to_json(flow, by_alias=True, inf_nan_mode="strings")
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidInput(
            f"the flow cannot be written as JSON ({one_line(str(error))});"
            " pass values that JSON can hold"
        ) from error


def _model(document: Any, name: str) -> Flow:
    if not isinstance(document, Mapping):
        raise InvalidInput(
            f"{name} holds {_kind(document)}, not a flow; a flow has the keys steps and output"
        )
    try:
        return Flow.from_dict(cast("Mapping[str, Any]", document))
    except ValidationError as error:
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise InvalidInput(
            f"{name} is not a flow: {first_problem(error)}{more}; correct it there"
        ) from error


def _kind(document: Any) -> str:
    return "nothing" if document is None else f"a value of type {type(document).__name__}"


def _key(kind: bytes, content: bytes) -> bytes:
    return hashlib.sha256(kind + content).digest()


class FlowIds:
    """The ids of flows that a server has stored, by content; the oldest are dropped first."""

    def __init__(self, size: int = FLOW_CACHE_SIZE) -> None:
        self._size = size
        self._ids: dict[bytes, str] = {}

    def get(self, key: bytes) -> str | None:
        """Return the id; None if it is not known."""
        return self._ids.get(key)

    def put(self, key: bytes, flow_id: str) -> None:
        """Remember an id."""
        while len(self._ids) >= self._size:
            self._ids.pop(next(iter(self._ids)), None)
        self._ids[key] = flow_id

    def forget(self, key: bytes) -> None:
        """Drop an id."""
        self._ids.pop(key, None)

"""YAML and JSON documents, parsed strictly: mistakes are errors, not guessed away."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from stepflow_api.errors import one_line
from stepflow_client._constants import YAML_VALUES
from stepflow_client.errors import InvalidInput

__all__ = ["parse", "parse_json", "read_file"]


def read_file(path: Path, what: str) -> bytes:
    """Return the content of a file.

    Args:
        path: The file.
        what: What it is for, such as `flow`, for the message.

    Raises:
        InvalidInput: It cannot be read.
    """
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError):
            problem = "there is no such file; check the path"
        elif isinstance(error, IsADirectoryError):
            problem = "it is a folder; pass a file"
        else:
            problem = f"{one_line(str(getattr(error, 'strerror', None) or error))}; check the path"
        raise InvalidInput(f"cannot read the {what} {str(path)!r}: {problem}") from error


def parse(content: bytes, *, name: str, is_json: bool) -> Any:
    """Parse a document.

    Args:
        content: The document in UTF-8.
        name: Its name in messages.
        is_json: Whether it is JSON; otherwise it is YAML.

    Raises:
        InvalidInput: It is invalid, or has a duplicate key.
    """
    kind = "JSON" if is_json else "YAML"
    try:
        text = content.decode("utf-8-sig")
        return parse_json(text) if is_json else _parse_yaml(text)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        if isinstance(error, yaml.MarkedYAMLError):
            mark = error.problem_mark
            place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
            problem = f"{place}{error.problem}"
        elif isinstance(error, UnicodeDecodeError):
            problem = f"it is not UTF-8 (byte {error.start})"
        elif isinstance(error, RecursionError):
            problem = "it is nested too deeply"
        else:
            problem = str(error)
        raise InvalidInput(
            f"{name} is not valid {kind}: {one_line(problem)}; correct it there"
        ) from error


def parse_json(text: str) -> Any:
    """Parse JSON.

    Raises:
        ValueError: It is not JSON, is nested too deeply, or has a duplicate key.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise ValueError(f"duplicate key {twice!r} in an object")
    return members


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _parse_yaml(text: str) -> Any:
    loader = _Loader(text)
    node = loader.get_single_node()
    if node is None:
        return None
    _count(node, {})
    return loader.construct_document(node)  # pyright: ignore[reportUnknownMemberType]


def _count(node: yaml.Node, counts: dict[yaml.Node, int]) -> int:
    """Return the number of values in a node with its aliases expanded.

    A few lines of aliases of aliases can expand to more values than fit in memory.

    Raises:
        ConstructorError: There are too many, or the node contains itself.
    """
    if node in counts:
        count = counts[node]
        if not count:
            raise _at(node, "this anchor's value contains itself, which JSON cannot express")
        return count
    counts[node] = 0
    children: list[yaml.Node] = []
    if isinstance(node, yaml.SequenceNode):
        children = node.value
    elif isinstance(node, yaml.MappingNode):
        children = [child for pair in node.value for child in pair]
    count = 1 + sum(_count(child, counts) for child in children)
    if count > YAML_VALUES:
        raise _at(node, f"this has more than {YAML_VALUES} values with its aliases expanded")
    counts[node] = count
    return count


def _at(node: yaml.Node, problem: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


class _Loader(yaml.SafeLoader):
    """YAML 1.2 loader, as in the server and its tools.

    In YAML 1.1, `on`, `yes` and `no` are booleans, `12:30` is a number and `2024-01-31` a date, so
    a flow would differ from what the server parses. Aliases and merge keys work.
    """

    yaml_implicit_resolvers = {}  # noqa: RUF012 - replaces the parent's

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Construct a mapping; reject duplicate keys and keys that are not text."""
        seen: set[str] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = key_node.value
            if key_node.tag != "tag:yaml.org,2002:str":
                raise _at(key_node, f"the key {key!r} is not text; put it in quotes")
            if key in seen:
                raise _at(key_node, f"duplicate key {key!r}")
            seen.add(key)
        return super().construct_mapping(node, deep)


def _integer(_loader: _Loader, node: yaml.ScalarNode) -> int:
    text = str(node.value)
    return int(text, 0) if text.startswith(("0x", "0o")) else int(text)


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ("~", "n", "N", "")),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?",
        "-+.0123456789",
    ),
    ("merge", "<<", "<"),
):
    _Loader.add_implicit_resolver(  # pyright: ignore[reportUnknownMemberType]
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first)
    )
_Loader.add_constructor("tag:yaml.org,2002:int", _integer)

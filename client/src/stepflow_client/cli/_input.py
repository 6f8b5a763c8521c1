"""Inputs of flows on a command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, cast

from stepflow_client.documents import parse, parse_json, read_file
from stepflow_client.errors import InvalidInput


def read_input(text: str | None, path: Path | None) -> Any:
    """Return the input of one run.

    Args:
        text: JSON; `-` for JSON on standard input.
        path: A JSON or YAML file; `-` for JSON on standard input.

    Raises:
        InvalidInput: It cannot be read, or both are set.
    """
    if text is not None and path is not None:
        raise InvalidInput("--input excludes --input-file; use one of them")
    if text == "-":
        path = Path(text)
    elif text is not None:
        return parse(text.encode("utf-8", "surrogateescape"), name="--input", is_json=True)
    if path is None:
        return {}
    is_json = str(path) == "-" or path.suffix.lower() == ".json"
    return parse(_content(path), name=f"input file {str(path)!r}", is_json=is_json)


def read_inputs(path: Path) -> list[Any]:
    """Return the inputs of a batch: one JSON value per line; empty lines are ignored.

    Args:
        path: The file; `-` for standard input.

    Raises:
        InvalidInput: It cannot be read, or a line is not JSON.
    """
    inputs: list[Any] = []
    for number, line in enumerate(_content(path).splitlines(), start=1):
        if line.strip():
            inputs.append(parse(line, name=f"line {number} of {str(path)!r}", is_json=True))
    return inputs


def read_variables(pairs: list[str]) -> dict[str, Any]:
    """Return variables from `NAME=VALUE`; a value that is valid JSON is parsed, others are text.

    Raises:
        InvalidInput: A pair has no name or no value.
    """
    variables: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise InvalidInput(f"--variable {pair!r} is not NAME=VALUE; write it that way")
        try:
            variables[name] = parse_json(value)
        except ValueError:
            variables[name] = value
    return variables


def read_overrides(text: str | None) -> dict[str, Any] | None:
    """Return overrides of steps from JSON.

    Raises:
        InvalidInput: It is not a JSON object.
    """
    if text is None:
        return None
    overrides = parse(text.encode("utf-8", "surrogateescape"), name="--overrides", is_json=True)
    if not isinstance(overrides, dict):
        raise InvalidInput(f"--overrides is {json.dumps(overrides)}; pass an object of step ids")
    return cast("dict[str, Any]", overrides)


def read_token(path: Path) -> str:
    """Return the token in a file, without the line break at its end.

    Args:
        path: The file; `-` for standard input.

    Raises:
        InvalidInput: The file cannot be read, or is not text of one line.
    """
    content = _content(path, "token file")
    lines = content.splitlines()
    if not content.strip() or len(lines) != 1 or not lines[0].isascii():
        # The content is probably a secret, so the message does not quote it.
        problem = "is not one line of ASCII text" if content.strip() else "is empty"
        raise InvalidInput(f"the token file {str(path)!r} {problem}; write only the token into it")
    return lines[0].decode()


def _content(path: Path, what: str = "input file") -> bytes:
    return sys.stdin.buffer.read() if str(path) == "-" else read_file(path, what)

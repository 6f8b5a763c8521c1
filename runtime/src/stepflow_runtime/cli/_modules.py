"""Modules with components that the command line names."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Iterable
from typing import Any

from stepflow_runtime.errors import InvalidInput


def load(names: Iterable[str]) -> list[Any]:
    """Import modules, also from the current working directory.

    Args:
        names: Modules, or functions as MODULE:FUNCTION.

    Returns:
        The modules and functions.

    Raises:
        InvalidInput: One cannot be imported.
    """
    sys.path.insert(0, os.getcwd())
    return [_load(name) for name in names]


def _load(name: str) -> Any:
    path, _, attribute = name.partition(":")
    if path.endswith(".py") or os.sep in path:
        module = path.removesuffix(".py").replace(os.sep, ".")
        raise InvalidInput(f"component {name!r} is a file; name its module: {module}")
    try:
        found: Any = importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{path}.".startswith(f"{error.name}."):
            raise InvalidInput(
                f"there is no module {error.name!r}; install it, or run the command in its folder"
            ) from None
        raise _failed(path, error) from None
    except Exception as error:
        raise _failed(path, error) from None
    for part in attribute.split(".") if attribute else ():
        try:
            found = getattr(found, part)
        except AttributeError:
            raise InvalidInput(f"module {path!r} has no {attribute!r}; check its name") from None
    return found


def _failed(module: str, error: Exception) -> InvalidInput:
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{last.filename}, line {last.lineno}"
    if isinstance(error, SyntaxError) and error.filename:
        place = f"{error.filename}, line {error.lineno}"
    problem = traceback.format_exception_only(error)[-1].strip()
    return InvalidInput(f"module {module!r} cannot be imported: {problem} ({place})")

"""Checks of arguments, for callers without a type checker."""

from __future__ import annotations

import os
from typing import Any, Final, cast

from stepflow_runtime.errors import InvalidInput

_WANTED: Final = {
    "env": "a dict of names and text",
    "log_config": "a LogConfig",
    "on_crash": "a function of an exit code and a list of lines",
    "restart_policy": "a RestartPolicy",
    "upgrade": "True or False",
}


def check_number(
    name: str, value: Any, least: int, most: int | None, kind: type[int] | type[float]
) -> None:
    """Reject what is not a number from `least` to `most` (None for no limit).

    `kind` is int, or float for seconds.

    Raises:
        InvalidInput: It cannot be used.
    """
    allowed = int if kind is int else (int, float)
    # The comparison also refuses NaN.
    valid = isinstance(value, allowed) and not isinstance(value, bool) and value >= least
    if not valid or (most is not None and value > most):
        unit = "a whole number" if kind is int else "seconds"
        bound = f"{least} to {most}" if most is not None else f"{least} or more"
        raise InvalidInput(f"{name} is {value!r}; pass {unit}, {bound}")


def check_path(name: str, value: Any, wanted: str = "a path") -> None:
    """Reject a value that is neither a path nor None; the message says to pass `wanted`.

    Raises:
        InvalidInput: The value cannot be used.
    """
    if value is None:
        return
    # A URL may contain a password.
    shown = repr(value) if wanted == "a path" else "not valid"
    is_path = isinstance(value, str | os.PathLike)
    path: Any = os.fspath(cast("str | os.PathLike[str]", value)) if is_path else ""
    if not path or not isinstance(path, str) or "\0" in path:
        raise InvalidInput(f"{name} is {shown}; pass {wanted}")
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        raise InvalidInput(
            f"{name} is {shown}, which is not valid Unicode; pass {wanted}"
        ) from None
    if wanted == "a path" and not os.path.isabs(path):
        try:
            os.getcwd()
        except OSError:
            raise InvalidInput(
                f"{name} is {value!r}, but the current working directory no longer exists; change"
                " to another, or use an absolute path"
            ) from None


def check_type(name: str, value: Any, kind: Any) -> None:
    """Reject a value of another type; the message does not quote it, since it may be a secret.

    Raises:
        InvalidInput: It cannot be used.
    """
    if not isinstance(value, kind):
        raise InvalidInput(f"{name} is of type {type(value).__name__}; pass {_WANTED[name]}")

"""httpx and httpx2: which of the two an object is from, and what differs between them.

httpx2 is the successor of httpx. Both have the same classes under the same names, so the other
modules ask the library of an object for its classes. A library that the program has not imported
is not imported here: it has no objects. Type checkers see both as `httpx_types` describes them.
"""

from __future__ import annotations

import sys
from types import ModuleType

_NAMES = ("httpx", "httpx2")

#: The packages whose objects make up a client or transport.
PACKAGES = (*_NAMES, "httpcore", "httpcore2")

#: What the `User-Agent` of a client begins with unless its user chose another.
DEFAULT_AGENTS = tuple(f"python-{name}/" for name in _NAMES)


def default_httpx_library() -> ModuleType:
    """Return the library of the clients that the SDK makes itself: the one it depends on."""
    import httpx

    return httpx


def httpx_library_of(value: object, *names: str) -> ModuleType | None:
    """Return the library that an object is from; None if it is from neither.

    Args:
        value: The object.
        names: The classes that it may be of.
    """
    for library in _imported():
        if isinstance(value, _classes(library, names)):
            return library
    return None


def library_errors() -> tuple[type[Exception], ...]:
    """Return the classes of all errors that a request through a library can raise."""
    names = ("HTTPError", "InvalidURL", "StreamError")
    return tuple(cls for library in _imported() for cls in _classes(library, names))


def described(value: object) -> str:
    """Return what an object is: `of type httpx2.Client` or `the class httpx2.Client`."""
    kind, cls = ("the class", value) if isinstance(value, type) else ("of type", type(value))
    module = "" if cls.__module__ == "builtins" else f"{cls.__module__}."
    return f"{kind} {module}{cls.__qualname__}"


def _imported() -> list[ModuleType]:
    return [sys.modules[name] for name in _NAMES if sys.modules.get(name) is not None]


def _classes(library: ModuleType, names: tuple[str, ...]) -> tuple[type, ...]:
    # Another thread may be importing the library, so that some are missing still.
    return tuple(getattr(library, name) for name in names if hasattr(library, name))

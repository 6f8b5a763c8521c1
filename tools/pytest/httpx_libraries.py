"""httpx and httpx2, for tests that want the same of both."""

from __future__ import annotations

from typing import Any

import httpx
import httpx2
import pytest

LIBRARIES: tuple[Any, ...] = (httpx, httpx2)

by_library = pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.__name__)


def client_class(library: Any, *, is_async: bool) -> Any:
    """Return the class of a library's clients."""
    return library.AsyncClient if is_async else library.Client

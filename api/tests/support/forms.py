"""The four forms of an endpoint behind one call, for tests that want the same of all."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import stepflow_api.api
from stepflow_api import Client


@dataclass(frozen=True)
class Form:
    """One of the functions that each endpoint module has.

    Attributes:
        name: The function's name.
        is_async: Whether it is a coroutine function.
        is_detailed: Whether it returns the whole response.
    """

    name: str
    is_async: bool
    is_detailed: bool

    async def __call__(
        self, endpoint: str, /, *arguments: Any, client: Client, **options: Any
    ) -> Any:
        """Calls this form of an endpoint such as `run.create_run`."""
        module = importlib.import_module(f"stepflow_api.api.{endpoint}")
        result = getattr(module, self.name)(*arguments, client=client, **options)
        return await result if self.is_async else result


SYNC = Form("sync", is_async=False, is_detailed=False)
SYNC_DETAILED = Form("sync_detailed", is_async=False, is_detailed=True)
ASYNCIO = Form("asyncio", is_async=True, is_detailed=False)
ASYNCIO_DETAILED = Form("asyncio_detailed", is_async=True, is_detailed=True)

FORMS = (SYNC, SYNC_DETAILED, ASYNCIO, ASYNCIO_DETAILED)
PLAIN = (SYNC, ASYNCIO)
DETAILED = (SYNC_DETAILED, ASYNCIO_DETAILED)


def endpoints() -> Iterator[str]:
    """Yield each endpoint of the package, hand-written ones as well, such as `run.create_run`."""
    for tag in pkgutil.iter_modules(stepflow_api.api.__path__):
        package = importlib.import_module(f"stepflow_api.api.{tag.name}")
        for module in pkgutil.iter_modules(package.__path__):
            if not module.name.startswith("_"):
                yield f"{tag.name}.{module.name}"

"""Typed models and endpoint functions for the HTTP API of a Stepflow server.

    from stepflow_api import Client
    from stepflow_api.api.run import create_run
    from stepflow_api.models import CreateRunRequest

Names are imported when they are first used, so importing this package costs next to nothing.
"""

from __future__ import annotations

# Type checkers know this name; importing it from typing would double what this import costs.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from stepflow_api.client import AuthenticatedClient, Client
    from stepflow_api.errors import StepflowError
    from stepflow_api.types import UNSET, Response, Unset

    __version__: str

__all__ = ["UNSET", "AuthenticatedClient", "Client", "Response", "StepflowError", "Unset"]

_MODULES = {
    "AuthenticatedClient": "client",
    "Client": "client",
    "Response": "types",
    "StepflowError": "errors",
    "UNSET": "types",
    "Unset": "types",
}

_SUBMODULES = (
    "api",
    "client",
    "errors",
    "graph",
    "lowlevel",
    "models",
    "spec",
    "support",
    "testing",
    "types",
)


def __getattr__(name: str) -> object:
    import importlib

    if name in _MODULES:
        value = getattr(importlib.import_module(f"stepflow_api.{_MODULES[name]}"), name)
    elif name in _SUBMODULES:
        value = importlib.import_module(f"stepflow_api.{name}")
    elif name == "__version__":
        value = importlib.import_module("stepflow_api._version").VERSION
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

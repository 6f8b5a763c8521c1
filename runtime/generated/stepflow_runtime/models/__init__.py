# Made by `tools/bazel run //runtime:update` from config.schema.json; edits are lost.
"""Models of `ServerConfig` and its parts.

Each is imported when it is first used, with those that it refers to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stepflow_runtime.models.backoff import Backoff
    from stepflow_runtime.models.blob_api import BlobApi
    from stepflow_runtime.models.builtin_plugin import BuiltinPlugin
    from stepflow_runtime.models.constant_backoff import ConstantBackoff
    from stepflow_runtime.models.etcd_lease_manager import EtcdLeaseManager
    from stepflow_runtime.models.exponential_backoff import ExponentialBackoff
    from stepflow_runtime.models.fibonacci_backoff import FibonacciBackoff
    from stepflow_runtime.models.filesystem_store import FilesystemStore
    from stepflow_runtime.models.grpc_plugin import GrpcPlugin
    from stepflow_runtime.models.health_check import HealthCheck
    from stepflow_runtime.models.in_memory_store import InMemoryStore
    from stepflow_runtime.models.input_condition import InputCondition
    from stepflow_runtime.models.lease_manager import LeaseManager
    from stepflow_runtime.models.mcp_plugin import McpPlugin
    from stepflow_runtime.models.mock_plugin import MockPlugin
    from stepflow_runtime.models.nats_plugin import NatsPlugin
    from stepflow_runtime.models.no_lease_manager import NoLeaseManager
    from stepflow_runtime.models.plugin import Plugin
    from stepflow_runtime.models.plugin_retry import PluginRetry
    from stepflow_runtime.models.postgres_store import PostgresStore
    from stepflow_runtime.models.recovery import Recovery
    from stepflow_runtime.models.retry import Retry
    from stepflow_runtime.models.route_rule import RouteRule
    from stepflow_runtime.models.server_config import ServerConfig
    from stepflow_runtime.models.sqlite_store import SqliteStore
    from stepflow_runtime.models.stepflow_plugin import StepflowPlugin
    from stepflow_runtime.models.storage import Storage
    from stepflow_runtime.models.store import Store
    from stepflow_runtime.models.stores import Stores

__all__ = [
    "Backoff",
    "BlobApi",
    "BuiltinPlugin",
    "ConstantBackoff",
    "EtcdLeaseManager",
    "ExponentialBackoff",
    "FibonacciBackoff",
    "FilesystemStore",
    "GrpcPlugin",
    "HealthCheck",
    "InMemoryStore",
    "InputCondition",
    "LeaseManager",
    "McpPlugin",
    "MockPlugin",
    "NatsPlugin",
    "NoLeaseManager",
    "Plugin",
    "PluginRetry",
    "PostgresStore",
    "Recovery",
    "Retry",
    "RouteRule",
    "ServerConfig",
    "SqliteStore",
    "StepflowPlugin",
    "Storage",
    "Store",
    "Stores",
]

_MODULES = {
    "Backoff": "backoff",
    "BlobApi": "blob_api",
    "BuiltinPlugin": "builtin_plugin",
    "ConstantBackoff": "constant_backoff",
    "EtcdLeaseManager": "etcd_lease_manager",
    "ExponentialBackoff": "exponential_backoff",
    "FibonacciBackoff": "fibonacci_backoff",
    "FilesystemStore": "filesystem_store",
    "GrpcPlugin": "grpc_plugin",
    "HealthCheck": "health_check",
    "InMemoryStore": "in_memory_store",
    "InputCondition": "input_condition",
    "LeaseManager": "lease_manager",
    "McpPlugin": "mcp_plugin",
    "MockPlugin": "mock_plugin",
    "NatsPlugin": "nats_plugin",
    "NoLeaseManager": "no_lease_manager",
    "Plugin": "plugin",
    "PluginRetry": "plugin_retry",
    "PostgresStore": "postgres_store",
    "Recovery": "recovery",
    "Retry": "retry",
    "RouteRule": "route_rule",
    "ServerConfig": "server_config",
    "SqliteStore": "sqlite_store",
    "StepflowPlugin": "stepflow_plugin",
    "Storage": "storage",
    "Store": "store",
    "Stores": "stores",
}


def __getattr__(name: str) -> object:
    import importlib

    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_MODULES[name]}")
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

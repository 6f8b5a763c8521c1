"""The schema of the config describes what each released server accepts and rejects.

No server prints the schema of its config, so it is written by hand. Here each key gets a value of a
wrong type: servers that have the key refuse it, and others ignore it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stepflow_runtime
from stepflow_runtime import StepflowRuntime, errors

SCHEMA: dict[str, Any] = json.loads(
    Path(stepflow_runtime.__file__).with_name("config.schema.json").read_bytes()
)
DEFINED: dict[str, dict[str, Any]] = {SCHEMA["title"]: SCHEMA, **SCHEMA["$defs"]}

VERSION = os.environ["STEPFLOW_SERVER_VERSION"]
NUMBER = tuple(int(part) for part in VERSION.split(".")[:2])

BUILTIN = {"builtin": {"type": "builtin"}}
ROUTES = {"/{*component}": [{"plugin": "builtin"}], "/": [{"plugin": "builtin"}]}
STORE = {"type": "inMemory"}


def plugin(name: str, **required: Any) -> Callable[[Any], Any]:
    """Return a function that puts options into a plugin's config."""
    return lambda options: {"plugins": {**BUILTIN, "x": {"type": name, **required, **options}}}


def rule(options: Any) -> Any:
    """Return a config with options of a route's rule."""
    return {"routes": {**ROUTES, "/": [{"plugin": "builtin", **options}]}}


def etcd(options: Any) -> Any:
    """Return a config with options of a lease manager."""
    return {"leaseManager": {"type": "etcd", "endpoints": ["http://127.0.0.1:1"], **options}}


def backoff(name: str) -> Callable[[Any], Any]:
    """Return a function that puts options into a backoff."""
    return lambda options: {"retry": {"backoff": {"type": name, **options}}}


def storage(name: str, **required: Any) -> Callable[[Any], Any]:
    """Return a function that puts options into the storage."""
    return lambda options: {"storageConfig": {"type": name, **required, **options}}


TOP: dict[str, dict[str, Any]] = SCHEMA["properties"]
HTTP = DEFINED["StepflowPlugin"]
STORED, LEASES, RETRY = TOP["storageConfig"], TOP["leaseManager"], TOP["retry"]

#: How a config holds each object of the schema, and what limits its place to some servers.
PLACES: dict[str, tuple[Callable[[Any], Any], list[dict[str, Any]]]] = {
    "ServerConfig": (lambda options: options, []),
    "BuiltinPlugin": (plugin("builtin"), []),
    "StepflowPlugin": (
        lambda o: plugin("stepflow", **({} if "url" in o else {"command": "/none"}))(o),
        [],
    ),
    "HealthCheck": (lambda o: plugin("stepflow", command="/none")({"healthCheck": o}), [HTTP]),
    "PluginRetry": (
        lambda o: plugin("stepflow", command="/none")({"retry": o}),
        [HTTP, HTTP["properties"]["retry"]],
    ),
    "GrpcPlugin": (plugin("grpc", queueName="q"), []),
    "NatsPlugin": (plugin("nats", url="nats://127.0.0.1:1"), []),
    "McpPlugin": (plugin("mcp", command="/none", args=[]), []),
    "MockPlugin": (plugin("mock", components={}), []),
    "RouteRule": (rule, []),
    "InputCondition": (lambda o: rule({"conditions": [{"path": "$.a", "value": 1, **o}]}), []),
    "Stores": (lambda o: {"storageConfig": {"metadata": STORE, **o}}, [STORED]),
    "InMemoryStore": (storage("inMemory"), [STORED]),
    "SqliteStore": (storage("sqlite", databaseUrl="sqlite::memory:"), [STORED]),
    "PostgresStore": (storage("postgres", databaseUrl="postgres://127.0.0.1:1"), [STORED]),
    "FilesystemStore": (
        lambda o: {"storageConfig": {"metadata": STORE, "blobs": {"type": "filesystem", **o}}},
        [STORED],
    ),
    "NoLeaseManager": (lambda o: {"leaseManager": {"type": "noOp", **o}}, [LEASES]),
    "EtcdLeaseManager": (etcd, [LEASES]),
    "Recovery": (lambda options: {"recovery": options}, [TOP["recovery"]]),
    "BlobApi": (lambda options: {"blobApi": options}, [TOP["blobApi"]]),
    "Retry": (lambda options: {"retry": options}, [RETRY]),
    "ConstantBackoff": (backoff("constant"), [RETRY]),
    "ExponentialBackoff": (backoff("exponential"), [RETRY]),
    "FibonacciBackoff": (backoff("fibonacci"), [RETRY]),
}


def number(version: str) -> tuple[int, ...]:
    """Return a version as numbers."""
    return tuple(int(part) for part in version.split("."))


def has(limits: dict[str, Any]) -> bool:
    """Whether this server has what the schema limits to some."""
    added, removed = limits.get("x-added", "0"), limits.get("x-removed", "99")
    return number(added) <= NUMBER < number(removed)


def is_refused(config: dict[str, Any]) -> bool:
    """Whether the server refuses a config, rather than fail with it for another reason."""
    try:
        # A worker that does not end is not waited for.
        StepflowRuntime.start(
            {"plugins": BUILTIN, "routes": ROUTES, **config}, shutdown_timeout=0.1
        ).stop()
    except errors.RuntimeFailure as error:
        return "Failed to load configuration" in str(error)
    return False


def exists(name: str) -> bool:
    """Whether a config of this server may hold an object."""
    return all(map(has, [*PLACES[name][1], DEFINED[name]]))


def types(schema: dict[str, Any]) -> list[str]:
    """Return the types that a schema names."""
    named = schema.get("type", "object")
    return [named] if isinstance(named, str) else named


#: Each key that has a type, with the name of its object.
KEYS = [
    (name, key)
    for name, schema in DEFINED.items()
    if "properties" in schema and exists(name)
    for key, part in schema["properties"].items()
    if key != "type" and part.keys() & {"type", "$ref", "anyOf"}
]


@pytest.mark.parametrize(("name", "key"), KEYS)
def test_servers_with_a_key_refuse_a_wrong_value(name: str, key: str) -> None:
    schema = DEFINED[name]["properties"][key]
    value = "x" if {"integer", "number"} & set(types(schema)) else 5
    assert is_refused(PLACES[name][0]({key: value})) == has(schema)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, (_, limits) in PLACES.items()
        if "type" in DEFINED[name]["properties"] and all(map(has, limits))
    ],
)
def test_servers_have_the_types_that_the_schema_names(name: str) -> None:
    assert is_refused(PLACES[name][0]({})) != has(DEFINED[name])


def values(name: str) -> list[Any]:
    """Return a value for each key of an object that this server has, in the schema's order."""
    samples = {
        "boolean": True,
        "integer": 1,
        "number": 1.0,
        "array": [],
        "string": "sqlite::memory:",
    }
    found: list[Any] = []
    for key, part in DEFINED[name]["properties"].items():
        if "const" in part:
            found.append(part["const"])
        elif key == "backoff":
            found.append({"type": "constant"})
        elif has(part):
            found.append(samples[types(part)[0]])
    return found


#: How a config holds the values of an object as a list, which servers take as well.
LISTS: dict[str, Callable[[Any], Any]] = {
    **{name: PLACES[name][0] for name in ("Recovery", "BlobApi", "Retry", "PluginRetry")},
    "HealthCheck": PLACES["HealthCheck"][0],
    "ConstantBackoff": lambda found: {"retry": {"backoff": found}},
    "ExponentialBackoff": lambda found: {"retry": {"backoff": found}},
    "FibonacciBackoff": lambda found: {"retry": {"backoff": found}},
    "EtcdLeaseManager": lambda found: {"leaseManager": found},
    "SqliteStore": lambda found: {"storageConfig": found},
}


@pytest.mark.parametrize("name", [name for name in LISTS if exists(name)])
def test_servers_have_no_other_keys(name: str) -> None:
    assert not is_refused(LISTS[name](values(name)))
    assert is_refused(LISTS[name]([*values(name), 1]))


def test_an_unknown_key_is_ignored() -> None:
    assert not is_refused({"x-note": 5, "recovery": {"x-note": 5}})

"""The service of a runtime's components."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from stepflow_runtime._binary import wheel_version
from stepflow_runtime._components.calls import Calls
from stepflow_runtime._components.functions import Component, find_components
from stepflow_runtime._components.json_rpc import JsonRpcWorker
from stepflow_runtime._components.pull import PullWorker
from stepflow_runtime._config import Config
from stepflow_runtime._ports import ReservedPort
from stepflow_runtime._server_version import binary_version, numbers_of
from stepflow_runtime._stamp import Fingerprint
from stepflow_runtime.errors import InvalidInput

if TYPE_CHECKING:
    from stepflow_runtime._clients import Clients
    from stepflow_runtime._process import Launch

PLUGIN: Final = "python"
"""The plugin's name, and the first part of the components' paths."""

_PREFIX: Final = f"/{PLUGIN}"
#: A task waits for a free thread, and its worker exists as long as the server.
_QUEUE_SECONDS: Final = 365 * 24 * 3600


class ComponentService:
    """Serves components to the server of a runtime.

    Raises:
        OSError: The system has no more ports, files or threads.
    """

    def __init__(self, components: Mapping[str, Component], version: tuple[int, ...]) -> None:
        self._calls = Calls(components)
        self._version = version
        self._reserved: ReservedPort | None = None
        self._worker: JsonRpcWorker | PullWorker
        if version < (0, 12):
            self._worker = JsonRpcWorker(self._calls, _PREFIX)
        else:
            # Later servers put the prefix before the path themselves.
            prefix = f"{_PREFIX}/" if version < (0, 13) else ""
            # No other server has this queue, in case one listens on the port.
            self._queue = f"{PLUGIN}-{secrets.token_hex(8)}"
            self._worker = PullWorker(self._calls, self._queue, prefix)

    @property
    def plugins_that_connect(self) -> Collection[str]:
        """The plugin, if the components connect to the server, rather than the server to them."""
        return {PLUGIN} if isinstance(self._worker, PullWorker) else ()

    @property
    def names(self) -> Collection[str]:
        """Names of the components."""
        return self._calls.components

    def add_to(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return a config with the plugin of the components and its route.

        Raises:
            InvalidInput: The config has a plugin or route of that name.
        """
        # Servers from 0.13 on route by prefixes.
        route = _PREFIX if self._version >= (0, 13) else f"{_PREFIX}/{{*component}}"
        added = {"plugins": (PLUGIN, self._plugin()), "routes": (route, [{"plugin": PLUGIN}])}
        document = dict(config)
        for key, (name, value) in added.items():
            existing: Any = document.get(key) or {}
            if not isinstance(existing, Mapping):
                # The server reports what is wrong with it.
                continue
            if name in existing:
                raise InvalidInput(
                    f"the config has {name!r} in its {key}, which is reserved for components;"
                    " rename it"
                )
            document[key] = {**existing, name: value}
        return document

    @property
    def expected_lines(self) -> Sequence[bytes]:
        """Warnings of a server that starts before the components connect to it."""
        name = PLUGIN.encode()
        return (
            b"Failed to refresh components for plugin '%s'" % name,
            b"Component discovery failed for 1 plugin(s): %s (" % name,
            # When it is asked for its components, until they are ready.
            b"Component discovery failed for plugin '%s'" % name,
        )

    def port(self, asked: int) -> int:
        """Return the port for the server: components that connect have to know it beforehand.

        Args:
            asked: The port that the caller asked for, 0 for any.

        Raises:
            OSError: There is no free port.
        """
        if asked == 0 and self.plugins_that_connect:
            self._reserved = ReservedPort()
            return self._reserved.number
        return asked

    def use_clients(self, clients: Callable[[], Clients]) -> None:
        """Set the clients for contexts of calls.

        Args:
            clients: Returns those of the server that calls the components.
        """
        self._calls.clients = clients

    def connect(self, address: str) -> None:
        """Serve a server: connect to it, or answer its requests."""
        self._worker.start(address)

    def disconnect(self) -> None:
        """Let a server exit: from 0.12 on none does while a worker is connected.

        Connections of an earlier one stay, since it would record calls in progress as failed.
        """
        if isinstance(self._worker, PullWorker):
            self._worker.disconnect()

    def close(self) -> None:
        """Stop serving. Does nothing the second time, and does not wait for calls."""
        self._worker.close()
        self._calls.close()
        if self._reserved is not None:
            self._reserved.release()

    def _plugin(self) -> dict[str, Any]:
        if isinstance(self._worker, PullWorker):
            return {"type": "grpc", "queueName": self._queue, "queueTimeoutSecs": _QUEUE_SECONDS}
        return {"type": "stepflow", "url": self._worker.url}


def serve(
    components: Iterable[Any],
    config: Config,
    launch: Launch,
    startup_timeout: float,
) -> tuple[Config, ComponentService]:
    """Serve components, and return the config with them, and their service.

    If the server's wheel does not name its version, `launch` says how to start it once for that,
    for up to `startup_timeout` seconds.

    Raises:
        InvalidInput: The components or the config cannot be used.
        RuntimeFailure: The server does not start.
        OSError: The system has no more ports, files or threads.
    """
    found = find_components(components)
    document = config.to_dict()
    version = wheel_version(launch.binary) or binary_version(
        launch, Fingerprint.of(launch.binary), startup_timeout
    )
    service = ComponentService(found, numbers_of(version))
    try:
        return Config(service.add_to(document)), service
    except BaseException:
        service.close()
        raise

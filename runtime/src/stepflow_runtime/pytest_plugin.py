"""Fixtures that start a Stepflow server for tests, and options that choose the server.

The server starts when a test first uses it, and is stopped after the session, however that ends.
With pytest-xdist, each worker has its own server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

# pytest imports this module in every session, so nothing else is imported before it is needed.
if TYPE_CHECKING:
    from stepflow_client import StepflowClient, SyncStepflowClient
    from stepflow_runtime import StepflowRuntime

_OPTIONS = {
    "binary": ("FILE", "the Stepflow server's binary; by default the installed one"),
    "config": ("FILE", "the Stepflow server's configuration; by default the builtin components"),
    "listen": ("WHERE", "the interfaces it listens on: all, the default, or loopback (Linux)"),
    "url": ("URL", "a Stepflow server that is running already, to be used in place of one's own"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, and settings of the same names."""
    group = parser.getgroup("stepflow", "Stepflow server")
    for name, (value, text) in _OPTIONS.items():
        group.addoption(f"--stepflow-{name}", metavar=value, help=text)
        parser.addini(f"stepflow_{name}", f"{text}; --stepflow-{name} wins")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(args: list[str]) -> None:
    """Reject a file after a space, before pytest imports anything from a wrong root."""
    # pytest chooses its root and settings file before it loads plugins, when it cannot know that a
    # file belongs to an option.
    for option in ("--stepflow-binary", "--stepflow-config"):
        if option in args:
            raise pytest.UsageError(
                f"{option} needs an equals sign: after a space, pytest takes the file for a test"
                f" path and can miss the project's settings. Write {option}=FILE"
            )


def pytest_configure(config: pytest.Config) -> None:
    """Reject options that contradict each other, before any test runs."""
    _chosen(config)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip the trio variant of an async test, which anyio adds if trio is installed."""
    call = getattr(item, "callspec", None)
    backend = call.params.get("anyio_backend") if call is not None else None
    if backend != "trio" and not (isinstance(backend, tuple) and backend[0] == "trio"):
        return
    fixtures = getattr(item, "fixturenames", ())
    # A test may run the synchronous client in a thread of trio.
    if "stepflow_client" in fixtures or (
        "stepflow_runtime" in fixtures and "stepflow_sync_client" not in fixtures
    ):
        pytest.skip("Stepflow's async clients need asyncio; this variant of the test runs on trio")


@pytest.fixture(scope="session")
def stepflow_config(pytestconfig: pytest.Config) -> Path | Mapping[str, Any] | None:
    """The configuration of the session's server; define this fixture to give another one.

    By default the file of --stepflow-config; None stands for the builtin components.
    """
    return _path(pytestconfig, "config")


@pytest.fixture(scope="session")
def stepflow_runtime(
    pytestconfig: pytest.Config, stepflow_config: Path | Mapping[str, Any] | None
) -> Iterator[StepflowRuntime]:
    """The session's Stepflow server: a running `StepflowRuntime`.

    With --stepflow-url it has what runs flows, `url`, `client` and `sync_client`, and no process.
    """
    from stepflow_runtime.errors import StepflowError

    try:
        runtime = _started(pytestconfig, stepflow_config)
    except StepflowError as error:
        # Its message says all; what it was raised from would be a page.
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    yield runtime
    runtime.stop()


@pytest.fixture(scope="session")
def stepflow_sync_client(stepflow_runtime: StepflowRuntime) -> SyncStepflowClient:
    """A client of the session's Stepflow server, for tests that do not await."""
    return stepflow_runtime.sync_client


@pytest.fixture
def stepflow_client(stepflow_runtime: StepflowRuntime) -> StepflowClient:
    """A client of the session's Stepflow server, for a test that awaits, in whatever event loop."""
    from stepflow_runtime._external import client_for_any_loop

    return client_for_any_loop(stepflow_runtime.url)


def _started(
    config: pytest.Config, server_config: Path | Mapping[str, Any] | None
) -> StepflowRuntime:
    if "url" in (chosen := _chosen(config)):
        from stepflow_runtime._external import ExternalServer

        return cast("StepflowRuntime", ExternalServer(chosen["url"][0]))
    from stepflow_runtime import StepflowRuntime

    listen: Any = chosen["listen"][0] if "listen" in chosen else "all"
    runtime = StepflowRuntime.start(server_config, binary=_path(config, "binary"), listen=listen)
    # In a notebook's event loop `start` does not wait, and this does.
    assert runtime.port
    return runtime


def _path(config: pytest.Config, name: str) -> Path | None:
    """Gives the file that an option names, wherever the tests have changed to meanwhile."""
    chosen = _chosen(config).get(name)
    return chosen and chosen[1] / chosen[0]


def _chosen(config: pytest.Config) -> dict[str, tuple[str, Path]]:
    """Gives the options that count, each with the folder that it is seen from.

    The command line wins: its URL over all settings, its files over a URL there.
    """
    given = {
        name: (str(value), config.invocation_params.dir)
        for name in _OPTIONS
        if (value := config.getoption(f"stepflow_{name}"))
    }
    settings = {
        name: (str(value), config.inipath.parent if config.inipath else config.rootpath)
        for name in _OPTIONS
        if (value := config.getini(f"stepflow_{name}"))
    }
    if "url" in given:
        settings = {}
    elif given:
        settings.pop("url", None)
    chosen = settings | given
    if "url" in chosen and len(chosen) > 1:
        raise pytest.UsageError(
            "a Stepflow server that is running already (--stepflow-url, stepflow_url) takes no"
            " binary, config or listen; leave them out, or the URL"
        )
    return chosen

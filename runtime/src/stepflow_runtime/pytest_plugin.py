"""Fixtures that start a Stepflow server for tests, and options that choose the server.

The server starts when a test first uses it, and is stopped after the session, or after each module
or test if `--stepflow-scope` says so, however that ends. With pytest-xdist, each worker has its own
server.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import pytest

# pytest imports this module in every session, so nothing else is imported before it is needed.
if TYPE_CHECKING:
    from stepflow_client import StepflowClient, SyncStepflowClient
    from stepflow_runtime import StepflowRuntime

_OPTIONS = {
    "binary": ("FILE", "the Stepflow server's binary; by default the installed one"),
    "config": ("FILE", "the Stepflow server's configuration; by default the builtin components"),
    "listen": ("WHERE", "the interfaces it listens on: all, the default, or loopback (Linux)"),
    "url": ("URL", "a running Stepflow server to use instead of starting one"),
    "scope": ("SCOPE", "how long a server lasts: session, the default, module, or function"),
    "startup-timeout": ("SECONDS", "maximum time to wait for the server; by default 30"),
    "data-dir": ("DIR", "folder that keeps flows and runs, with pytest-xdist one in it per worker"),
    "log-level": ("LEVEL", "lowest level of the server's log: error, warn, info, debug, trace"),
    "log-file": ("FILE", "file that the server's log is appended to"),
}

_Scope: TypeAlias = Literal["session", "module", "function"]
_SCOPES: tuple[_Scope, ...] = ("session", "module", "function")
_FILES = ("binary", "config", "data-dir", "log-file")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, and settings of the same names."""
    group = parser.getgroup("stepflow", "Stepflow server")
    for name, (value, text) in _OPTIONS.items():
        group.addoption(f"--stepflow-{name}", metavar=value, help=text)
        parser.addini(_setting(name), f"{text}; --stepflow-{name} wins")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(args: list[str]) -> None:
    """Reject a file after a space, before pytest imports anything from a wrong root."""
    # pytest chooses its root and settings file before it loads plugins, when it cannot know that a
    # file belongs to an option.
    for option in (f"--stepflow-{name}" for name in _FILES):
        if option in args:
            raise pytest.UsageError(
                f"{option} needs an equals sign: after a space, pytest takes the file for a test"
                f" path and can miss the project's settings. Write {option}=FILE"
            )


def pytest_configure(config: pytest.Config) -> None:
    """Reject options that contradict each other, before any test runs."""
    _scope("stepflow_runtime", config)
    _startup_timeout(config)
    _log_level(config)


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


def _scope(fixture_name: str, config: pytest.Config) -> _Scope:
    chosen = _value(config, "scope") or "session"
    for scope in _SCOPES:
        if scope == chosen:
            return scope
    raise pytest.UsageError(
        f"the scope of {fixture_name} is {chosen!r} (--stepflow-scope, stepflow_scope); use"
        f" {', '.join(_SCOPES)}"
    )


@pytest.fixture(scope=_scope)
def stepflow_config(pytestconfig: pytest.Config) -> Path | Mapping[str, Any] | None:
    """The server's configuration; define this fixture to use another one.

    By default the file of --stepflow-config; None for the builtin components.
    """
    return _path(pytestconfig, "config")


@pytest.fixture(scope=_scope)
def stepflow_components() -> Sequence[Any]:
    """Functions and modules that flows call as /python/NAME; define this fixture to have some."""
    return ()


@pytest.fixture(scope=_scope)
def stepflow_options() -> Mapping[str, Any]:
    """More arguments of `StepflowRuntime.start`, such as `env`; define this fixture to have some.

    They take precedence over the command line and the settings.
    """
    return {}


@pytest.fixture(scope=_scope)
def stepflow_runtime(
    pytestconfig: pytest.Config,
    stepflow_config: Path | Mapping[str, Any] | None,
    stepflow_components: Sequence[Any],
    stepflow_options: Mapping[str, Any],
) -> Iterator[StepflowRuntime]:
    """A Stepflow server: a running `StepflowRuntime`.

    With --stepflow-url it has what runs flows, `url`, `client` and `sync_client`, and no process.
    """
    from stepflow_runtime.errors import StepflowError

    try:
        runtime = _started(pytestconfig, stepflow_config, stepflow_components, stepflow_options)
    except StepflowError as error:
        # Its message says all; what it was raised from would be a page.
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    yield runtime
    runtime.stop()


@pytest.fixture(scope=_scope)
def stepflow_sync_client(stepflow_runtime: StepflowRuntime) -> SyncStepflowClient:
    """A client of the Stepflow server, for tests that do not await."""
    return stepflow_runtime.sync_client


@pytest.fixture
def stepflow_client(stepflow_runtime: StepflowRuntime) -> StepflowClient:
    """A client of the Stepflow server, for a test that awaits, in any event loop."""
    from stepflow_runtime._external import client_for_any_loop

    return client_for_any_loop([stepflow_runtime.url])


def _started(
    config: pytest.Config,
    server_config: Path | Mapping[str, Any] | None,
    components: Sequence[Any],
    options: Mapping[str, Any],
) -> StepflowRuntime:
    if "url" in (chosen := _chosen(config)):
        from stepflow_runtime._external import ExternalServer
        from stepflow_runtime.errors import InvalidInput

        if components:
            raise InvalidInput(
                "--stepflow-url (stepflow_url) names a running server, which cannot call the"
                " functions of the fixture stepflow_components; remove the URL"
            )
        return cast("StepflowRuntime", ExternalServer(chosen["url"][0]))
    from stepflow_runtime import LogConfig, StepflowRuntime

    data_dir = _path(config, "data-dir")
    if data_dir is not None and (worker := os.environ.get("PYTEST_XDIST_WORKER")):
        # Only one server can use a data_dir at a time.
        data_dir /= worker
    given: dict[str, Any] = {
        "binary": _path(config, "binary"),
        "listen": _value(config, "listen") or "all",
        "data_dir": data_dir,
        "components": components,
        "log_config": LogConfig(level=_log_level(config), file_path=_path(config, "log-file")),
    }
    if (seconds := _startup_timeout(config)) is not None:
        given["startup_timeout"] = seconds
    runtime = StepflowRuntime.start(server_config, **given | dict(options))
    # In a notebook's event loop `start` does not wait, and this does.
    assert runtime.port
    return runtime


def _startup_timeout(config: pytest.Config) -> float | None:
    text = _value(config, "startup-timeout")
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        raise pytest.UsageError(
            f"--stepflow-startup-timeout (stepflow_startup_timeout) is {text!r}; use seconds"
        ) from None


def _log_level(config: pytest.Config) -> Any:
    level = _value(config, "log-level") or "info"
    levels = ("error", "warn", "info", "debug", "trace")
    if level not in levels:
        raise pytest.UsageError(
            f"--stepflow-log-level (stepflow_log_level) is {level!r}; use {', '.join(levels)}"
        )
    return level


def _value(config: pytest.Config, name: str) -> str | None:
    chosen = _chosen(config).get(name)
    return chosen and chosen[0]


def _setting(name: str) -> str:
    return f"stepflow_{name.replace('-', '_')}"


def _path(config: pytest.Config, name: str) -> Path | None:
    """Return the file that an option names, independent of the current directory."""
    chosen = _chosen(config).get(name)
    return chosen and chosen[1] / chosen[0]


def _chosen(config: pytest.Config) -> dict[str, tuple[str, Path]]:
    """Return the effective options, each with the folder that its paths are relative to.

    The command line wins: its URL over all settings, its files over a URL there.
    """
    given = {
        name: (str(value), config.invocation_params.dir)
        for name in _OPTIONS
        if (value := config.getoption(_setting(name)))
    }
    settings = {
        name: (str(value), config.inipath.parent if config.inipath else config.rootpath)
        for name in _OPTIONS
        if (value := config.getini(_setting(name)))
    }
    own = _OPTIONS.keys() - {"url", "scope"}
    if "url" in given:
        settings = {name: value for name, value in settings.items() if name not in own}
    elif given.keys() & own:
        settings.pop("url", None)
    chosen = settings | given
    if "url" in chosen and chosen.keys() & own:
        raise pytest.UsageError(
            "--stepflow-url (stepflow_url) names a running server, which cannot be combined with"
            f" {', '.join(sorted(chosen.keys() & own))}; remove one"
        )
    return chosen

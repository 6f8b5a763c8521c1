"""The server's configuration."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from stepflow_api.support import Hidden
from stepflow_client.documents import parse, read_file
from stepflow_runtime._constants import ORCHESTRATOR_ID, SHELL
from stepflow_runtime._database import STORAGE_KEYS
from stepflow_runtime._recovery import complete_recovery, warn_of_periodic_check
from stepflow_runtime.errors import InvalidInput

if TYPE_CHECKING:
    from stepflow_runtime._data_dir import DataDir
    from stepflow_runtime._process import Launch
    from stepflow_runtime._secrets import Secrets
    from stepflow_runtime._workers import Workers
    from stepflow_runtime.models import ServerConfig

_BUILTIN: Final = [{"plugin": "builtin"}]
_PLUGINS: Final = {"builtin": {"type": "builtin"}}
# The server tries a builtin that fails again for seconds, to the same end.
_RETRY: Final = {"transportMaxRetries": 0}

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")

_COMPUTING: Final = [
    f"/{name}" for name in ("create_messages", "eval", "get_blob", "iterate", "map", "put_blob")
]

#: What a server gets without a config: the builtin components that only compute. `/load_file` reads
#: any file of this user and `/openai` spends this user's key, for anyone who reaches the port.
DEFAULT_CONFIG: Final[Mapping[str, Any]] = {
    "plugins": _PLUGINS,
    "routes": {
        **{path: [{"plugin": "builtin", "component": path}] for path in _COMPUTING},
        # A server from 0.13 on takes route keys as prefixes, and finds the components above by this
        # one; to those before, it is no component's route.
        "/": [{"plugin": "builtin", "componentAllow": _COMPUTING}],
    },
    "retry": _RETRY,
}

ALL_BUILTINS: Final[Mapping[str, Any]] = {
    "plugins": _PLUGINS,
    # A server from 0.13 on takes route keys as literal prefixes and needs the "/" route.
    "routes": {"/{*component}": _BUILTIN, "/": _BUILTIN},
    "retry": _RETRY,
}
"""A config with every builtin component, for `StepflowRuntime.start(ALL_BUILTINS)`."""

#: Variables that the server takes as options; inherited, they would undo what the caller asks for.
OPTION_VARIABLES: Final = frozenset(
    f"STEPFLOW_{name}"
    for name in (
        "CONFIG",
        "LOG_DESTINATION",
        "LOG_FILE",
        "LOG_FORMAT",
        "LOG_LEVEL",
        "METRICS_ENABLED",
        "ORCHESTRATOR_ID",
        "ORCHESTRATOR_URL",
        "OTHER_LOG_LEVEL",
        "OTLP_ENDPOINT",
        "PORT",
        "TRACE_ENABLED",
    )
)


@dataclass(frozen=True, slots=True)
class Config:
    """The server's config, read once.

    Attributes:
        document: Its content; empty if its file cannot be parsed.
        file: Its file, if it comes from one.
        content: Content of the file.
        error: Why the file cannot be parsed. The server reports it, if it reads the file itself.
    """

    document: Mapping[str, Any]
    file: str | None = None
    content: bytes = field(default=b"", repr=False)
    error: InvalidInput | None = None

    @property
    def name(self) -> str:
        """Its name in messages."""
        return "the config" if self.file is None else f"config {self.file!r}"

    def to_dict(self) -> dict[str, Any]:
        """Return a copy of the document.

        Raises:
            InvalidInput: Its file cannot be parsed.
        """
        if self.error is not None:
            raise self.error
        return dict(self.document)


def server_config(
    config: Config,
    data_dir: DataDir | None,
    environment: Hidden[Mapping[str, str]],
    *,
    capture: bool,
    secrets: Secrets,
) -> tuple[list[str], bytes | None, Workers | None]:
    """Return the server's options for its config, its standard input, and the config's workers.

    A config that is not passed on as a file goes over standard input: it may contain secrets, and
    must not appear in a file or a process list. `secrets` receives them.

    Raises:
        InvalidInput: The config cannot be used.
    """
    if config.file is not None and data_dir is None and not _has_commands(config.document):
        return ["--config", config.file], None, None
    document = config.to_dict()
    if data_dir is not None:
        for key in STORAGE_KEYS:
            if key in document:
                raise InvalidInput(
                    f"the config has a {key}, which data_dir cannot be combined with; remove one"
                )
            document[key] = {"type": "sqlite", "databaseUrl": data_dir.database_url}
        complete_recovery(document)
        warn_of_periodic_check(document)
    workers = None
    if _has_commands(document):
        # Imported here, since most programs have no workers.
        from stepflow_runtime._worker_config import wrap_workers

        workers = wrap_workers(document, environment, capture=capture, secrets=secrets)
    try:
        content = json.dumps(document, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        if workers is not None:
            workers.close()
        raise InvalidInput(f"the config is not JSON: {error}; use JSON values alone") from None
    secrets.add_config(document)
    return ["--config-stdin"], content, workers


def server_environment(
    env: Hidden[Mapping[str, str] | None], inherit_env: bool, *, lasts: bool
) -> Hidden[Mapping[str, str]]:
    """Return the server's environment; `lasts` says whether flows and runs outlive the server.

    Raises:
        InvalidInput: A variable cannot be set.
    """
    # Callers without a type checker may pass anything.
    given: Hidden[dict[Any, Any]] = Hidden(dict(env.value or {}))
    for number, name in enumerate(given.value, 1):
        # Neither is quoted, since the value may be a secret, and stand in the name's place.
        if not isinstance(name, str) or not name or "=" in name or "\0" in name:
            raise InvalidInput(
                f"env: the name of entry {number} is not text without = and NUL; pass a dict of"
                " names and text"
            )
        if not _is_text(name, given.value[name]):
            shown = f" {name}" if _is_shell_name(name) else ""
            raise InvalidInput(
                f"env: the value of entry {number}{shown} is not text without NUL; pass a dict of"
                " names and text"
            )
        # One that a copy of os.environ has is left out like any other inherited one.
        if not _is_shell_name(name) and os.environ.get(name) != given.value[name]:
            raise InvalidInput(
                f"env: the name of entry {number} is not one that {SHELL}, which starts the server,"
                " passes on; use letters, digits and _"
            )
    # To resume the runs of another server, it has to be the same orchestrator. A variable, since a
    # server before 0.10 rejects the option.
    identity = {"STEPFLOW_ORCHESTRATOR_ID": ORCHESTRATOR_ID} if lasts else {}
    own = {"RUST_BACKTRACE": "0", **identity}
    environment = Hidden({**(_inherited() if inherit_env else {}), **own, **given.value})
    environment.value.update(_no_proxy(environment.value))
    return Hidden({k: v for k, v in environment.value.items() if _is_shell_name(k)})


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in OPTION_VARIABLES}


def _is_text(name: str, value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value and _is_encodable(name + value)


def _no_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """Return variables that keep the server and its workers from using a proxy locally."""
    if not any(name.lower().endswith("_proxy") for name in environment):
        return {}
    variables: dict[str, str] = {}
    # The server prefers the first spelling; gRPC in a Python worker reads only the second.
    for name, other in (("NO_PROXY", "no_proxy"), ("no_proxy", "NO_PROXY")):
        listed = (environment.get(name) or environment.get(other) or "").strip()
        # An asterisk matches all hosts only if it is the whole value.
        variables[name] = listed if listed == "*" else ",".join(filter(None, (listed, *_LOOPBACK)))
    return variables


def _is_shell_name(name: str) -> bool:
    # A shell drops other names or keeps them, as it likes, and counts its options with OPTIND.
    return name.isascii() and name.isidentifier() and name != "OPTIND"


def _is_encodable(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def _has_commands(document: Mapping[str, Any]) -> bool:
    plugins: Any = document.get("plugins")
    if not isinstance(plugins, Mapping):
        return False
    values = cast(Mapping[str, Any], plugins).values()
    return any(isinstance(one, Mapping) and "command" in one for one in values)


def read_config(
    config: str | os.PathLike[str] | Mapping[str, Any] | ServerConfig | None,
    launch: Launch,
    startup_timeout: float,
) -> Config:
    """Read a config, and check its keys.

    If the server's version is needed and not known, `launch` says how to start a server for that;
    it has `startup_timeout` seconds.

    Raises:
        InvalidInput: It is not a config, or a key is misspelled.
        RuntimeFailure: The server does not start.
    """
    found = _read_config(config)
    # What this package's configs have is for servers of every version.
    given = {
        key: value
        for key, value in found.document.items()
        if all(key not in own or value != own[key] for own in (DEFAULT_CONFIG, ALL_BUILTINS))
    }
    if given:
        # Imported here, since most programs have no config of their own.
        from stepflow_runtime._config_check import check_keys

        check_keys(given, found.name, found.content, launch, startup_timeout)
    return found


def _read_config(given: Any) -> Config:
    # Callers without a type checker may pass anything.
    if given is None:
        return Config(DEFAULT_CONFIG)
    if isinstance(given, Mapping):
        return Config(cast(Mapping[str, Any], given))
    if isinstance(given, str | os.PathLike):
        return _read_file(Path(cast("str | os.PathLike[str]", given)))
    if callable(to_dict := getattr(given, "to_dict", None)) and isinstance(
        document := to_dict(), dict
    ):
        return Config(cast("dict[str, Any]", document))
    raise InvalidInput(
        f"config is of type {type(given).__name__}; pass a path, a dict, a ServerConfig, or nothing"
    )


def _read_file(path: Path) -> Config:
    try:
        content = read_file(path, "config")
    except InvalidInput as error:
        return Config({}, str(path), error=error)
    try:
        document: Any = parse(content, name=f"config {str(path)!r}", is_json=path.suffix == ".json")
        if not isinstance(document, dict):
            raise InvalidInput(
                f"config {str(path)!r} holds no object; see the server's documentation"
            )
    except InvalidInput as error:
        return Config({}, str(path), content, error)
    # As when the server reads the file: relative paths start at the file's folder.
    values = cast(dict[str, Any], document)
    return Config({"workingDirectory": str(path.absolute().parent), **values}, str(path), content)

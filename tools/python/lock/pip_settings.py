"""Where uv reaches packages: where the user's uv or pip does.

uv does not read pip's settings, and must not read all of its own: a `no-binary` in a uv.toml has
it build packages, and so run their code, even where its command line says `--only-binary=:all:`.
"""

from __future__ import annotations

import configparser
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# What pip calls a setting, and the variable in which uv takes it.  Indexes and folders beside the
# main index are left out: a lock is for everyone, so it holds what every mirror has.
_VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "trusted-host": "UV_INSECURE_HOST",
    "proxy": "ALL_PROXY",
}
# uv's older spellings, which win over pip's settings as well.
_OLDER = {"UV_DEFAULT_INDEX": "UV_INDEX_URL"}


def uv_environment() -> dict[str, str]:
    """Return the environment for uv: the process's, with what the user's settings say."""
    environment, home = dict(os.environ), Path.home()
    environment |= uv_variables(
        environment, config_files(environment, home), uv_config_files(environment, home)
    )
    environment.pop("UV_CONFIG_FILE", None)
    return environment | {"UV_NO_CONFIG": "1"}


def uv_config_files(environment: Mapping[str, str], home: Path) -> list[Path]:
    """Return uv's own configuration files, of which later ones win."""
    if named := environment.get("UV_CONFIG_FILE"):
        return [Path(named)]
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    return [Path("/etc/uv/uv.toml"), config / "uv/uv.toml"]


def config_files(environment: Mapping[str, str], home: Path) -> list[Path]:
    """Return pip's configuration files in pip's order, in which later ones win."""
    named = environment.get("PIP_CONFIG_FILE")
    if named == "/dev/null":
        return []
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    files = [
        Path("/etc/pip.conf"),
        home / ".pip/pip.conf",
        config / "pip/pip.conf",
    ]
    return [*files, Path(named)] if named else files


def uv_variables(
    environment: Mapping[str, str], files: Sequence[Path], uv_files: Sequence[Path] = ()
) -> dict[str, str]:
    """Return the environment variables that make uv reach packages as the user's uv or pip would.

    Args:
        environment: The user's environment; uv's own variables in it win.
        files: pip's configuration files.
        uv_files: uv's configuration files, which win over pip's settings.
    """
    settings: dict[str, str] = {}
    for file in files:
        settings |= _read(file)
    for name in _VARIABLES:
        value = environment.get("PIP_" + name.upper().replace("-", "_"))
        if value:
            settings[name] = value
    variables = {
        variable: settings[name] for name, variable in _VARIABLES.items() if name in settings
    }
    for file in uv_files:
        variables |= _read_uv(file)
    return {
        variable: value
        for variable, value in variables.items()
        if variable not in environment and _OLDER.get(variable) not in environment
    }


def _read(file: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read(file, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return {}
    # pip takes [global] first, then what stands under the command's own name.
    return {
        name: " ".join(value.split())
        for section in ("global", "install")
        if parser.has_section(section)
        for name, value in parser.items(section)
    }


def _read_uv(file: Path) -> dict[str, str]:
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}
    settings |= settings.get("pip", {})
    found = {
        "UV_DEFAULT_INDEX": _default_index(settings),
        "UV_INSECURE_HOST": " ".join(settings.get("allow-insecure-host", [])),
        "UV_KEYRING_PROVIDER": settings.get("keyring-provider"),
    }
    return {variable: value for variable, value in found.items() if value}


def _default_index(settings: Mapping[str, Any]) -> str | None:
    for index in settings.get("index", []):
        if index.get("default"):
            # Variables with the index's user and password have its name in theirs.
            return f"{index['name']}={index['url']}" if "name" in index else index["url"]
    return settings.get("index-url")

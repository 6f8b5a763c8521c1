"""Hands the user's pip settings on to uv, which does not read them itself."""

from __future__ import annotations

import configparser
from collections.abc import Mapping, Sequence
from pathlib import Path

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


def config_files(environment: Mapping[str, str], home: Path) -> list[Path]:
    """Returns pip's configuration files in pip's order, in which later ones win."""
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


def uv_variables(environment: Mapping[str, str], files: Sequence[Path]) -> dict[str, str]:
    """Returns the environment variables that make uv reach packages as pip would.

    Args:
        environment: The user's environment; uv's own variables in it win.
        files: pip's configuration files.
    """
    settings: dict[str, str] = {}
    for file in files:
        settings |= _read(file)
    for name in _VARIABLES:
        value = environment.get("PIP_" + name.upper().replace("-", "_"))
        if value:
            settings[name] = value
    return {
        variable: settings[name]
        for name, variable in _VARIABLES.items()
        if name in settings
        and variable not in environment
        and _OLDER.get(variable) not in environment
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

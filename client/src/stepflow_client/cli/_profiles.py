"""Profiles: connections to servers, in a TOML file."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import typer

from stepflow_api.errors import one_line
from stepflow_client.documents import read_file
from stepflow_client.errors import InvalidInput

#: Environment variable with the path of the file.
FILE_VARIABLE = "STEPFLOW_CONFIG"

_FILES = ("token_file", "ca", "client_cert", "client_key")


@dataclass(frozen=True, slots=True)
class Profile:
    """Settings for connecting to a server; None if the file has none.

    Attributes:
        url: URL of the server.
        token_file: File with the bearer token.
        ca: File or folder with certificates of authorities.
        client_cert: File with the client's certificate.
        client_key: File with its private key.
        insecure: Whether certificates are not verified.
    """

    url: str | None = None
    token_file: Path | None = None
    ca: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    insecure: bool | None = None


def profile_file() -> Path:
    """Return the path of the file: `$STEPFLOW_CONFIG`, or config.toml in the user's settings."""
    chosen = os.environ.get(FILE_VARIABLE)
    return Path(chosen) if chosen else Path(typer.get_app_dir("stepflow"), "config.toml")


def read_profile(name: str | None) -> Profile:
    """Return a profile.

    Args:
        name: Name of the profile; None for the one that the file calls the default, if any.

    Raises:
        InvalidInput: There is no such profile, or the file cannot be read or is invalid.
    """
    path = profile_file()
    if name is None and not (os.environ.get(FILE_VARIABLE) or path.is_file()):
        return Profile()
    shown = f"the profile file {str(path)!r}"
    content = read_file(path, "profile file")
    try:
        document = tomllib.loads(content.decode("utf-8-sig"))
    except ValueError as error:
        raise InvalidInput(f"{shown} is not TOML: {one_line(str(error))}; correct it") from None
    profiles = document.get("profiles", {})
    if unknown := document.keys() - {"default", "profiles"}:
        raise InvalidInput(
            f"{shown} has {min(unknown)!r}; write `default` and [profiles.NAME] only"
        )
    if not isinstance(profiles, dict):
        raise InvalidInput(f"{shown}: profiles is not a table; write [profiles.NAME]")
    chosen = name if name is not None else document.get("default")
    if chosen is None:
        return Profile()
    known = cast("dict[str, Any]", profiles)
    # A list, since the default may be anything that TOML has, such as an array.
    if chosen not in [*known]:
        names = ", ".join(sorted(known)) or "no profile"
        raise InvalidInput(f"{shown} has no profile {chosen!r}; it has {names}")
    return _profile(known[chosen], f"{shown}, profile {chosen!r}", path.parent)


def _profile(fields: Any, shown: str, folder: Path) -> Profile:
    if not isinstance(fields, dict):
        raise InvalidInput(f"{shown} is not a table; write [profiles.NAME]")
    values: dict[str, Any] = {**cast("dict[str, Any]", fields)}
    for key, value in values.items():
        if key not in Profile.__annotations__:
            known = ", ".join(Profile.__annotations__)
            raise InvalidInput(f"{shown} has the unknown key {key!r}; it may have {known}")
        kind = bool if key == "insecure" else str
        if not isinstance(value, kind):
            wanted = "true or false" if kind is bool else "text"
            raise InvalidInput(f"{shown}: {key} is {one_line(repr(value))}; write {wanted}")
        if key in _FILES:
            # Relative to the file, wherever the command is run.
            values[key] = folder / os.path.expanduser(str(value))
    return Profile(**values)

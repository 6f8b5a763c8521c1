"""Reads what is asked for, and what was locked: a requirements file and its lock."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH = re.compile(r"--hash=\S+")
_VIA_FILE = "-r "


class FileError(Exception):
    """A line of one of the files cannot be read."""


@dataclass
class Pin:
    """One locked package."""

    name: str
    version: Version
    extras: set[str]
    hashes: list[str]
    asked_by_file: bool = False
    """Whether the lock says that the requirements file itself asks for the package."""
    asked_by: set[str] = field(default_factory=set)
    """The packages that ask for it, as the lock says."""


def read_requirements(text: str) -> list[Requirement]:
    """Return what a requirements file asks for.

    Raises:
        FileError: a line is neither a requirement nor a comment.
    """
    requirements: list[Requirement] = []
    for number, whole_line in enumerate(text.splitlines(), start=1):
        line = _COMMENT.sub("", whole_line).strip()
        if not line:
            continue
        try:
            requirements.append(Requirement(line))
        except InvalidRequirement:
            raise FileError(f"line {number} is not a requirement: {line}") from None
    return requirements


def read_lock(text: str) -> dict[str, Pin]:
    """Return the pins of a lock that `uv pip compile --generate-hashes` wrote, by canonical name.

    Raises:
        FileError: a line is not an exact pin, or a package is pinned twice.
    """
    pins: dict[str, Pin] = {}
    pin: Pin | None = None
    for number, whole_line in enumerate(text.splitlines(), start=1):
        line = whole_line.strip().removesuffix("\\").strip()
        if not line:
            continue
        if line.startswith("--hash="):
            if pin is None:
                raise FileError(f"line {number} has a hash of no package")
            pin.hashes.append(line)
        elif line.startswith("#"):
            if pin is not None:
                _read_via(pin, line.removeprefix("#").strip())
        else:
            pin = _read_pin(number, line)
            if pin.name in pins:
                raise FileError(f"line {number} pins {pin.name} a second time")
            pins[pin.name] = pin
    return pins


def _read_pin(number: int, line: str) -> Pin:
    hashes = _HASH.findall(line)
    line = _COMMENT.sub("", _HASH.sub("", line)).strip()
    try:
        requirement = Requirement(line)
        [specifier] = requirement.specifier
        if specifier.operator != "==":
            raise ValueError
        version = Version(specifier.version)
    except (InvalidRequirement, InvalidVersion, ValueError):
        raise FileError(f"line {number} is not an exact pin: {line}") from None
    return Pin(canonicalize_name(requirement.name), version, requirement.extras, hashes)


def _read_via(pin: Pin, comment: str) -> None:
    # Either "via NAME" on one line, or "via" followed by a line for each name.
    source = comment.removeprefix("via").strip() if comment.partition(" ")[0] == "via" else comment
    if source.startswith(_VIA_FILE):
        pin.asked_by_file = True
    elif source:
        pin.asked_by.add(canonicalize_name(Requirement(source).name))

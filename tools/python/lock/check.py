"""Checks that a lock satisfies its requirements, without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.python.lock.lock_file import FileError, Pin, read_lock, read_requirements

Environment = Mapping[str, str]


def problems(requirements: str, lock: str, environment: Environment) -> list[str]:
    """Compare a lock with the requirements that it was made from.

    Args:
        requirements: The text of the requirements file.
        lock: The text of the lock.
        environment: The values of the environment markers that the lock is for.

    Returns:
        One line for each difference, which begins with the package; none when the lock answers.
    """
    try:
        asked = read_requirements(requirements)
    except FileError as error:
        return [f"requirements.in: {error}"]
    try:
        pins = read_lock(lock)
    except FileError as error:
        return [f"requirements_lock.txt: {error}"]

    asked = [one for one in asked if one.marker is None or one.marker.evaluate(environment)]
    found = [problem for one in asked for problem in _unanswered(one, pins)]
    found += _extras_too_many(asked, pins)
    found += _unneeded(asked, pins)
    found += [f"{name}: locked without a hash" for name, pin in pins.items() if not pin.hashes]
    return sorted(found)


def _unanswered(asked: Requirement, pins: Mapping[str, Pin]) -> list[str]:
    name = canonicalize_name(asked.name)
    pin = pins.get(name)
    if pin is None:
        return [f"{name}: in requirements.in, but not in the lock"]
    found: list[str] = []
    if not asked.specifier.contains(pin.version, prereleases=True):
        found.append(
            f"{name}: requirements.in asks for {asked.specifier}, the lock has {pin.version}"
        )
    missing = sorted(asked.extras - pin.extras)
    if missing:
        found.append(
            f"{name}: requirements.in asks for the extra {', '.join(missing)}, the lock has it not"
        )
    return found


def _extras_too_many(asked: Sequence[Requirement], pins: Mapping[str, Pin]) -> list[str]:
    wanted: dict[str, set[str]] = {}
    for one in asked:
        wanted.setdefault(canonicalize_name(one.name), set()).update(one.extras)
    # A package that others ask for as well may have its extras from them.
    return [
        f"{name}: the lock has the extra {', '.join(sorted(extras))}, requirements.in asks for none"
        for name, pin in pins.items()
        if name in wanted and not pin.asked_by and (extras := pin.extras - wanted[name])
    ]


def _unneeded(asked: Sequence[Requirement], pins: Mapping[str, Pin]) -> list[str]:
    needed: set[str] = {canonicalize_name(one.name) for one in asked}
    left = set(pins) - needed
    while reached := {name for name in left if pins[name].asked_by & needed}:
        needed |= reached
        left -= reached
    return [
        f"{name}: in the lock, but no longer in requirements.in"
        if pins[name].asked_by_file
        else f"{name}: in the lock, but nothing asks for it"
        for name in left
    ]

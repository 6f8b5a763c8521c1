"""Which dialect a server speaks, by what it says of its version."""

from __future__ import annotations

import re

from stepflow_api._exchange.dialects.base import (
    Dialect,
    Translation,
    document,
    is_object,
    lacking,
    with_document,
)
from stepflow_api._exchange.effects import Steps
from stepflow_api._messages import Answer, Request
from stepflow_api.errors import InvalidRequest, UnsupportedByServer

OLDEST = (0, 9)
NEWEST = (0, 13)

#: Version by the commit of its build; servers from 0.12 on name no version.
_BUILDS = {"37c721f": "0.12.0", "dd82fa7": "0.13.0"}

_VERSION = re.compile(r"v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?![\d.])")


def health_check(_version: str, request: Request) -> Steps[Answer]:
    """Request the health of a server of any version: the response shows which."""
    answer: Answer = yield request
    if answer.status_code != 200 or b'"build"' not in answer.content:
        return answer
    reported = parse_version(answer.content)
    if reported is None:
        return answer
    body = document(answer.content)
    del body["build"]
    return with_document(answer, {"version": reported, **body})


#: What holds on every server: the others of a line are added to it.
_ON_ALL: dict[str, Translation] = {"healthCheck": health_check}

#: Of servers before 0.12.
_WITHOUT_EVENTS = _ON_ALL | {"getRunEvents": lacking("reading a run's events", "0.12.0")}

#: The dialect of a server that does not say which one it speaks: that of the stored spec.
UNKNOWN = Dialect("an unknown version", _ON_ALL)


def dialect_of(version: str) -> Dialect:
    """Return the dialect of a version.

    Args:
        version: Such as `0.13.0`.

    Raises:
        InvalidRequest: It is not a version.
        UnsupportedByServer: It is too old.
    """
    found = _VERSION.match(version) if isinstance(version, str) else None
    if found is None:
        raise InvalidRequest(
            f"server_version is {version!r}; pass the server's version, such as '0.13.0'"
        )
    return _dialect(version, (int(found[1]), int(found[2]), int(found[3] or 0)))


def reported_dialect(health: Answer) -> Dialect | None:
    """Return the dialect of the server that sent a response to GET /health; None if it shows none.

    Raises:
        UnsupportedByServer: The server is too old.
    """
    version = parse_version(health.content) if health.status_code == 200 else None
    if version is None:
        return None
    if not _VERSION.match(version):
        from stepflow_api._exchange.dialects.transcoded import TRANSLATIONS

        return Dialect(version, _ON_ALL | TRANSLATIONS, is_newer=True)
    return dialect_of(version)


def is_known_version(version: str) -> bool:
    """Return whether a version is one of the lines of releases that this package is tested with.

    Args:
        version: Such as `0.13.0`.
    """
    found = _VERSION.match(version)
    return found is not None and OLDEST <= (int(found[1]), int(found[2])) <= NEWEST


def parse_version(content: bytes) -> str | None:
    """Return the server's version in the body of its response to GET /health; None if it has none.

    Args:
        content: The response body.
    """
    try:
        body = document(content)
    except ValueError:
        return None
    if not is_object(body) or "status" not in body:
        return None
    version, build = body.get("version"), body.get("build")
    if isinstance(version, str) and _VERSION.match(version):
        return version
    if is_object(build) and isinstance(build.get("gitVersion"), str):
        commit: str = build["gitVersion"]
        return _BUILDS.get(commit[:7], f"build {commit}")
    return None


def _dialect(text: str, version: tuple[int, int, int]) -> Dialect:
    if version < OLDEST:
        raise UnsupportedByServer("this package", server_version=text, since="0.9.0")
    if version < (0, 11, 1):
        from stepflow_api._exchange.dialects import older

        return Dialect(text, _WITHOUT_EVENTS | older.translations(version[1]))
    if version < (0, 12):
        return Dialect(text, _WITHOUT_EVENTS)
    from stepflow_api._exchange.dialects.transcoded import TRANSLATIONS

    return Dialect(text, _ON_ALL | TRANSLATIONS, is_newer=version[:2] > NEWEST)

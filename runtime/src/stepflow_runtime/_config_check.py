"""Keys of a config that the server would ignore without a word."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast

from stepflow_runtime._binary import wheel_version
from stepflow_runtime._process import Launch
from stepflow_runtime.errors import InvalidInput

_log = logging.getLogger("stepflow_runtime")

_SCHEMA: Final = Path(__file__).with_name("config.schema.json")

#: Keys that begin so are notes, or settings put aside; `$schema` is for editors.
_NOTES: Final = ("_", "#", "$", ".", "/", "<<", "x-")

#: From this similarity on, an unknown key is a misspelled one. `notes` and `routes` have 0.73.
_MISSPELLED: Final = 0.75
_SIMILAR: Final = 0.6

Schema = Mapping[str, Any]


class Key:
    """A key of a config that servers, or some of them, do not have.

    No NamedTuple, which takes longer to define than a config to check.

    Attributes:
        path: Keys and indexes that lead to the object, and the key.
        schema: Its schema; None if no server has it.
        near: The known key that is probably meant; empty if there is none.
        is_mistake: Whether it is a misspelled key.
    """

    def __init__(
        self,
        path: tuple[str | int, ...],
        schema: Schema | None,
        near: str = "",
        *,
        is_mistake: bool = False,
    ) -> None:
        self.path = path
        self.schema = schema
        self.near = near
        self.is_mistake = is_mistake

    def __str__(self) -> str:
        text = ""
        for part in self.path:
            if isinstance(part, str) and part.isidentifier():
                text += f".{part}"
            else:
                text += f"[{json.dumps(part, ensure_ascii=False)}]"
        return text.removeprefix(".")


def check_keys(
    config: Mapping[str, Any], name: str, content: bytes, launch: Launch, startup_timeout: float
) -> None:
    """Reject misspelled keys, and log a warning for others that the server ignores.

    Only misspelled keys need the server's version. If its wheel does not name it, `launch` says how
    to start the server once, for up to `startup_timeout` seconds.

    Raises:
        InvalidInput: A key is misspelled.
        RuntimeFailure: The server does not start.
    """
    schema: Schema = json.loads(_SCHEMA.read_bytes())
    found = list(_ignored(schema, schema, config, ()))
    if not found:
        return
    mistakes = [key for key in found if key.is_mistake]
    version = wheel_version(launch.binary)
    if mistakes and version is None:
        # Imported here to keep starts fast.
        from stepflow_runtime._server_version import binary_version
        from stepflow_runtime._stamp import Fingerprint

        version = binary_version(launch, Fingerprint.of(launch.binary), startup_timeout)
    if mistakes and version and _is_known(version):
        key = mistakes[0]
        raise InvalidInput(
            f"{name} has the unknown key {key}{_line(content, key)}, which the server"
            f" would ignore; did you mean {key.near}?"
        )
    for key in found:
        if reason := _reason(key, version):
            _log.warning("%s: %s%s %s", name, key, _line(content, key), reason)


def _ignored(
    root: Schema, schema: Schema, value: Any, path: tuple[str | int, ...]
) -> Iterator[Key]:
    """Yield keys that are unknown, and those that not every server has."""
    if not schema:
        # It allows anything, however deep.
        return
    if "x-added" in schema or "x-removed" in schema:
        yield Key(path, schema)
    schema = _resolved(root, schema, value)
    if "x-added" in schema or "x-removed" in schema:
        yield Key((*path, "type"), schema)
    if isinstance(value, list | tuple):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _ignored(root, schema.get("items", {}), item, (*path, index))
    if not isinstance(value, Mapping):
        return
    entries = cast("dict[Any, Any]", value)
    known: Schema = schema.get("properties", {})
    others = schema.get("additionalProperties", {})
    for key, inner in entries.items():
        if key in known:
            # With the key that other servers have for it, a config is for all of them.
            if known[key].get("x-instead") not in entries:
                yield from _ignored(root, known[key], inner, (*path, key))
        elif isinstance(others, Mapping) and others:
            yield from _ignored(root, cast(Schema, others), inner, (*path, key))
        elif known and isinstance(key, str) and not key.startswith(_NOTES):
            # A known key that is there as well is not meant.
            near, similarity = _nearest(key, known.keys() - entries.keys())
            is_mistake = similarity >= _MISSPELLED
            if is_mistake or others is not True:
                yield Key((*path, key), None, near, is_mistake=is_mistake)


def _resolved(root: Schema, schema: Schema, value: Any) -> Schema:
    """Follow references, and choose the member of a union that a value is of; `{}` if none."""
    while True:
        if "$ref" in schema:
            schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
        elif "anyOf" in schema:
            members: list[Schema] = [_resolved(root, one, value) for one in schema["anyOf"]]
            empty: Schema = {}
            schema = next((one for one in members if _fits(one, value)), empty)
        else:
            return schema


def _fits(schema: Schema, value: Any) -> bool:
    if not isinstance(value, Mapping) or "properties" not in schema:
        return False
    entries = cast("dict[Any, Any]", value)
    # Members of a union differ in their types; one alone has none.
    constant: Any = schema["properties"].get("type", {}).get("const")
    return bool(constant == entries.get("type"))


def _nearest(key: str, known: Iterable[str]) -> tuple[str, float]:
    """Return the known key that is most similar, if any is, and how similar it is."""
    # Imported here, since most configs have no unknown key.
    import difflib

    def similarity(other: str) -> float:
        return difflib.SequenceMatcher(None, key.lower(), other.lower()).ratio()

    ratio, near = max(((similarity(one), one) for one in known), default=(0.0, ""))
    return (near, ratio) if ratio >= _SIMILAR else ("", ratio)


def _reason(key: Key, version: str | None) -> str:
    """Return what is wrong with a key; empty if nothing is, or the server's version is unknown."""
    if key.schema is None:
        near = f"did you mean {key.near}?" if key.near else "let it begin with x- if it is a note"
        return f"is an unknown key, which the server ignores; {near}"
    if version is None:
        return ""
    added, removed = key.schema.get("x-added"), key.schema.get("x-removed")
    number = _number(version)
    if added and number < _number(added):
        reason = f"is not for server {version}, but for servers from {added} on"
    elif removed and number >= _number(removed):
        reason = f"is not for server {version}, but for servers before {removed}"
    else:
        return ""
    instead = key.schema.get("x-instead")
    return f"{reason}; use {instead}" if instead else reason


def _is_known(version: str) -> bool:
    # A server that is newer than the schema may have more keys. Imported here to keep starts fast.
    from stepflow_api.support import is_known_version

    return is_known_version(version)


def _number(version: str) -> tuple[int, ...]:
    # A version without numbers is of a development build.
    numbers = [int(part) for part in version.split(".")[:2] if part.isdecimal()]
    return tuple(numbers) or (99,)


def _line(content: bytes, key: Key) -> str:
    """Return the place of a key in its file; empty if it is not clear."""
    text, end = content.decode(errors="replace"), 0
    for part in key.path:
        if isinstance(part, str):
            # In YAML or JSON, after the keys that lead to it.
            place = re.compile(rf"""(?<![\w-])["']?{re.escape(part)}["']?\s*:""").search(text, end)
            if place is None:
                return ""
            end = place.end()
    return f" (line {text.count(chr(10), 0, end) + 1})" if content else ""

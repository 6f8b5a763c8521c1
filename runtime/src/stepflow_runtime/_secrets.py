"""Secrets of a config and an environment, which must not appear in a log."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast
from urllib.parse import unquote

from stepflow_api.support import Hidden

#: Stands for what has been removed.
PLACEHOLDER: Final = "***"

#: Shorter values are not looked for, since they are also parts of harmless text.
_SHORTEST_SECRET: Final = 4
#: The same for values of variables whose names do not sound like a secret's.
_SHORTEST_VALUE: Final = 6
#: Shorter ones are only removed where they are not a part of a longer word.
_SHORTEST_PART: Final = 8
#: What is dropped at least from the end of a line that was cut, since it may be a part of a secret.
_CUT_TAIL: Final = 1024
#: A character may be printed with this many, if text is quoted within quoted text.
_BACKSLASHES: Final = 8

_SECRET_WORDS: Final = frozenset(
    (
        *("apikey", "auth", "authorization", "cookie", "credential", "credentials", "dsn", "key"),
        *("pass", "passcode", "passphrase", "passwd", "password", "pat", "pw", "pwd", "sas"),
        *("secret", "secrets", "signature", "token"),
    )
)
_SECRET_ENDINGS: Final = ("apikey", "passwd", "password", "secret", "token")
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_NO_SECRETS: Final = frozenset(("false", "none", "null", "true"))
# Of a variable such as LOG_LEVEL or PORT.
_PLAIN_VALUE: Final = re.compile(r"[A-Za-z]+|[\d.]{1,11}")
# Variables in a config, as the server reads them: `$NAME`, `${NAME}` and `${NAME:default}`.
_VARIABLE: Final = re.compile(r"\\(.)|\$(?:\{([^}:]*)(?::([^}]*))?\}|(\w+))", re.DOTALL)
_URL_PASSWORD: Final = re.compile(r"://[^/?#\s:@]*:(.+)@", re.DOTALL)
_ASSIGNMENT: Final = re.compile(r"([\w.-]+)=(.+)", re.DOTALL)

#: A log line that a pattern below could match has one of these; searches for one byte are fast.
_MARKERS: Final = (b"\\", b"@", b"?")
_QUOTED_VALUE: Final = r'(?:[^"\\]++|\\.)*+(?="|\\?$)'
_ASSIGNED: Final = re.compile('(?<==")' + _QUOTED_VALUE, re.DOTALL)
#: Each with text that is there wherever it matches.
_PATTERNS: Final = (
    # Servers up to 0.11 print the command of each worker, with its variables.
    ("env -i ", _ASSIGNED),
    ("Command {", _ASSIGNED),
    # The same within quoted text that is incomplete.
    ("env -i ", re.compile(r'(?<=env -i )[^"\\]{0,200}=\\+".*', re.DOTALL)),
    # A value with a variable that is not set, up to the end of this part of the message.
    ("nvironment variable: ", re.compile(r"(?<=nvironment variable: )[^\x1b\n]+")),
    # A value of the config that has the wrong type.
    ("invalid type: ", re.compile(r"(?<=(?:integer|g point) `)[^`]+")),
    (': string "', re.compile('(?<=: string ")' + _QUOTED_VALUE, re.DOTALL)),
    # User and password in a URL.
    ("@", re.compile(r"(?<=://)[^\s/?#\"'<>]+(?=@)")),
)
_QUERY: Final = re.compile(r"([?&]([\w.-]{1,64})=)[^&\s\"'#<>)]+")
#: Fields of a line that the server's own code sets.
_OWN_FIELDS: Final = frozenset(("level", "target", "timestamp", "file", "line"))

# Printed the same, however text is quoted.
_NEVER_ESCAPED: Final = re.compile(r"[ !#-&(-\[\]-~]+")
_SPECIAL: Final = {"\n": "n", "\r": "r", "\t": "t", "\0": "0", "\b": "b", "\f": "f"}


class Secrets:
    """The secrets of one runtime."""

    def __init__(self, environment: Hidden[Mapping[str, str]]) -> None:
        self._environment = environment
        # Each with a part of it that is always printed as it is.
        self._known: dict[str, bytes] = {}
        self._compiled: dict[str, re.Pattern[str]] = {}
        for name, value in environment.value.items():
            if _is_secret_name(name):
                self._add(value, is_secret=True)

    def add_config(self, config: Mapping[str, Any]) -> None:
        """Add the secrets of a config: as written, and with the variables that they refer to.

        Args:
            config: The config; a JSON document.
        """
        for name, value in _strings(config):
            if found := _URL_PASSWORD.search(value):
                self._add(found[1], is_secret=True)
                self._add(unquote(found[1]), is_secret=True)
            if _is_secret_name(name):
                self._add_template(value, is_secret=True)
        plugins: Any = config.get("plugins")
        if not isinstance(plugins, Mapping):
            return
        for plugin in cast(Mapping[str, Any], plugins).values():
            if not isinstance(plugin, Mapping):
                continue
            values = cast(Mapping[str, Any], plugin)
            # Values with a secret's name, and such variables, have been added already.
            for _, value in _strings(values.get("env")):
                self._add_template(value, is_secret=False)
            self._add_arguments([value for _, value in _strings(values.get("args"))])
            for _, value in _strings(values):
                self._add_variables(value)

    def remove_from(self, raw: bytes, *, is_cut: bool = False) -> bytes:
        """Return a line without secrets; the end of one that `is_cut` may be a part of a secret."""
        found = [value for value, part in self._known.items() if part in raw]
        backslash, at, question_mark = _MARKERS
        if (
            found
            or backslash in raw
            or at in raw
            or question_mark in raw
            or not raw.startswith(b"{")
        ):
            raw = self._cleaned(raw, found)
        if is_cut:
            longest = max(map(len, self._known), default=0)
            raw = raw[: -max(_CUT_TAIL, _BACKSLASHES * longest)]
        return raw

    def _cleaned(self, raw: bytes, found: list[str]) -> bytes:
        try:
            document: Any = json.loads(raw)
            if isinstance(document, dict):
                fields = cast(dict[str, Any], document)
                cleaned = {
                    name: value if name in _OWN_FIELDS else self._clean_value(value, found)
                    for name, value in fields.items()
                }
                # Written as it was, unless something is removed.
                return raw if cleaned == fields else _compact(cleaned)
        except (ValueError, RecursionError):
            pass
        text = raw.decode("utf-8", "surrogateescape")
        cleaned_text = self._clean(text, found)
        return raw if cleaned_text == text else cleaned_text.encode("utf-8", "surrogateescape")

    def _clean_value(self, value: Any, found: list[str]) -> Any:
        if isinstance(value, str):
            return self._clean(value, found)
        if isinstance(value, dict):
            fields = cast(dict[str, Any], value)
            return {name: self._clean_value(one, found) for name, one in fields.items()}
        if isinstance(value, list | tuple):
            items = cast(Sequence[Any], value)
            return [self._clean_value(one, found) for one in items]
        return value

    def _clean(self, text: str, found: list[str]) -> str:
        # Before the patterns, which might remove a part of one; longer ones may contain others.
        for value in sorted(found, key=len, reverse=True):
            text = self._pattern(value).sub(PLACEHOLDER, text)
        for needle, pattern in _PATTERNS:
            if needle in text:
                text = pattern.sub(PLACEHOLDER, text)
        return _QUERY.sub(_clean_parameter, text) if "=" in text else text

    def _pattern(self, value: str) -> re.Pattern[str]:
        if value not in self._compiled:
            self._compiled[value] = _pattern(value)
        return self._compiled[value]

    def _add_template(self, value: str, *, is_secret: bool) -> None:
        self._add(value, is_secret=is_secret)
        self._add(_VARIABLE.sub(self._expanded, value), is_secret=is_secret)

    def _add_variables(self, value: str) -> None:
        for _, name, _, short_name in _VARIABLE.findall(value):
            self._add(self._environment.value.get(name or short_name, ""), is_secret=False)

    def _add_arguments(self, arguments: list[str]) -> None:
        option = ""
        for argument in arguments:
            if assignment := _ASSIGNMENT.fullmatch(argument):
                if _is_secret_name(assignment[1]):
                    self._add_template(assignment[2], is_secret=True)
            elif option.startswith("-") and _is_secret_name(option):
                self._add_template(argument, is_secret=True)
            option = argument

    def _add(self, value: str, *, is_secret: bool) -> None:
        # Several lines may be printed as such, and spaces at the end of a line are lost.
        for text in {value, *map(str.strip, value.splitlines())}:
            shortest = _SHORTEST_SECRET if is_secret else _SHORTEST_VALUE
            if (
                len(text) < shortest
                or text.lower() in _NO_SECRETS
                or (not is_secret and _PLAIN_VALUE.fullmatch(text))
                or _is_path(text)
            ):
                continue
            parts: list[str] = _NEVER_ESCAPED.findall(text)
            part = max(parts, key=len, default="").encode()
            self._known[text] = part

    def _expanded(self, match: re.Match[str]) -> str:
        escaped, name, default, short_name = match.groups()
        if escaped is not None:
            return escaped
        return self._environment.value.get(name or short_name or "", default or "")


def _is_path(text: str) -> bool:
    first, *others = text.split(":")
    is_absolute = len(first) > 1 and all(part.startswith("/") for part in (first, *others))
    return is_absolute and os.path.exists(first)


def _is_secret_name(name: str) -> bool:
    words: list[str] = [word.lower() for word in _WORD.findall(name)]
    return any(word in _SECRET_WORDS or word.endswith(_SECRET_ENDINGS) for word in words)


def _strings(value: Any) -> Iterable[tuple[str, str]]:
    """Yield all strings in a JSON document, each with the name of the field that it belongs to."""
    stack: list[tuple[str, Any]] = [("", value)]
    while stack:
        name, one = stack.pop()
        if isinstance(one, Mapping):
            fields = cast(Mapping[object, Any], one)
            stack += [(str(key), item) for key, item in fields.items()]
        elif isinstance(one, list | tuple):
            items = cast(Sequence[Any], one)
            stack += [(name, item) for item in reversed(items)]
        elif isinstance(one, str):
            yield name, one
        elif isinstance(one, int | float) and not isinstance(one, bool):
            yield name, str(one)


def _clean_parameter(match: re.Match[str]) -> str:
    return match[1] + PLACEHOLDER if _is_secret_name(match[2]) else match[0]


def _compact(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _pattern(value: str) -> re.Pattern[str]:
    """Return a pattern for a value, quoted in JSON, in Rust, in both, or not at all."""
    parts: list[str] = []
    for one in re.findall(r"\\+|.", value, re.DOTALL):
        if one[0] == "\\":
            parts.append(rf"\\{{1,{_BACKSLASHES * len(one)}}}")
        elif one in "\"'":
            parts.append(rf"\\{{0,{_BACKSLASHES}}}{one}")
        elif one.isascii() and one.isprintable():
            parts.append(re.escape(one))
        else:
            code = rf"[ux]\{{?0*{ord(one):x}\}}?"
            special = f"{_SPECIAL[one]}|" if one in _SPECIAL else ""
            parts.append(rf"(?:{re.escape(one)}|\\{{1,{_BACKSLASHES}}}(?:{special}(?i:{code})))")
    pattern = "".join(parts)
    if len(value) < _SHORTEST_PART:
        # Codes of colours and escaped line breaks end with a letter.
        start = r"(?:(?<!\w)|(?<=\x1b\[\dm)|(?<=\\[nrt]))"
        pattern = rf"{start}{pattern}(?!\w)"
    return re.compile(pattern)

"""The few messages of protocol buffers that a worker exchanges with servers from 0.12 on.

Written by hand, since a program can have only one version of the package protobuf, and its other
packages often need a certain one. The format: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import Any, Final, cast

_VARINT: Final = 0
_FIXED64: Final = 1
_BYTES: Final = 2
_FIXED32: Final = 5

# Fields of google.protobuf.Value.
_NULL, _NUMBER, _STRING, _BOOL, _STRUCT, _LIST = range(1, 7)


class Malformed(ValueError):
    """The bytes are not a message."""


def text(number: int, value: str | None) -> bytes:
    """Encode a text field; nothing for None."""
    return b"" if value is None else message(number, value.encode())


def message(number: int, content: bytes) -> bytes:
    """Encode a field whose value is a message, or other bytes."""
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def integer(number: int, value: int) -> bytes:
    """Encode a field with a non-negative integer."""
    return _varint(number << 3 | _VARINT) + _varint(value)


def fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Return the fields of a message, each with its number and value: int, float or bytes.

    Raises:
        Malformed: The data is not a message.
    """
    position, end = 0, len(data)
    while position < end:
        key, position = _read_varint(data, position)
        match key & 7:
            case 0:
                value, position = _read_varint(data, position)
                yield key >> 3, value
            case 1:
                yield key >> 3, _unpack("<d", data, position)
                position += 8
            case 2:
                length, position = _read_varint(data, position)
                if position + length > end:
                    raise Malformed
                yield key >> 3, data[position : position + length]
                position += length
            case 5:
                yield key >> 3, _unpack("<f", data, position)
                position += 4
            case _:
                raise Malformed


def encode_value(value: Any) -> bytes:
    """Encode JSON values as a `google.protobuf.Value`.

    Raises:
        ValueError: There is a number that JSON does not have.
    """
    match value:
        case None:
            return integer(_NULL, 0)
        case bool():
            return integer(_BOOL, value)
        case int() | float():
            number = float(value)
            if not math.isfinite(number):
                raise ValueError(f"{number} is not a number of JSON")
            return _varint(_NUMBER << 3 | _FIXED64) + struct.pack("<d", number)
        case str():
            return message(_STRING, value.encode())
        case dict():
            members = cast(dict[str, Any], value)
            entries = (
                message(1, text(1, key) + message(2, encode_value(one)))
                for key, one in members.items()
            )
            return message(_STRUCT, b"".join(entries))
        case _:
            return message(_LIST, b"".join(message(1, encode_value(one)) for one in value))


def decode_value(data: bytes) -> Any:
    """Decode a `google.protobuf.Value`; numbers without a fraction become integers.

    Raises:
        Malformed: The data is not such a value.
    """
    decoded: Any = None
    for number, content in fields(data):
        match number:
            case 2:
                decoded = int(content) if content.is_integer() else content
            case 3:
                decoded = content.decode()
            case 4:
                decoded = bool(content)
            case 5:
                decoded = dict(_entry(entry) for _, entry in fields(content))
            case 6:
                decoded = [decode_value(one) for _, one in fields(content)]
            case _:
                decoded = None
    return decoded


def _entry(data: bytes) -> tuple[str, Any]:
    key, value = "", None
    for number, content in fields(data):
        if number == 1:
            key = content.decode()
        else:
            value = decode_value(content)
    return key, value


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise Malformed
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


def _unpack(kind: str, data: bytes, position: int) -> float:
    try:
        return float(struct.unpack_from(kind, data, position)[0])
    except struct.error:
        raise Malformed from None

"""Header fields of one call, which all of its requests carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from stepflow_api._exchange.effects import Call, Effect, OpenStream, Steps, through
from stepflow_api._hidden import Hidden
from stepflow_api._messages import Request
from stepflow_api._transport.settings import header_fields
from stepflow_api.errors import InvalidRequest

T = TypeVar("T")


def with_headers(
    steps: Steps[T], headers: Hidden[Mapping[str, str] | None] | Mapping[str, str]
) -> Steps[T]:
    """Add header fields to every request of a generator, also the one for the server's version.

    They replace those of the client and of the operation.

    Raises:
        InvalidRequest: A field cannot be sent; the message shows no value.
    """
    if not isinstance(headers, Hidden):
        raise InvalidRequest("headers would be shown in tracebacks; pass lowlevel.Hidden(headers)")
    if not headers.value:
        return steps
    fields = header_fields(headers)
    own = Hidden({name.decode(): field[1].decode() for name, field in fields.value.items()})

    def perform(effect: Effect) -> Steps[Any]:
        match effect:
            case Request():
                effect = _merged(effect, own)
            case OpenStream():
                effect = effect._replace(request=_merged(effect.request, own))
            case Call(headers=None):
                effect = replace(effect, headers=own)
            case _:
                pass
        return (yield effect)

    return through(steps, perform)


def _merged(request: Request, fields: Hidden[Mapping[str, str]]) -> Request:
    # Names are case-insensitive, and httpx would send both of two spellings.
    own = Hidden({name.lower(): value for name, value in request.headers.items()})
    return replace(request, headers={**own.value, **fields.value})

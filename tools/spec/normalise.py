"""Turns the OpenAPI document that a server serves into the text that the repository stores."""

from __future__ import annotations

import json
import re
from typing import Any

from tools.json_types import is_json_array, is_json_object

#: Stepflow's default port. A server writes the port that it happened to get into `servers`.
STORED_PORT = 7840

_LOCAL_URL_WITH_PORT = re.compile(r"^(\w+://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])):\d+")


class SpecError(Exception):
    """A document is no OpenAPI 3 document; the message is one line that says why."""


def parse(text: str | bytes) -> dict[str, Any]:
    """Read an OpenAPI document.

    Returns:
        The parsed document.

    Raises:
        SpecError: The text is not JSON, or not an OpenAPI 3 document.
    """
    if not text.strip():
        raise SpecError("it is empty")
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise SpecError("it holds half a surrogate pair, which is no character") from error
    except UnicodeDecodeError as error:
        raise SpecError(f"it is not UTF-8 text (at byte {error.start})") from error
    except ValueError as error:
        raise SpecError(f"it is not JSON: {error}") from error
    except RecursionError as error:
        raise SpecError("it is nested too deeply") from error
    if not is_json_object(document):
        raise SpecError("it is JSON but not an object, so it is no OpenAPI document")
    version = document.get("openapi")
    if not isinstance(version, str) or not version.startswith("3."):
        raise SpecError(f"its `openapi` field must be 3.x, and is {json.dumps(version)}")
    return document


def normalise(served: str | bytes) -> str:
    """Return the stored form of a served document.

    Two starts of one server result in the same text: the port in `servers` is replaced by
    `STORED_PORT`. The rest is layout: two spaces of indentation, keys in the order in which they
    are served, characters outside ASCII as themselves, a final newline.

    Returns:
        The text to store. Normalising it again changes nothing.

    Raises:
        SpecError: The document is not an OpenAPI 3 document.
    """
    document = parse(served)
    servers = document.get("servers")
    for server in servers if is_json_array(servers) else []:
        if is_json_object(server) and isinstance(server.get("url"), str):
            server["url"] = _LOCAL_URL_WITH_PORT.sub(rf"\1:{STORED_PORT}", server["url"])
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")

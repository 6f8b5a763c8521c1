"""Asks a real server for the OpenAPI document that it serves."""

from __future__ import annotations

import http.client
import os

from tools.spec.normalise import SpecError, normalise
from tools.spec.server import ServerError, StepflowServer

#: Where Stepflow serves its OpenAPI document.
SPEC_PATH = "/api/v1/openapi.json"

_TIMEOUT_SECONDS = 30.0


def served_spec(binary: str | os.PathLike[str]) -> str:
    """Start the server, read its OpenAPI document and stop the server.

    Returns:
        The document in its stored form.

    Raises:
        ServerError: The server does not start or does not answer.
        SpecError: What it serves is no OpenAPI document.
    """
    with StepflowServer(binary) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request("GET", SPEC_PATH)
            response = connection.getresponse()
            status, body = response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ServerError(
                f"the Stepflow server {binary} did not answer GET {SPEC_PATH}: "
                f"{error or type(error).__name__}"
            ) from error
        finally:
            connection.close()
    try:
        return normalise(body)
    except SpecError as error:
        raise SpecError(
            f"the Stepflow server {binary} serves no OpenAPI document at {SPEC_PATH} "
            f"(HTTP {status}): {error}; pin a server version that serves one"
        ) from error

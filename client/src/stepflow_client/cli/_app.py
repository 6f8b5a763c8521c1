"""The command itself: its options, and the client that they describe."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from stepflow_api import __version__
from stepflow_api.types import VerifyTypes
from stepflow_client._constants import TOKEN_VARIABLE, URL_VARIABLE
from stepflow_client.cli._input import read_token
from stepflow_client.cli._output import write_line
from stepflow_client.cli._profiles import Profile, read_profile
from stepflow_client.errors import InvalidInput
from stepflow_client.sync_client import SyncStepflowClient

PROFILE_VARIABLE = "STEPFLOW_PROFILE"

app = typer.Typer(
    help="Run flows on a Stepflow server.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@dataclass(frozen=True)
class Connection:
    """URL of the server, the token for it, which is left out of the repr, and certificates."""

    url: str | None
    token: str | None = field(repr=False)
    verify: VerifyTypes = True


def _print_version(wanted: bool) -> None:
    if wanted:
        write_line(f"stepflow-client {__version__}")
        raise typer.Exit


@app.callback()
def connection(
    context: typer.Context,
    url: Annotated[
        str | None,
        typer.Option(
            help="URL of the server, or several separated by commas; by default $STEPFLOW_URL or"
            " http://localhost:7840."
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            help="Profile of the configuration file to connect with; by default $STEPFLOW_PROFILE."
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            envvar=TOKEN_VARIABLE,
            help="Bearer token. Other users of this machine can read it in the process list:"
            " prefer --token-file or the environment variable.",
            show_envvar=True,
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="File with the bearer token; - for standard input. Make it readable only by you"
            " (chmod 600).",
        ),
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option(help="File or folder with the certificates of authorities to trust."),
    ] = None,
    client_cert: Annotated[
        Path | None, typer.Option(help="PEM file with a certificate of your own (mutual TLS).")
    ] = None,
    client_key: Annotated[
        Path | None,
        typer.Option(help="PEM file with its private key; by default the certificate's file."),
    ] = None,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure",
            help="Accept any certificate: an attacker on the network can read and change data.",
        ),
    ] = False,
    # Its callback prints it.
    version: Annotated[  # noqa: ARG001
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Run flows on a Stepflow server.

    Exit codes: 0 success, 1 the flow failed or was rejected, 2 wrong usage, 3 server unreachable.
    """
    # typer 0.26.0 shows the variable of the token in the help, and does not read it.
    environment_token = os.environ.get(TOKEN_VARIABLE)
    has_token = token is not None and token != environment_token
    if token_file is not None and has_token:
        # Unlike the option --token, the variable may be set for all calls; --token-file wins.
        raise InvalidInput("--token and --token-file are both given; use one of them")
    if profile is None and url is None:
        url = os.environ.get(URL_VARIABLE) or None
    found = Profile()
    if profile is not None or url is None:
        # A profile that is not named here is for its own URL only: its token is no other server's.
        found = read_profile(profile or os.environ.get(PROFILE_VARIABLE) or None)
    url = url or found.url or os.environ.get(URL_VARIABLE)
    if token_file is None and not has_token:
        token_file = found.token_file
    if token_file is not None:
        token = read_token(token_file)
    verify = _verify(
        ca or found.ca,
        client_cert or found.client_cert,
        client_key or found.client_key,
        insecure or bool(found.insecure),
    )
    context.obj = Connection(url, token or environment_token, verify)


def client_of(context: typer.Context) -> SyncStepflowClient:
    """Return a client for the server that the options name."""
    options: Connection = context.obj
    return SyncStepflowClient(options.url, token=options.token, verify=options.verify)


def _verify(ca: Path | None, cert: Path | None, key: Path | None, insecure: bool) -> VerifyTypes:
    if cert is None:
        if key is not None:
            raise InvalidInput("--client-key requires --client-cert; add that or remove it")
        return False if insecure else True if ca is None else str(ca)
    is_folder = ca is not None and ca.is_dir()
    try:
        context = ssl.create_default_context(
            cafile=None if ca is None or is_folder else str(ca),
            capath=str(ca) if is_folder else None,
        )
        context.load_cert_chain(cert, key)
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(
            f"the certificate {str(cert)!r} or its key cannot be used: {problem}; check"
            " --client-cert, --client-key and --ca"
        ) from None
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context

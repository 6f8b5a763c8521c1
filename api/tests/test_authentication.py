"""Credentials: they arrive at the server, and nowhere else."""

from __future__ import annotations

import base64
import logging
import pickle
import traceback
from typing import Any

import httpx
import pytest

from api.tests.support.forms import FORMS, Form
from api.tests.support.odd_server import OddServer, answer, hang_up
from stepflow_api import AuthenticatedClient, Client
from stepflow_api.api.run import list_runs
from stepflow_api.errors import InvalidRequest, StepflowError, UnexpectedStatus
from tools.pytest.httpx_libraries import by_library, client_class

pytestmark = pytest.mark.anyio

by_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)

TOKEN = "s3cr3t-t0k3n"
PASSWORD = "p4ss/w0rd:ü"
HEADER = "h34d3r-v4lu3"

HEALTH = answer('{"status": "s", "timestamp": "t", "version": "v"}')


async def sent(client: Client, form: Form, server: OddServer) -> dict[str, str]:
    """Makes a call and returns the header fields that arrived."""
    async with client:
        await form("health.health_check", client=client)
    return server.headers()


@by_form
async def test_a_token_arrives(form: Form) -> None:
    with OddServer(HEALTH) as server:
        headers = await sent(AuthenticatedClient(server.url, TOKEN), form, server)
        assert headers["authorization"] == f"Bearer {TOKEN}"
        client = AuthenticatedClient(server.url, TOKEN, prefix="Token")
        assert (await sent(client, form, server))["authorization"] == f"Token {TOKEN}"
        client = AuthenticatedClient(server.url, TOKEN, prefix="")
        assert (await sent(client, form, server))["authorization"] == TOKEN
        client = AuthenticatedClient(server.url, TOKEN, auth_header_name="X-API-Key", prefix="")
        headers = await sent(client, form, server)
        assert headers["x-api-key"] == TOKEN
        assert "authorization" not in headers


@pytest.mark.parametrize("token", [TOKEN, lambda: TOKEN], ids=["text", "function"])
@pytest.mark.parametrize("name", ["transport", "http_client"])
def test_a_client_with_a_token_takes_what_others_take(name: str, token: Any) -> None:
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(299)

    transport = httpx.MockTransport(respond)
    given = {"transport": transport, "http_client": httpx.Client(transport=transport)}
    with AuthenticatedClient(
        "http://server",
        token,
        headers={"x-key": HEADER},
        timeout=httpx.Timeout(7),
        raise_on_unexpected_status=True,
        server_version="0.13.0",
        **{name: given[name]},  # type: ignore[arg-type]
    ) as client:
        with pytest.raises(UnexpectedStatus, match="299"):
            list_runs.sync_detailed(client=client)
        with pytest.raises(InvalidRequest, match=r"^verify "):
            AuthenticatedClient("http://server", token, verify=5)  # type: ignore[arg-type]
    # The version is not asked for.
    (request,) = requests
    assert request.url.path == "/api/v1/runs"
    assert (request.headers["authorization"], request.headers["x-key"]) == (
        f"Bearer {TOKEN}",
        HEADER,
    )
    assert request.extensions["timeout"] == dict.fromkeys(("connect", "read", "write", "pool"), 7)


@by_form
async def test_a_token_takes_the_place_of_what_else_is_in_its_header(form: Form) -> None:
    with OddServer(HEALTH) as server:
        url = server.url.replace("http://", "http://user:pass@")
        client = AuthenticatedClient(url, TOKEN, headers={"authorization": "other", "x-a": "1"})
        headers = await sent(client, form, server)
    assert (headers["authorization"], headers["x-a"]) == (f"Bearer {TOKEN}", "1")


@by_form
@pytest.mark.parametrize(
    ("pair", "decoded"),
    [
        ("user:pass", "user:pass"),
        ("user", "user:"),
        (":pass", ":pass"),
        ("user:p%40ss%2Fw%3Ard", "user:p@ss/w:rd"),
        ("%C3%BC:%C3%A4", "ü:ä"),
        ("ü:ä", "ü:ä"),
    ],
)
async def test_a_password_in_the_url_arrives(pair: str, decoded: str, form: Form) -> None:
    with OddServer(HEALTH) as server:
        url = server.url.replace("http://", f"http://{pair}@")
        headers = await sent(Client(url), form, server)
        assert headers["authorization"].startswith("Basic ")
        got = base64.b64decode(headers["authorization"].removeprefix("Basic ")).decode()
        assert got == decoded
        assert server.target() == "/api/v1/health"
        # A header that is given counts more than a URL.
        client = Client(url, headers={"AUTHORIZATION": "other"})
        assert (await sent(client, form, server))["authorization"] == "other"


@by_form
@by_library
async def test_headers_of_an_http_client_and_of_the_client_arrive(library: Any, form: Form) -> None:
    both = {"x-both": "http"}
    with OddServer(HEALTH) as server:
        http = client_class(library, is_async=form.is_async)(headers=both)
        client = AuthenticatedClient(
            server.url, TOKEN, http_client=http, headers={"X-Both": "client"}
        )
        headers = await sent(client, form, server)
        await http.aclose() if form.is_async else http.close()
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["x-both"] == "client"


@by_form
async def test_credentials_do_not_follow_a_redirect(form: Form) -> None:
    with OddServer(HEALTH) as other:
        elsewhere = answer(status="302 Found", location=f"{other.url}/api/v1/health")
        with OddServer(elsewhere) as server:
            async with AuthenticatedClient(server.url, TOKEN) as client:
                if form.is_detailed:
                    response = await form("health.health_check", client=client)
                    assert response.status_code == 302
                else:
                    with pytest.raises(StepflowError, match="set base_url to where the server is"):
                        await form("health.health_check", client=client)
        assert other.requests == []


@pytest.mark.parametrize(
    "token", ["", " ", "a\n", " a", "a ", "a\0", "ä", None, 5, b"a", ["a"], object()], ids=ascii
)
async def test_a_token_that_cannot_be_sent(token: Any) -> None:
    with pytest.raises(InvalidRequest) as raised:
        AuthenticatedClient("http://localhost", token)
    assert str(raised.value).startswith("the token cannot be sent: ")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prefix": "Bearer\n"}, "headers cannot be sent: the value of "),
        ({"prefix": "Träger"}, "headers cannot be sent: "),
        ({"auth_header_name": ""}, "headers cannot be sent: '' is no header name"),
        ({"auth_header_name": "X Key"}, "headers cannot be sent: 'X Key' is no header name"),
        ({"auth_header_name": None}, "headers cannot be sent: "),
    ],
)
@pytest.mark.parametrize("token", [TOKEN, lambda: TOKEN], ids=["text", "function"])
async def test_a_header_that_cannot_carry_a_token(
    token: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidRequest) as raised:
        AuthenticatedClient("http://localhost", token, **options)
    assert str(raised.value).startswith(message)
    assert TOKEN not in everything(raised.value)


def everything(error: BaseException) -> str:
    """Return all that an error shows or keeps: texts, traceback, attributes, pickle."""
    texts = [str(error), repr(error), repr(vars(error)), repr(error.args)]
    texts += traceback.format_exception(error)
    texts.append(pickle.dumps(error).decode("latin-1"))
    return "\n".join(texts)


def secret_client(url: str, **options: Any) -> Client:
    """Makes a client with a secret of every kind."""
    base = url.replace("http://", "http://user:p4ss%2Fw0rd%3A%C3%BC@")
    return AuthenticatedClient(
        base, TOKEN, auth_header_name="X-Token", headers={"X-Custom": HEADER}, **options
    )


SECRETS = (
    TOKEN,
    HEADER,
    "p4ss",
    "w0rd",
    base64.b64encode(f"user:{PASSWORD}".encode()).decode(),
)

ANSWERS = {
    "success": HEALTH,
    "status": answer('{"message": "no"}', status="401 Unauthorized"),
    "undocumented": answer("no", status="418 Teapot"),
    "no answer of this API": answer("<html>"),
    "cut": hang_up,
}


@by_form
@pytest.mark.parametrize("what", ANSWERS)
async def test_secrets_are_shown_nowhere(
    what: str, form: Form, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "stepflow_api", "stepflow", ""):
        logging.getLogger(name).setLevel(logging.DEBUG)
    shown = []
    with OddServer(ANSWERS[what]) as server:
        async with secret_client(server.url, raise_on_unexpected_status=True) as client:
            shown += [repr(client), str(client), client.base_url]
            try:
                shown.append(repr(await form("health.health_check", client=client)))
            except StepflowError as error:
                shown.append(everything(error))
            shown.append(repr(client))
        # It is there that the secrets are to arrive.
        assert (server.headers()["x-token"], server.headers()["x-custom"]) == (
            f"Bearer {TOKEN}",
            HEADER,
        )
        decoded = base64.b64decode(server.headers()["authorization"].removeprefix("Basic "))
        assert decoded.decode() == f"user:{PASSWORD}"
    assert any(record.name == "stepflow_api" for record in caplog.records)
    shown += [record.getMessage() for record in caplog.records]
    shown += [repr(vars(record)) for record in caplog.records]
    for secret in SECRETS:
        for text in shown:
            assert secret not in text


@by_form
async def test_secrets_are_shown_nowhere_without_a_server(form: Form) -> None:
    client = secret_client("http://127.0.0.1:1")
    async with client:
        with pytest.raises(StepflowError) as raised:
            await form("health.health_check", client=client)
    for secret in SECRETS:
        assert secret not in everything(raised.value)


@by_form
@by_library
async def test_a_secret_of_an_http_client_that_cannot_be_sent_is_not_shown(
    library: Any, form: Form
) -> None:
    headers = {"x-custom": f"{HEADER}\n"}
    http = client_class(library, is_async=form.is_async)(headers=headers)
    with OddServer(HEALTH) as server:
        client = Client(server.url, http_client=http)
        with pytest.raises(InvalidRequest) as raised:
            await form("health.health_check", client=client)
    assert str(raised.value) == (
        f"GET {server.url}/api/v1/health cannot be sent: a header field has a character that none"
        " can hold"
    )
    assert HEADER not in everything(raised.value)
    await http.aclose() if form.is_async else http.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://user:p4ss@local host",
        "http://user:p4ss@localhost:port",
        "http://user:p4ss@localhost?x=1",
        "http://user:p4ss@",
        "ftp://user:p4ss@localhost",
        "user:p4ss@localhost",
        "http://user:p4ss/w0rd@localhost",
        "http://user:12/p4ss@localhost",
        "http://user:p4ss?w0rd@localhost",
        "http://user:p4ss#w0rd@localhost",
        "http://user:p4ss w0rd@localhost:99999",
        "http://user:p4ss@w0rd@localhost:99999",
        "http://user:p4ss\n@localhost",
        "http://user:p4ss%40localhost",
        "http://user%3Ap4ss%40localhost",
        "http://:p4ss",
        "http://localhost:p4ss",
        "http://localhost/?token=p4ss",
        "http://localhost/#p4ss",
        "http://localhost/\0p4ss",
        "http://p4ss\ud800",
        "http://[p4ss",
        "p4ss",
        "p4ss:w0rd",
        "https:p4ss",
    ],
    ids=ascii,
)
async def test_a_password_in_a_url_that_cannot_be_used_is_not_shown(url: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        Client(url)
    shown = (
        str(raised.value)
        + repr(raised.value)
        + "".join(traceback.format_exception_only(raised.value))
    )
    assert "p4ss" not in shown
    assert "w0rd" not in shown
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


@pytest.mark.parametrize("token", [f"{TOKEN}\n", f"{TOKEN}ä", f" {TOKEN}"])
async def test_a_token_that_cannot_be_sent_is_not_shown(token: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        AuthenticatedClient("http://localhost", token)
    assert TOKEN not in str(raised.value)
    assert raised.value.__context__ is None


@pytest.mark.parametrize("value", [f"{HEADER}\n", f"{HEADER}ä", f"{HEADER} "])
async def test_a_header_that_cannot_be_sent_is_not_shown(value: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        Client("http://localhost", headers={"x-custom": value})
    assert HEADER not in str(raised.value)
    cause: BaseException | None = raised.value
    while cause is not None:
        assert HEADER not in repr(vars(cause)) + repr(cause)
        cause = cause.__context__

"""What a client is made with: URLs, headers, timeouts, connections; and each mistake in them."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Mapping
from typing import Any

import httpx
import httpx2
import pytest

import stepflow_api
from api.tests.support.odd_server import OddServer, answer
from stepflow_api import AuthenticatedClient, Client
from stepflow_api.api.health import health_check
from stepflow_api.errors import InvalidRequest
from stepflow_api.lowlevel import Hidden, Operation
from tools.pytest.httpx_libraries import LIBRARIES, by_library

HEALTH = answer('{"status": "s", "timestamp": "t", "version": "v"}')


def refused(**options: Any) -> str:
    """Makes a client that cannot be, and returns what it says."""
    with pytest.raises(InvalidRequest) as raised:
        Client(**{"base_url": "http://localhost", **options})
    message = str(raised.value)
    assert message and message.isprintable()
    assert len(message) < 250
    return message


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://localhost:7840", "http://localhost:7840/api/v1"),
        ("http://localhost:7840/", "http://localhost:7840/api/v1"),
        ("http://localhost:7840/api/v1", "http://localhost:7840/api/v1"),
        ("http://localhost:7840/api/v1/", "http://localhost:7840/api/v1"),
        ("http://localhost:7840//", "http://localhost:7840/api/v1"),
        ("https://example.com", "https://example.com/api/v1"),
        ("https://example.com:443/flows", "https://example.com/flows/api/v1"),
        ("https://example.com/flows/api/v1", "https://example.com/flows/api/v1"),
        ("https://example.com/a%20b/ä", "https://example.com/a%20b/%C3%A4/api/v1"),
        ("https://example.com/my-api/v1", "https://example.com/my-api/v1/api/v1"),
        ("https://example.com/api/v1/x", "https://example.com/api/v1/x/api/v1"),
        ("HTTP://LocalHost", "http://localhost/api/v1"),
        ("http://LocalHost:7840", "http://localhost:7840/api/v1"),
        ("http://localhost:65535", "http://localhost:65535/api/v1"),
        ("http://localhost:80", "http://localhost/api/v1"),
        ("http://localhost:07840", "http://localhost:7840/api/v1"),
        ("http://localhost:7840/ä", "http://localhost:7840/%C3%A4/api/v1"),
        ("http://localhost:7840/a/../b", "http://localhost:7840/b/api/v1"),
        ("http://[::1]:7840", "http://[::1]:7840/api/v1"),
        ("http://[fe80::1%eth0]:7840", "http://[fe80::1%eth0]:7840/api/v1"),
        ("http://127.0.0.1", "http://127.0.0.1/api/v1"),
        ("http://user:pass@localhost", "http://localhost/api/v1"),
        ("http://bücher.example", "http://xn--bcher-kva.example/api/v1"),
    ],
)
def test_a_url_with_or_without_the_prefix(given: str, url: str) -> None:
    assert Client(given).base_url == url
    assert AuthenticatedClient(given, "token").base_url == url


@pytest.mark.parametrize("path", ["", "/", "/api/v1", "/sub/path", "/sub/path/api/v1/"])
def test_requests_go_there(path: str) -> None:
    with OddServer(HEALTH) as server, Client(server.url + path) as client:
        health_check.sync(client=client)
    prefix = "/sub/path" if "sub" in path else ""
    assert server.target() == f"{prefix}/api/v1/health"


@pytest.mark.parametrize(
    "url",
    [
        "localhost:7840",
        "localhost",
        "",
        " ",
        "//localhost",
        "ftp://localhost",
        "file:///etc/passwd",
        "http://",
        "http:///api/v1",
        "http:////localhost",
        "http://:7840",
        "http://localhost:port",
        "http://localhost:99999",
        "http://localhost:65536",
        "http://localhost:0",
        "http://localhost:00",
        "http://localhost:-1",
        "http://user:pa/ss@localhost",
        "http://user:pass%40localhost",
        "http://local host",
        "http://localhost/a b",
        "http://[::1",
        "http://localhost?x=1",
        "http://localhost/api/v1#top",
        "http://localhost\n",
        "user:pass@localhost",
        "\ud800",
    ],
    ids=ascii,
)
def test_a_url_that_is_none(url: str) -> None:
    message = refused(base_url=url)
    assert message.startswith("the server's URL ")
    assert "http://HOST:PORT" in message or "leave it out" in message


@pytest.mark.parametrize(
    "url", [None, 7840, b"http://localhost", httpx.URL("http://localhost"), []]
)
def test_a_url_that_is_no_text(url: Any) -> None:
    kind = "httpx.URL" if isinstance(url, httpx.URL) else type(url).__name__
    assert (
        refused(base_url=url) == f"base_url is of type {kind}; pass text, such as http://HOST:PORT"
    )


@pytest.mark.parametrize(
    "headers",
    [
        None,
        {},
        {"x-a": "1", "X-B": "2 3"},
        *(library.Headers({"x-a": "1"}) for library in LIBRARIES),
        {"x-empty": ""},
        {"x-tab": "a\tb"},
        {"x!#$%&'*+.^_`|~9": "1"},
        {"x-long": "a" * 50_000},
    ],
    ids=str,
)
def test_headers_arrive(headers: Any) -> None:
    with OddServer(HEALTH) as server, Client(server.url, headers=headers) as client:
        health_check.sync(client=client)
    sent = server.headers()
    assert {name.lower(): sent[name.lower()] for name in headers or {}} == {
        name.lower(): value for name, value in (headers or {}).items()
    }


@by_library
def test_a_request_says_what_it_comes_from(library: Any) -> None:
    own, chosen = f"stepflow-python/{stepflow_api.__version__}", "mine/1"
    with OddServer(HEALTH) as server, library.Client() as http:
        for client, sent in (
            (Client(server.url), own),
            (Client(server.url, http_client=http), own),
            (Client(server.url, headers={"User-Agent": chosen}), chosen),
        ):
            with client:
                health_check.sync(client=client)
            assert server.headers()["user-agent"] == sent
        http.headers["User-Agent"] = chosen
        health_check.sync(client=Client(server.url, http_client=http))
        assert server.headers()["user-agent"] == chosen


def test_headers_are_the_clients_own() -> None:
    headers = {"x-a": "1"}
    with OddServer(HEALTH) as server, Client(server.url, headers=headers) as client:
        headers["x-a"] = "2"
        health_check.sync(client=client)
    assert server.headers()["x-a"] == "1"


@by_library
def test_what_an_http_client_adds_to_requests_arrives(library: Any) -> None:
    operation = Operation[None, None]("x", "GET", "/x?beta=true", {})
    plain = Operation[None, None]("y", "GET", "/y", {})
    given = {"x-a": "http", "x-b": "http", "x-c": "http", "accept": "application/vnd.x+json"}
    with (
        OddServer(HEALTH) as server,
        library.Client(headers=given, params={"key": "1"}) as http,
        Client(server.url, headers={"x-b": "client", "x-c": "client"}, http_client=http) as client,
    ):
        headers: Hidden[Mapping[str, str]] = Hidden({"x-c": "call"})
        client.send(operation, operation.request(query={"a": 2}), headers=headers)
        assert server.target() == "/api/v1/x?beta=true&a=2&key=1"
        sent = server.headers()
        assert [sent[f"x-{name}"] for name in "abc"] == ["http", "client", "call"]
        assert sent["accept"] == "application/vnd.x+json"
        client.send(plain, plain.request(query={"a": 2}))
        assert server.target() in ("/api/v1/y?key=1&a=2", "/api/v1/y?a=2&key=1")


@pytest.mark.parametrize(
    "headers",
    [
        {"x-key": "secret\n"},
        {"x-key": "secret\r\nx-other: 1"},
        {"x-key": " secret"},
        {"x-key": "secret "},
        {"x-key": "se\0cret"},
        {"x-key": "sécret"},
        {"x-key": "sécret".encode()},
        {"x-key": 5},
        {"x-key": None},
        {"x-key": ["secret"]},
        {"": "secret"},
        {"x key": "secret"},
        {"x-key:": "secret"},
        {"Content-Length": "5"},
        {"transfer-encoding": "chunked"},
        {"ä": "secret"},
        {5: "secret"},
        "x-key: secret",
        ["x-key: secret"],
        7,
    ],
    ids=ascii,
)
def test_headers_that_cannot_be_sent(headers: Any) -> None:
    message = refused(headers=headers)
    assert message.startswith("headers cannot be sent: ")
    assert "cret" not in message


@pytest.mark.parametrize("timeout", [0, -1, math.nan, True, "5", b"5", (1, 2), {}, object()])
def test_a_timeout_that_is_none(timeout: Any) -> None:
    message = refused(timeout=timeout)
    assert message.startswith("timeout is ")
    assert "pass seconds above 0" in message


@pytest.mark.parametrize("seconds", [-1, math.nan, "5", True])
@by_library
def test_a_timeout_of_httpx_with_other_than_seconds(library: Any, seconds: Any) -> None:
    for timeout in (library.Timeout(seconds), library.Timeout(5, pool=seconds)):
        assert refused(timeout=timeout).startswith("timeout is Timeout(")


@by_library
def test_a_wait_of_no_time_is_a_timeout(library: Any) -> None:
    with Client("http://server", timeout=library.Timeout(5, pool=0)) as client:
        assert client.base_url == "http://server/api/v1"


# A timeout may be of another library than what requests are sent through.
@pytest.mark.parametrize(
    "timeout",
    [100.5, 100, None, math.inf, *(of.Timeout(given) for of in LIBRARIES for given in (5, None))],
)
@by_library
def test_a_timeout_is_the_requests(library: Any, timeout: Any) -> None:
    seen = []

    def handle(request: Any) -> Any:
        seen.append(request.extensions["timeout"])
        return library.Response(404)

    transport = library.MockTransport(handle)
    with Client("http://server", timeout=timeout, transport=transport) as client:
        health_check.sync_detailed(client=client)
    waits = getattr(timeout, "connect", None if timeout == math.inf else timeout)
    given = httpx.Timeout(waits).as_dict()
    if isinstance(timeout, float | int) and timeout != math.inf:
        # A connection takes two waits, and there is one timeout for all.
        given["connect"] = timeout / 2
    assert seen == [
        {name: value and pytest.approx(value, rel=0.3) for name, value in given.items()}
    ]


@by_library
def test_by_default_a_run_of_300_seconds_can_be_waited_for(library: Any) -> None:
    seen = []

    def handle(request: Any) -> Any:
        seen.append(request.extensions["timeout"])
        return library.Response(404)

    with Client("http://server", transport=library.MockTransport(handle)) as client:
        health_check.sync_detailed(client=client)
    assert seen == [{"connect": 5.0, "read": 330.0, "write": 60.0, "pool": 330.0}]


@by_library
def test_the_timeout_of_an_http_client_counts_unless_another_is_given(library: Any) -> None:
    seen = []

    def handle(request: Any) -> Any:
        seen.append(request.extensions["timeout"]["read"])
        return library.Response(404)

    with library.Client(transport=library.MockTransport(handle), timeout=7) as http:
        health_check.sync_detailed(client=Client("http://server", http_client=http))
        health_check.sync_detailed(client=Client("http://server", http_client=http, timeout=300))
    assert seen == [7, pytest.approx(300, rel=0.3)]


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("http://localhost", "of type str"),
        (object(), "of type object"),
        (httpx2, "of type module"),
        (httpx2.Client, "the class httpx2.Client"),
        (1, "of type int"),
        (httpx2.Timeout(1), "of type httpx2.Timeout"),
        (httpx.Headers(), "of type httpx.Headers"),
    ],
)
@pytest.mark.parametrize("name", ["http_client", "transport"])
def test_a_connection_of_the_wrong_kind(name: str, given: Any, kind: str) -> None:
    message = refused(**{name: given})
    wanted = {
        "http_client": "httpx.Client or httpx.AsyncClient",
        "transport": "httpx.BaseTransport or httpx.AsyncBaseTransport",
    }
    assert message == f"{name} is {kind}; pass an {wanted[name]}, or one of httpx2"


@by_library
def test_an_http_client_has_its_own_transport(library: Any) -> None:
    with library.Client() as http:
        message = refused(http_client=http, transport=library.MockTransport(lambda request: None))
    assert message == "http_client and transport cannot be combined; pass one of them"


def test_a_client_shows_what_it_is() -> None:
    client = Client("http://user:pass@localhost", headers={"X-Key": "secret", "x-a": "1"})
    assert (
        repr(client)
        == str(client)
        == ("Client('http://localhost/api/v1', headers=['authorization', 'x-a', 'x-key'])")
    )
    assert repr(AuthenticatedClient("http://localhost", "secret")) == (
        "AuthenticatedClient('http://localhost/api/v1', headers=['authorization'])"
    )
    assert client.raise_on_unexpected_status is False
    assert Client("http://localhost", raise_on_unexpected_status=True).raise_on_unexpected_status


@pytest.mark.parametrize("name", ["base_url", "raise_on_unexpected_status"])
def test_what_a_client_is_made_with_stays(name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(Client("http://localhost"), name, "http://other")


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_client_has_no_copy(copied: Any) -> None:
    with OddServer(HEALTH) as server, AuthenticatedClient(server.url, "sesame") as client:
        health_check.sync(client=client)
        with pytest.raises(TypeError) as refusal:
            copied(client)
        health_check.sync(client=client)
    assert str(refusal.value) == "AuthenticatedClient cannot be copied or pickled; create another"

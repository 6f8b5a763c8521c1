"""Proxies of the environment: which requests use one, and the error for a bad one."""

from __future__ import annotations

import base64
import os
import sys
import urllib.request
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import httpx
import pytest

from api.tests.support.forms import PLAIN, Form
from api.tests.support.odd_server import OddServer, answer, hang_up
from stepflow_api import Client
from stepflow_api._transport.proxies import environment_proxy
from stepflow_api.errors import ConnectionFailed, InvalidRequest, StepflowError
from stepflow_api.lowlevel import Operation
from tools.pytest.httpx_libraries import LIBRARIES
from tools.spec.server import StepflowServer

ELSEWHERE = "http://stepflow.invalid:7840"
NOWHERE = "http://127.0.0.1:1"

by_form = pytest.mark.parametrize("form", PLAIN, ids=lambda form: form.name)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@by_form
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.anyio
async def test_requests_use_the_proxy(
    form: Form, variable: str, server: StepflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The real server answers a request that names another host, as a proxy does.
    if not variable.lower().startswith("all"):
        # That of the URL's scheme comes first.
        monkeypatch.setenv("ALL_PROXY", NOWHERE)
    monkeypatch.setenv(variable, server.url.removeprefix("http://"))
    monkeypatch.setenv("NO_PROXY", "fe80::/10,127.0.0.0/8,other.invalid")
    async with Client(ELSEWHERE) as client:
        assert (await form("health.health_check", client=client)).status == "healthy"


@by_form
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "FTP_PROXY"])
@pytest.mark.anyio
async def test_a_proxy_for_another_scheme_is_not_used(
    form: Form, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _fails_without_a_proxy(form, variable, monkeypatch)


@by_form
@pytest.mark.anyio
async def test_requests_to_a_listed_server_use_no_proxy_and_no_httpx_client(
    form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "other.invalid, .invalid:7840")
    await _fails_without_a_proxy(form, "HTTP_PROXY", monkeypatch)


async def _fails_without_a_proxy(
    form: Form, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("an httpx client was made")

    monkeypatch.setattr(httpx.Client, "__init__", refuse)
    monkeypatch.setattr(httpx.AsyncClient, "__init__", refuse)
    with OddServer(hang_up) as proxy:
        monkeypatch.setenv(variable, proxy.url)
        async with Client(ELSEWHERE) as client:
            with pytest.raises(ConnectionFailed, match="is the server running there"):
                await form("health.health_check", client=client)
        assert not proxy.requests


@by_form
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "0.0.0.0"])
@pytest.mark.anyio
async def test_requests_to_this_machine_use_no_proxy(
    form: Form, host: str, server: StepflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5h://127.0.0.1:1")
    async with Client(f"http://{host}:{server.port}") as client:
        assert (await form("health.health_check", client=client)).status == "healthy"


@pytest.mark.parametrize(
    "url", ["http://[::1]:7840", "http://[::ffff:127.0.0.1]", "http://a.localhost", "http://[::]"]
)
def test_more_names_of_this_machine(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", NOWHERE)
    assert environment_proxy(url) is None


@pytest.mark.parametrize("host", ["mylocalhost", "localhost.example", "128.0.0.1", "[::2]"])
def test_names_of_other_machines(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", NOWHERE)
    assert environment_proxy(f"http://{host}:7840") is not None


@pytest.mark.parametrize(
    ("listed", "url", "is_direct"),
    [
        ("*", "http://example.com", True),
        ("other.com,*", "http://example.com", True),
        ("example.com", "http://example.com", True),
        ("example.com", "http://EXAMPLE.com.:8080", True),
        ("EXAMPLE.COM.", "http://example.com", True),
        ("example.com", "http://a.b.example.com", True),
        (".example.com", "http://a.example.com", True),
        (".example.com", "http://example.com", True),
        ("*.example.com", "http://a.example.com", True),
        ("*.other.com", "http://example.com", False),
        ("example.com", "http://notexample.com", False),
        ("example.com", "http://example.com.evil.org", False),
        ("other.com", "http://example.com", False),
        ("a.com, example.com", "http://example.com", True),
        ("a.com example.com", "http://example.com", True),
        (" , ,", "http://example.com", False),
        ("", "http://example.com", False),
        (".", "http://example.com", False),
        ("example.com:8080", "http://example.com:8080", True),
        ("example.com:8080", "http://example.com:8081", False),
        ("example.com:80", "http://example.com", True),
        ("example.com:443", "https://example.com", True),
        ("10.1.2.3", "http://10.1.2.3:7840", True),
        ("10.1.2.3:7840", "http://10.1.2.3:7840", True),
        ("10.1.2.3:1", "http://10.1.2.3:7840", False),
        ("1.2.3", "http://10.1.2.3", False),
        ("2.3", "http://10.1.2.3", False),
        ("10.0.0.0/8", "http://10.1.2.3:7840", True),
        ("10.9.9.9/8", "http://10.1.2.3:7840", True),
        ("10.0.0.0/8", "http://11.1.2.3:7840", False),
        ("0.0.0.0/0", "http://11.1.2.3:7840", True),
        ("10.0.0.0/99", "http://10.1.2.3:7840", False),
        ("10.0.0.0/8", "http://example.com", False),
        ("fe80::/10", "http://[fe80::1]:7840", True),
        ("[fe80::]/10", "http://[fe80::1]:7840", True),
        ("fe80::/10", "http://[2001:db8::1]:7840", False),
        ("::/0", "http://10.1.2.3", False),
        ("2001:db8::1", "http://[2001:db8::1]:7840", True),
        ("2001:DB8:0::1", "http://[2001:db8::1]:7840", True),
        ("[2001:db8::1]", "http://[2001:db8::1]:7840", True),
        ("[2001:db8::1]:7840", "http://[2001:db8::1]:7840", True),
        ("[2001:db8::1]:1", "http://[2001:db8::1]:7840", False),
        ("[", "http://[2001:db8::1]:7840", False),
        ("::::,example.com:port,:80,/8", "http://example.com:7840", False),
        pytest.param(f"example.com:{'9' * 5000}", "http://example.com", False, id="long-port"),
    ],
)
def test_no_proxy(listed: str, url: str, is_direct: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", NOWHERE)
    monkeypatch.setenv("no_proxy", listed)
    assert (environment_proxy(url) is None) == is_direct


def _is_known(scheme: str) -> bool:
    try:
        return all(library.Proxy(f"{scheme}://proxy.example") for library in LIBRARIES)
    except ValueError:
        return False


#: The second is unknown to httpx before 0.28.
SOCKS_SCHEMES = [scheme for scheme in ("socks5", "socks5h") if _is_known(scheme)]


@pytest.mark.parametrize(
    ("proxy", "problem"),
    [
        (
            "http://me:secret@127.0.0.1:port",
            "ALL_PROXY is not a proxy URL; write http://HOST:PORT",
        ),
        ("ftp://me:secret@127.0.0.1", "ALL_PROXY is not a proxy URL"),
        ("http://me:secret@", "ALL_PROXY is not a proxy URL"),
        ("http://me:secret@[::1", "ALL_PROXY is not a proxy URL"),
        ("me:secret@127.0.0.1:99999999", "ALL_PROXY is not a proxy URL"),
        ("http://me:secret@127.0.0.1:65536", "ALL_PROXY is not a proxy URL"),
        *(
            (f"{scheme}://me:secret@127.0.0.1:1", "ALL_PROXY is a SOCKS proxy, .*`pip install")
            for scheme in SOCKS_SCHEMES
        ),
    ],
)
def test_a_proxy_that_cannot_be_used(
    proxy: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(InvalidRequest, match=problem) as raised:
        Client(ELSEWHERE)
    assert str(raised.value).isprintable() and "secret" not in str(raised.value)
    # A traceback shows these too.
    assert raised.value.__cause__ is None and raised.value.__context__ is None
    # The caller has chosen the proxies of an http_client or transport.
    for library in LIBRARIES:
        http = library.Client(trust_env=False)
        with http, Client(ELSEWHERE, http_client=http) as client:
            assert client.base_url == f"{ELSEWHERE}/api/v1"


@pytest.mark.parametrize(
    ("proxy", "url"),
    [
        ("http://me:s%40cret@proxy.example:65535", "http://proxy.example:65535"),
        ("https://me:s%40cret@proxy.example", "https://proxy.example"),
        ("me:s%40cret@proxy.example:1", "http://proxy.example:1"),
        *(
            (f"{scheme}://me:s%40cret@proxy.example:1080", f"{scheme}://proxy.example:1080")
            for scheme in SOCKS_SCHEMES
        ),
    ],
)
def test_a_proxy_that_can_be_used(proxy: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    socksio = ModuleType("socksio")
    socksio.__spec__ = ModuleSpec("socksio", None)
    monkeypatch.setitem(sys.modules, "socksio", socksio)
    monkeypatch.setenv("ALL_PROXY", proxy)
    found = environment_proxy(ELSEWHERE)
    assert found is not None
    assert (str(found.url), found.raw_auth) == (url, (b"me", b"s@cret"))


@by_form
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.anyio
async def test_the_proxy_receives_its_password(
    form: Form, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OddServer(answer(status="403 Forbidden")) as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.url.replace("://", "://me:s%40cret@"))
        async with Client(f"{scheme}://stepflow.invalid", server_version="0.13.0") as client:
            with pytest.raises(StepflowError, match="403"):
                await form("health.health_check", client=client)
    (sent,) = (proxy.headers(index) for index in range(len(proxy.requests)))
    assert base64.b64decode(sent["proxy-authorization"].removeprefix("Basic ")) == b"me:s@cret"
    assert "authorization" not in sent


@pytest.mark.skipif(sys.platform == "win32", reason="names of variables have no case")
def test_an_empty_variable_turns_the_proxy_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", NOWHERE)
    assert environment_proxy(ELSEWHERE) is not None
    monkeypatch.setenv("http_proxy", "")
    assert environment_proxy(ELSEWHERE) is None


@pytest.mark.skipif(sys.platform == "win32", reason="names of variables have no case")
def test_of_two_variables_the_one_that_is_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:1")
    monkeypatch.setenv("http_proxy", "ftp://proxy.example")
    with pytest.raises(InvalidRequest, match=r"^http_proxy is not a proxy URL"):
        Client(ELSEWHERE)


@by_form
@pytest.mark.anyio
async def test_a_proxy_that_is_down_is_named(form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://me:secret@127.0.0.1:1")
    async with Client(ELSEWHERE) as client:
        with pytest.raises(ConnectionFailed) as raised:
            await form("health.health_check", client=client)
    assert "through the proxy http://127.0.0.1:1 (" in str(raised.value)
    assert "secret" not in str(raised.value)


@by_form
@pytest.mark.anyio
async def test_a_proxy_that_refuses_is_named(form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"
    with OddServer(lambda connection: connection.sendall(refusal)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        async with Client(ELSEWHERE.replace("http", "https")) as client:
            # So nothing has reached the server.
            with pytest.raises(ConnectionFailed, match=f"through the proxy {proxy.url} .*403"):
                await form("health.health_check", client=client)


@pytest.mark.parametrize(
    ("url", "is_direct"),
    [
        ("http://server.inside.example", True),
        ("http://10.1.2.3:7840", True),
        ("http://server", True),
        ("http://server.outside.example", False),
    ],
)
def test_the_systems_proxy_has_the_systems_exceptions(
    url: str, is_direct: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The settings of macOS, read as Python reads them there.
    settings = {"exclude_simple": True, "exceptions": ["*.inside.example", "10/8"]}
    is_excepted: Any = urllib.request._proxy_bypass_macosx_sysconf  # type: ignore[attr-defined]
    monkeypatch.setattr(urllib.request, "getproxies", lambda: {"http": "http://proxy.example:80"})
    monkeypatch.setattr(urllib.request, "proxy_bypass", lambda host: is_excepted(host, settings))
    assert (environment_proxy(url) is None) == is_direct
    # As in Python, a variable takes the place of all settings.
    monkeypatch.setenv("NO_PROXY", "elsewhere.example")
    assert environment_proxy(url) is not None


def test_the_systems_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urllib.request, "getproxies", lambda: {"http": "ftp://me:secret@proxy"})
    monkeypatch.setattr(urllib.request, "proxy_bypass", lambda host: False)
    with pytest.raises(InvalidRequest, match=r"^the system's proxy setting is not a proxy URL"):
        environment_proxy(ELSEWHERE)


@pytest.mark.anyio
async def test_streams_to_this_machine_use_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    operation = Operation[None, None]("events", "GET", "/events", {})
    handle = answer("data: 1\n\n", content_type="text/event-stream")
    with OddServer(handle) as server:
        async with Client(server.url) as client:
            with client.open(operation, operation.request()) as stream:
                assert list(stream) == [1]
            async with await client.open_async(operation, operation.request()) as events:
                assert [event async for event in events] == [1]

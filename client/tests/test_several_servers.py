"""A client of several servers: requests go to one until it fails, and then to the next."""

from __future__ import annotations

import itertools
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from client.tests.fault_proxy import Fault, FaultProxy, once
from client.tests.support import ECHO, READ_FILE, Driver, release, wait_until
from stepflow_api import Client
from stepflow_client import SyncStepflowClient, errors
from tools.pytest.httpx_libraries import client_class
from tools.spec.server import StepflowServer

OTHER = os.environ["STEPFLOW_OTHER_SERVER"]


@pytest.fixture
def servers(binary: str) -> Iterator[list[StepflowServer]]:
    """Two servers, of different versions."""
    with StepflowServer(binary) as one, StepflowServer(OTHER) as other:
        yield [one, other]


@pytest.fixture
def proxies(servers: list[StepflowServer]) -> Iterator[list[FaultProxy]]:
    """A proxy in front of each."""
    with ExitStack() as opened:
        yield [opened.enter_context(FaultProxy(server.port)) for server in servers]


def urls_of(servers: list[Any]) -> list[str]:
    return [server.url for server in servers]


def client_of(do: Driver, servers: list[Any], **options: Any) -> Any:
    """A client that asks each server for its version."""
    return do.client(urls_of(servers), server_version=None, **options)


def stop(proxy: FaultProxy) -> None:
    """Refuse connections, and end those that there are."""
    proxy.refuse()
    proxy.cut_all()


def test_it_stays_with_one_server_until_that_fails(do: Driver, proxies: list[FaultProxy]) -> None:
    first, second = proxies
    client = client_of(do, proxies)
    for number in range(3):
        assert do(client.run(ECHO, number)).output == number
    assert not second.seen
    stop(first)
    # What is sent on a connection that has just been cut may have arrived.
    do(client.health())
    for number in range(3):
        assert do(client.run(ECHO, number)).output == number
    assert second.seen
    # A server that is back waits for its turn.
    first.admit()
    first.seen.clear()
    assert do(client.run(ECHO, 1)).output == 1
    assert not first.seen
    stop(second)
    do(client.health())
    assert do(client.run(ECHO, 2)).output == 2
    assert first.seen
    do(client.close())


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.RESET_AFTER, Fault.BAD_GATEWAY])
def test_a_failed_read_goes_to_the_next(
    do: Driver, proxies: list[FaultProxy], fault: Fault
) -> None:
    first, second = proxies
    client = client_of(do, proxies)
    do(client.health())
    first.plan = once(fault)
    assert do(client.health()).status == "healthy"
    assert [seen.method for seen in second.seen][-1] == "GET"
    do(client.close())


@pytest.mark.parametrize("key", [None, "order 1"])
def test_a_lost_run_is_not_created_by_the_next(
    do: Driver, proxies: list[FaultProxy], servers: list[StepflowServer], key: str | None
) -> None:
    """The two have no store in common, so the next server knows nothing of the key."""
    first, second = proxies
    client = client_of(do, proxies)
    first.plan = once(Fault.CUT_WAITING, lambda seen: seen.creates_run)
    if key is None:
        with pytest.raises(errors.RunOutcomeUnknown) as caught:
            do(client.run(ECHO, 1))
        assert caught.value.url == f"{first.url}/api/v1/runs"
        assert not any(seen.creates_run for seen in second.seen)
    else:
        assert do(client.run(ECHO, 1, idempotency_key=key)).output == 1
    do(client.close())


def test_each_server_is_spoken_to_in_its_version(do: Driver, servers: list[StepflowServer]) -> None:
    client = client_of(do, servers)
    versions = [do(client.server_version())]
    servers[0].kill()
    versions.append(do(client.server_version()))
    assert versions == [os.environ["STEPFLOW_SERVER_VERSION"], "0.13.0"]
    assert do(client.run(ECHO, {"a": 1})).output == {"a": 1}
    do(client.close())


def test_a_wait_goes_on_at_the_next_server(
    do: Driver, tmp_path: Path, fifo: Callable[[], Path]
) -> None:
    """Two orchestrators of one store, one after the other: the second resumes the run."""
    config = {
        "plugins": {"builtin": {"type": "builtin"}},
        "routes": {"/": [{"plugin": "builtin"}]},
        "storageConfig": {
            "type": "sqlite",
            "databaseUrl": f"sqlite:{tmp_path}/db?mode=rwc",
            "autoMigrate": True,
        },
    }
    arguments = ("--orchestrator-id", "one")
    path = fifo()
    with (
        StepflowServer(OTHER, config=config, arguments=arguments) as first,
        StepflowServer(OTHER, config=config, arguments=arguments) as second,
    ):
        second.kill()
        client = client_of(do, [first, second])
        handle = do(client.submit(READ_FILE, {"path": str(path)}))
        first.kill()
        second.restart()
        wait_until(lambda: release(path), "the step reads its file again")
        assert do(handle.result(timeout=60)).output == 42
        do(client.close())


def test_all_servers_down(do: Driver, binary: str) -> None:
    with StepflowServer(binary) as one, StepflowServer(binary) as other:
        urls = urls_of([one, other])
    client = do.client(urls)
    with pytest.raises(errors.Unreachable, match="tried 5 times"):
        do(client.health())
    with pytest.raises(errors.Timeout) as caught:
        do(client.handle("0" * 32).result(timeout=0.2))
    for url in urls:
        assert url in client.url
        assert url in str(caught.value) or "handle" in str(caught.value)
    do(client.close())


def test_a_server_that_failed_rests_longer_each_time(
    do: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock of the test's: seconds pass only when it says so."""
    now = 1000.0
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr("stepflow_client._servers.time", clock)
    tried: list[float] = []
    fails_once = ""

    def health(request: httpx.Request) -> httpx.Response:
        nonlocal fails_once
        host = request.url.host
        if host == "first.invalid":
            tried.append(now)
        if host in ("first.invalid", fails_once):
            fails_once = fails_once if host == "first.invalid" else ""
            return httpx.Response(503, headers={"retry-after": "0"})
        return httpx.Response(200, json={"status": "healthy", "timestamp": "t", "version": "1"})

    urls = ["http://first.invalid", "http://second.invalid", "http://third.invalid"]
    transport = httpx.MockTransport(health)
    client = do.client(urls, server_version="0.11.1", transport=transport)
    do(client.health())
    for _ in range(70):
        for host in ("second.invalid", "third.invalid"):
            fails_once = host
            now += 1
            do(client.health())
    waits = [later - earlier for earlier, later in itertools.pairwise(tried)]
    # At first it rests for less than the two seconds until its turn.
    assert waits[:9] == [2, 2, 2, 4, 8, 16, 30, 30, 30]
    do(client.close())


def test_requests_that_fail_at_the_same_time_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("stepflow_client._servers.time", SimpleNamespace(monotonic=lambda: now))
    tried: list[str] = []
    failing = {"first.invalid"}

    def health(request: httpx.Request) -> httpx.Response:
        host = request.url.host
        tried.append(host)
        if len(tried) < 5:
            # Sent before this one has failed.
            client.health()
        if host in failing:
            return httpx.Response(503, headers={"retry-after": "0"})
        return httpx.Response(200, json={"status": "healthy", "timestamp": "t", "version": "1"})

    urls = ["http://first.invalid", "http://second.invalid", "http://third.invalid"]
    with SyncStepflowClient(
        urls, server_version="0.11.1", transport=httpx.MockTransport(health)
    ) as client:
        client.health()
        assert tried.count("first.invalid") == 5
        failing = {"second.invalid"}
        client.health()
        # Both have rested, and it is the first one's turn.
        now += 0.6
        failing = {"third.invalid"}
        client.health()
    assert tried[-2:] == ["third.invalid", "first.invalid"]


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_server_that_says_it_is_down_is_left(do: Driver, status: int) -> None:
    hosts: list[str] = []

    def health(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        if request.url.host == "first.invalid":
            return httpx.Response(status, headers={"retry-after": "0"})
        return httpx.Response(200, json={"status": "healthy", "timestamp": "t", "version": "1"})

    urls = ["http://first.invalid", "http://second.invalid"]
    client = do.client(urls, server_version="0.11.1", transport=httpx.MockTransport(health))
    do(client.health())
    assert hosts == ["first.invalid", "second.invalid"]
    do(client.close())


@pytest.mark.parametrize("status", [400, 401, 404, 409, 429, 500, 501, 505])
def test_a_server_that_answers_is_not_left(do: Driver, status: int) -> None:
    hosts: list[str] = []

    def health(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        if len(hosts) == 1:
            return httpx.Response(status, headers={"retry-after": "0"})
        return httpx.Response(200, json={"status": "healthy", "timestamp": "t", "version": "1"})

    urls = ["http://first.invalid", "http://second.invalid"]
    client = do.client(urls, server_version="0.11.1", transport=httpx.MockTransport(health))
    if status == 429:
        do(client.health())
    else:
        with pytest.raises(errors.StatusError):
            do(client.health())
    do(client.health())
    assert set(hosts) == {"first.invalid"}
    do(client.close())


@pytest.mark.parametrize(
    ("given", "urls"),
    [
        ("http://a,https://b/c", ["http://a/api/v1", "https://b/c/api/v1"]),
        ("http://b:1,  http://a", ["http://b:1/api/v1", "http://a/api/v1"]),
        (["http://b", "http://a"], ["http://b/api/v1", "http://a/api/v1"]),
        (("http://a",), ["http://a/api/v1"]),
        ("HTTP://b , Https://a", ["http://b/api/v1", "https://a/api/v1"]),
        # A comma in a password.
        ("http://me:x,y@a", ["http://a/api/v1"]),
        ("http://me:x,y@a,http://b", ["http://a/api/v1", "http://b/api/v1"]),
    ],
)
def test_several_urls_in_a_text(
    do: Driver, given: Any, urls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STEPFLOW_URL", raising=False)
    client = do.client(given)
    assert client.url == ", ".join(urls)
    do(client.close())
    if isinstance(given, str):
        monkeypatch.setenv("STEPFLOW_URL", given)
        client = do.client(None)
        assert client.url == ", ".join(urls)
        do(client.close())


def test_closing_a_client_closes_the_connections_to_every_server(
    do: Driver, proxies: list[FaultProxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []
    for name in ("close", "aclose"):
        original = getattr(Client, name)

        def close(client: Client, original: Any = original) -> Any:
            closed.append(client.base_url)
            return original(client)

        monkeypatch.setattr(Client, name, close)
    client = client_of(do, proxies)
    do(client.health())
    do(client.close())
    assert set(closed) == {f"{proxy.url}/api/v1" for proxy in proxies}


def test_servers_that_all_failed_are_tried_in_turn(do: Driver) -> None:
    hosts: list[str] = []

    def health(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(503, headers={"retry-after": "0"})

    urls = ["http://a.invalid", "http://b.invalid", "http://c.invalid"]
    client = do.client(urls, server_version="0.11.1", transport=httpx.MockTransport(health))
    with pytest.raises(errors.StatusError, match="503"):
        do(client.health())
    assert "".join(host[0] for host in hosts) == "abcab"
    do(client.close())


def test_a_server_that_answers_again_is_kept(do: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    # No time passes, so both still have to rest.
    clock = SimpleNamespace(monotonic=lambda: 1000.0)
    monkeypatch.setattr("stepflow_client._servers.time", clock)
    hosts: list[str] = []

    def health(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        if len(hosts) <= 5:
            return httpx.Response(503, headers={"retry-after": "0"})
        return httpx.Response(200, json={"status": "healthy", "timestamp": "t", "version": "1"})

    urls = ["http://b.invalid", "http://a.invalid"]
    client = do.client(urls, server_version="0.11.1", transport=httpx.MockTransport(health))
    with pytest.raises(errors.StatusError, match="503"):
        do(client.health())
    for _ in range(3):
        do(client.health())
    assert "".join(host[0] for host in hosts) == "babab" + "aaa"
    do(client.close())


@pytest.mark.parametrize("option", ["limits", "proxy"])
def test_limits_and_a_proxy_hold_for_each_server(
    do: Driver, servers: list[StepflowServer], option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[dict[str, Any]] = []
    cls = client_class(httpx, is_async=do.is_async)
    init = cls.__init__

    def note(self: Any, **options: Any) -> None:
        used.append(options)
        init(self, **options)

    monkeypatch.setattr(cls, "__init__", note)
    # A proxy is passed the request for either server, and this one answers for itself.
    value = httpx.Limits(max_connections=3) if option == "limits" else servers[1].url
    client = do.client(urls_of(servers), server_version=None, **{option: value})
    servers[0].kill()
    assert do(client.server_version()) == "0.13.0"
    assert len(used) == 2
    assert all(str(value) in str(options[option]) for options in used)
    do(client.close())


@pytest.mark.parametrize("token", [None, "sesame"])
def test_each_server_has_the_settings_of_the_client(do: Driver, token: str | None) -> None:
    seen: dict[str, tuple[Any, ...]] = {}

    def respond(request: httpx.Request) -> httpx.Response:
        given = request.headers.get("authorization"), request.headers.get("x-tenant")
        is_long = request.extensions["timeout"]["read"] > 1000
        seen[request.url.host] = (request.url.path, *given, is_long)
        if request.url.host == "first.invalid":
            return httpx.Response(503, headers={"retry-after": "0"})
        return httpx.Response(200, content=b"x" * 1001)

    client = do.client(
        ["http://first.invalid", "http://second.invalid"],
        token=token,
        headers={"x-tenant": "one"},
        timeout=2000,
        # With it, no request for the version precedes.
        server_version="0.11.1",
        max_response_size=1000,
        transport=httpx.MockTransport(respond),
    )
    with pytest.raises(errors.TransportError, match="max_response_size"):
        do(client.get_blob("b"))
    sent = ("/api/v1/blobs/b", token and f"Bearer {token}", "one", True)
    assert seen == {"first.invalid": sent, "second.invalid": sent}
    do(client.close())


def test_a_pickled_handle_has_all_servers(do: Driver, servers: list[StepflowServer]) -> None:
    with SyncStepflowClient(", ".join(urls_of(servers))) as client:
        handle = client.submit(ECHO, 1)
        handle.result()
        pickled = pickle.dumps(handle)
    servers[1].kill()
    with pickle.loads(pickled) as restored:
        assert restored.result(timeout=60).output == 1
        assert repr(restored).count("http://") == 2


def test_the_environment_names_several(
    do: Driver, servers: list[StepflowServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPFLOW_URL", ",".join(urls_of(servers)))
    servers[0].kill()
    client = do.client(None, server_version=None)
    assert do(client.run(ECHO, 1)).output == 1
    do(client.close())
    monkeypatch.setenv("STEPFLOW_URL", f"{servers[1].url},http://")
    with pytest.raises(errors.InvalidInput, match=r"\$STEPFLOW_URL: "):
        do.client(None)

"""The other methods on the real server: flows, runs listed, components, blobs, health."""

from __future__ import annotations

import gc
import subprocess
import sys
import uuid
import warnings
from typing import Any

import httpx
import pytest

from client.tests.support import ECHO, READ_FILE, Driver
from stepflow_api.models import DiagnosticLevel, ExecutionStatus
from stepflow_api.testing import MockServer, finished_run
from stepflow_client import RetryPolicy, errors
from tools.pytest.httpx_libraries import by_library, client_class
from tools.spec.server import StepflowServer

BROKEN = {
    "name": "broken",
    "steps": [{"id": "a", "component": "/eval"}, {"id": "a", "component": "/eval"}],
    "output": {"$step": "a"},
}


def test_validate_tells_errors_and_warnings(do: Driver, client: Any) -> None:
    good = do(client.validate(ECHO))
    assert good.is_valid
    assert good.errors == []
    assert [one.kind for one in good.warnings] == ["missingFlowDescription"]
    bad = do(client.validate(BROKEN))
    assert not bad.is_valid
    assert [one.kind for one in bad.errors] == ["duplicateStepId"]
    assert all(one.level is DiagnosticLevel.WARNING for one in bad.warnings)


def test_validate_does_not_store(do: Driver, client: Any) -> None:
    flow = {**ECHO, "name": f"validated-{uuid.uuid4()}"}
    flow_id = do(client.validate(flow)).flow_id
    with pytest.raises(errors.NotFound):
        do(client.get_flow(flow_id))
    assert do(client.store_flow(flow)) == flow_id
    assert do(client.validate(flow_id)).flow_id == flow_id


def test_an_invalid_flow_is_refused_with_its_diagnostics(do: Driver, client: Any) -> None:
    for call, *arguments in ((client.store_flow,), (client.run, 1), (client.submit, 1)):
        with pytest.raises(
            errors.FlowInvalid, match=r"\$.steps\[1\].id: Duplicate step ID 'a'"
        ) as caught:
            do(call(BROKEN, *arguments))
        assert caught.value.diagnostics.num_fatal == 1


def test_get_flow_and_its_variables(do: Driver, client: Any) -> None:
    flow_id = do(client.store_flow(READ_FILE))
    assert do(client.get_flow(flow_id)).name == "read-file"
    assert do(client.get_variables(flow_id)).env_vars == {}
    for call in (client.get_flow, client.get_variables):
        with pytest.raises(errors.NotFound):
            do(call("0" * 64))


def test_an_unknown_flow_cannot_run(do: Driver, client: Any) -> None:
    with pytest.raises(errors.NotFound, match="not found"):
        do(client.run("0" * 64, 1))


def test_the_longest_timeouts(do: Driver, server: StepflowServer) -> None:
    for timeout in (1e18, float("inf")):
        client = do.client(server.url, timeout=timeout)
        assert do(client.health(timeout=timeout)).status == "healthy"
        do(client.close())


def test_blobs_as_a_server_has_them_that_does_not_report_their_type(do: Driver) -> None:
    server = MockServer(
        {
            "GET /blobs/{blob_id}": b"\xff",
            "POST /blobs": {"blobId": "b"},
        }
    )
    client = do.client("http://server.invalid", server_version="0.11.1", transport=server)
    assert do(client.get_blob("b")) == b"\xff"
    assert do(client.put_blob({"a": 1}, filename="a.json")) == "b"
    assert server.requests[-1].json() == {"data": {"a": 1}, "filename": "a.json"}
    do(client.close())


@pytest.mark.parametrize("data", [b"\xff", bytearray(b"\xff"), b""], ids=repr)
def test_a_blob_of_bytes_is_sent_as_it_is(do: Driver, data: Any) -> None:
    server = MockServer({"POST /blobs": {"blobId": "b"}})
    client = do.client("http://server.invalid", server_version="0.11.1", transport=server)
    assert do(client.put_blob(data, filename="a.bin")) == "b"
    assert do(client.put_blob(data)) == "b"
    for request, name in zip(server.requests, ("a.bin", None), strict=True):
        assert (request.content, request.headers.get("x-blob-filename")) == (data, name)
        assert request.headers["content-type"] == "application/octet-stream"
    do(client.close())


@pytest.mark.parametrize(
    ("item", "sent"), [(None, {}), (0, {"itemIndex": "0"}), (7, {"itemIndex": "7"})]
)
def test_of_which_item_steps_are_requested(do: Driver, item: Any, sent: dict[str, str]) -> None:
    server = MockServer({"GET /runs/{run_id}/steps": {"steps": {}}})
    client = do.client("http://server.invalid", server_version="0.11.1", transport=server)
    assert do(client.handle(uuid.UUID(int=1)).steps(item_index=item)) == {}
    assert [request.query for request in server.requests] == [sent]
    do(client.close())


def test_the_types_of_variables_of_the_environment(
    do: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    types: dict[str, Any] = {
        "untyped": {},
        "anything": True,
        "text": {"type": "string"},
        "maybe_text": {"type": ["null", "string"]},
        "number": {"type": "integer"},
        "maybe_number": {"type": ["integer", "null"]},
        "explicit": {"type": "integer"},
        "unset": {"type": "integer"},
    }
    names = [*types, "unlisted"]
    for name in names:
        if name != "unset":
            monkeypatch.setenv(f"TEST_OF_{name}", "3")
    found = {"schema": {"type": "object", "properties": types}}
    found["envVars"] = {name: f"TEST_OF_{name}" for name in names}
    routes: dict[str, Any] = finished_run("done")
    server = MockServer({**routes, "GET /flows/{flow_id}/variables": {"flowId": "0" * 64, **found}})
    client = do.client("http://server.invalid", server_version="0.11.1", transport=server)
    do(client.run("0" * 64, 1, variables={"explicit": 0}, variables_from_env=True))
    (request,) = (one for one in server.requests if one.method == "POST")
    assert request.json()["variables"] == {
        "explicit": 0,
        "untyped": "3",
        "anything": "3",
        "text": "3",
        "maybe_text": "3",
        "number": 3,
        "maybe_number": 3,
        "unlisted": "3",
    }
    server.add("GET /flows/{flow_id}/variables", {"flowId": "0" * 64, "envVars": {"a": "NONE"}})
    server.requests.clear()
    do(client.run("0" * 64, 1, variables_from_env=True))
    assert server.requests[1].json()["variables"] == {}
    schemas: list[Any] = [None, {}, {"properties": {}}]
    for schema in schemas:
        untyped = {"flowId": "0" * 64, "schema": schema, "envVars": {"a": "TEST_OF_text"}}
        server.add("GET /flows/{flow_id}/variables", untyped)
        server.requests.clear()
        do(client.run("0" * 64, 1, variables_from_env=True))
        assert server.requests[1].json()["variables"] == {"a": "3"}
    do(client.close())


def test_list_runs_goes_over_pages(do: Driver, client: Any) -> None:
    name = f"listed-{uuid.uuid4()}"
    flow = {**ECHO, "name": name}
    ids = [do(client.submit(flow, number)).id for number in range(205)]
    listed = [run.run_id for run in do(client.list_runs(flow_name=name))]
    assert sorted(listed) == sorted(ids)
    assert listed[0] == ids[-1]
    assert len(do(client.list_runs(flow_name=name, limit=7))) == 7
    assert do(client.list_runs(flow_name=name, limit=0)) == []
    only = do(client.list_runs(flow_name=name, status=ExecutionStatus.CANCELLED))
    assert only == []
    assert [run.run_id for run in do(client.list_runs(root_run_id=ids[0]))] == [ids[0]]


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("status", ExecutionStatus.FAILED, {"status": "failed"}),
        ("flow_name", "a flow", {"flowName": "a flow"}),
        ("root_run_id", uuid.UUID(int=1), {"rootRunId": str(uuid.UUID(int=1))}),
        ("parent_run_id", str(uuid.UUID(int=2)), {"parentRunId": str(uuid.UUID(int=2))}),
        ("roots_only", True, {"rootsOnly": "true"}),
        ("roots_only", False, {"rootsOnly": "false"}),
        ("max_depth", 0, {"maxDepth": "0"}),
        ("limit", 7, {"limit": "7"}),
        ("limit", 101, {}),
    ],
)
def test_what_runs_are_listed_by(do: Driver, name: str, value: Any, sent: dict[str, str]) -> None:
    server = MockServer({"GET /runs": {"runs": []}})
    client = do.client("http://server.invalid", server_version="0.11.1", transport=server)
    assert do(client.list_runs(**{name: value})) == []
    assert [one.query for one in server.requests] == [{"limit": "100", "offset": "0"} | sent]
    do(client.close())


def test_list_components(do: Driver, client: Any) -> None:
    components = {one.component: one for one in do(client.list_components())}
    assert components["/load_file"].input_schema is not None
    short = do(client.list_components(include_schemas=False))
    assert {one.component for one in short} == set(components)
    assert short[0].input_schema is None


@pytest.mark.parametrize("data", [{"a": [1, None]}, "text", None, 7, b"", b"\x00\xff" * 1000])
def test_blobs_come_back_as_they_were(do: Driver, client: Any, data: Any) -> None:
    blob_id = do(client.put_blob(data))
    back = do(client.get_blob(blob_id))
    assert back == data
    assert type(back) is type(data)
    assert do(client.put_blob(data, filename="name.bin")) == blob_id


def test_an_unknown_blob_is_not_found(do: Driver, client: Any) -> None:
    with pytest.raises(errors.NotFound):
        do(client.get_blob("0" * 64))


def test_health_and_version(do: Driver, client: Any) -> None:
    assert do(client.health()).status == "healthy"
    assert do(client.server_version()) == "0.11.1"


def test_a_closed_client_says_so(do: Driver, server: StepflowServer) -> None:
    client = do.client(server.url)
    do(client.close())
    with pytest.raises(errors.InvalidRequest, match="this client is closed"):
        do(client.health())


@by_library
def test_what_was_handed_in_stays_open(library: Any, do: Driver, server: StepflowServer) -> None:
    http = client_class(library, is_async=do.is_async)()
    client = do.client(server.url, http_client=http)
    assert do(client.run(ECHO, 1)).output == 1
    do(client.close())
    assert not http.is_closed
    do(http.aclose() if do.is_async else http.close())


@by_library
def test_limits_and_proxy_make_a_client_of_their_own(
    library: Any, do: Driver, server: StepflowServer
) -> None:
    # Any HTTP server is a proxy for what is sent to it; this one answers for itself.
    for options in (
        {"proxy": server.url, "limits": library.Limits()},
        {"proxy": library.Proxy(server.url)},
        # Of the other library than the limits.
        {"proxy": httpx.Proxy(server.url), "limits": library.Limits()},
    ):
        client = do.client("http://stepflow.invalid", **options)
        assert do(client.health()).status == "healthy"
        do(client.close())
    for proxy in ("nonsense", 5, b"http://127.0.0.1:1", library.Proxy, "http://127.0.0.1:65536"):
        with pytest.raises(errors.InvalidInput, match=r"^proxy is not a proxy URL"):
            do.client(server.url, proxy=proxy)
    for limits in ({"max_connections": 1}, 5, library.Limits):
        with pytest.raises(errors.InvalidInput, match=r"limits is .*; pass an httpx\.Limits or"):
            do.client(server.url, limits=limits)
    with pytest.raises(errors.InvalidInput, match="limits cannot be combined with http_client"):
        do.client(server.url, limits=library.Limits(), http_client=library.Client())
    with pytest.raises(errors.InvalidInput, match="proxy cannot be combined with http_client"):
        do.client(server.url, proxy=server.url, http_client=library.Client())


@pytest.mark.parametrize("option", ["limits", "proxy"])
@by_library
def test_limits_and_proxy_are_used_by_the_library_that_they_are_of(
    library: Any,
    do: Driver,
    server: StepflowServer,
    option: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used: list[Any] = []
    cls = client_class(library, is_async=do.is_async)
    init = cls.__init__

    def note(self: Any, **options: Any) -> None:
        used.append(options)
        init(self, **options)

    monkeypatch.setattr(cls, "__init__", note)
    limits = library.Limits(max_connections=3, keepalive_expiry=7)
    value = limits if option == "limits" else library.Proxy(server.url)
    client = do.client(server.url, **{option: value})
    assert do(client.health()).status == "healthy"
    (options,) = used
    assert (options["limits"] == limits) is (option == "limits")
    do(client.close())


def test_a_client_with_limits_that_was_not_closed_is_named(
    do: Driver, server: StepflowServer
) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client = do.client(server.url, limits=httpx.Limits())
        name = type(client).__name__
        do(client.health())
        del client
        gc.collect()
        messages = [str(warning.message) for warning in caught]
        # asyncio warns of the connection, which nothing holds any more.
        caught.clear()
        do.close()
        gc.collect()
    assert messages == [
        f"unclosed {name} of {server.url}/api/v1; use it in a with block, or close it"
    ]
    assert do.is_async or not caught


@by_library
def test_limits_keep_the_proxies_of_the_environment(
    library: Any, do: Driver, server: StepflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server.url)
    monkeypatch.setenv("NO_PROXY", "fe80::/10,10.0.0.0/8")
    client = do.client("http://stepflow.invalid", limits=library.Limits())
    assert do(client.health()).status == "healthy"
    do(client.close())
    monkeypatch.setenv("HTTP_PROXY", "socks5://me:secret@127.0.0.1:1")
    client = do.client(server.url, limits=library.Limits())
    assert do(client.health()).status == "healthy"
    do(client.close())
    monkeypatch.setenv("NO_PROXY", "stepflow.invalid")
    # No proxy is used, so the name must resolve.
    client = do.client("http://stepflow.invalid", limits=library.Limits(), retry=RetryPolicy(0))
    with pytest.raises(errors.Unreachable, match="no connection"):
        do(client.health())
    do(client.close())


def test_a_client_needs_no_httpx() -> None:
    script = f"import sys; sys.path = {sys.path!r}\n"
    script += "from stepflow_client import SyncStepflowClient\n"
    script += "SyncStepflowClient('http://localhost:1').close()\n"
    script += "assert sys.modules.keys().isdisjoint({'httpx', 'httpx2', 'httpcore', 'asyncio'})"
    subprocess.run([sys.executable, "-I", "-c", script], check=True)


@pytest.mark.parametrize("option", ["proxy", "HTTP_PROXY"])
def test_a_socks_proxy_needs_a_package(
    do: Driver, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    url = "socks5://me:secret@127.0.0.1:1"
    monkeypatch.setenv("HTTP_PROXY", url)
    options = {"proxy": url} if option == "proxy" else {"limits": httpx.Limits()}
    with pytest.raises(errors.InvalidRequest, match=f"{option} is a SOCKS proxy") as raised:
        do.client("http://stepflow.invalid", **options)
    assert "socksio" in str(raised.value) and "secret" not in str(raised.value)


@by_library
def test_token_and_headers_are_sent_and_not_shown(
    library: Any, do: Driver, server: StepflowServer
) -> None:
    sent: list[Any] = []

    def keep(request: Any) -> None:
        sent.append(request.headers)

    async def keep_async(request: Any) -> None:
        keep(request)

    hooks = {"request": [keep_async if do.is_async else keep]}
    http = client_class(library, is_async=do.is_async)(event_hooks=hooks)
    client = do.client(server.url, token="sesame", headers={"x-team": "a"}, http_client=http)
    do(client.health())
    assert sent[0]["authorization"] == "Bearer sesame"
    assert sent[0]["x-team"] == "a"
    assert "sesame" not in repr(client)
    do(http.aclose() if do.is_async else http.close())

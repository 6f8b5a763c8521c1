"""Handles are pickled as the server's URL and the run's id, and nothing else."""

from __future__ import annotations

import copy
import gc
import multiprocessing
import pickle
from typing import Any

import pytest

from api.tests.support.odd_server import OddServer, answer
from client.tests.fault_proxy import Fault, FaultProxy, once
from client.tests.support import ECHO, Driver
from stepflow_client import RunHandle, SyncRunHandle, SyncStepflowClient, errors
from tools.spec.server import StepflowServer

RUN_ID = "00000000-0000-0000-0000-000000000001"
REFUSAL = answer('{"code": 404, "message": "none here"}', status="404 Not Found")


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STEPFLOW_TOKEN", raising=False)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_handle_goes_on_elsewhere(do: Driver, server: StepflowServer, protocol: int) -> None:
    client = do.client(server.url)
    handle = do(client.submit(ECHO, {"n": 1}))
    back = pickle.loads(pickle.dumps(handle, protocol))
    assert type(back) is (RunHandle if do.is_async else SyncRunHandle)
    assert back.id == handle.id
    assert do(back.result(timeout=60)).output == {"n": 1}
    again = pickle.loads(pickle.dumps(back, protocol))
    assert do(again.status()).run_id == handle.id
    do(again.close())
    do(back.close())
    with pytest.raises(errors.InvalidRequest, match="this client is closed"):
        do(back.status())
    # The client of the original is not closed with the handle.
    do(handle.close())
    assert do(handle.status()).run_id == handle.id
    do(client.close())


def output_of(handle: SyncRunHandle) -> Any:
    with handle:
        result: Any = handle.result(timeout=60)
        return result.output


def test_a_handle_as_an_argument_of_another_process(server: StepflowServer) -> None:
    with SyncStepflowClient(server.url) as client:
        handles = [client.submit(ECHO, number) for number in range(3)]
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map(output_of, handles) == [0, 1, 2]
            pool.close()
            pool.join()


@pytest.mark.parametrize("kind", ["client", "unpickled handle", "handle of a client"])
def test_context_managers_close_what_is_theirs(
    do: Driver, server: StepflowServer, kind: str
) -> None:
    client = do.client(server.url)
    handle = do(client.submit(ECHO, 1))
    manager = client if kind == "client" else handle
    if kind == "unpickled handle":
        manager = handle = pickle.loads(pickle.dumps(handle))

    async def enter() -> None:
        async with manager as entered:
            assert entered is manager
            await handle.status()

    if do.is_async:
        do(enter())
    else:
        with manager as entered:
            assert entered is manager
            handle.status()
    if kind == "handle of a client":
        assert do(handle.status()).run_id == handle.id
    else:
        with pytest.raises(errors.InvalidRequest, match="this client is closed"):
            do(handle.status())
    do(client.close())


def test_an_async_handle_is_a_context_manager(server: StepflowServer) -> None:
    do = Driver("async")
    client = do.client(server.url)

    async def main() -> Any:
        async with pickle.loads(pickle.dumps(await client.submit(ECHO, 5))) as handle:
            return (await handle.result()).output

    assert do(main()) == 5
    do(client.close())
    do.close()


def test_no_secret_is_pickled(do: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    with OddServer(REFUSAL) as server:
        url = server.url.replace("//", "//user:p4ssw0rd@")
        client = do.client(url, token="t0k3n", headers={"x-key": "h34d3r"})
        content = pickle.dumps(client.handle(RUN_ID))
        do(client.close())
        assert not any(secret in content for secret in (b"p4ssw0rd", b"t0k3n", b"h34d3r"))
        for token, sent in ((None, None), ("", None), ("other", "Bearer other")):
            if token is not None:
                monkeypatch.setenv("STEPFLOW_TOKEN", token)
            handle = pickle.loads(content)
            with pytest.raises(errors.NotFound):
                do(handle.status())
            do(handle.close())
            assert server.headers().get("authorization") == sent
            assert "x-key" not in server.headers()


def test_a_token_of_the_environment_that_cannot_be_sent(
    do: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = pickle.dumps(do.client("http://localhost").handle(RUN_ID))
    monkeypatch.setenv("STEPFLOW_TOKEN", "s3cr3t\n")
    with pytest.raises(errors.InvalidInput, match=r"^\$STEPFLOW_TOKEN: the token cannot") as raised:
        pickle.loads(content)
    assert "s3cr3t" not in str(raised.value)


@pytest.mark.parametrize("is_second", [False, True])
def test_a_handle_that_was_not_closed_is_named(server: StepflowServer, is_second: bool) -> None:
    # Nobody listens at the first of two.
    urls = ["http://127.0.0.1:9"] * is_second + [server.url]
    with SyncStepflowClient(urls) as client:
        content = pickle.dumps(client.submit(ECHO, 1))
    handle = pickle.loads(content)
    handle.result()
    with pytest.warns(ResourceWarning, match=f"^unclosed SyncRunHandle of {server.url}"):
        del handle
        gc.collect()


def test_an_unpickled_handle_sends_failed_requests_again(
    do: Driver, server: StepflowServer, proxy: FaultProxy
) -> None:
    client = do.client(proxy.url)
    content = pickle.dumps(do(client.submit(ECHO, 1)))
    do(client.close())
    handle = pickle.loads(content)
    do(handle.status())
    proxy.plan = once(Fault.BUSY)
    do(handle.status())
    do(handle.close())


def test_a_url_that_was_changed(do: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = do.client("http://localhost:7840").handle(RUN_ID)
    content = pickle.dumps(handle, protocol=0).replace(b"http://", b"nttp://")
    monkeypatch.setenv("STEPFLOW_TOKEN", "sesame")
    kind = type(handle).__name__
    with pytest.raises(
        errors.InvalidInput, match=f"^the pickled {kind} cannot be used: the server"
    ):
        pickle.loads(content)
    # Of several servers, each is checked.
    handle = do.client(["http://localhost:7840", "http://localhost:7841"]).handle(RUN_ID)
    content = pickle.dumps(handle, protocol=0).replace(b":7841", b":784x")
    with pytest.raises(
        errors.InvalidInput, match=f"^the pickled {kind} cannot be used: the server"
    ):
        pickle.loads(content)


def test_a_copy_is_the_handle_itself(do: Driver) -> None:
    handle = do.client("http://localhost").handle(RUN_ID)
    assert copy.copy(handle) is handle
    assert copy.deepcopy([handle])[0] is handle


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_client_has_no_copy(do: Driver, copied: Any) -> None:
    client = do.client("http://localhost")
    with pytest.raises(TypeError) as refusal:
        copied(client)
    assert str(refusal.value) == (
        f"{type(client).__name__} cannot be copied or pickled; create another, or pickle the"
        " handles of its runs"
    )

"""Running flows on the real server: success, failure, deadlines, cancelling, looking on."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import httpx
import pytest

from client.tests.fault_proxy import FaultProxy
from client.tests.support import ECHO, READ_FILE, Driver, release, wait_until
from stepflow_api.models import ExecutionStatus, Flow, StepStatus
from stepflow_client import SyncStepflowClient, errors


def variables_of(kind: Any) -> dict[str, Any]:
    """Return a flow whose variable `city` has a type."""
    return {
        "name": "variables",
        "schemas": {
            "type": "object",
            "properties": {
                "variables": {
                    "type": "object",
                    "properties": {
                        "city": {"type": kind, "env_var": "TEST_CITY", "default": "Rome"},
                        "count": {"type": "integer", "env_var": "TEST_COUNT", "default": 0},
                    },
                }
            },
        },
        "steps": [],
        "output": {"city": {"$variable": "city"}, "count": {"$variable": "count"}},
    }


VARIABLES = variables_of("string")


@pytest.mark.parametrize("input", [{"n": 1}, [1, 2], None, "text", 0, 2**53 + 1, "é😀\x00"])
def test_run_gives_the_result(do: Driver, client: Any, input: Any) -> None:
    result = do(client.run(ECHO, input))
    assert result.is_success
    assert result.output == input


def test_run_takes_a_flow_in_every_shape(do: Driver, client: Any, tmp_path: Path) -> None:
    as_json = tmp_path / "echo.json"
    as_json.write_text(json.dumps(ECHO), encoding="utf-8")
    as_yaml = tmp_path / "echo.yaml"
    as_yaml.write_text("name: echo\nsteps: []\noutput:\n  $input: $\n", encoding="utf-8")
    flow_id = do(client.store_flow(ECHO))
    for flow in (
        ECHO,
        MappingProxyType(ECHO),
        Flow.from_dict(ECHO),
        as_json,
        str(as_json),
        as_yaml,
        flow_id,
    ):
        assert do(client.run(flow, 5)).output == 5
        assert do(client.store_flow(flow)) == flow_id


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_a_flow_that_was_changed_is_another(
    do: Driver, client: Any, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"flow{suffix}"
    flow: dict[str, Any] = {**ECHO}
    for output in (1, 2, 1):
        flow["output"] = output
        path.write_text(json.dumps(flow), encoding="utf-8")
        assert do(client.run(path, None)).output == output
        assert do(client.run(flow, None)).output == output


def test_the_same_text_may_be_a_flow_in_one_format_alone(
    do: Driver, client: Any, tmp_path: Path
) -> None:
    for name in ("flow.yaml", "flow.json"):
        (tmp_path / name).write_text("{steps: [], output: 1}", encoding="utf-8")
    assert do(client.run(tmp_path / "flow.yaml", 1)).output == 1
    with pytest.raises(errors.InvalidInput, match="is not valid JSON"):
        do(client.run(tmp_path / "flow.json", 1))


def test_a_failed_flow_is_a_result(do: Driver, client: Any) -> None:
    result = do(client.run(READ_FILE, {"path": "/nowhere"}))
    assert result.is_failed
    assert result.error.message == 'step "read" failed'


def test_a_failed_flow_raises_on_request(do: Driver, client: Any) -> None:
    with pytest.raises(errors.FlowFailed, match='failed: step "read" failed') as caught:
        do(client.run(READ_FILE, {"path": "/nowhere"}, raise_on_failure=True))
    assert caught.value.result is not None
    handle = do(client.submit(READ_FILE, {"path": "/nowhere"}))
    assert do(handle.result()).is_failed
    with pytest.raises(errors.FlowFailed, match='failed: step "read" failed') as again:
        do(handle.result(raise_on_failure=True))
    for failed in (caught.value, again.value):
        assert do(client.handle(failed.run_id).status()).status is ExecutionStatus.FAILED


def test_a_deadline_names_its_argument_and_leaves_the_run(
    do: Driver,
    proxied: Any,
    proxy: FaultProxy,
    fifo: Callable[[], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = fifo()
    clock = SimpleNamespace(monotonic=lambda: 100.0 if proxy.waiting.is_set() else 0.0)
    with monkeypatch.context() as patch:
        # The deadline passes when the run is there, and waited for.
        patch.setattr("stepflow_client._requests.deadline.time", clock)
        with pytest.raises(
            errors.Timeout, match=r"timeout=60 s; it was not cancelled: raise the timeout argument"
        ) as caught:
            do(proxied.run(READ_FILE, {"path": str(path)}, timeout=60))
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.run_id is not None
    handle = proxied.handle(str(caught.value.run_id))
    with pytest.raises(errors.Timeout):
        do(handle.result(timeout=0))
    wait_until(lambda: release(path, 7), "the step reads the file")
    wait_until(lambda: is_done(do, handle), "the run has ended")
    assert do(handle.result(timeout=0)).output == 7


def is_done(do: Driver, handle: Any) -> bool:
    return bool(do(handle.status()).status is ExecutionStatus.COMPLETED)


def test_a_deadline_before_the_run_is_created_creates_none(do: Driver, client: Any) -> None:
    flow = {**ECHO, "name": f"never-{uuid.uuid4()}"}
    with pytest.raises(errors.Timeout, match="raise the timeout argument") as caught:
        do(client.run(flow, 1, timeout=0))
    assert caught.value.run_id is None
    assert do(client.list_runs(flow_name=flow["name"])) == []


def test_submit_has_a_deadline_too(do: Driver, client: Any) -> None:
    flow = {**ECHO, "name": f"never-{uuid.uuid4()}"}
    for call, input in ((client.submit, 1), (client.submit_batch, [1])):
        with pytest.raises(errors.Timeout, match="raise the timeout argument"):
            do(call(flow, input, timeout=0))
        assert do(do(call(flow, input, timeout=60)).status()).items.total == 1
    assert len(do(client.list_runs(flow_name=flow["name"]))) == 2


def test_cancel_tells_what_really_became_of_the_run(
    do: Driver, client: Any, fifo: Callable[[], Path]
) -> None:
    # A busy machine needs longer for the request itself.
    for seconds in (0.1, 5, 50):
        handle = do(client.submit(READ_FILE, {"path": str(fifo())}))
        with pytest.raises(errors.Timeout) as caught:
            do(handle.cancel(wait=True, timeout=seconds))
        if "was not seen to end" in str(caught.value):
            break
    assert "was not seen to end" in str(caught.value)
    assert do(handle.status()).status is ExecutionStatus.CANCELLED
    # Its step continues, and once that has ended the run counts as completed.
    other = fifo()
    handle = do(client.submit(READ_FILE, {"path": str(other)}))

    def end_once_cancelled() -> None:
        with SyncStepflowClient(client.url) as onlooker:
            seen = onlooker.handle(handle.id)
            wait_until(lambda: seen.status().status is ExecutionStatus.CANCELLED, "it is cancelled")
        wait_until(lambda: release(other), "the step reads the FIFO")

    ending = threading.Thread(target=end_once_cancelled)
    ending.start()
    run = do(handle.cancel(wait=True, timeout=60))
    ending.join()
    assert (run.status, run.items.running) == (ExecutionStatus.COMPLETED, 0)


def test_handle_shows_a_run_and_cancels_it(
    do: Driver, client: Any, fifo: Callable[[], Path]
) -> None:
    path = fifo()
    handle = do(client.submit(READ_FILE, {"path": str(path)}))
    assert do(handle.status()).status is ExecutionStatus.RUNNING
    assert [item.result for item in do(handle.items())] == [None]
    assert set(do(handle.steps())) == {"read"}
    assert do(handle.cancel()).status is ExecutionStatus.CANCELLED
    with pytest.raises(errors.Conflict, match="status: Cancelled"):
        do(handle.cancel())
    with pytest.raises(errors.RunCancelled, match="was cancelled") as caught:
        do(handle.result())
    assert caught.value.run_id == handle.id


def test_handle_shows_a_finished_run(do: Driver, client: Any, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text("1", encoding="utf-8")
    handle = do(client.submit(READ_FILE, {"path": str(path)}))
    assert do(handle.result()).output == 1
    assert do(handle.steps(item_index=0))["read"].status is StepStatus.COMPLETED
    assert do(handle.status()).items.completed == 1
    with pytest.raises(errors.Conflict):
        do(handle.cancel())


def test_an_unknown_run_is_not_found(do: Driver, client: Any) -> None:
    for wrong in ("7", 7, None):
        with pytest.raises(errors.InvalidInput, match=r"the run id is .*; pass a UUID, as submit"):
            client.handle(wrong)
    handle = client.handle(uuid.UUID(int=7))
    for call in (handle.result, handle.results, handle.status, handle.items, handle.cancel):
        with pytest.raises(errors.NotFound):
            do(call())


def test_overrides_change_a_step(do: Driver, client: Any, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text('"overridden"', encoding="utf-8")
    result = do(
        client.run(
            READ_FILE, {"path": "/nowhere"}, overrides={"read": {"input": {"path": str(path)}}}
        )
    )
    assert result.output == "overridden"
    with pytest.raises(errors.BadRequest):
        do(client.run(READ_FILE, {}, overrides={"no-such-step": {"input": {}}}))


def test_variables_come_from_arguments_then_the_environment(
    do: Driver, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_CITY", "Oslo")
    monkeypatch.setenv("TEST_COUNT", "3")
    default = {"city": "Rome", "count": 0}
    assert do(client.run(VARIABLES, None)).output == default
    assert do(client.run(VARIABLES, None, variables={"count": 1})).output == default | {"count": 1}
    assert do(client.run(VARIABLES, None, variables_from_env=True)).output == {
        "city": "Oslo",
        "count": 3,
    }
    nullable = variables_of(["null", "string"])
    assert do(client.run(nullable, None, variables_from_env=True)).output["city"] == "Oslo"
    explicit = {"city": "Bonn"}
    result = do(client.run(VARIABLES, None, variables=explicit, variables_from_env=True))
    assert result.output == {"city": "Bonn", "count": 3}
    assert explicit == {"city": "Bonn"}
    # Empty is a value.
    monkeypatch.setenv("TEST_CITY", "")
    assert do(client.run(VARIABLES, None, variables_from_env=True)).output["city"] == ""
    monkeypatch.delenv("TEST_CITY")
    assert do(client.run(VARIABLES, None, variables_from_env=True)).output == {
        "city": "Rome",
        "count": 3,
    }


def test_an_environment_variable_of_the_wrong_type_is_told(
    do: Driver, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in ("many", "[" * 100_000):
        monkeypatch.setenv("TEST_COUNT", value)
        with pytest.raises(errors.InvalidInput, match="TEST_COUNT does not hold the integer"):
            do(client.run(VARIABLES, None, variables_from_env=True))


def test_the_server_is_named_by_argument_then_environment_then_default(
    do: Driver, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPFLOW_URL", client.url)
    named = type(client)()
    assert do(named.run(ECHO, 1)).output == 1
    do(named.close())
    monkeypatch.delenv("STEPFLOW_URL")
    assert type(client)().url == "http://localhost:7840/api/v1"
    monkeypatch.setenv("STEPFLOW_URL", "")
    given: list[Any] = [None, "", []]
    for nothing in given:
        assert type(client)(nothing).url == "http://localhost:7840/api/v1"


@pytest.mark.parametrize("url", ["http://user:s3cret%40host", "http://:s3cret", "http://h?s3cret"])
def test_a_server_url_that_cannot_be_used_is_not_quoted(
    client: Any, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPFLOW_URL", url)
    for options in ({}, {"url": url}, {"url": url, "limits": httpx.Limits()}):
        with pytest.raises(errors.InvalidRequest) as caught:
            type(client)(**options)
        assert str(caught.value).startswith("" if options else "$STEPFLOW_URL: ")
        assert "the server's URL " in str(caught.value)
        assert "s3cret" not in repr(caught.value) + repr(caught.value.__context__)

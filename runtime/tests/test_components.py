"""Functions of this program that real servers of all versions call."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import decimal
import gc
import json
import logging
import os
import queue
import re
import signal
import socket
import sys
import threading
import types
from pathlib import Path
from typing import Any
from uuid import UUID

import pydantic
import pytest

from runtime.tests.component_flows import VERSION, code, flow, logged_exceptions, problem
from runtime.tests.support import wait_until
from stepflow_client import SyncStepflowClient
from stepflow_runtime import (
    ALL_BUILTINS,
    ComponentContext,
    LogConfig,
    RestartPolicy,
    StepflowRuntime,
    component,
    errors,
)


@component
def shout(text: str, times: int = 1) -> str:
    """Return a text in capitals."""
    return " ".join([text.upper()] * times)


@component
async def wait_a_moment(text: str) -> str:
    """Return a text later."""
    await asyncio.sleep(0.001)
    return text


def plain(value):  # type: ignore[no-untyped-def] # pyright: ignore
    return value


class Order(pydantic.BaseModel):
    """A model with another name in JSON."""

    item: str
    count: int = pydantic.Field(alias="itemCount", ge=1)


@dataclasses.dataclass
class Total:
    """A result with what JSON does not have."""

    path: Path
    counts: dict[int, tuple[int, ...]]


@component
def total(order: Order, factor: int = 1) -> Total:
    """Return a total.

    It has what JSON has not.
    """
    return Total(Path("/a"), {1: (order.count * factor, len(order.item))})


@component
def whole(input: Any) -> Any:
    return [input]


class Priced(Order):
    """An order whose price is a number or text as an input, and text as an output."""

    price: decimal.Decimal = decimal.Decimal("0.1")


@component
def price(item: str) -> Priced:
    return Priced(item=item, itemCount=len(item))


@component
def cost(order: Priced) -> float:
    return float(order.price * order.count)


def function_named(value: int) -> Any:
    """Return a function that returns a value."""

    def named() -> int:
        return value

    return named


def test_functions_are_steps() -> None:
    with StepflowRuntime.start(components=[shout, wait_a_moment, plain, total, whole]) as runtime:
        run = runtime.sync_client.run
        assert run(flow("shout", {"text": "hi", "times": 2}), None).output == "HI HI"
        assert run(flow("shout", {"text": {"$input": "t"}}), {"t": "ho"}).output == "HO"
        assert run(flow("wait_a_moment", {"text": "é"}), None).output == "é"
        values: list[Any] = [
            None,
            True,
            False,
            0,
            -3,
            1.5,
            1e300,
            "",
            "x" * 100_000,
            [],
            {},
            [{"a": [None]}],
        ]
        assert run(flow("plain", {"value": values}), None).output == values
        order = {"order": {"item": "abc", "itemCount": 2}, "factor": 10}
        assert run(flow("total", order), None).output == {"path": "/a", "counts": {"1": [20, 3]}}
        assert run(flow("whole", {"a": 1}), None).output == [{"a": 1}]
        assert run(flow("whole", "text"), None).output == ["text"]


def test_components_are_listed_by_the_paths_that_flows_use() -> None:
    with StepflowRuntime.start(components=[shout, plain]) as runtime:
        listed = {one.component: one for one in runtime.sync_client.list_components()}
    assert {"/python/shout", "/python/plain", "/create_messages"} <= set(listed)
    assert listed["/python/shout"].description == "Return a text in capitals."


def test_the_schemas_of_components_are_listed() -> None:
    with StepflowRuntime.start(components=[shout, total, plain]) as runtime:
        listed = {one.component: one for one in runtime.sync_client.list_components()}
    given: Any = listed["/python/shout"].input_schema
    assert given["properties"]["times"] == {"default": 1, "title": "Times", "type": "integer"}
    assert (given["required"], given["additionalProperties"]) == (["text"], False)
    assert listed["/python/shout"].output_schema == {"type": "string"}
    # The names that JSON has: those of an input, and of an output.
    order: Any = listed["/python/total"].input_schema
    assert set(order["$defs"]["Order"]["properties"]) == {"item", "itemCount"}
    result: Any = listed["/python/total"].output_schema
    assert result["required"] == ["path", "counts"]
    assert listed["/python/total"].description == "Return a total.\n\nIt has what JSON has not."
    assert listed["/python/plain"].description is None
    assert listed["/python/plain"].output_schema in ({}, None)


def test_an_output_is_as_its_schema_says() -> None:
    with StepflowRuntime.start(components=[price, cost]) as runtime:
        output: Any = runtime.sync_client.run(flow("price", {"item": "abc"}), None).output
        listed = {one.component: one for one in runtime.sync_client.list_components()}
        schema: Any = listed["/python/price"].output_schema
        assert output == {"item": "abc", "itemCount": 3, "price": "0.1"}
        assert output.keys() == schema["properties"].keys()
        assert schema["properties"]["price"]["type"] == "string"
        # Another component receives it as such an object.
        assert runtime.sync_client.run(flow("cost", {"order": output}), None).output == 0.3


def test_a_component_that_does_not_exist() -> None:
    with StepflowRuntime.start(components=[whole, shout]) as runtime:
        result = runtime.sync_client.run(flow("nope", {}), None)
    message = problem(result)
    # Later servers ask no worker for it.
    if VERSION < (0, 13):
        assert code(result) == (6 if VERSION >= (0, 12) else -32001)
        said = "there is no component 'nope' in this program, only: shout, whole"
        assert message.removeprefix("component server error(-32001): ") == said


def test_a_step_that_is_tried_again() -> None:
    attempts: list[int] = []

    @component
    def fail_twice(context: ComponentContext) -> int:
        attempts.append(context.attempt)
        if len(attempts) < 3:
            raise ValueError("not yet")
        return len(attempts)

    again = flow("fail_twice", {})
    again["steps"][0]["onError"] = {"action": "retry"}
    with StepflowRuntime.start(components=[fail_twice]) as runtime:
        result = runtime.sync_client.run(again, None)
    # Server 0.9 tries no step again.
    assert attempts == ([1] if VERSION < (0, 10) else [1, 2, 3])
    assert result.is_success == (VERSION >= (0, 10))


def test_a_module_is_its_decorated_functions() -> None:
    module = types.ModuleType("components_of_test")
    vars(module).update(first=component(function_named(1)), other=function_named(2), third=3)
    with StepflowRuntime.start(components=[module]) as runtime:
        assert runtime.sync_client.run(flow("named", {}), None).output == 1


def test_an_exception_fails_the_step_and_is_logged() -> None:
    @component
    def fail(text: str) -> None:
        error = LookupError(f"no {text}")
        error.add_note("see the list")
        raise error

    @component
    async def fail_later() -> None:
        await asyncio.sleep(0)
        raise ValueError

    @component
    def leave() -> None:
        sys.exit("good bye")

    with (
        StepflowRuntime.start(components=[fail, fail_later, leave]) as runtime,
        logged_exceptions() as records,
    ):
        run = runtime.sync_client.run
        message = problem(failed := run(flow("fail", {"text": "key"}), None))
        assert message.endswith("LookupError: no key\nsee the list")
        assert code(failed) == (3 if VERSION >= (0, 12) else -32100)
        # Server 0.10 calls a component that failed twice more.
        record = records[0]
        assert record.levelname == "ERROR"
        run_id = vars(record)["run_id"]
        assert record.getMessage() == (
            f"component 'fail' raised an exception in step 'call' of run {run_id}"
        )
        assert UUID(run_id)
        assert (vars(record)["component"], vars(record)["step_id"]) == ("fail", "call")
        assert record.exc_info and record.exc_info[2]
        # The traceback begins with the function.
        assert record.exc_info[2].tb_frame.f_code.co_name == "fail"
        assert "ValueError" in problem(run(flow("fail_later", {}), None))
        assert "SystemExit: good bye" in problem(run(flow("leave", {}), None))
        # It keeps running.
        assert "LookupError: no more" in problem(run(flow("fail", {"text": "more"}), None))


class Broken(pydantic.BaseModel):
    """A model that cannot be serialised."""

    @pydantic.computed_field  # type: ignore[prop-decorator]
    @property
    def value(self) -> int:
        raise LookupError("no value")


def test_input_and_output_that_do_not_fit() -> None:
    @component
    def odd(kind: str) -> Any:
        deep: list[Any] = []
        for _ in range(100_000):
            deep = [deep]
        odd = {"nan": float("nan"), "object": object(), "set": {1}, "text": "\ud800"}
        return {**odd, "number": 10**400, "deep": deep, "broken": Broken()}[kind]

    with (
        StepflowRuntime.start(components=[shout, odd, total]) as runtime,
        logged_exceptions() as records,
    ):
        run = runtime.sync_client.run
        message = problem(failed := run(flow("shout", {"txt": "x", "times": "y"}), None))
        assert code(failed) == (2 if VERSION >= (0, 12) else -32602)
        assert "the input of component 'shout' is invalid: text: Field required" in message
        assert "times: Input should be a valid integer" in message
        assert "txt: Extra inputs are not permitted" in message
        assert "\n" not in message
        message = problem(run(flow("shout", "text"), None))
        assert "the input of component 'shout' is invalid: Input should be" in message
        message = problem(run(flow("total", {"order": {"item": "", "itemCount": 0}}), None))
        assert "is invalid: order.itemCount: Input should be greater" in message
        assert not records
        # As pydantic does it.
        assert run(flow("odd", {"kind": "nan"}), None).output is None
        assert "the output is not JSON" in problem(run(flow("odd", {"kind": "text"}), None))
        assert "cannot be converted to JSON" in problem(run(flow("odd", {"kind": "object"}), None))
        assert "no value" in problem(run(flow("odd", {"kind": "broken"}), None))
        record = records[-1]
        assert record.levelname == "ERROR" and "'odd' cannot be converted" in record.getMessage()
        assert vars(record)["component"] == "odd" and UUID(vars(record)["run_id"])
        if VERSION[:2] == (0, 10):
            # It tries each three times, with pauses.
            return
        assert "depth exceeded" in problem(run(flow("odd", {"kind": "deep"}), None))
        # Servers up to 0.11 receive it.
        said = "number out of range" if VERSION < (0, 12) else "int too large to convert to float"
        assert said in str(run(flow("odd", {"kind": "number"}), None).error)
        assert run(flow("odd", {"kind": "set"}), None).output == [1]


def test_prints_appear(capsys: pytest.CaptureFixture[str]) -> None:
    @component
    def speak() -> None:
        print("spoken")

    with StepflowRuntime.start(components=[speak]) as runtime:
        assert runtime.sync_client.run(flow("speak", {}), None).output is None
    assert capsys.readouterr().out == "spoken\n"


def test_a_new_definition_takes_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    # As cells of a notebook do it, whose module is __main__.
    cells = types.ModuleType("cells")
    monkeypatch.setitem(sys.modules, "cells", cells)
    prelude = "from stepflow_runtime import component\n@component\n"
    exec(f"{prelude}def value(): return 'old'", vars(cells))
    with StepflowRuntime.start(components=[vars(cells)["value"], shout]) as runtime:
        run = runtime.sync_client.run
        assert run(flow("value", {}), None).output == "old"
        exec(f"{prelude}def value(add: str): return 'new' + add", vars(cells))
        assert run(flow("value", {"add": "er"}), None).output == "newer"
        exec("def value(*parts): return 'without the decorator'", vars(cells))
        assert "has the parameter *parts" in problem(run(flow("value", {}), None))
        # It is still listed, and with it all others.
        names = [one.component for one in runtime.sync_client.list_components()]
        assert {"/python/value", "/python/shout", "/create_messages"} <= set(names)
        # What has its name now is no new definition of it.
        other: dict[str, Any] = {"__name__": "elsewhere"}
        exec(
            "def value(): return 'imported'\ndef outer():\n def value(): pass\n return value", other
        )
        for value in ("something else", other["value"], other["outer"](), None):
            vars(cells)["value"] = value
            assert run(flow("value", {}), None).output == "old"


def test_functions_run_side_by_side() -> None:
    together = threading.Barrier(4, timeout=60)

    @component
    def meet(number: int) -> int:
        together.wait()
        return number

    @component
    async def meet_later(number: int) -> int:
        await asyncio.to_thread(together.wait)
        return number

    with StepflowRuntime.start(components=[meet, meet_later]) as runtime:
        for name in ("meet", "meet_later"):
            results = runtime.sync_client.run_batch(
                flow(name, {"number": {"$input": "$"}}), range(4)
            )
            assert [one.output for one in results] == [0, 1, 2, 3]


def test_many_items() -> None:
    with StepflowRuntime.start(components=[plain]) as runtime:
        results = runtime.sync_client.run_batch(
            flow("plain", {"value": {"$input": "$"}}), range(500)
        )
        assert [one.output for one in results] == list(range(500))


def test_the_context_of_a_call() -> None:
    contexts: list[ComponentContext] = []

    @component
    def remember(context: ComponentContext, text: str) -> str | None:
        contexts.append(context)
        return context.sync_client.put_blob({"text": text}) if VERSION >= (0, 10) else None

    @component
    async def read(context: ComponentContext, blob: str | None) -> Any:
        return blob and await context.client.get_blob(blob)

    both = flow("remember", {"text": "a"})
    both["steps"] += [
        {"id": "read", "component": "/python/read", "input": {"blob": {"$step": "call"}}}
    ]
    both["output"] = {"$step": "read"}
    with StepflowRuntime.start(components=[remember, read]) as runtime:
        handle = runtime.sync_client.submit(both, None)
        result = handle.result()
        assert result.output == ({"text": "a"} if VERSION >= (0, 10) else None)
        (context,) = contexts
        assert (context.step_id, context.attempt) == ("call", 1)
        assert context.run_id == str(handle.id)
        assert context.flow_id == str(runtime.sync_client.store_flow(both))
        assert "client" not in repr(context)


def test_a_server_that_is_restarted_finds_the_components() -> None:
    with StepflowRuntime.start(
        components=[shout], restart_policy=RestartPolicy.ON_FAILURE
    ) as runtime:
        run = runtime.sync_client.run
        assert run(flow("shout", {"text": "a"}), None).output == "A"
        pid = runtime.pid
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: runtime.is_alive and runtime.pid != pid, "the server is restarted")
        assert run(flow("shout", {"text": "b"}), None).output == "B"


def test_a_server_with_components_exits_when_it_is_asked_to() -> None:
    """Servers from 0.12 on wait until all workers have disconnected."""
    with StepflowRuntime.start(components=[shout], shutdown_timeout=3600) as runtime:
        assert runtime.sync_client.run(flow("shout", {"text": "a"}), None).output == "A"


@pytest.mark.skipif(VERSION < (0, 12), reason="the server starts the worker")
def test_a_call_in_progress_at_a_crash_is_not_executed_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "stepflow_runtime")
    calls: list[threading.Event] = []

    @component
    def hang() -> int:
        calls.append(threading.Event())
        calls[-1].wait()
        return len(calls)

    with StepflowRuntime.start(
        components=[hang], data_dir=tmp_path, restart_policy=RestartPolicy.ON_FAILURE
    ) as runtime:
        handle = runtime.sync_client.submit(flow("hang", {}), None)
        wait_until(lambda: calls, "the call is in progress")
        os.kill(runtime.pid, signal.SIGKILL)
        again = "a call in progress was assigned again"
        wait_until(lambda: again in caplog.messages, "the call is assigned again")
        calls[0].set()
        assert handle.result(timeout=60).output == 1


def test_a_call_that_outlives_its_runtime() -> None:
    entered, free, problems = threading.Event(), threading.Event(), queue.SimpleQueue[str]()

    @component
    def hang(context: ComponentContext) -> None:
        entered.set()
        free.wait()
        with pytest.raises(errors.InvalidState) as caught:
            context.sync_client.health()
        problems.put(str(caught.value))

    def run(client: SyncStepflowClient) -> None:
        with contextlib.suppress(errors.StepflowError):
            client.run(flow("hang", {}), None)

    runtime = StepflowRuntime.start(components=[hang])
    thread = threading.Thread(target=run, args=(runtime.sync_client,))
    thread.start()
    assert entered.wait(60)
    del runtime
    gc.collect()
    # A call ends with an error once its server has ended.
    thread.join()
    free.set()
    assert problems.get(timeout=60) == "the runtime of this component no longer exists"


def test_runtimes_side_by_side_call_their_own_functions() -> None:
    with (
        StepflowRuntime.start(components=[component(function_named(1))]) as one,
        StepflowRuntime.start(components=[component(function_named(2))]) as two,
    ):
        assert one.sync_client.run(flow("named", {}), None).output == 1
        assert two.sync_client.run(flow("named", {}), None).output == 2


def test_a_config_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(ALL_BUILTINS), encoding="utf-8")
    key = "/" if VERSION >= (0, 13) else "/{*component}"
    only = {**ALL_BUILTINS, "routes": {key: ALL_BUILTINS["routes"][key]}}
    configs: list[Any] = [None, only]
    if VERSION < (0, 13):
        configs.append(file)
    for config in configs:
        with StepflowRuntime.start(config, components=[shout]) as runtime:
            run = runtime.sync_client.run
            assert run(flow("shout", {"text": "a"}), None).output == "A"
            names = {one.component for one in runtime.sync_client.list_components()}
            assert {"/python/shout", "/create_messages"} <= names
    before = {*os.listdir("/proc/self/fd")}
    with pytest.raises(errors.InvalidInput, match="not JSON"):
        StepflowRuntime.start({**ALL_BUILTINS, "x-odd": float("nan")}, components=[shout])
    # Threads of the services before it may still open and close connections.
    wait_until(lambda: {*os.listdir("/proc/self/fd")} <= before, "nothing is left open")
    taken = {"plugins": {"python": {"type": "builtin"}}, "routes": {}}
    with pytest.raises(errors.InvalidInput, match="the config has 'python' in its plugins"):
        StepflowRuntime.start(taken, components=[shout])
    route = "/python" if VERSION >= (0, 13) else "/python/{*component}"
    routes: Any = {route: [{"plugin": "other"}]}
    taken = {"plugins": {"other": {"type": "builtin"}}, "routes": routes}
    with pytest.raises(errors.InvalidInput, match=f"the config has '{re.escape(route)}' in its r"):
        StepflowRuntime.start(taken, components=[shout])
    # What is wrong with it is reported by the server.
    with pytest.raises(errors.ConfigInvalid):
        StepflowRuntime.start({"plugins": 5, "routes": {}}, components=[shout])


@pytest.mark.parametrize(
    "config",
    [{"routes": {}}, {"plugins": None}, {"plugins": {"b": {"type": "builtin"}}, "routes": None}],
    ids=["no plugins", "nothing", "no routes"],
)
def test_a_config_that_has_only_components(config: dict[str, Any]) -> None:
    with StepflowRuntime.start(config, components=[shout]) as runtime:
        assert runtime.sync_client.run(flow("shout", {"text": "a"}), None).output == "A"


@pytest.mark.skipif(VERSION < (0, 13), reason="it is treated as a newer server")
def test_a_server_of_unknown_version(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, version in (("wheel_version", None), ("binary_version", "unknown")):
        monkeypatch.setattr(
            f"stepflow_runtime._components.service.{name}", lambda *_, found=version: found
        )
    with StepflowRuntime.start(components=[shout]) as runtime:
        assert runtime.sync_client.run(flow("shout", {"text": "a"}), None).output == "A"


def test_a_port_of_ones_own() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with StepflowRuntime.start(port=port, components=[shout]) as runtime:
        assert runtime.port == port
        assert runtime.sync_client.run(flow("shout", {"text": "a"}), None).output == "A"


def test_runs_that_are_resumed_call_the_functions_of_the_new_program(tmp_path: Path) -> None:
    if VERSION < (0, 10):
        pytest.skip("server 0.9 resumes no runs")
    started = threading.Event()
    free = threading.Event()

    @component(name="act")
    def hang() -> None:
        started.set()
        free.wait()

    @component(name="act")
    def act(context: ComponentContext) -> str:
        # The start may not have ended yet.
        return context.sync_client.put_blob("a") and "resumed"

    with StepflowRuntime.start(components=[hang], data_dir=tmp_path) as runtime:
        run_id = runtime.sync_client.submit(flow("act", {}), None).id
        assert started.wait(60)
    free.set()
    with StepflowRuntime.start(components=[act], data_dir=tmp_path) as runtime:
        assert runtime.sync_client.handle(run_id).result(timeout=60).output == "resumed"


def test_inside_an_event_loop() -> None:
    async def main() -> Any:
        async with StepflowRuntime.start(components=[shout, wait_a_moment]) as runtime:
            first = await runtime.run(flow("shout", {"text": "a"}), None)
            return first.output, (
                await runtime.run(flow("wait_a_moment", {"text": "b"}), None)
            ).output

    assert asyncio.run(main()) == ("A", "b")


def test_nothing_unexpected_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with StepflowRuntime.start(
        components=[shout], log_config=LogConfig(level="warn"), listen="all"
    ) as runtime:
        assert runtime.sync_client.run(flow("shout", {"text": "a"}), None).output == "A"
    # The warning of the open port comes once in each process.
    assert [one for one in caplog.messages if "every network interface" not in one] == []

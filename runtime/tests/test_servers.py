"""A released server at `$STEPFLOW_SERVER_BINARY` starts, works and stops like the pinned."""

from __future__ import annotations

import errno
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runtime.examples.example import BUILTIN, Example
from runtime.tests.opened import Opened
from runtime.tests.support import ECHO, READ_FILE, exists, wait_until
from stepflow_runtime import ALL_BUILTINS, RestartPolicy, StepflowRuntime, errors

EXAMPLES = Path("runtime/examples")


def test_the_examples_run_with_the_default_config(tmp_path: Path) -> None:
    secret = tmp_path / "secret.json"
    secret.write_text("1", encoding="utf-8")
    with StepflowRuntime.start() as runtime:
        pid = runtime.pid
        client = runtime.sync_client
        assert client.server_version() == os.environ["STEPFLOW_SERVER_VERSION"]
        for name in BUILTIN:
            example = Example.read(EXAMPLES / name)
            outputs = example.run(client, lambda done: None)
            if name == "blob_chain":
                # A server from 0.12 on assigns another id to the same blob each time.
                outputs[0]["blob_id"] = example.expected[0]["blob_id"]
            # Not `differences`: it also returns whole numbers as floats.
            assert outputs == example.expected
        assert client.run(READ_FILE, {"path": str(secret)}).is_failed
    assert not exists(pid)
    with StepflowRuntime.start(ALL_BUILTINS) as runtime:
        assert runtime.sync_client.run(READ_FILE, {"path": str(secret)}).output == 1


def test_the_default_config_has_the_components_that_only_compute() -> None:
    with StepflowRuntime.start() as runtime:
        for name in ("create_messages", "eval", "get_blob", "iterate", "map", "put_blob"):
            step = {"id": "call", "component": f"/{name}", "input": {}}
            flow = {"name": name, "steps": [step], "output": {"$step": "call"}}
            # Server 0.12 may drop the connection when a run fails at once.
            result = runtime.sync_client.run(flow, None, retry_create=True)
            # The component refuses its input; without a route, there would be no component.
            assert result.error is not None and result.error.message == 'step "call" failed', name


@pytest.mark.skipif(
    os.environ["STEPFLOW_SERVER_VERSION"] == "0.12.0",
    reason="it may drop the connection when a run fails at once",
)
def test_a_builtin_component_that_fails_is_executed_once(tmp_path: Path) -> None:
    """By default, servers from 0.11 on try it again for seconds."""
    path = tmp_path / "odd.json"
    path.write_text("{", encoding="utf-8")
    with StepflowRuntime.start(ALL_BUILTINS) as runtime, Opened(tmp_path) as opened:
        result = runtime.sync_client.run(READ_FILE, {"path": str(path)})
        assert result.is_failed
    assert opened.times["odd.json"] == 1


def test_a_run_right_after_a_start_is_never_lost() -> None:
    for number in range(10):
        with StepflowRuntime.start() as runtime:
            assert runtime.sync_client.run(ECHO, number).output == number


def test_what_is_kept_outlives_a_crash_and_the_runtime(tmp_path: Path) -> None:
    with StepflowRuntime.start(
        data_dir=tmp_path, restart_policy=RestartPolicy.ON_FAILURE
    ) as runtime:
        handle = runtime.sync_client.submit(ECHO, 7)
        assert handle.result().output == 7
        pid = runtime.pid
        os.kill(pid, 9)
        wait_until(lambda: runtime.pid != pid and runtime.is_alive, "the server is started again")
        assert handle.result().output == 7
    with StepflowRuntime.start(data_dir=tmp_path) as runtime:
        assert runtime.sync_client.handle(handle.id).result().output == 7


def test_its_files_are_for_this_user_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    before = os.umask(0)
    try:
        with StepflowRuntime.start(data_dir=folder) as runtime:
            assert runtime.sync_client.run(ECHO, 1).output == 1
            modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert "stepflow.db" in modes and set(modes.values()) == {0o600}


TABLES = [name for name in ("tcp", "tcp6") if Path("/proc/net", name).exists()]


def test_on_loopback_no_other_address_reaches_it() -> None:
    with StepflowRuntime.start() as runtime, socket.socket() as other:
        assert other.connect_ex(("127.0.0.2", runtime.port)) == 0
    with StepflowRuntime.start(listen="loopback") as runtime:
        # All of 127.0.0.0/8 is this machine, even where it has no other interface.
        with socket.socket() as other:
            assert other.connect_ex(("127.0.0.2", runtime.port)) == errno.ECONNREFUSED
        # Its listening sockets, by the addresses that they are bound to.
        tables = [Path(f"/proc/net/{name}").read_text(encoding="utf-8") for name in TABLES]
        pattern = re.compile(rf": (\w+):{runtime.port:04X} \w+:0000 0A ")
        (address,) = pattern.findall("".join(tables))
        assert bytes.fromhex(address) == int.from_bytes((127, 0, 0, 1), sys.byteorder).to_bytes(4)
        assert runtime.sync_client.run(ECHO, 1).output == 1


def test_a_config_that_it_refuses_is_told_in_one_line() -> None:
    with pytest.raises(errors.ConfigInvalid, match="missing field `routes`") as caught:
        StepflowRuntime.start({"plugins": {}})
    assert "\n" not in str(caught.value)


def test_options_in_the_environment_do_not_undo_what_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    binary = os.environ["STEPFLOW_SERVER_BINARY"]
    options = subprocess.run([binary, "--help"], capture_output=True, text=True, check=True).stdout
    # All that the server documents, and one that it does not.
    names = {*re.findall(r"env: (STEPFLOW_\w+)", options), "STEPFLOW_ORCHESTRATOR_URL"}
    assert len(names) > 10
    for name in names:
        monkeypatch.setenv(name, "/no/such/value")
    with StepflowRuntime.start() as runtime:
        assert runtime.sync_client.run(ECHO, 1).output == 1
        environment = Path(f"/proc/{runtime.pid}/environ").read_bytes()
        # The server inherits all of this program's variables except these.
        for name in names:
            assert f"{name}=".encode() not in environment
        assert b"STEPFLOW_SERVER_BINARY=" in environment
    with StepflowRuntime.start(env={"STEPFLOW_METRICS_ENABLED": "false"}) as runtime:
        environment = Path(f"/proc/{runtime.pid}/environ").read_bytes()
        assert b"STEPFLOW_METRICS_ENABLED=false" in environment


BUILTIN_PLUGIN = {"builtin": {"type": "builtin"}}
ROUTES = {"/": [{"plugin": "builtin"}]}


def test_causes_of_a_failed_start_are_told_apart(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text("plugins: {", encoding="utf-8")
    nope = {"plugins": BUILTIN_PLUGIN, "routes": {"/": [{"plugin": "nope"}]}}
    # The mode does not create the file.
    storage = {"type": "sqlite", "databaseUrl": f"sqlite:{tmp_path / 'db'}?mode=rw"}
    stored = {
        "plugins": BUILTIN_PLUGIN,
        "routes": ROUTES,
        "stateStore"
        if os.environ["STEPFLOW_SERVER_VERSION"] == "0.9.0"
        else "storageConfig": storage,
    }
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        starts: list[tuple[type[errors.StartFailed], str, Any, int]] = [
            (errors.ConfigInvalid, "No such file", tmp_path / "missing.yml", 0),
            (errors.ConfigInvalid, "while parsing", broken, 0),
            (errors.ConfigInvalid, "missing field `routes`", {"plugins": {}}, 0),
            (errors.ConfigInvalid, "plugin not found: nope", nope, 0),
            (errors.StartFailed, "unable to open database file", stored, 0),
            (errors.PortInUse, f"in use .os error 98.. Port {port} is taken", None, port),
        ]
        for cls, match, config, number in starts:
            with pytest.raises(cls, match=match) as caught:
                StepflowRuntime.start(config, port=number)
            assert type(caught.value) is cls
            prefix = "the Stepflow server exited during startup (exit code 1): Server error: "
            assert str(caught.value).startswith(prefix)

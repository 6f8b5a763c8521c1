"""Every wrong use is told in one line, and leaves nothing running."""

from __future__ import annotations

import asyncio
import copy
import os
import pickle
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from runtime.tests.support import ECHO, exists, wait_until
from stepflow_runtime import StepflowRuntime, errors

WORKER = Path(__file__).with_name("worker.py").absolute()


def refused(error: type[Exception], match: str, *arguments: Any, **options: Any) -> Any:
    """Check that a start is refused in one line, and return the error."""
    with pytest.raises(error, match=match) as caught:
        StepflowRuntime.start(*arguments, **options)
    assert isinstance(caught.value, errors.StepflowError)
    message = str(caught.value)
    assert "\n" not in message and "\x1b" not in message and "backtrace" not in message
    return caught.value


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        error = refused(errors.PortInUse, f"Port {port} is taken: choose another", port=port)
        assert error.exit_code == 1 and error.last_log_lines


def test_configs(tmp_path: Path) -> None:
    refused(errors.ConfigInvalid, "No such file", tmp_path / "missing.yml")
    refused(errors.InvalidInput, "no such file", tmp_path / "missing.yml", data_dir=tmp_path)
    broken = tmp_path / "broken.yml"
    broken.write_text("plugins: {", encoding="utf-8")
    refused(errors.ConfigInvalid, "while parsing", broken)
    refused(errors.InvalidInput, "not valid YAML", broken, data_dir=tmp_path)
    broken.write_text("[1]", encoding="utf-8")
    refused(errors.InvalidInput, "holds no object", broken, data_dir=tmp_path)
    refused(errors.ConfigInvalid, "missing field `routes`", {"plugins": {}})
    # An empty config is not none.
    refused(errors.ConfigInvalid, "missing field `plugins`", {})
    refused(errors.ConfigInvalid, "invalid type: integer", {"plugins": {"x": 5}, "routes": {}})
    builtin = {"builtin": {"type": "builtin"}}
    nope = {"plugins": builtin, "routes": {"/{*component}": [{"plugin": "nope"}]}}
    refused(errors.ConfigInvalid, "plugin not found: nope", nope)
    refused(errors.ConfigInvalid, "unknown variant `x`", {"plugins": {"x": {"type": "x"}}})
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for value in ({1, 2}, float("nan"), {"x-deep": deep}):
        refused(errors.InvalidInput, "not JSON", {"plugins": value, "routes": {}})
    refused(errors.InvalidInput, "config is of type int", 5)
    odd = {"plugins": builtin, "routes": {}, "recovery": 5}
    refused(errors.ConfigInvalid, "invalid type: integer", odd, data_dir=tmp_path)
    # Servers before 0.10 have the second of these.
    for key in ("storageConfig", "stateStore"):
        stored = {"plugins": builtin, "routes": {}, key: {"type": "inMemory"}}
        match = f"the config has a {key}, which data_dir cannot be combined with; remove one"
        refused(errors.InvalidInput, match, stored, data_dir=tmp_path)
    # None of them has kept the folder locked.
    StepflowRuntime.start(data_dir=tmp_path).stop()


def test_a_command_that_does_not_exist() -> None:
    config = {
        "plugins": {"worker": {"type": "stepflow", "command": "/no/such/program", "args": []}},
        "routes": {"/{*component}": [{"plugin": "worker"}]},
    }
    refused(errors.WorkerFailed, "no/such/program", config)


def test_binaries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "stepflow-server"
    refused(errors.BinaryUnusable, "no such file.*pip install stepflow-orchestrator", binary=path)
    refused(errors.BinaryUnusable, "folder", binary=tmp_path)
    path.write_bytes(Path(sys.executable).resolve().read_bytes()[:4096])
    refused(errors.BinaryUnusable, "not executable; run: chmod", binary=path)
    monkeypatch.setenv("STEPFLOW_SERVER_BINARY", str(path))
    refused(errors.BinaryUnusable, "STEPFLOW_SERVER_BINARY.*not executable")
    path.chmod(0o755)
    head = path.read_bytes()
    # Of another word size, byte order or instruction set.
    others = [head[:at] + bytes([head[at] ^ 0xFF]) + head[at + 1 :] for at in (4, 5, 18)]
    for wrong in (*others, b"MZ\x90\x00", b"\xcf\xfa\xed\xfe" + bytes(28), b""):
        path.write_bytes(wrong)
        refused(errors.BinaryUnusable, "not built for this machine", binary=path)
    (tmp_path / "plain").touch(0o644)
    for interpreter, reason in (
        ("/no/such/interpreter", "not found"),
        (tmp_path / "plain", "Permission denied"),
    ):
        path.write_text(f"#!{interpreter}\n", encoding="utf-8")
        refused(errors.BinaryUnusable, f"{reason}.*that it is built for this machine", binary=path)


def test_a_wheel_for_another_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STEPFLOW_SERVER_BINARY", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "stepflow_orchestrator", raising=False)
    (tmp_path / "stepflow_orchestrator").mkdir()
    (tmp_path / "stepflow_orchestrator" / "__init__.py").touch()
    for unset in (None, ""):
        if unset is not None:
            monkeypatch.setenv("STEPFLOW_SERVER_BINARY", unset)
        refused(
            errors.BinaryUnusable,
            r"from package stepflow_orchestrator\): there is no such file; its wheel for this"
            " machine has one: pip install stepflow-orchestrator",
        )
    monkeypatch.setenv("STEPFLOW_SERVER_BINARY", str(tmp_path / "none"))
    refused(
        errors.BinaryUnusable,
        r"from \$STEPFLOW_SERVER_BINARY\): there is no such file; correct"
        r" \$STEPFLOW_SERVER_BINARY, or leave it out after: pip install",
    )


def test_no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STEPFLOW_SERVER_BINARY", raising=False)
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setitem(sys.modules, "stepflow_orchestrator", None)
    with pytest.raises(errors.BinaryUnusable, match="pip install stepflow-orchestrator"):
        StepflowRuntime.start()


def test_a_server_that_does_not_start_in_time(tmp_path: Path) -> None:
    pid_file = tmp_path / "worker.pid"
    config = {
        "plugins": {
            "worker": {
                "type": "stepflow",
                "command": sys.executable,
                "args": [str(WORKER), str(pid_file), "never"],
            }
        },
        "routes": {"/{*component}": [{"plugin": "worker"}]},
    }
    error = refused(errors.StartTimeout, "startup_timeout=3 s", config, startup_timeout=3)
    assert any("Spawning subprocess" in line for line in error.last_log_lines)
    assert isinstance(error, TimeoutError)
    if pid_file.exists():
        assert not exists(int(pid_file.read_text(encoding="utf-8")))


def test_data_dirs(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    refused(errors.DataDirUnusable, "Not a directory|File exists", data_dir=file)
    refused(errors.DataDirUnusable, "cannot be used", data_dir="/proc/nowhere")
    with StepflowRuntime.start(data_dir=tmp_path / "data") as runtime:
        error = refused(errors.DataDirLocked, "by this process", data_dir=tmp_path / "data")
        assert error.pid == os.getpid()
        flow_id = runtime.sync_client.store_flow(ECHO)
    with StepflowRuntime.start(data_dir=tmp_path / "data") as runtime:
        assert runtime.sync_client.get_flow(flow_id).name == "echo"


def test_a_data_dir_whose_database_is_none(tmp_path: Path) -> None:
    (tmp_path / "stepflow.db").write_bytes(b"no database" * 100)
    refused(errors.DataDirUnusable, "file is not a database.*restore a backup", data_dir=tmp_path)


def test_a_data_dir_with_odd_letters(tmp_path: Path) -> None:
    folder = tmp_path / "a b?c=d#e%20ä"
    with StepflowRuntime.start(data_dir=folder):
        assert (folder / "stepflow.db").exists()
    # In a URL, the server accepts Unicode alone.
    for _ in range(2):
        folder = tmp_path / os.fsdecode(b"\xff")
        refused(errors.InvalidInput, "cannot be passed.*; pass valid Unicode", data_dir=folder)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"port": -1}, "port is -1"),
        ({"port": 65536}, "port is 65536"),
        ({"port": "80"}, "port is '80'"),
        ({"port": 80.0}, "port is 80.0; pass a whole number, 0 to 65535"),
        ({"max_restarts": -1}, "max_restarts"),
        ({"max_restarts": True}, "max_restarts is True; pass a whole number, 0 or more"),
        ({"startup_timeout": float("nan")}, "startup_timeout"),
        ({"startup_timeout": -0.1}, "startup_timeout is -0.1; pass seconds, 0 or more"),
        ({"shutdown_timeout": "5"}, "shutdown_timeout"),
        *(
            ({name: value}, rf"{name} is {value}; pass seconds, 0 or more")
            for name in ("startup_timeout", "shutdown_timeout")
            for value in (-0.1, True, None, float("nan"))
        ),
        ({"max_restarts": 1.5}, "max_restarts is 1.5; pass a whole number, 0 or more"),
        ({"listen": "local"}, "listen is 'local'; use 'all' or 'loopback'"),
        ({"listen": None}, "listen is None; use 'all' or 'loopback'"),
        ({"restart_policy": "always"}, "restart_policy is of type str; pass a RestartPolicy"),
        ({"env": {"A=B": "1"}}, "without ="),
        ({"env": {"": "1"}}, "env: the name of entry 1 is not text without ="),
        ({"env": {"A=s3cret": "1"}}, "env: the name of entry 1 is not text without ="),
        ({"env": {"B": "1", b"s3cret": "1"}}, "env: the name of entry 2 is not text"),
        (
            {"env": {"s3cret-1": "1"}},
            "entry 1 is not one that /bin/sh, .* use letters, digits and _",
        ),
        ({"env": {"s3cret.1": "1"}}, "entry 1 is not one that /bin/sh"),
        ({"env": {"1s3cret": "1"}}, "entry 1 is not one that /bin/sh"),
        ({"env": {"É": "s3cret"}}, "entry 1 is not one that /bin/sh"),
        ({"env": {"OPTIND": "s3cret"}}, "entry 1 is not one that /bin/sh"),
        ({"env": {"s3cret\0": "1"}}, "env: the name of entry 1 is not text"),
        ({"env": {"s3cret-1": "\0"}}, "env: the value of entry 1 is not text without NUL"),
        ({"env": {"A": "s3cret\0"}}, "env: the value of entry 1 A is not text without NUL"),
        ({"env": {"A": 1}}, "not text"),
        ({"env": {"A": "\ud800"}}, "not text"),
        ({"env": {"\ud800": "A"}}, "not text"),
        ({"data_dir": "\ud800"}, "data_dir is .* not valid Unicode; pass a path"),
        ({"binary": "/\ud800"}, "binary is .* not valid Unicode; pass a path"),
        ({"config": "\ud800"}, "config is .* not valid Unicode; pass a path"),
        ({"config": b"a"}, "config is of type bytes"),
        ({"data_dir": b"a"}, "data_dir is b'a'; pass a path"),
        ({"env": ["A=1"]}, "env is of type list; pass a dict"),
        ({"log_config": {"level": "info"}}, "log_config is of type dict; pass a LogConfig"),
        ({"on_crash": 5}, "on_crash is of type int; pass a function"),
        ({"upgrade": "yes"}, "upgrade is of type str; pass True or False"),
        ({"data_dir": ""}, "data_dir is ''; pass a path"),
        ({"data_dir": 5}, "data_dir is 5; pass a path"),
        ({"binary": ""}, "binary is ''; pass a path"),
        ({"config": ""}, "config is ''; pass a path"),
        ({"config": "a\0b"}, r"config is 'a\\x00b'; pass a path"),
    ],
)
def test_arguments(options: dict[str, Any], match: str) -> None:
    error = refused(errors.InvalidInput, match, **options)
    assert "s3cret" not in str(error)


def test_use_after_stop() -> None:
    runtime = StepflowRuntime.start()
    client = runtime.sync_client
    runtime.stop()
    for use in (
        lambda: runtime.url,
        lambda: runtime.port,
        lambda: runtime.pid,
        lambda: runtime.client,
        lambda: runtime.sync_client,
        lambda: asyncio.run(runtime.run(ECHO, 1)),
        lambda: runtime.__enter__(),
    ):
        with pytest.raises(errors.InvalidState, match="is stopped; start another"):
            use()
    with pytest.raises(errors.StepflowError):
        client.run(ECHO, 1)
    assert not runtime.is_alive and "stopped" in repr(runtime)


def test_copies() -> None:
    with StepflowRuntime.start() as runtime:
        for copied in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match="cannot be copied or pickled; pass its url on"):
                copied(runtime)
        assert runtime.is_alive


def test_double_start() -> None:
    with StepflowRuntime.start() as runtime:
        with pytest.raises(errors.InvalidState, match="already started"):
            runtime.start()
        with pytest.raises(errors.InvalidState, match="another `with`"), runtime:
            pass
        assert runtime.is_alive


def test_with_inside_a_running_loop() -> None:
    async def main() -> StepflowRuntime:
        runtime = StepflowRuntime.start()
        with pytest.raises(errors.InvalidState, match="write `async with"):
            runtime.__enter__()
        return runtime

    runtime = asyncio.run(main())
    wait_until(lambda: not runtime.is_alive, "the server is gone")


def test_wrong_starts_inside_a_running_loop() -> None:
    async def main() -> None:
        with pytest.raises(errors.ConfigInvalid, match="missing field"):
            async with StepflowRuntime.start({"plugins": {}}):
                raise AssertionError("it cannot start")
        runtime = StepflowRuntime.start({"plugins": {}})
        with pytest.raises(errors.ConfigInvalid, match="missing field"):
            await runtime.run(ECHO, 1)

    asyncio.run(main())


def test_secrets_are_in_no_list_of_processes_and_no_file(tmp_path: Path) -> None:
    secret = "s3cr3t-7f1c"
    config = {
        "plugins": {
            "worker": {
                "type": "stepflow",
                "command": sys.executable,
                "args": [str(WORKER), str(tmp_path / "worker.pid")],
                "env": {"KEY": secret},
            }
        },
        "routes": {"/{*component}": [{"plugin": "worker"}]},
    }
    data_dir = tmp_path / "data"
    with StepflowRuntime.start(config, data_dir=data_dir) as runtime:
        worker = int((tmp_path / "worker.pid").read_text(encoding="utf-8"))
        assert f"KEY={secret}".encode() in Path(f"/proc/{worker}/environ").read_bytes()
        for pid in (runtime.pid, worker):
            assert secret.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert any(path.name == "stepflow.db" for path in files)
        assert not [path for path in files if secret.encode() in path.read_bytes()]


def test_the_environment_is_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INHERITED", "1")
    monkeypatch.setenv("RUST_BACKTRACE", "1")
    for inherit in (True, False):
        with StepflowRuntime.start(env={"GIVEN": "2"}, inherit_env=inherit) as runtime:
            names = Path(f"/proc/{runtime.pid}/environ").read_bytes().split(b"\0")
            # A backtrace says nothing to users, unless they ask for it.
            assert {b"GIVEN=2", b"RUST_BACKTRACE=0"} <= set(names)
            assert (b"INHERITED=1" in names) == inherit
    with StepflowRuntime.start(env={"RUST_BACKTRACE": "1"}) as runtime:
        assert b"RUST_BACKTRACE=1" in Path(f"/proc/{runtime.pid}/environ").read_bytes()


def test_names_that_a_shell_does_not_know_are_not_inherited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The shell would not start with the last one.
    for name in ("with-dash", "with.dot", "BASH_FUNC_f%%", "OPTIND"):
        monkeypatch.setenv(name, "odd")
    for env in ({}, dict(os.environ)):
        with StepflowRuntime.start(env=env) as runtime:
            assert b"=odd" not in Path(f"/proc/{runtime.pid}/environ").read_bytes()

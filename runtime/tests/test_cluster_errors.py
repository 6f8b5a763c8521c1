"""What a cluster reports that cannot start, and the options that it passes to its servers."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from runtime.tests.clusters import Clients, etcd_url
from runtime.tests.clusters import clients as clients
from runtime.tests.component_flows import flow
from runtime.tests.support import ECHO, wait_until
from stepflow_runtime import (
    ALL_BUILTINS,
    ComponentContext,
    LogConfig,
    StepflowCluster,
    StepflowRuntime,
    component,
    errors,
)
from stepflow_runtime._binary import find_binary


def test_wrong_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def message(kind: type[errors.StepflowError], config: Any = None, **options: Any) -> str:
        with pytest.raises(kind) as raised:
            StepflowCluster.start(config, **options)
        text = str(raised.value)
        assert "\n" not in text
        return text

    data = tmp_path / "data"
    invalid = errors.InvalidInput
    assert message(invalid, servers=0, data_dir=data).startswith("servers is 0; pass a whole")
    assert "pass data_dir=" in message(invalid)
    assert "env is of type list" in message(invalid, data_dir=data, env=["A=1"])
    assert "upgrade is of type str" in message(invalid, data_dir=data, upgrade="yes")
    assert "ftp" not in message(invalid, data_dir=data, etcd="ftp://a")
    assert "etcd is empty" in message(invalid, data_dir=data, etcd=[])
    for url in (5, "http://", "http://a:99999", "http://a:b", "http://[::1", ["http://a", b"a"]):
        assert "etcd is not a URL" in message(invalid, data_dir=data, etcd=url)
    leases = {**ALL_BUILTINS, "leaseManager": {"type": "etcd", "endpoints": []}}
    assert "etcd=" in message(invalid, leases, data_dir=data)
    postgres = {"storageConfig": {"type": "postgres", "databaseUrl": "postgres://localhost/a"}}
    assert "pass etcd=" in message(invalid, {**ALL_BUILTINS, **postgres})
    port_of_last = "port is 65535; pass a whole number, 0 to 65534"
    assert port_of_last in message(invalid, servers=2, data_dir=data, port=65535)
    with StepflowRuntime.start() as other:
        failed = message(errors.StartFailed, data_dir=data, etcd=other.url)
        assert failed.startswith(f"cannot use etcd: {other.url} is not an etcd;")
    with StepflowRuntime.start(data_dir=data):
        assert "is already in use by this process" in message(errors.DataDirLocked, data_dir=data)
    with StepflowCluster.start(servers=1, data_dir=data) as cluster:
        with pytest.raises(errors.DataDirLocked):
            StepflowRuntime.start(data_dir=data)
        with pytest.raises(errors.InvalidInput, match=r"number is 1; pass a whole number, 0 to 0"):
            cluster.kill(1)
        url = etcd_url(data)
        unbuilt = message(errors.StartFailed, {**ALL_BUILTINS, **postgres}, etcd=url)
        assert "without PostgreSQL" in unbuilt and "binary=" in unbuilt
    older = Path(os.environ["OLDER_SERVER"])
    assert "version 0.13 or later" in message(errors.BinaryUnusable, data_dir=data, binary=older)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt-get install etcd-server" in message(errors.BinaryUnusable, data_dir=data)


def unusable(data_dir: Path, etcd: str | list[str]) -> str:
    """Start a cluster with an etcd that it cannot use; return what it says about that."""
    with pytest.raises(errors.StartFailed) as raised:
        StepflowCluster.start(data_dir=data_dir, etcd=etcd)
    begin, end = "cannot use etcd: ", "; check that it runs, or leave etcd out to start one"
    text = str(raised.value)
    assert text.startswith(begin) and text.endswith(end)
    return text.removeprefix(begin).removesuffix(end)


def test_a_given_etcd_that_does_not_answer(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    unused = f"http://127.0.0.1:{port}"
    both = [unused, f"http://user:s3cret@127.0.0.1:{port}"]
    problem = f"{unused} does not answer: Connection refused"
    assert unusable(tmp_path, both) == f"{problem}; {problem}"
    # Each of them is tried.
    with StepflowCluster.start(servers=1, data_dir=tmp_path / "one"):
        StepflowCluster.start(
            servers=1, data_dir=tmp_path / "two", etcd=[unused, etcd_url(tmp_path / "one")]
        ).stop()
    # etcd's own port.
    problem = "http://127.9.9.9:2379 does not answer: Connection refused"
    assert unusable(tmp_path, "http://127.9.9.9") == problem
    assert unusable(tmp_path, "http://[::1]:9").startswith("http://[::1]:9 does not answer: ")


@contextmanager
def answering(health: tuple[int, str], other: tuple[int, str] = (200, "{}")) -> Iterator[str]:
    """Answer requests for the health with a status and a body, and others; yield the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = health if self.path == "/health" else other
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("health", "other", "problem"),
    [
        ((200, '{"health":"false"}'), (200, "{}"), "does not report that it is healthy"),
        ((503, '{"health":"true"}'), (200, "{}"), "answers GET /health with status 503"),
        ((404, "not found"), (200, "{}"), "is not an etcd"),
        (
            (200, '{"health":"true"}'),
            (401, '{"error":"no token"}'),
            "answers POST /v3/kv/deleterange with status 401",
        ),
        # Healthy as well, as some versions say it.
        (
            (200, '{"health":true}'),
            (403, "{}"),
            "answers POST /v3/kv/deleterange with status 403",
        ),
        ((200, '["health"]'), (200, "{}"), "answers GET /health with status 200"),
    ],
)
def test_a_given_etcd_that_cannot_be_used(
    health: tuple[int, str], other: tuple[int, str], problem: str, tmp_path: Path
) -> None:
    with answering(health, other) as url:
        with_password = url.replace("://", "://user:s3cret@")
        assert unusable(tmp_path, with_password) == f"{url} {problem}"


def test_a_given_etcd_that_never_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(errors.StartFailed) as raised:
            StepflowCluster.start(data_dir=tmp_path, etcd=url, startup_timeout=0.2)
    assert str(raised.value).startswith(f"cannot use etcd: {url} does not answer: timed out;")


def test_another_server_in_the_place_of_etcd(tmp_path: Path) -> None:
    def greet(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"SSH-2.0-server\r\n")
            # Until the other side has read it.
            connection.recv(1000)
            connection.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=greet, args=(listener,))
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert unusable(tmp_path, url) == f"{url} is not an etcd"
        thread.join()


def test_a_given_etcd_with_tls(tmp_path: Path) -> None:
    received: list[bytes] = []

    def accept(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            received.append(connection.recv(1))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, args=(listener,))
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        assert unusable(tmp_path, url).startswith(f"{url} does not answer: ")
        thread.join()
    # The first byte of a TLS handshake.
    assert received == [b"\x16"]


@pytest.mark.parametrize(
    ("text", "seconds", "kind", "problem"),
    [
        (
            "echo broken; exit 3",
            60,
            errors.StartFailed,
            "etcd exited (exit code 3): broken; check ",
        ),
        (
            "exec sleep 600",
            1,
            errors.StartTimeout,
            "etcd was not ready within startup_timeout=1 s: http://127.0.0.1:",
        ),
    ],
)
def test_an_etcd_that_does_not_start(
    text: str,
    seconds: float,
    kind: type[errors.StartFailed],
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    etcd = tmp_path / "etcd"
    etcd.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    etcd.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(errors.StartFailed) as raised:
        StepflowCluster.start(data_dir=tmp_path / "data", startup_timeout=seconds)
    assert type(raised.value) is kind
    message = str(raised.value)
    assert message.startswith(problem) and message.endswith("or pass etcd=")
    assert str(etcd) in message or "startup_timeout" in message
    assert raised.value.last_log_lines == (["broken"] if "broken" in text else [])
    # Nothing keeps the folder.
    StepflowRuntime.start(data_dir=tmp_path / "data").stop()


def test_options_apply_to_each_server(tmp_path: Path, clients: Clients) -> None:
    @component
    def keep(context: ComponentContext) -> Any:
        return context.sync_client.get_blob(context.sync_client.put_blob("kept"))

    log = tmp_path / "server.log"
    with StepflowCluster.start(
        servers=2,
        data_dir=tmp_path / "data",
        components=(one for one in [keep]),
        env={"OF_THE_TEST": "yes"},
        inherit_env=False,
        log_config=LogConfig(level="warn", file_path=log),
        max_restarts=0,
    ) as cluster:
        for number in range(2):
            client = clients(cluster, number)
            assert client.run(flow("keep", {}), None).output == "kept"
        for number, pid in enumerate(cluster.pids):
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            assert b"OF_THE_TEST=yes" in environment
            assert not [one for one in environment if one.startswith(b"HOME=")]
            assert not [line for line in cluster.recent_logs(number) if "INFO" in line]
        assert log.exists()
        for pid in cluster.pids:
            assert pid is not None
            os.kill(pid, 9)
        wait_until(lambda: "failed" in repr(cluster), "no server is left")
        with pytest.raises(errors.ServerCrashed) as raised:
            cluster.sync_client.health()
        assert raised.value.exit_code == -9 and raised.value.last_log_lines
        assert repr(cluster).endswith("it was restarted 0 times (max_restarts)>")
    assert str(log) not in [os.path.realpath(one) for one in Path("/proc/self/fd").iterdir()]


def test_secrets_of_the_environment_are_in_no_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    binary, log = tmp_path / "server", tmp_path / "server.log"
    binary.write_text(
        f'#!/bin/sh\necho "$SOME_API_KEY, $NAME"\nexec "{find_binary(None)}" "$@"\n', "utf-8"
    )
    binary.chmod(0o755)
    with StepflowCluster.start(
        servers=2,
        data_dir=tmp_path / "data",
        binary=binary,
        env={"SOME_API_KEY": "s3cret-key", "NAME": "shown"},
        log_config=LogConfig(file_path=log),
    ) as cluster:
        for number in range(2):
            assert cluster.recent_logs(number)[0] == "***, shown"
    texts = [log.read_text(encoding="utf-8"), *caplog.messages]
    assert not [text for text in texts if "s3cret-key" in text]


def test_a_server_that_is_not_ready_in_time(tmp_path: Path) -> None:
    binary = tmp_path / "server"
    binary.write_text("#!/bin/sh\nexec sleep 600\n", encoding="utf-8")
    binary.chmod(0o755)
    with pytest.raises(errors.StartTimeout, match=r"within startup_timeout=0\.1 s"):
        StepflowCluster.start(data_dir=tmp_path / "data", binary=binary, startup_timeout=0.1)


def test_data_of_an_older_server(tmp_path: Path) -> None:
    older = Path(os.environ["OLDER_SERVER"])
    with StepflowRuntime.start(data_dir=tmp_path, binary=older) as runtime:
        run_id = runtime.sync_client.submit(ECHO, 1).id
    with pytest.raises(errors.DataDirIncompatible, match="pass upgrade=True"):
        StepflowCluster.start(servers=1, data_dir=tmp_path)
    with StepflowCluster.start(servers=1, data_dir=tmp_path, upgrade=True) as cluster:
        assert cluster.sync_client.handle(run_id).result().output == 1


def test_a_stand_in_and_a_restart_that_fail(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken, binary = tmp_path / "broken", tmp_path / "server"
    binary.write_text(
        f'#!/bin/sh\n[ ! -e "{broken}" ] || exit 3\nexec "{find_binary(None)}" "$@"\n', "utf-8"
    )
    binary.chmod(0o755)
    with StepflowCluster.start(servers=2, data_dir=tmp_path / "data", binary=binary) as cluster:
        broken.touch()
        cluster.kill(0)
        with pytest.raises(errors.StartFailed, match="exit code 3"):
            cluster.restart(0)
        cluster.kill(0)
        said = "no stand-in resumes the runs of the server that is down: the Stepflow server exited"
        wait_until(lambda: [one for one in caplog.messages if one.startswith(said)], "it is logged")
        broken.unlink()
        cluster.restart(0)
        assert cluster.sync_client.run(ECHO, 1).output == 1
        assert None not in cluster.pids

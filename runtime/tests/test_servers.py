"""A released server at `$STEPFLOW_SERVER_BINARY` starts, works and stops like the pinned."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runtime.examples.example import BUILTIN, Example
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
                # A server from 0.12 on gives the same blob another id each time.
                outputs[0]["blob_id"] = example.expected[0]["blob_id"]
            # Not `differences`: it also gives whole numbers back as floats.
            assert outputs == example.expected
        assert client.run(READ_FILE, {"path": str(secret)}).is_failed
    assert not exists(pid)
    with StepflowRuntime.start(ALL_BUILTINS) as runtime:
        assert runtime.sync_client.run(READ_FILE, {"path": str(secret)}).output == 1


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


def test_a_config_that_it_refuses_is_told_in_one_line() -> None:
    with pytest.raises(errors.ConfigInvalid, match="missing field `routes`") as caught:
        StepflowRuntime.start({"plugins": {}})
    assert "\n" not in str(caught.value)

"""The server's configuration: models, misspelled keys, and keys of other servers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from runtime.tests.support import ECHO, descendants
from stepflow_runtime import ALL_BUILTINS, StepflowRuntime, errors, models
from stepflow_runtime._binary import find_binary

BASE: dict[str, Any] = {
    "plugins": {"builtin": {"type": "builtin"}},
    "routes": {"/{*component}": [{"plugin": "builtin"}], "/": [{"plugin": "builtin"}]},
}


def config_warnings(caplog: pytest.LogCaptureFixture, config: Any) -> list[str]:
    """Start a server with a config, and return the warnings about it."""
    caplog.clear()
    with StepflowRuntime.start(config) as runtime:
        assert runtime.sync_client.run(ECHO, 1).output == 1
    messages = [record.getMessage() for record in caplog.records]
    return [message for message in messages if "config" in message.split(":")[0]]


def rejected(config: Any, **options: Any) -> str:
    """Start a server with a config that must be rejected before it starts; return the message."""
    before = descendants()
    with pytest.raises(errors.InvalidInput) as caught:
        StepflowRuntime.start(config, **options)
    assert descendants() == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_keys_of_an_unknown_type_are_left_to_the_server(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(errors.ConfigInvalid):
        StepflowRuntime.start({**BASE, "storageConfig": {"type": "odd", "databaseURL": "a"}})
    assert "databaseURL" not in "".join(
        record.getMessage() for record in caplog.records if record.name == "stepflow_runtime"
    )


@pytest.mark.parametrize(
    ("extra", "place", "meant"),
    [
        ({"recovry": {"enabled": False}}, "recovry", "recovery"),
        ({"lease_manager": {"type": "noOp"}}, "lease_manager", "leaseManager"),
        ({"recovery": {"leaseTtl": 3}}, "recovery.leaseTtl", "leaseTtlSecs"),
        (
            {"leaseManager": {"type": "etcd", "endpoints": [], "keyPrefix": "/a"}},
            "leaseManager.keyPrefix",
            "key_prefix",
        ),
        (
            {"retry": {"backoff": {"type": "constant", "delay": 1}}},
            "retry.backoff.delay",
            "delayMs",
        ),
        (
            {"storageConfig": {"type": "sqlite", "databaseURL": "sqlite::memory:"}},
            "storageConfig.databaseURL",
            "databaseUrl",
        ),
        (
            {"storageConfig": {"metadata": {"type": "inMemory"}, "blob": {"type": "inMemory"}}},
            "storageConfig.blob",
            "blobs",
        ),
        (
            {"plugins": {"builtin": {"type": "builtin"}, "a b": {"type": "grpc", "queuName": "q"}}},
            'plugins["a b"].queuName',
            "queueName",
        ),
        (
            {"routes": {"/": [{"plugin": "builtin", "componentAlow": ["/eval"]}]}},
            'routes["/"][0].componentAlow',
            "componentAllow",
        ),
    ],
)
def test_a_misspelled_key_is_an_error_before_the_server_starts(
    extra: dict[str, Any], place: str, meant: str
) -> None:
    assert rejected({**BASE, **extra}) == (
        f"the config has the unknown key {place}, which the server would ignore; did you mean"
        f" {meant}?"
    )


@pytest.mark.parametrize("suffix", ["json", "yml"])
def test_the_line_of_a_misspelled_key_is_reported(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"server.{suffix}"
    # The first of these is a note, and no mistake.
    config = {**BASE, "x-recovery": {"enabld": 1}, "recovery": {"leaseTtlSecs": 5, "enabld": False}}
    if suffix == "json":
        text = json.dumps(config, indent=1)
    else:
        text = "# A comment: of two words.\n" + yaml.safe_dump(config, sort_keys=False)
    path.write_text(text, encoding="utf-8")
    line = 1 + text[: text.rindex("enabld")].count("\n")
    assert rejected(path).startswith(
        f"config {str(path)!r} has the unknown key recovery.enabld (line {line}), which"
    )
    assert "enabld" in rejected(path, data_dir=tmp_path / "data")
    # The folder is not touched either.
    assert not (tmp_path / "data").exists()


def test_the_version_of_a_server_in_no_wheel_is_asked_for(tmp_path: Path) -> None:
    binary = tmp_path / "server"
    shutil.copy2(find_binary(None), binary)
    assert "did you mean recovery?" in rejected({**BASE, "recovry": {}}, binary=binary)


def test_a_server_that_is_newer_may_have_more_keys(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "server" / "bin"
    folder.mkdir(parents=True)
    shutil.copy2(find_binary(None), folder)
    (tmp_path / "server-0.99.0.dist-info").mkdir()
    binary = folder / find_binary(None).name
    with StepflowRuntime.start({**BASE, "recovry": {}}, binary=binary) as runtime:
        assert runtime.sync_client.run(ECHO, 1).output == 1
    assert (
        "the config: recovry is an unknown key, which the server ignores; did you mean recovery?"
        in caplog.messages
    )


@pytest.mark.parametrize(
    "extra",
    [
        {"$schema": "config.schema.json", "x-note": 1, "_recovery": {}, "#recovery": {}},
        {"recovery": {}, "x-recovery": {}},
        {"routes": {**BASE["routes"], "/other": [{"plugin": "builtin", "stream": "S", "q": 1}]}},
        {"plugins": {"builtin": {"type": "builtin"}, "recovry": {"type": "builtin"}}},
    ],
)
def test_notes_and_free_keys_are_accepted(
    extra: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert config_warnings(caplog, {**BASE, **extra}) == []


def test_other_unknown_keys_are_reported(caplog: pytest.LogCaptureFixture) -> None:
    config = {**BASE, "owner": "me", "storage": {}, "recovery": {"enabled": True, "enable": True}}
    assert config_warnings(caplog, config) == [
        "the config: owner is an unknown key, which the server ignores; let it begin with x- if it"
        " is a note",
        "the config: storage is an unknown key, which the server ignores; did you mean"
        " storageConfig?",
        # The key that it is similar to is there as well.
        "the config: recovery.enable is an unknown key, which the server ignores; let it begin with"
        " x- if it is a note",
    ]


def test_a_config_of_this_package_brings_no_warnings(caplog: pytest.LogCaptureFixture) -> None:
    assert config_warnings(caplog, None) == []
    assert config_warnings(caplog, ALL_BUILTINS) == []
    assert config_warnings(caplog, {**ALL_BUILTINS, "recovery": {}}) == []


def test_a_model_is_a_config(caplog: pytest.LogCaptureFixture) -> None:
    rule = models.RouteRule(plugin="builtin")
    config = models.ServerConfig(
        plugins={"builtin": models.BuiltinPlugin()},
        routes={"/": [rule], "/{*component}": [rule]},
        recovery=models.Recovery(enabled=False, max_startup_recovery=5),
    )
    assert config.to_dict() == {
        **BASE,
        "recovery": {"enabled": False, "maxStartupRecovery": 5},
    }
    assert config_warnings(caplog, config) == []


def test_plugins_of_any_kind_pass_through_a_model() -> None:
    plugins = {
        "odd": {"type": "odd", "one": 1},
        "more": {"type": "grpc", "queueName": "q", "another": None},
        "mock": {"type": "mock", "components": {"/a": {"input_schema": {}}}},
    }
    config = models.ServerConfig.from_dict({**BASE, "plugins": plugins})
    assert config.to_dict() == {**BASE, "plugins": plugins}


def test_a_model_has_no_unknown_fields() -> None:
    with pytest.raises(ValidationError, match="recovry"):
        models.ServerConfig.from_dict({**BASE, "recovry": {}})
    with pytest.raises(ValidationError, match="enbled"):
        models.Recovery.from_dict({"enbled": True})

"""The server's configuration: models, misspelled keys, and keys of other servers."""

from __future__ import annotations

import contextlib
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
        *(
            (
                {"routes": {"/": kind([{"plugin": "builtin", "componentAlow": ["/eval"]}])}},
                'routes["/"][0].componentAlow',
                "componentAllow",
            )
            for kind in (list, tuple)
        ),
        (
            {"plugins": {"a é": {"type": "grpc", "queuName": "q"}}},
            'plugins["a é"].queuName',
            "queueName",
        ),
        ({"RECOVERY": {}}, "RECOVERY", "recovery"),
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
    recovery = {"x-enabld": 1, "leaseTtlSecs": 5, "enabld": False}
    config = {**BASE, "x-recovery": {"enabld": 1}, "recovery": recovery}
    if suffix == "json":
        # YAML allows no tabs.
        text = json.dumps(config, indent="\t")
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


def test_a_name_with_special_characters_does_not_hide_the_line(tmp_path: Path) -> None:
    path = tmp_path / "server.yml"
    plugins = {"a(b.*": {"type": "grpc", "queuName": "q"}}
    path.write_text(yaml.safe_dump({**BASE, "plugins": plugins}), encoding="utf-8")
    line = 1 + path.read_text(encoding="utf-8").split("\n").index("    queuName: q")
    assert f'plugins["a(b.*"].queuName (line {line}), which' in rejected(path)


def test_no_line_is_better_than_a_wrong_one(tmp_path: Path) -> None:
    path = tmp_path / "server.json"
    # In the file, the letter is written with an escape.
    path.write_text(json.dumps({**BASE, "recoverę": {}}, indent=1), encoding="utf-8")
    assert rejected(path).startswith(
        f"config {str(path)!r} has the unknown key recoverę, which the server would ignore"
    )


def test_the_version_of_a_server_in_no_wheel_is_asked_for(tmp_path: Path) -> None:
    binary = tmp_path / "server"
    shutil.copy2(find_binary(None), binary)
    # It may have any time for that.
    message = rejected({**BASE, "recovry": {}}, binary=binary, startup_timeout=float("inf"))
    assert "did you mean recovery?" in message


UNKNOWN = "recovry is an unknown key, which the server ignores; did you mean recovery?"


@pytest.mark.parametrize(
    ("version", "extra", "expected"),
    [
        # It may have more keys.
        ("0.99.0", {"recovry": {}}, [UNKNOWN]),
        # A config of this package is for servers of every version.
        ("0.9.0", dict(ALL_BUILTINS), []),
        # A development build has all keys.
        ("dev", {"storageConfig": {"type": "inMemory"}}, []),
        (
            "0.10.0",
            {"stateStore": {"type": "inMemory"}, "retry": {}},
            [
                "stateStore is not for server 0.10.0, but for servers before 0.10; use"
                " storageConfig",
                "retry is not for server 0.10.0, but for servers from 0.11 on",
            ],
        ),
        (
            "0.12.0",
            {
                "plugins": {
                    **BASE["plugins"],
                    "x": {"type": "stepflow", "url": "http://127.0.0.1:9"},
                }
            },
            ["plugins.x.type is not for server 0.12.0, but for servers before 0.12"],
        ),
    ],
)
def test_keys_for_servers_of_other_versions(
    version: str,
    extra: dict[str, Any],
    expected: list[str],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The version is that of the wheel which the executable lies in."""
    folder = tmp_path / "server" / "bin"
    folder.mkdir(parents=True)
    shutil.copy2(find_binary(None), folder)
    (tmp_path / f"server-{version}.dist-info").mkdir()
    link = tmp_path / "link"
    link.symlink_to(folder / find_binary(None).name)
    # The last one has no worker at its URL.
    with contextlib.suppress(errors.ConfigInvalid):
        StepflowRuntime.start({**BASE, **extra}, binary=link).stop()
    assert [one for one in caplog.messages if one.startswith("the config")] == [
        f"the config: {one}" for one in expected
    ]


def test_no_version_is_asked_for_without_a_misspelled_key(tmp_path: Path) -> None:
    starts, binary = tmp_path / "starts", tmp_path / "server"
    binary.write_text(
        f'#!/bin/sh\necho >> "{starts}"\nexec "{find_binary(None)}" "$@"\n', encoding="utf-8"
    )
    binary.chmod(0o755)
    StepflowRuntime.start({**BASE, "owner": "me", "retry": {}}, binary=binary).stop()
    assert starts.read_text(encoding="utf-8") == "\n"


def test_a_wheel_that_two_versions_claim_is_asked_for_its_version(tmp_path: Path) -> None:
    binary = tmp_path / "server" / "bin" / "stepflow-server"
    binary.parent.mkdir(parents=True)
    shutil.copy2(find_binary(None), binary)
    for version in ("0.98.0", "0.99.0"):
        (tmp_path / f"server-{version}.dist-info").mkdir()
    assert "did you mean recovery?" in rejected({**BASE, "recovry": {}}, binary=binary)


def test_a_key_that_is_hardly_similar_is_no_mistake() -> None:
    with pytest.raises(errors.ConfigInvalid, match="missing field `routes`"):
        StepflowRuntime.start({"plugins": BASE["plugins"], "notes": []})


@pytest.mark.parametrize(
    "extra",
    [
        {"$schema": "config.schema.json", "x-note": 1, "<<": {}},
        {f"{mark}recovery": {} for mark in "_#./"},
        # Servers before 0.10 have the first of these in place of the second.
        {"stateStore": {"type": "inMemory"}, "storageConfig": {"type": "inMemory"}, "retry": {}},
        {"recovery": {}, "x-recovery": {}},
        # YAML has keys that are no text.
        {"recovery": {5: 1, None: 2}},
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


def test_an_unknown_key_beside_all_known_ones_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    known = models.Recovery(
        enabled=False,
        check_interval_secs=1,
        max_startup_recovery=1,
        max_claims_per_check=1,
        lease_ttl_secs=1,
        checkpoint_interval=1,
    )
    recovery = {**known.to_dict(), "enable": True}
    assert config_warnings(caplog, {**BASE, "recovery": recovery}) == [
        "the config: recovery.enable is an unknown key, which the server ignores; let it begin with"
        " x- if it is a note"
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

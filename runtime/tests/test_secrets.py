"""Secrets of a config are in no log, on the server at `$STEPFLOW_SERVER_BINARY`."""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from runtime.tests.support import wait_until
from stepflow_api.support import Hidden
from stepflow_runtime import LogConfig, StepflowRuntime, errors
from stepflow_runtime._secrets import Secrets

WORKER = Path("runtime/tests/component_worker.py").absolute()
VERSION = tuple(map(int, os.environ["STEPFLOW_SERVER_VERSION"].split(".")))
#: Servers from 0.12 on talk gRPC with workers, for which a worker needs packages.
ANNOUNCES = VERSION < (0, 12)
#: Part of each secret.
MARK = "s3c"
VARIABLES = {
    "PLAIN": "s3cret-plain",
    "QUOTED": "s3c\"ret\\\\with 'quotes",
    "LINES": "first-s3cret\n\tsecond-s3crét",
    "EXPANDED": "s3cret-${MY_VALUE}-post",
    "DEFAULT": "${NO_SUCH:s3cret-default}",
    "MODE": "info",
    "EMPTY": "",
}
ENVIRONMENT = {"MY_VALUE": 's3cret\\"expanded', "SOME_API_KEY": "s3cret-key"}


def config(env: Any, *arguments: str, program: str = sys.executable) -> dict[str, Any]:
    """Return a config with a worker."""
    kind = {"type": "stepflow"} if ANNOUNCES else {"type": "grpc", "queueName": "q"}
    plugin = {**kind, "command": program, "args": list(arguments), "env": env}
    builtin = [{"plugin": "builtin"}]
    return {
        "plugins": {"builtin": {"type": "builtin"}, "worker": plugin},
        "routes": {"/w": [{"plugin": "worker"}], "/{*component}": builtin, "/": builtin},
    }


def fails(config: Any, **options: Any) -> tuple[errors.StartFailed, list[str]]:
    """Start a server that must fail; return the error, and all text in it."""
    with pytest.raises(errors.StartFailed) as caught:
        StepflowRuntime.start(config, env=ENVIRONMENT, **options)
    error = caught.value
    last_lines = error.last_lines if isinstance(error, errors.WorkerFailed) else []
    return error, [str(error), *error.last_log_lines, *last_lines]


@pytest.mark.parametrize("format", ["json", "text"])
@pytest.mark.parametrize("level", ["info", "trace"])
def test_variables_of_workers(
    format: Any, level: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "server.log"
    logged = LogConfig(format=format, level=level, file_path=path)
    if ANNOUNCES:
        document = config(VARIABLES, str(WORKER), "--token", "s3cret-token", "${SOME_API_KEY}")
        with StepflowRuntime.start(document, env=ENVIRONMENT, log_config=logged) as runtime:
            texts = runtime.recent_logs()
        (line,) = [text for text in texts if "Spawning" in text]
        assert all(f'{name}="***"' in line for name in VARIABLES)
        assert '"--token" "***" "***"' in line and str(WORKER) in line
    else:
        code = "import os, sys; sys.exit(' '.join(os.environ.values()))"
        error, texts = fails(config(VARIABLES, "-c", code), log_config=logged)
        assert isinstance(error, errors.WorkerFailed)
        assert "***" in error.last_lines[-1]
    content = path.read_text(encoding="utf-8")
    records = [one.getMessage() for one in caplog.records]
    assert len(records) > 3
    for text in (*texts, content, *records):
        assert MARK not in text
    # Nor is anything else removed, such as the value "info".
    lines = content.splitlines()
    assert sum("***" in line for line in lines) <= 1
    assert any("Starting Stepflow server" in line for line in lines)
    if format == "json":
        assert all(json.loads(line)["target"] for line in lines)


@pytest.mark.parametrize(
    "value", ["s3cret-${NO_SUCH}", "s3cret\\q", "s3cret-${MY_VALUE", "s3cret\0", "s3\nc3t-$NO_SUCH"]
)
def test_variables_that_cannot_be_set(value: str) -> None:
    for document in (
        config({"A": value}, "-c", "exit(3)"),
        config({}, "-c", "exit(3)", "--password", value),
        config({}, "-c", "exit(3)", f"--db-password={value}"),
    ):
        _, texts = fails(document)
        for part in (MARK, "c3t"):
            assert not [text for text in texts if part in text]


@pytest.mark.parametrize(
    "env", ["s3cret-text", ["s3cret-item"], {"A": ["s3cret"]}, {"A": 53352231}]
)
def test_variables_of_wrong_types(env: Any) -> None:
    error, texts = fails(config(env, "-c", "exit(3)"))
    assert type(error) is errors.ConfigInvalid
    assert not [text for text in texts if MARK in text or "53352231" in text]


def test_names_that_a_shell_does_not_know(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    code = (
        "import os, sys; open(sys.argv[1], 'wb').write(bytes(1).join(b'%b=%b' % one for one in"
        " os.environb.items())); sys.exit(3)"
    )
    env = {"a-b": "s3cret-1", "a.b": "s3cret-2", "A=B": "s3cret-3", "a b": "s3cret-4"}
    _, texts = fails(config(env, "-c", code, str(seen)))
    assert not [text for text in texts if MARK in text]
    # The server starts workers itself.
    passed = seen.read_bytes().split(b"\0")
    for name, value in env.items():
        assert f"{name}={value}".encode() in passed
    for name in ("", "a\0b"):
        _, texts = fails(config({name: "s3cret-5"}, "-c", code, str(seen)))
        assert not [text for text in texts if MARK in text]


@pytest.mark.parametrize(
    "url",
    [
        "postgres://s3cuser:s3cpass/w#rd@127.0.0.1:9/db",
        "postgres://s3cuser:s3cpass%40@127.0.0.1:9/db?sslpassword=s3cssl",
        "sqlite:{}/no/such.db?access_key=s3ckey",
    ],
)
def test_urls_with_passwords(url: str, tmp_path: Path) -> None:
    key = "stateStore" if VERSION < (0, 10) else "storageConfig"
    (tmp_path / "no").mkdir()
    document = config({}, "-c", "exit(3)")
    document[key] = {"type": "sqlite", "databaseUrl": url.format(tmp_path)}
    error, texts = fails(document)
    assert type(error) is errors.StartFailed
    assert not [text for text in texts if MARK in text]
    path = tmp_path / "config.yml"
    del document["plugins"]["worker"], document["routes"]["/w"]
    path.write_text(json.dumps(document), encoding="utf-8")
    # Read by the server alone; a password must be encoded to be recognised then.
    if "#" not in url:
        _, texts = fails(path)
        assert not [text for text in texts if MARK in text]


def test_a_config_of_another_kind() -> None:
    error, texts = fails({"plugins": "s3cret", "routes": {}})
    assert type(error) is errors.ConfigInvalid and 'string "***"' in str(error)
    assert not [text for text in texts if MARK in text]


def test_secrets_of_the_environment(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    binary = tmp_path / "server"
    binary.write_text(
        '#!/bin/sh\necho "$SOME_API_KEY, $MY_VALUE"\nprintf \'%s\' "$SOME_API_KEY"; exit 3\n',
        encoding="utf-8",
    )
    binary.chmod(0o755)
    _, texts = fails(None, binary=binary)
    # The other name is not a secret's.
    assert texts[1:] == [f"***, {ENVIRONMENT['MY_VALUE']}", "***"]
    assert not [one for one in caplog.records if "s3cret-key" in one.getMessage()]


@pytest.mark.parametrize("mask", [0o000, 0o277])
def test_the_log_file_is_for_this_user_alone(mask: int, tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    before = os.umask(mask)
    try:
        with StepflowRuntime.start(log_config=LogConfig(file_path=path)) as runtime:
            wait_until(lambda: path.stat().st_size or not runtime.is_alive, "a line is written")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600 & ~mask


def removed(text: str, environment: dict[str, str], env: Any) -> str:
    """Return text without the secrets of an environment and a worker's variables."""
    secrets = Secrets(Hidden(environment))
    secrets.add_config({"plugins": {"worker": {"env": env}}})
    return secrets.remove_from(text.encode()).decode()


@pytest.mark.parametrize(
    ("line", "cleaned"),
    [
        ('Command { std: A="s3c\\"" "/w", b: true }', 'Command { std: A="***" "/w", b: true }'),
        ('cd "/" && env -i A="s3c" B="" "/w"', 'cd "/" && env -i A="***" B="***" "/w"'),
        ('{"a": "env -i A=\\"s3c\\" \\"/w', '{"a": "env -i ***'),
        ("Environment variable: s3c$A\x1b[0m!", "Environment variable: ***\x1b[0m!"),
        ("invalid type: integer `5335`, expected", "invalid type: integer `***`, expected"),
        ("invalid type: floating point `5.5`,", "invalid type: floating point `***`,"),
        ('invalid value: string "s3c", expected', 'invalid value: string "***", expected'),
        ("to postgres://s3c:s3c@host/db", "to postgres://***@host/db"),
        ("to postgres://s3c:s3@c@host/db", "to postgres://***@host/db"),
        ("GET http://host/?page=2&api_key=s3c", "GET http://host/?page=2&api_key=***"),
        # The same in lines as the server writes them.
        ('{"message":"http://host/?api_key=s3c"}', '{"message":"http://host/?api_key=***"}'),
        ('{"message":"postgres://s3c:s3c@host"}', '{"message":"postgres://***@host"}'),
        ('{"message":"http://host/?page=2"}', '{"message":"http://host/?page=2"}'),
        # Without a secret, it stays as it was written.
        ('{"message" : "é, a@b", "n": 1e2 }', '{"message" : "é, a@b", "n": 1e2 }'),
    ],
)
def test_values_that_only_the_server_knows(line: str, cleaned: str) -> None:
    """A config file may be one that only the server can read, such as with a key twice."""
    assert removed(line, {}, {}) == cleaned


NAMES = """
    APIKEY BASIC_AUTH AUTHORIZATION SESSION_COOKIE AZURE_CREDENTIAL AWS_CREDENTIALS SENTRY_DSN
    AWS_SECRET_ACCESS_KEY DB_PASS PASSCODE SSH_PASSPHRASE SMTP_PASSWD PGPASSWORD GITHUB_PAT DB_PW
    MYSQL_PWD AZURE_SAS clientSecret APP_SECRETS xSignature accessToken OPENAIAPIKEY ROOTPASSWD
    APPSECRET CSRFTOKEN db-password
"""


@pytest.mark.parametrize("name", NAMES.split())
def test_names_of_secrets(name: str) -> None:
    assert removed("a s3cret, b", {name: "s3cret"}, {}) == "a ***, b"


@pytest.mark.parametrize("character", "\n\r\t\0\b\f\"'\\")
def test_secrets_with_escaped_characters(character: str) -> None:
    secret = f"s3cret-a{character}s3cret-b"
    letters = {"\n": "n", "\r": "r", "\t": "t", "\0": "0", "\b": "b", "\f": "f"}
    escaped = letters.get(character, character)
    for quoted in (secret, rf"s3cret-a\{escaped}s3cret-b", rf"s3cret-a\\{escaped}s3cret-b"):
        # Escaped as servers do, and once more in a text that quotes it.
        assert removed(f"a {quoted}, b", {"A_TOKEN": secret}, {}) == "a ***, b"


def test_what_is_no_secret_stays() -> None:
    text = (
        "info none null false true 8080 0.11.1 production server /usr/bin/env /usr/bin:/bin"
        " http://host:8080/?page=2"
    )
    env = {
        "LOG_LEVEL": "info",
        "A_TOKEN": "true",
        "B_TOKEN": "False",
        "C_TOKEN": "none",
        "D_TOKEN": "null",
        "PORT": "8080",
        "VERSION": "0.11.1",
        "STAGE": "production",
        "PATH": "/usr/bin:/bin",
        "KEY_FILE": "/usr/bin",
        "PASSWORD": "ser",
        "EMPTY": "",
        "MAX_TOKENS": "8080",
    }
    assert removed(text, env, env) == text
    # As a part of a word, only a long one counts.
    assert removed("server, serv", {"PASSWORD": "serv"}, {}) == "server, ***"
    assert removed("xabcdefghx", {"PASSWORD": "abcdefgh"}, {}) == "x***x"


PLUGINS = {
    "plugins": {
        "w": {
            "url": "http://host/$A_PATH",
            "queueName": "q-${A_GROUP}",
            "args": (
                *("--mode", "token", "development-1", "--token", "s3cret-1"),
                *(
                    "--api-key=s3cret-3",
                    "--password=$A_PART-s3cret-4",
                    "--key",
                    "${A_PART}-s3cret-5",
                    "--mode=development-16",
                    "-password",
                    "s3cret-7",
                ),
            ),
            "env": {
                "SHORT": "x-1y2",
                "LONG": "x-1y2z",
                "ESCAPED": r"\$A_PART-s3cret-11",
                "TWICE": "$A_PART-s3cret-12\n${A_PART}-s3cret-13",
                "DEFAULT": "${NO_SUCH:s3cret-14}",
                "SET": "${A_PART:unused-15}-more",
                "PHONE": "123456789012",
                "NUMBER": "12345678901",
                "MIXED": "abcd1234",
                "A_PASSWORD": "w2z0",
                "B_PASSWORD": "sesame",
            },
        },
        # Malformed, which the server reports.
        "odd": 5,
    },
    "cache": {"url": "redis://:s3cret-10@host"},
    "queue": {"url": "amqp://user:p%4019@host"},
    "storageConfig": {"databaseUrl": "postgres://user:s3cr%40t-2@host/db"},
    "proxy": {"token": "$A_PART-s3cret-6"},
    "password": 53352231,
    "pin": {"secret": 53352.25},
}


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        # A variable that a plugin uses, whatever its name.
        ("to http://host/hidden-part", "to http://host/***"),
        ("to hidden-group", "to ***"),
        ("use s3cret-1", "use ***"),
        # Without the name of its option, and with the value of a variable.
        ("use s3cret-3", "use ***"),
        ("use part-s3cret-4 or part-s3cret-5", "use *** or ***"),
        # In a setting of any part of the config.
        ("use part-s3cret-6", "use ***"),
        ("use s3cret-7", "use ***"),
        # It follows what looks like a secret's name, and is no option.
        ("in development-1", "in development-1"),
        ("set x-1y2", "set x-1y2"),
        ("set x-1y2z", "set ***"),
        # As in the URL, and decoded.
        ("pass s3cr%40t-2", "pass ***"),
        ("pass s3cr@t-2", "pass ***"),
        ("number 53352231", "number ***"),
        ("number 53352.25", "number ***"),
        # A secret that begins with another one.
        ("a s3cret-long-and-more", "a ***"),
        # A short one counts as a word after the code of a colour, and after an escaped line break.
        ("\x1b[1mserv", "\x1b[1m***"),
        (r"a\nserv\n", r"a\n***\n"),
        (r"a\rserv\r", r"a\r***\r"),
        (r"a\tserv\t", r"a\t***\t"),
        ("observe serve", "observe serve"),
        ("a spaced-s3cret", "a ***"),
        # It begins like a list of folders.
        ("use /usr:s3cret-8", "use ***"),
        # It looks like a path, and there is no such file.
        ("use /no/such/s3cret-9", "use ***"),
        ("use /:/s3cret-18", "use ***"),
        # Of a URL without a user.
        ("pass s3cret-10", "pass ***"),
        # A short one, as in the URL and decoded, and plain words that are secrets by their names.
        ("pass p%4019 or p@19", "pass *** or ***"),
        ("set w2z0 and sesame", "set *** and ***"),
        # A reference that an escape turns off, and one that is written in two ways.
        ("use $A_PART-s3cret-11", "use ***"),
        ("use part-s3cret-12 or part-s3cret-13", "use *** or ***"),
        # The default of a variable that is not set, and of one that is.
        ("use s3cret-14 or unused-15", "use *** or unused-15"),
        # Numbers of this length are not ports, and words with digits are not plain words.
        ("call 123456789012", "call ***"),
        ("call 12345678901", "call 12345678901"),
        ("use abcd1234", "use ***"),
        # An argument that names what is no secret.
        ("in development-16", "in development-16"),
        # Secrets without a letter of ASCII: as they are, and as servers and JSON quote them.
        ("use пароль", "use ***"),
        (r"use \u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}", "use ***"),
        (r"use \u043f\u0430\u0440\u043E\u043B\u044c", "use ***"),
        (r"use a\x1bs3cret-17, a\u{1b}s3cret-17 or a\u001bs3cret-17", "use ***, *** or ***"),
    ],
)
def test_secrets_of_a_config_and_an_environment(text: str, cleaned: str) -> None:
    environment = {
        "A_PART": "part",
        "A_PATH": "hidden-part",
        "A_GROUP": "hidden-group",
        "A_TOKEN": "s3cret-long",
        "B_TOKEN": "s3cret-long-and-more",
        "PASSWORD": "serv",
        "C_TOKEN": " spaced-s3cret ",
        "D_TOKEN": "/usr:s3cret-8",
        "E_TOKEN": "/no/such/s3cret-9",
        "F_TOKEN": "пароль",
        "G_TOKEN": "a\x1bs3cret-17",
        "H_TOKEN": "/:/s3cret-18",
    }
    secrets = Secrets(Hidden(environment))
    secrets.add_config(PLUGINS)
    assert secrets.remove_from(text.encode()).decode() == cleaned


def test_secrets_in_a_line_that_is_not_text() -> None:
    secrets = Secrets(Hidden({"A_TOKEN": "s3cret"}))
    assert secrets.remove_from(b"\xff s3cret \xe2\x82\x00") == b"\xff *** \xe2\x82\x00"


def test_secrets_in_a_line_that_nests_too_deeply() -> None:
    secrets = Secrets(Hidden({"A_TOKEN": "s3cret"}))
    start = b'{"a":' + b"[" * 100_000
    assert secrets.remove_from(start + b'"s3cret"') == start + b'"***"'


def test_what_the_server_itself_writes_stays() -> None:
    names = ("level", "target", "timestamp", "file", "line", "message")
    line = json.dumps(dict.fromkeys(names, "s3cret"))
    expected = {**dict.fromkeys(names, "s3cret"), "message": "***"}
    assert json.loads(removed(line, {"A_TOKEN": "s3cret"}, {})) == expected


def test_secrets_inside_of_fields() -> None:
    def line(value: str) -> str:
        fields = {"a": [value, 1, None, [value]], "level": value, "target": 5, "file": [value]}
        return json.dumps({"fields": fields, "level": "s3cret", "more": True})

    assert json.loads(removed(line("s3cret"), {"A_TOKEN": "s3cret"}, {})) == json.loads(line("***"))


def test_hostile_lines_take_linear_time() -> None:
    secrets = Secrets(Hidden({"A_TOKEN": 'a"b\\\\c', "B_TOKEN": "aaaaaaaab"}))
    for start in ("env -i ", 'env -i ="', "://", "nvironment variable: ", 'a"', ': string "', ""):
        for more in (
            "=",
            '="',
            '=\\"',
            "\\",
            '\\"',
            "://",
            "a@",
            "?a=",
            "a",
            ': string "',
            "env -i ",
        ):
            line = start + more * (300_000 // len(more))
            # A quadratic pattern takes minutes.
            assert len(secrets.remove_from(line.encode())) < 2_000_000

"""How the command connects, by profiles, tokens and certificates, and what it requests."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.main import get_command

from api.tests.support.odd_server import CERTIFICATE, OddServer, answer
from stepflow_api import __version__
from stepflow_client import cli
from stepflow_client.cli._app import Connection, app

COMPONENTS = answer('{"components":[]}')


class Command:
    """Runs `components` with options; servers that are called answer with an empty list."""

    def __init__(self, capfd: pytest.CaptureFixture[str], file: Path) -> None:
        self._capfd = capfd
        self.file = file

    def __call__(self, *options: str, code: int = 0) -> str:
        """Return what the command prints to standard error."""
        assert cli.run([*options, "components"]) == code
        return self._capfd.readouterr().err

    def profiles(self, text: str) -> None:
        """Write the profile file."""
        self.file.write_text(text, encoding="utf-8")


@pytest.fixture
def command(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Command:
    for name in ("STEPFLOW_URL", "STEPFLOW_TOKEN", "STEPFLOW_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "config.toml"
    monkeypatch.setenv("STEPFLOW_CONFIG", str(file))
    return Command(capfd, file)


def tokens(server: OddServer) -> list[str | None]:
    """Return the tokens of the requests for components."""
    return [
        None if token is None else token.removeprefix("Bearer ")
        for token in [server.headers().get("authorization")]
    ]


def test_a_profile(command: Command, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n", encoding="utf-8")
    with OddServer(COMPONENTS) as server:
        command.profiles(f'[profiles.one]\nurl = "{server.url}"\ntoken_file = "token"\n')
        assert command("--profile", "one") == ""
        assert tokens(server) == ["secret"]


def test_the_default_profile_and_that_of_the_environment(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OddServer(COMPONENTS) as server, OddServer(COMPONENTS) as other:
        command.profiles(
            f'default = "one"\n[profiles.one]\nurl = "{server.url}"\n'
            f'[profiles.two]\nurl = "{other.url}"\n'
        )
        command()
        assert (bool(server.requests), bool(other.requests)) == (True, False)
        monkeypatch.setenv("STEPFLOW_PROFILE", "two")
        command()
        assert other.requests


@pytest.mark.parametrize("by", ["file", "environment"])
def test_a_token_goes_only_to_the_server_of_its_profile(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    (tmp_path / "token").write_text("secret", encoding="utf-8")
    default = 'default = "one"\n'
    if by == "environment":
        default = ""
        monkeypatch.setenv("STEPFLOW_PROFILE", "one")
    command.profiles(f'{default}[profiles.one]\nurl = "http://localhost:9"\ntoken_file = "token"\n')
    with OddServer(COMPONENTS) as server:
        command("--url", server.url)
        assert tokens(server) == [None]
    with OddServer(COMPONENTS) as server:
        monkeypatch.setenv("STEPFLOW_URL", server.url)
        command()
        assert tokens(server) == [None]
    monkeypatch.delenv("STEPFLOW_URL")
    with OddServer(COMPONENTS) as server:
        # Naming a profile and an option together uses both.
        command("--url", server.url, "--profile", "one")
        assert tokens(server) == ["secret"]


def test_a_named_profile_wins_over_the_environment(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("secret", encoding="utf-8")
    monkeypatch.setenv("STEPFLOW_URL", "http://localhost:9")
    monkeypatch.setenv("STEPFLOW_TOKEN", "other")
    with OddServer(COMPONENTS) as server:
        command.profiles(f'[profiles.one]\nurl = "{server.url}"\ntoken_file = "token"\n')
        command("--profile", "one")
        assert tokens(server) == ["secret"]
    with OddServer(COMPONENTS) as server:
        command("--profile", "one", "--url", server.url, "--token", "typed")
        assert tokens(server) == ["typed"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "stepflow-client: cannot read the profile file"),
        ("x", "is not TOML: "),
        ("[profiles.two]\n[profiles.three]\n", "has no profile 'one'; it has three, two"),
        ("", "has no profile 'one'; it has no profile"),
        ("[profiles]\none = 1\n", "profile 'one' is not a table"),
        ("profiles = 1\n", "profiles is not a table"),
        ("[profiles.one]\nurls = 'x'\n", "has the unknown key 'urls'; it may have url, token_file"),
        ("[profiles.one]\nurl = 1\n", "url is 1; write text"),
        ("[profiles.one]\ninsecure = 'no'\n", "insecure is 'no'; write true or false"),
        ("url = 'x'\n", "has 'url'; write `default` and [profiles.NAME] only"),
        ("[profiles.one]\ntoken_file = 'none'\n", "cannot read the token file"),
        ("[profiles.one]\ntoken_file = '~nobody-has-this-name/a'\n", "cannot read the token file"),
    ],
)
def test_a_profile_that_cannot_be_used(command: Command, text: str | None, problem: str) -> None:
    if text is not None:
        command.profiles(text)
    error = command("--profile", "one", code=2)
    assert problem in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("default", ["3", "['one']", "{a = 1}", "'two'"])
def test_a_default_that_names_no_profile(command: Command, default: str) -> None:
    command.profiles(f"default = {default}\n[profiles.one]\n")
    error = command(code=2)
    assert "has no profile " in error and "; it has one\n" in error
    assert error.count("\n") == 1


def test_a_profile_file_in_another_encoding(command: Command) -> None:
    command.file.write_bytes('default = "é"\n'.encode("latin-1"))
    error = command(code=2)
    assert "is not TOML: " in error
    assert error.count("\n") == 1


def test_no_file_is_needed(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STEPFLOW_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(command.file.parent))
    with OddServer(COMPONENTS) as server:
        assert command("--url", server.url) == ""
        monkeypatch.setenv("STEPFLOW_URL", server.url)
        assert command() == ""


def test_the_usual_file(command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "stepflow").mkdir(parents=True)
    (home / "token").write_text("secret", encoding="utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.setenv("HOME", str(home))
    with OddServer(COMPONENTS) as server:
        # As some editors save it.
        text = f'\ufeffdefault = "one"\n[profiles.one]\nurl = "{server.url}"\n'
        text += 'token_file = "~/token"\n'
        (home / "stepflow" / "config.toml").write_text(text, encoding="utf-8")
        # An empty variable is as good as none.
        for name in ("STEPFLOW_CONFIG", "STEPFLOW_PROFILE", "STEPFLOW_URL", "STEPFLOW_TOKEN"):
            monkeypatch.setenv(name, "")
        assert command() == ""
        assert tokens(server) == ["secret"]
    monkeypatch.setenv("STEPFLOW_CONFIG", str(tmp_path / "other.toml"))
    assert "cannot read the profile file" in command(code=2)


def test_the_environment_completes_a_profile(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OddServer(COMPONENTS) as server:
        command.profiles(f'[profiles.one]\n[profiles.two]\nurl = "{server.url}"\n')
        monkeypatch.setenv("STEPFLOW_TOKEN", "secret")
        monkeypatch.setenv("STEPFLOW_URL", server.url)
        command("--profile", "one")
        assert tokens(server) == ["secret"]
        monkeypatch.setenv("STEPFLOW_URL", "http://localhost:9")
        command("--profile", "two")
        assert len(server.requests) == 4 and tokens(server) == ["secret"]


@pytest.mark.parametrize("options", [("--ca", str(CERTIFICATE)), ("--insecure",)], ids=str)
def test_certificates(command: Command, options: tuple[str, ...]) -> None:
    with OddServer(COMPONENTS, tls=True) as server:
        assert command("--url", server.url, *options) == ""
        assert server.requests
    with OddServer(COMPONENTS, tls=True) as server:
        key = "ca" if options[0] == "--ca" else "insecure"
        value = f'"{CERTIFICATE.resolve()}"' if key == "ca" else "true"
        command.profiles(f'[profiles.one]\nurl = "{server.url}"\n{key} = {value}\n')
        assert command("--profile", "one") == ""
        assert server.requests


@pytest.mark.parametrize("where", ["profile", "options"])
def test_a_certificate_of_the_client(command: Command, tmp_path: Path, where: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    context.load_verify_locations(CERTIFICATE)
    context.verify_mode = ssl.CERT_REQUIRED
    key, begin, certificate = CERTIFICATE.read_text().partition("-----BEGIN CERTIFICATE")
    certificate = begin + certificate
    files = {"ca": certificate, "client_cert": certificate, "client_key": key}
    with OddServer(COMPONENTS, tls=context) as server:
        options = ["--url", server.url]
        # In a profile, relative to its file.
        settings = [f'url = "{server.url}"', 'token_file = "token"']
        (tmp_path / "token").write_text("secret", encoding="utf-8")
        for name, content in files.items():
            (tmp_path / f"{name}.pem").write_text(content, encoding="utf-8")
            settings.append(f'{name} = "{name}.pem"')
            options += [f"--{name.replace('_', '-')}", str(tmp_path / f"{name}.pem")]
        command.profiles("\n".join(["[profiles.one]", *settings]))
        assert command(*(("--profile", "one") if where == "profile" else options)) == ""
        assert tokens(server) == ["secret" if where == "profile" else None]


@pytest.mark.parametrize("where", ["profile", "options"])
@pytest.mark.parametrize("trust", ["a file", "a folder", "anything"])
def test_what_is_trusted_beside_a_certificate_of_the_client(
    command: Command, tmp_path: Path, trust: str, where: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    context.load_verify_locations(CERTIFICATE)
    context.verify_mode = ssl.CERT_REQUIRED
    # Under the name that OpenSSL looks for: `openssl x509 -hash -in tls.pem`.
    (tmp_path / "7f933e3d.0").write_bytes(CERTIFICATE.read_bytes())
    ca = {"a file": str(CERTIFICATE.resolve()), "a folder": str(tmp_path)}.get(trust)
    settings: dict[str, Any] = {"ca": ca} if ca else {"insecure": True}
    # Its key is in the same file.
    settings["client_cert"] = str(CERTIFICATE.resolve())
    options: list[str] = []
    for name, value in settings.items():
        options += [f"--{name.replace('_', '-')}", *([value] if value is not True else [])]
    with OddServer(COMPONENTS, tls=context) as server:
        lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
        command.profiles("\n".join(["[profiles.one]", f'url = "{server.url}"', *lines]))
        chosen = ("--profile", "one") if where == "profile" else ("--url", server.url, *options)
        assert command(*chosen) == ""
        assert server.requests


def test_a_certificate_of_the_client_does_not_make_a_server_trusted(command: Command) -> None:
    with OddServer(COMPONENTS, tls=True) as server:
        error = command("--url", server.url, "--client-cert", str(CERTIFICATE), code=3)
        assert "certificate is not trusted" in error
        assert not server.requests


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--client-key", "key.pem"), "--client-key requires --client-cert"),
        (("--client-cert", "none.pem"), "'none.pem' or its key cannot be used: No such file"),
        (("--ca", "none.pem"), "none.pem"),
    ],
)
def test_certificates_that_cannot_be_used(
    command: Command, options: tuple[str, ...], problem: str
) -> None:
    error = command("--url", "https://localhost:9", *options, code=2)
    assert problem in error
    assert error.count("\n") == 1


HEALTH = answer('{"status":"healthy","timestamp":"2026-01-01T00:00:00Z","version":"0.11.1"}')
REFUSAL = answer('{"code":403,"message":"no"}', status="403 Forbidden")
RUN, FLOW = str(uuid4()), "0" * 64
CREATED = {"flowId": FLOW, "input": [{}]}


@pytest.mark.parametrize(
    ("arguments", "target", "body"),
    [
        ("submit {flow}", "POST /runs", CREATED),
        ("run {flow}", "POST /runs", CREATED),
        ("run {flow} --input [1]", "POST /runs", CREATED | {"input": [[1]]}),
        ("run {flow} --input-file {file}", "POST /runs", CREATED | {"input": [{"a": 1}]}),
        ("run {flow} --inputs {lines}", "POST /runs", CREATED | {"input": [1, 2]}),
        (
            "run {flow} --inputs {lines} --max-concurrency 7",
            "POST /runs",
            CREATED | {"input": [1, 2], "maxConcurrency": 7},
        ),
        (
            "run {flow} --variable n=1 --variable m=x=y",
            "POST /runs",
            CREATED | {"variables": {"n": 1, "m": "x=y"}},
        ),
        (
            'run {flow} --overrides {{"a":{{"input":1}}}}',
            "POST /runs",
            CREATED | {"overrides": {"steps": {"a": {"value": {"input": 1}}}}},
        ),
        ("run {flow} --variables-from-env", "GET /flows/{flow}/variables", None),
        ("run {flow} --idempotency-key k", "GET /flows/{flow}", None),
        ("wait {run}", "GET /runs/{run}", None),
        ("status {run}", "GET /runs/{run}", None),
        ("cancel {run}", "POST /runs/{run}/cancel", None),
        ("components", "GET /components?includeSchemas=false", None),
        ("components --json", "GET /components?includeSchemas=true", None),
        ("validate {file}", "POST /flows", {"flow": {"a": 1}, "dryRun": True}),
        ("blob put {file} --data", "POST /blobs", {"data": {"a": 1}}),
        ("blob get 123", "GET /blobs/123", None),
        ("graph {flow}", "GET /flows/{flow}", None),
        ("runs", "GET /runs?limit=21&offset=0", None),
        (
            "runs --status recoveryFailed --flow-name f --limit 3 --page 5",
            "GET /runs?status=recoveryFailed&flowName=f&limit=16&offset=0",
            None,
        ),
    ],
)
def test_what_a_command_asks_for(
    command: Command, tmp_path: Path, arguments: str, target: str, body: Any
) -> None:
    (tmp_path / "file.json").write_text('{"a":1}', encoding="utf-8")
    (tmp_path / "lines").write_text("1\n2\n", encoding="utf-8")
    names = {"run": RUN, "flow": FLOW, "file": tmp_path / "file.json", "lines": tmp_path / "lines"}

    def handle(connection: socket.socket) -> None:
        (HEALTH if server.target().endswith("/health") else REFUSAL)(connection)

    with OddServer(handle) as server:
        code = cli.run(["--url", server.url, *arguments.format(**names).split()])
    assert code == 1
    *_, (head, content) = server.requests
    assert head.split(" HTTP")[0].replace("/api/v1", "") == target.format(**names)
    assert (json.loads(content) if content else None) == body


def test_each_option_and_argument_is_explained() -> None:
    def unexplained(command: Any, name: str) -> Iterator[str]:
        if not command.help:
            yield name
        yield from (f"{name} {one.name}" for one in command.params if not getattr(one, "help", ""))
        for sub, one in getattr(command, "commands", {}).items():
            yield from unexplained(one, f"{name} {sub}")

    assert [*unexplained(get_command(app), "stepflow-client")] == []


def program(*arguments: str, **environment: str) -> Any:
    """Run the command as `python -m stepflow_client`."""
    return subprocess.run(
        [sys.executable, "-m", "stepflow_client", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_connection_does_not_show_its_token() -> None:
    assert "sesame" not in repr(Connection("http://h", "sesame"))


def test_the_version() -> None:
    done = program("--version")
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        f"stepflow-client {__version__}\n",
        "",
    )


def test_completion() -> None:
    done = program(
        _STEPFLOW_CLIENT_COMPLETE="complete_bash", COMP_WORDS="stepflow-client time", COMP_CWORD="1"
    )
    assert (done.stdout.split(), done.stderr) == (["timeline"], "")
    script = program("--show-completion", "zsh", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert "#compdef stepflow-client" in script.stdout


def test_no_colour() -> None:
    for variables in ({"NO_COLOR": "1", "FORCE_COLOR": ""}, {"TERM": "dumb"}):
        done = program("--help", **variables)
        assert "\x1b" not in done.stdout

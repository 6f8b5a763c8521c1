"""uv reaches packages as the user's pip does, unless the user told uv itself."""

from pathlib import Path

import pytest

from tools.python.lock.pip_settings import config_files, uv_config_files, uv_variables

MIRROR = "[global]\nindex-url = https://mirror.example/simple\ncert = /etc/ca.pem\n"


@pytest.fixture
def pip_conf(tmp_path: Path) -> Path:
    path = tmp_path / "pip.conf"
    path.write_text(MIRROR)
    return path


def test_nothing_set() -> None:
    assert uv_variables({}, []) == {}


def test_configuration_file(pip_conf: Path) -> None:
    assert uv_variables({}, [pip_conf]) == {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "SSL_CERT_FILE": "/etc/ca.pem",
    }


@pytest.mark.parametrize("first", ["global", "install"])
def test_the_section_of_the_command_wins(tmp_path: Path, first: str) -> None:
    values = {"global": "https://everywhere.example", "install": "https://here.example"}
    sections = sorted(values, key=lambda section: section != first)
    file = tmp_path / "pip.conf"
    file.write_text("".join(f"[{one}]\nindex-url = {values[one]}\n" for one in sections))
    assert values["install"] in uv_variables({}, [file]).values()


def test_environment() -> None:
    environment = {
        "PIP_INDEX_URL": "https://mirror.example/simple",
        "PIP_CERT": "/etc/ca.pem",
        "PIP_CLIENT_CERT": "/etc/client.pem",
        "PIP_TRUSTED_HOST": "mirror.example other.example",
        "PIP_PROXY": "http://proxy.example:3128",
        "PIP_EXTRA_INDEX_URL": "https://own.example/simple",
    }

    assert uv_variables(environment, []) == {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "SSL_CERT_FILE": "/etc/ca.pem",
        "SSL_CLIENT_CERT": "/etc/client.pem",
        "UV_INSECURE_HOST": "mirror.example other.example",
        "ALL_PROXY": "http://proxy.example:3128",
    }


def test_environment_wins_over_files_and_later_files_over_earlier(
    pip_conf: Path, tmp_path: Path
) -> None:
    later = tmp_path / "later.conf"
    later.write_text("[global]\ncert = /later.pem\n[install]\nindex-url = https://later.example\n")

    variables = uv_variables({"PIP_CERT": "/environment.pem"}, [pip_conf, later])

    assert variables == {
        "UV_DEFAULT_INDEX": "https://later.example",
        "SSL_CERT_FILE": "/environment.pem",
    }


@pytest.mark.parametrize("name", ["UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_what_the_user_told_uv_stays(pip_conf: Path, name: str) -> None:
    variables = uv_variables({name: "https://uv.example", "SSL_CERT_FILE": "/uv.pem"}, [pip_conf])

    assert variables == {}


def test_hosts_may_stand_on_several_lines(tmp_path: Path) -> None:
    path = tmp_path / "pip.conf"
    path.write_text("[global]\ntrusted-host =\n    one.example\n    two.example\n")

    assert uv_variables({}, [path]) == {"UV_INSECURE_HOST": "one.example two.example"}


@pytest.mark.parametrize("content", [b"not an ini file", b"\xff\xfe", b""])
def test_files_that_pip_could_not_read_either(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pip.conf"
    path.write_bytes(content)

    assert uv_variables({}, [path, tmp_path / "missing.conf"]) == {}


def test_where_pip_looks() -> None:
    home = Path("/home/somebody")

    assert config_files({}, home) == [
        Path("/etc/pip.conf"),
        home / ".pip/pip.conf",
        home / ".config/pip/pip.conf",
    ]
    assert config_files({"XDG_CONFIG_HOME": "/config"}, home)[-1] == Path("/config/pip/pip.conf")
    assert config_files({"PIP_CONFIG_FILE": "/own.conf"}, home)[-1] == Path("/own.conf")
    assert config_files({"PIP_CONFIG_FILE": "/dev/null"}, home) == []


@pytest.mark.parametrize(
    ("settings", "index"),
    [
        ("index-url = 'https://uv.example/simple'", "https://uv.example/simple"),
        ("[pip]\nindex-url = 'https://uv.example/simple'", "https://uv.example/simple"),
        ("[[index]]\nurl = 'https://uv.example'\ndefault = true", "https://uv.example"),
        (
            "[[index]]\nname = 'own'\nurl = 'https://uv.example'\ndefault = true",
            "own=https://uv.example",
        ),
        ("[[index]]\nname = 'more'\nurl = 'https://more.example'", "https://mirror.example/simple"),
        ("not TOML", "https://mirror.example/simple"),
    ],
)
def test_uvs_own_index_wins_over_that_of_pip(
    pip_conf: Path, tmp_path: Path, settings: str, index: str
) -> None:
    file = tmp_path / "uv.toml"
    file.write_text(settings)

    assert uv_variables({}, [pip_conf], [file])["UV_DEFAULT_INDEX"] == index
    environment = {"UV_DEFAULT_INDEX": "https://environment.example"}
    assert "UV_DEFAULT_INDEX" not in uv_variables(environment, [pip_conf], [file])


def test_how_uv_reaches_its_index(tmp_path: Path) -> None:
    file = tmp_path / "uv.toml"
    file.write_text(
        "allow-insecure-host = ['a.example', 'b.example']\nkeyring-provider = 'subprocess'\n"
    )

    assert uv_variables({}, [], [file]) == {
        "UV_INSECURE_HOST": "a.example b.example",
        "UV_KEYRING_PROVIDER": "subprocess",
    }


def test_where_uv_looks() -> None:
    home = Path("/home/somebody")

    assert uv_config_files({}, home) == [Path("/etc/uv/uv.toml"), home / ".config/uv/uv.toml"]
    assert uv_config_files({"XDG_CONFIG_HOME": "/config"}, home)[-1] == Path("/config/uv/uv.toml")
    assert uv_config_files({"UV_CONFIG_FILE": "/own.toml"}, home) == [Path("/own.toml")]

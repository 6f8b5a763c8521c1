"""tools/debian/provision makes a whole tree out of what apt provides."""

import os
import pty
import re
import stat
from pathlib import Path

import pytest

from tools.debian.tests.debian import PIP, Debian
from tools.debian.tests.machine import Machine


@pytest.fixture(scope="module")
def shown() -> list[str]:
    """The lines that `provisioned` has printed."""
    return []


@pytest.fixture(scope="module")
def provisioned(tmp_path_factory: pytest.TempPathFactory, shown: list[str]) -> Debian:
    """A machine with a tree, for tests that only look at it."""
    debian = Debian(Machine(tmp_path_factory.mktemp("machine")))
    done = debian.provision()
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    shown += [line.removeprefix("tools/bazel: ") for line in done.stderr.splitlines()]
    return debian


def test_the_tree_is_complete(provisioned: Debian) -> None:
    debian = provisioned
    usr = debian.tree / "usr"
    assert (usr / "libexec/bazel").exists()
    assert not (usr / "bin/bazel").exists()
    assert not (usr / "share/doc").exists()
    assert (usr / "local").is_dir()
    assert (usr / "bin/awk").readlink() == Path("mawk")
    assert (usr / "bin/python3").readlink() == Path("python3.11")
    assert (usr / "lib/jvm/default-java/conf/net.properties").read_text() == "from /etc\n"
    assert (usr / "share/ca-certificates/bundle.crt").read_text() == "one\ntwo\n"
    zlib = usr / "share/bazel/stubs/zlib"
    assert (zlib / "MODULE.bazel").read_text() == "module(name = 'zlib')\n"
    target = "filegroup(name = 'zlib', visibility = ['//visibility:public'])\n"
    assert (zlib / "BUILD.bazel").read_text() == target
    tried, compiled = debian.machine.calls("enter")[-2:]
    assert tried == [
        f"{debian.tree}.new",
        "/usr/libexec/bazel",
        f"--bazelrc={debian.machine.debian}/bazelrc",
        "--version",
    ]
    assert compiled[:5] == [f"{debian.tree}.new", "python3.14", "-I", "-m", "compileall"]
    assert compiled[-1] == "/usr/lib/python3.14"
    # Neither downloads nor a half-made tree stay.
    assert debian.left_behind() == {"lock", debian.tree.name}


def test_rules_python_knows_the_names_of_newer_ones(provisioned: Debian) -> None:
    debian = provisioned
    assert (
        (debian.tree / PIP).read_text()
        == """\
def _pip_impl(module_ctx):
    pip_repository_bzlmod(
        name = (attr.hub_name or attr.name),
        incompatible_generate_aliases = True,
    )
    whl_library(name = "%s_x" % (attr.hub_name or attr.name), repo = (attr.hub_name or attr.name))

attrs = {
    "hub_name": attr.string(), "name": attr.string(), "python_version": attr.string(),
}
"""
    )
    toolchains = (debian.tree / PIP).parent.with_name("local_toolchains")
    assert (toolchains / "BUILD.bazel").read_text() == ""
    ours = debian.machine.debian / "local_toolchains.bzl"
    assert (toolchains / "repos.bzl").read_text() == ours.read_text()


def test_no_program_runs_with_the_rights_of_its_owner(debian: Debian) -> None:
    old = os.umask(0o077)
    try:
        done = debian.provision()
    finally:
        os.umask(old)

    assert done.returncode == 0, done.stderr
    usr = debian.tree / "usr"
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in usr.rglob("*")}
    assert modes[usr / "bin/mount"] == 0o755
    assert [path for path, mode in modes.items() if mode & (stat.S_ISUID | stat.S_ISGID)] == []


def test_plain_lines_show_the_progress(provisioned: Debian, shown: list[str]) -> None:
    # More may stand between them when the machine is slow.
    expected = [
        f"unpacking Debian's Bazel under {provisioned.machine.cache}: once, in about half a minute",
        "fetching the package lists of Debian forky (percent): 0 of 100",
        "downloading 3 packages (MB): 0 of 6",
        "unpacking (packages): 1 of 3",
    ]
    assert [line for line in shown if line in expected] == expected


def test_a_terminal_shows_the_progress_in_place(debian: Debian) -> None:
    leader, follower = pty.openpty()
    debian.machine.environment["TERM"] = "xterm"

    process = debian.start(stderr=follower)
    os.close(follower)
    shown = b""
    # Reading from a terminal fails when nobody has it open any more.
    try:
        while data := os.read(leader, 65536):
            shown += data
    except OSError:
        pass
    os.close(leader)

    assert process.wait() == 0
    lines = re.split(r"[\r\n]+", shown.decode().replace("\x1b[K", ""))
    assert "tools/bazel: downloading 3 packages (MB): 3 of 6" in lines
    assert "tools/bazel: downloading 3 packages (MB): 6 of 6" in lines
    assert "tools/bazel: unpacking (packages): 3 of 3" in lines
    assert b"\r\x1b[Ktools/bazel: unpacking" in shown


def test_a_tree_that_is_there_stays(debian: Debian) -> None:
    debian.tree.mkdir(parents=True)

    done = debian.provision()

    assert (done.returncode, done.stderr) == (0, "")
    assert not debian.machine.calls("apt-get")


def test_the_mirror_is_that_of_the_host(provisioned: Debian) -> None:
    keyring = provisioned.machine.root / "keyrings/debian-archive-keyring.gpg"
    assert provisioned.seen("sources.list") == [
        f"deb [arch=amd64 signed-by={keyring}] http://mirror.example/debian forky main",
        f"deb [arch=amd64 signed-by={keyring}] http://mirror.example/debian bookworm main",
    ]


def test_before_apts_first_update_every_site_is_tried(debian: Debian) -> None:
    debian.sites_of_debian = []
    debian.sites = ["http://other.example", "http://mirror.example/debian"]
    debian.dead_sites = ["http://other.example"]

    done = debian.provision()

    assert done.returncode == 0, done.stderr
    assert "http://mirror.example/debian forky" in debian.seen("sources.list")[0]


def test_how_the_host_reaches_its_mirror_is_kept_and_its_hooks_are_not(
    provisioned: Debian,
) -> None:
    config = provisioned.seen("apt.conf")
    assert 'Acquire::http::Proxy "http://proxy.example:3128";' in config
    assert not [line for line in config if "Post-Invoke" in line or "IndexTargets" in line]
    assert [line for line in config if 'Parts "/dev/null"' in line]


def test_packages_that_nothing_runs_are_left_out(debian: Debian) -> None:
    (debian.machine.debian / "packages").write_text("# Why\nbazel-bootstrap\n\n-perl\n-openssl\n")

    debian.provision()

    assert "Provides: perl (= 99:0),openssl (= 99:0)" in debian.seen("status")
    [install] = [call for call in debian.machine.calls("apt-get") if "--download-only" in call]
    assert install[-1] == "bazel-bootstrap"


@pytest.mark.parametrize(
    ("days", "stays"),
    [(13, True), (16, False)],
)
def test_old_trees_go_when_nobody_used_them_lately(debian: Debian, days: int, stays: bool) -> None:
    old = debian.machine.cache / "1234"
    (old / "usr").mkdir(parents=True)
    used = old / "used"
    used.touch()
    then = used.stat().st_mtime - days * 24 * 3600
    os.utime(used, (then, then))

    debian.provision()

    assert old.exists() is stays


def test_other_files_of_the_cache_stay(debian: Debian) -> None:
    other = debian.machine.cache / "notes"
    other.mkdir(parents=True)
    (other / "used").touch()
    os.utime(other / "used", (0, 0))

    debian.provision()

    assert (Path(other) / "used").exists()

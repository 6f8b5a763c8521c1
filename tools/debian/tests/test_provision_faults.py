"""Whatever stops tools/debian/provision: one line with the next step, and no half-made tree."""

import os

import pytest

from tools.debian.tests.debian import BAZEL, PIP, RULES_PYTHON, Debian

INSTEAD = "put bazelisk on PATH, or set BAZEL_REAL to a Bazel 7"


def failure(debian: Debian) -> str:
    """Runs provision, which must fail; returns its last line without its beginning."""
    done = debian.provision()

    assert done.returncode == 1
    assert not debian.tree.exists()
    assert not debian.tree.with_name(f"{debian.tree.name}.new").exists()
    *progress, last = done.stderr.splitlines()
    # Nothing else complained.
    assert all(line.startswith("tools/bazel: ") for line in progress), done.stderr
    return last.removeprefix("tools/bazel: ")


@pytest.mark.parametrize("program", ["apt-get", "apt-config", "dpkg", "dpkg-deb"])
def test_no_apt(debian: Debian, program: str) -> None:
    debian.machine.without(program)

    assert failure(debian) == (
        f"found no bazelisk and no bazel, and no {program} to fetch Debian's Bazel with: {INSTEAD}"
    )


def test_cache_cannot_be_written(debian: Debian) -> None:
    # Root may write anywhere, but not into a file's inside.
    (debian.machine.home / ".cache").write_text("")

    assert failure(debian) == (
        f"cannot write to {debian.machine.cache}:"
        " set HOME or XDG_CACHE_HOME to a folder that you can write to"
    )


def test_too_little_space(debian: Debian) -> None:
    debian.free_mb = 949

    assert failure(debian) == (
        f"{debian.machine.cache} has 949 MB free, and Debian's Bazel needs 950:"
        " make room, or set XDG_CACHE_HOME to a folder on another disk"
    )
    assert not debian.machine.calls("apt-get")


def test_no_keys(debian: Debian) -> None:
    (debian.machine.root / "keyrings/debian-archive-keyring.gpg").unlink()

    assert failure(debian) == (
        "found no keys to check Debian's packages with:"
        f" apt-get install debian-archive-keyring, or {INSTEAD}"
    )


def test_no_site(debian: Debian) -> None:
    debian.sites_of_debian = debian.sites = []

    assert failure(debian) == (
        "cannot fetch Debian's package lists from apt, which names no mirror:"
        f" check the network and apt's sources and proxy, then try again; or {INSTEAD}"
    )


CHOOSING = "cannot choose the packages of Debian's Bazel"


@pytest.mark.parametrize(
    ("step", "script", "message"),
    [
        (
            "update",
            "echo 'W: never mind' >&2; echo 'E: Failed  Could not connect' >&2; exit 9",
            "cannot fetch Debian's package lists from http://mirror.example/debian:"
            " E: Failed  Could not connect:"
            f" check the network and apt's sources and proxy, then try again; or {INSTEAD}",
        ),
        (
            "choose",
            "echo 'E: Unable to locate package bazel-bootstrap' >&2; exit 100",
            f"{CHOOSING}: E: Unable to locate package bazel-bootstrap: {INSTEAD}",
        ),
        ("choose", "exit 100", f"{CHOOSING}: no reason given: {INSTEAD}"),
        (
            "unpack",
            'echo 0 > "$ROOT/free"; exit 2',
            "cannot unpack Debian's Bazel: no space left for CACHE:"
            f" make room if the disk is full, then try again; or {INSTEAD}",
        ),
    ],
)
def test_a_step_fails(debian: Debian, step: str, script: str, message: str) -> None:
    debian.on(step, script)

    assert failure(debian) == message.replace("CACHE", str(debian.machine.cache))


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'tools/bazel: no namespace' >&2; exit 1", "no namespace"),
        (
            "[ $2 = true ] || { echo one; echo 'bazel: GLIBC_9 not found' >&2; exit 127; }",
            f"Debian's Bazel does not run on this machine: bazel: GLIBC_9 not found: {INSTEAD}",
        ),
        (
            "case $2 in python*) echo 'Listing' ; echo 'E: no space' >&2; exit 1 ;; esac; echo 7",
            f"cannot compile the modules of python3.14: E: no space: {INSTEAD}",
        ),
    ],
)
def test_the_tree_cannot_be_used(debian: Debian, script: str, message: str) -> None:
    debian.machine.script(debian.machine.debian / "enter", script)

    assert failure(debian) == message
    assert bool(debian.machine.calls("apt-get")) == (message != "no namespace")


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (BAZEL, "bazel-bootstrap_8.4.0-1_amd64.deb", "Bazel 8.4.0-1 and rules_python 0.22.1-3"),
        (BAZEL, "bazel-bootstrap_4.2.3-9_amd64.deb", "Bazel 4.2.3-9 and rules_python 0.22.1-3"),
        (
            RULES_PYTHON,
            "bazel-rules-python_1.6.0-1_all.deb",
            "Bazel 7.7.1+ds-8+b1 and rules_python 1.6.0-1",
        ),
        (
            RULES_PYTHON,
            "bazel-rules-python-tools_0.22.1-3_all.deb",
            "Bazel 7.7.1+ds-8+b1 and rules_python (none)",
        ),
    ],
)
def test_forky_has_moved(debian: Debian, old: str, new: str, found: str) -> None:
    (debian.debs / old).rename(debian.debs / new)

    assert failure(debian) == (
        f"Debian forky has {found} now,"
        f" and this repository builds with Bazel 7 and rules_python 0.22: {INSTEAD}"
    )
    assert not [call for call in debian.machine.calls("apt-get") if "--download-only" in call]


def test_the_download_breaks_off(debian: Debian) -> None:
    debian.on(
        "download",
        'cp "$ROOT"/debs/base-files* "$apt/archives"; echo "E: Hash Sum mismatch" >&2; exit 100',
    )

    assert failure(debian) == (
        "cannot download Debian's Bazel: E: Hash Sum mismatch:"
        f" check the network, then try again (what is there is kept); or {INSTEAD}"
    )

    # The next call counts what is missing alone: two packages of 1.9 MB.
    debian.off("download")
    done = debian.provision()
    assert done.returncode == 0
    assert "downloading 3 packages (MB): 0 of 4" in done.stderr


def test_a_package_is_damaged(debian: Debian) -> None:
    debian.on("unpack", "echo 'dpkg-deb: error: damaged archive' >&2; exit 2")

    assert failure(debian) == (
        "cannot unpack Debian's Bazel: dpkg-deb: error: damaged archive:"
        f" make room if the disk is full, then try again; or {INSTEAD}"
    )
    # It would fail again.
    assert not list((debian.machine.cache / "apt").glob("archives/*.deb"))


def test_a_package_lacks_what_it_had(debian: Debian) -> None:
    debian.replace_package(BAZEL, {"./usr/bin/bazel": ""})

    assert failure(debian).startswith("cannot finish Debian's Bazel: ")


def test_what_is_left_of_a_failure_does_no_harm(debian: Debian) -> None:
    debian.on("unpack", "exit 2")
    failure(debian)
    debian.off("unpack")

    assert debian.provision().returncode == 0
    assert os.path.lexists(debian.tree / "bin")
    assert debian.left_behind() == {"lock", debian.tree.name}


@pytest.mark.parametrize("files", [{}, {f"./{PIP}": "attrs = {}\n"}])
def test_another_pip_extension(debian: Debian, files: dict[str, str]) -> None:
    debian.replace_package(RULES_PYTHON, files)

    assert failure(debian) == (
        "cannot adapt Debian's rules_python 0.22.1-3, whose pip.bzl is not what it was: " + INSTEAD
    )

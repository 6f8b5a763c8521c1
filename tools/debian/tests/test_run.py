"""tools/debian/run unpacks once, hands Java the host's certificates, and starts Bazel."""

from pathlib import Path

import pytest

from tools.debian.tests.machine import Machine

BUNDLE = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.fixture
def run(machine: Machine) -> Path:
    machine.script(
        machine.debian / "provision",
        'mkdir -p "$1/usr/share/ca-certificates"',
    )
    machine.script(
        machine.debian / "enter",
        'case $2 in python*) shift; exec "$@" ;; esac\n'
        'echo "$SSL_CERT_FILE $REQUESTS_CA_BUNDLE"; exit 7',
    )
    bundle = machine.root / "bundle.pem"
    bundle.write_text(BUNDLE)
    machine.environment["SSL_CERT_FILE"] = str(bundle)
    return machine.debian / "run"


def tree(machine: Machine) -> Path:
    return Path(machine.calls("provision")[-1][0])


def truststore(machine: Machine) -> Path:
    option = machine.calls("enter")[-1][3]
    return Path(option.removeprefix("--host_jvm_args=-Djavax.net.ssl.trustStore="))


def test_first_call_unpacks_and_later_ones_do_not(machine: Machine, run: Path) -> None:
    for _ in range(2):
        done = machine.run(run, "build", "//a b")
        assert (done.returncode, done.stderr) == (7, "")

    assert len(machine.calls("provision")) == 1
    assert tree(machine).parent == machine.cache
    assert machine.calls("enter")[-1] == [
        str(tree(machine)),
        "/usr/libexec/bazel",
        f"--bazelrc={run.parent}/bazelrc",
        f"--host_jvm_args=-Djavax.net.ssl.trustStore={truststore(machine)}",
        "build",
        "//a b",
    ]


def test_coverage_is_refused(machine: Machine, run: Path) -> None:
    done = machine.run(run, "--batch", "coverage", "//...")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "tools/bazel: Debian's Bazel has no coverage tools, which Bazel downloads:"
        " put bazelisk on PATH, then try again\n"
    )
    assert machine.run(run, "build", "coverage").returncode == 7


def test_cache_home(machine: Machine, run: Path) -> None:
    machine.environment["XDG_CACHE_HOME"] = str(machine.root / "xdg")
    del machine.environment["HOME"]

    machine.run(run, "version")

    assert tree(machine).parent == machine.root / "xdg/bazel-debian"


def test_no_home(machine: Machine, run: Path) -> None:
    del machine.environment["HOME"]

    done = machine.run(run, "version")

    assert (done.returncode, done.stderr) == (
        1,
        "tools/bazel: no place for Debian's Bazel, since HOME is not set:"
        " set HOME to a folder that you can write to\n",
    )
    assert not machine.calls("provision")


@pytest.mark.parametrize("name", ["local_toolchains.bzl", "packages", "provision"])
def test_a_tree_belongs_to_what_it_is_made_from(machine: Machine, run: Path, name: str) -> None:
    machine.run(run, "version")
    first = tree(machine)
    with (machine.debian / name).open("a") as file:
        file.write("# another line\n")

    machine.run(run, "version")

    assert tree(machine) != first


def test_what_stops_the_unpacking_stops_the_call(machine: Machine, run: Path) -> None:
    machine.script(machine.debian / "provision", "echo 'no luck' >&2; exit 3")

    done = machine.run(run, "version")

    assert (done.returncode, done.stdout, done.stderr) == (3, "", "no luck\n")


def test_each_bundle_of_certificates_has_its_store(machine: Machine, run: Path) -> None:
    machine.run(run, "version")
    first = truststore(machine)
    assert first.parent == tree(machine)
    assert first.read_bytes().startswith(b"\xfe\xed\xfe\xed")

    Path(machine.environment["SSL_CERT_FILE"]).write_text(BUNDLE * 2)
    machine.run(run, "version")

    second = truststore(machine)
    assert second != first
    assert len(second.read_bytes()) > len(first.read_bytes())


def test_other_programs_trust_the_same_certificates(machine: Machine, run: Path) -> None:
    shown = machine.run(run, "version").stdout

    pem = truststore(machine).with_suffix(".pem")
    assert shown == f"{pem} {pem}\n"
    assert pem.read_text() == BUNDLE


def test_a_bundle_for_pip_alone_stays(machine: Machine, run: Path) -> None:
    machine.environment["REQUESTS_CA_BUNDLE"] = "/etc/pip.pem"

    shown = machine.run(run, "version").stdout

    assert shown.split()[1] == "/etc/pip.pem"


def test_a_bundle_that_is_none(machine: Machine, run: Path) -> None:
    Path(machine.environment["SSL_CERT_FILE"]).write_text("no certificate\n")

    done = machine.run(run, "version")

    assert (done.returncode, done.stderr) == (
        1,
        f"tools/bazel: cannot take certificates from {machine.root}/bundle.pem: it has none in PEM:"
        " correct the file, or have SSL_CERT_FILE name another\n",
    )
    assert not list(tree(machine).glob("trusted*"))


def test_use_is_noted(machine: Machine, run: Path) -> None:
    machine.run(run, "version")

    assert (tree(machine) / "used").exists()

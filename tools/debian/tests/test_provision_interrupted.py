"""Calls that end in the middle of tools/debian/provision, and calls at the same time."""

import os
import signal

import pytest

from tools.debian.tests.debian import Debian

WAIT = 'read -r < "$ROOT/gate"'


@pytest.mark.parametrize(
    ("step", "number"),
    [
        ("update", signal.SIGHUP),
        ("download", signal.SIGINT),
        ("unpack", signal.SIGINT),
        ("unpack", signal.SIGTERM),
    ],
)
def test_a_signal(debian: Debian, step: str, number: signal.Signals) -> None:
    gate = debian.machine.fifo("gate")
    debian.on(step, WAIT)
    # The gate opens as soon as the step reads from it.
    with debian.start() as process, gate.open("w"):
        os.killpg(process.pid, number)
        _, shown = process.communicate()

    assert process.returncode == 128 + number
    assert not debian.left_behind() - {"apt", "lock"}
    # Of other signals the shell reports on its own.
    if number == signal.SIGINT:
        assert all(line.startswith("tools/bazel: ") for line in shown.splitlines()), shown

    debian.off(step)
    assert debian.provision().returncode == 0


@pytest.mark.parametrize("step", ["update", "download", "unpack"])
def test_kill(debian: Debian, step: str) -> None:
    gate = debian.machine.fifo("gate")
    debian.on(step, WAIT)
    with debian.start() as first:
        with gate.open("w"):
            os.kill(first.pid, signal.SIGKILL)
            first.wait()
            debian.off(step)
            # What the first one started still runs: the second waits for its end.
            second = debian.start()
            assert second.stderr
            assert second.stderr.readline() == (
                "tools/bazel: waiting for another call that is unpacking Debian's Bazel\n"
            )
        with second:
            second.communicate()

    assert second.returncode == 0
    assert debian.left_behind() == {"lock", debian.tree.name}


def test_two_first_calls(debian: Debian) -> None:
    gate = debian.machine.fifo("gate")
    debian.on("update", WAIT)
    with debian.start() as first, gate.open("w") as opened:
        with debian.start() as second:
            assert second.stderr
            waiting = second.stderr.readline()
            opened.write("\n")
            opened.close()
            second.communicate()
        first.communicate()

    assert waiting.endswith("waiting for another call that is unpacking Debian's Bazel\n")
    assert (first.returncode, second.returncode) == (0, 0)
    assert len([call for call in debian.machine.calls("apt-get") if "update" in call]) == 1
    assert debian.left_behind() == {"lock", debian.tree.name}


def test_what_a_killed_call_had_unpacked_does_not_get_into_the_tree(debian: Debian) -> None:
    stray = debian.tree.with_name(f"{debian.tree.name}.new") / "usr/bin/stray"
    stray.parent.mkdir(parents=True)
    stray.touch()

    assert debian.provision().returncode == 0
    assert not (debian.tree / "usr/bin/stray").exists()

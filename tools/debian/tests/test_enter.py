"""tools/debian/enter swaps /usr where the machine lets it, and says so where it does not."""

from pathlib import Path

import pytest

from tools.debian.tests.machine import Machine

# Runs what a namespace would be made for, as if there were one.
UNSHARE = 'while [ "${1#--}" != "$1" ]; do shift; done; exec "$@"'
DROPS_RIGHTS = 'exec setpriv --ambient-caps=-all --inh-caps=-all -- "$@"'
SHOW = 'printf "%s\\n" "$PATH" "$USER" "${LD_LIBRARY_PATH-unset} ${PYTHONPATH-unset} $LC_ALL" "$@"'


@pytest.fixture
def enter(machine: Machine) -> Path:
    machine.program("unshare", UNSHARE)
    machine.program("mount", "")
    machine.program("show", SHOW, folder=Path(machine.environment["PATH"].split(":")[1]))
    return machine.debian / "enter"


@pytest.mark.parametrize(
    ("uid", "unshare", "drops_rights"),
    [
        ("0", ["--mount"], False),
        ("1000", ["--map-current-user", "--keep-caps", "--mount"], True),
    ],
)
def test_usr_is_swapped(
    machine: Machine, enter: Path, uid: str, unshare: list[str], drops_rights: bool
) -> None:
    machine.program("id", f"echo {uid}")

    done = machine.run(enter, "/tree", "show", "a b", "")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[3:] == ["a b", ""]
    assert machine.calls("unshare")[-1][: len(unshare)] == unshare
    assert machine.calls("mount") == [
        ["--rbind", "/usr/local", "/tree/usr/local"],
        ["--rbind", "/tree/usr", "/usr"],
    ]
    assert (DROPS_RIGHTS in machine.calls_file.read_text()) is drops_rights


def test_root_without_the_right_to_mount_takes_a_user_namespace(
    machine: Machine, enter: Path
) -> None:
    machine.program("id", "echo 0")
    machine.program("unshare", f'[ "$1" != --mount ] || exit 1; {UNSHARE}')

    assert machine.run(enter, "/tree", "show").returncode == 0
    assert DROPS_RIGHTS in machine.calls_file.read_text()


def test_environment(machine: Machine, enter: Path) -> None:
    machine.environment |= {
        "LC_ALL": "de_DE.UTF-8",
        "LD_LIBRARY_PATH": "/opt/lib",
        "PYTHONPATH": "/opt/python",
    }
    machine.program("id", "[ $1 = -u ] && echo 4711 || exit 1")

    path, user, others, *_ = machine.run(enter, "/tree", "show").stdout.splitlines()

    assert path == f"/usr/sbin:/usr/bin:{machine.environment['PATH']}"
    assert user == "4711"
    assert others == "unset unset C.UTF-8"


def test_user_stays(machine: Machine, enter: Path) -> None:
    machine.environment["USER"] = "somebody"

    assert machine.run(enter, "/tree", "show").stdout.splitlines()[1] == "somebody"


def test_exit_code(machine: Machine, enter: Path) -> None:
    assert machine.run(enter, "/tree", "sh", "-c", "exit 37").returncode == 37


@pytest.mark.parametrize("uid", ["0", "1000"])
def test_no_namespaces(machine: Machine, enter: Path, uid: str) -> None:
    machine.program("id", f"echo {uid}")
    machine.program(
        "unshare", "echo 'unshare: unshare failed: Operation not permitted' >&2; exit 1"
    )

    done = machine.run(enter, "/tree", "show")

    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        "tools/bazel: cannot run Debian's Bazel, which needs a mount namespace: unshare: unshare"
        " failed: Operation not permitted: allow user namespaces (sysctl user.max_user_namespaces,"
        " in a container --privileged), or put bazelisk on PATH\n",
    )


def test_no_mount(machine: Machine, enter: Path) -> None:
    machine.program("mount", "echo 'mount: /usr: permission denied.' >&2; exit 32")

    done = machine.run(enter, "/tree", "show")

    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        "tools/bazel: cannot put /tree/usr in the place of /usr: mount: /usr: permission denied.:"
        " put bazelisk on PATH instead\n",
    )

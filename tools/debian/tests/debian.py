"""A pretended Debian around tools/debian/provision: its apt hands out three small packages."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path
from typing import IO

from tools.debian.tests.machine import Machine

MIRROR = "http://mirror.example/debian"
BAZEL = "bazel-bootstrap_7.7.1+ds-8+b1_amd64.deb"
RULES_PYTHON = "bazel-rules-python_0.22.1-3_all.deb"
PIP = "usr/share/bazel/rules/python/python/extensions/pip.bzl"
_PACKAGES: dict[str, dict[str, str]] = {
    # A path that ends in @ is a link, and one in ! a program that runs with its owner's rights.
    "base-files_14_amd64.deb": {"./bin@": "usr/bin", "./usr/share/doc/base-files/README": ""},
    BAZEL: {
        "./usr/bin/bazel": "",
        "./usr/libexec/amd64-linux-gnu/bazel/linux-sandbox": "",
        "./usr/lib/jvm/java-25-openjdk-amd64/conf@": "/etc/java-25-openjdk",
        "./etc/java-25-openjdk/net.properties": "from /etc\n",
        "./usr/bin/mount!": "",
        "./usr/lib/python3.14/os.py": "",
        "./usr/share/ca-certificates/mozilla/a.crt": "one\n",
        "./usr/share/ca-certificates/mozilla/b.crt": "two\n",
    },
    RULES_PYTHON: {
        "./usr/share/bazel/rules/python/MODULE.bazel": "",
        f"./{PIP}": """\
def _pip_impl(module_ctx):
    pip_repository_bzlmod(
        name = attr.name,
        incompatible_generate_aliases = attr.incompatible_generate_aliases,
    )
    whl_library(name = "%s_x" % attr.name, repo = attr.name)

attrs = {
    "name": attr.string(mandatory = True),
}
""",
    },
}
_APT_CONFIG = """\
cat <<'END'
APT::Update::Post-Invoke:: "rm -f /var/cache/apt/archives/*.deb";
Acquire::http::Proxy "http://proxy.example:3128";
Acquire::IndexTargets::deb::Packages::MetaKey "$(COMPONENT)/binary-$(ARCHITECTURE)/Packages";
Acquire::Languages:: "en";
END
"""
_APT_GET = """\
apt=${APT_CONFIG:+$(dirname "$APT_CONFIG")}
case " $* " in
  *" indextargets "*Origin*) set -- indextargets; cat "$ROOT/sites-of-debian" ;;
  *" indextargets --no-release-info "*) set -- indextargets; cat "$ROOT/sites" ;;
  *" update "*) set -- update ;;
  *" --print-uris "*) set -- choose ;;
  *" --download-only "*) set -- download ;;
esac
[ ! -e "$ROOT/on-$1" ] || . "$ROOT/on-$1"
case $1 in
  update)
    mkdir -p "$ROOT/seen"
    cp "$apt"/{apt.conf,sources.list,status} "$ROOT/seen"
    if grep -qFf "$ROOT/dead-sites" "$apt/sources.list"; then
      echo 'E: Failed to fetch it  Could not connect' >&2
      exit 100
    fi
    ;;
  choose)
    for deb in "$ROOT"/debs/*; do
      echo "'http://mirror.example/$(basename "$deb")' $(basename "$deb") 1900000 SHA256:00"
    done
    ;;
  download) cp "$ROOT"/debs/* "$apt/archives" ;;
esac
case $1 in
  update | download)
    for percent in 0.0000 50.0000 100.0000; do
      echo "dlstatus:1:$percent:Retrieving file 1 of 3" >&3
    done
    ;;
esac
"""
_DPKG_DEB = """\
[ ! -e "$ROOT/on-unpack" ] || . "$ROOT/on-unpack"
cat "$2"
"""


class Debian:
    """What provision meets: a machine whose apt works, until a test says otherwise."""

    def __init__(self, machine: Machine) -> None:
        """Puts the programs on PATH."""
        self.machine = machine
        self.tree = machine.cache / "4711"
        machine.program("apt-get", _APT_GET)
        machine.program("apt-config", _APT_CONFIG)
        machine.program("dpkg", "echo amd64")
        machine.program("dpkg-deb", _DPKG_DEB)
        machine.program("df", 'printf \'Filesystem\\nx x x %s x x\\n\' "$(cat "$ROOT/free")"')
        machine.script(machine.debian / "enter", "[ $2 = true ] || echo 'bazel 7.7.1'")
        self._take_keys_from(machine.root / "keyrings")
        self.free_mb = 5000
        self.sites_of_debian = [MIRROR]
        self.sites = [MIRROR]
        self.dead_sites = ["http://nowhere.example"]
        self.debs = machine.root / "debs"
        self.debs.mkdir()
        for name, files in _PACKAGES.items():
            _write_package(self.debs / name, files)

    def _take_keys_from(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "debian-archive-keyring.gpg").touch()
        script = self.machine.debian / "provision"
        text = script.read_text()
        assert "/usr/share/keyrings" in text
        script.write_text(text.replace("/usr/share/keyrings", str(folder)))

    def replace_package(self, name: str, files: dict[str, str]) -> None:
        """Make the mirror serve other files in a package."""
        _write_package(self.debs / name, files)

    def on(self, step: str, script: str) -> None:
        """Make apt or dpkg do something else first: at "update", "choose", "download", "unpack"."""
        (self.machine.root / f"on-{step}").write_text(script)

    def off(self, step: str) -> None:
        """Undo `on`."""
        (self.machine.root / f"on-{step}").unlink()

    def _settle(self) -> None:
        root = self.machine.root
        (root / "free").write_text(f"{self.free_mb}\n")
        for name in ("sites_of_debian", "sites", "dead_sites"):
            lines = "".join(f"{site}\n" for site in getattr(self, name))
            (root / name.replace("_", "-")).write_text(lines)

    def provision(self) -> subprocess.CompletedProcess[str]:
        """Runs provision to its end."""
        self._settle()
        return self.machine.run(self.machine.debian / "provision", str(self.tree))

    def start(self, stderr: int | IO[str] = subprocess.PIPE) -> subprocess.Popen[str]:
        """Starts provision in a process group of its own, as a terminal does."""
        self._settle()
        return subprocess.Popen(
            [self.machine.debian / "provision", self.tree],
            env=self.machine.environment,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            text=True,
            process_group=0,
        )

    def seen(self, name: str) -> list[str]:
        """Returns the lines of the file of apt's configuration as its last update found it."""
        return (self.machine.root / "seen" / name).read_text().splitlines()

    def left_behind(self) -> set[str]:
        """Returns the names of what lies in the cache."""
        return {path.name for path in self.machine.cache.iterdir()}


def _write_package(path: Path, files: dict[str, str]) -> None:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name.rstrip("@!"))
            data = content.encode()
            if name.endswith("@"):
                entry.type = tarfile.SYMTYPE
                entry.linkname = content
                archive.addfile(entry)
            else:
                entry.size = len(data)
                entry.mode = 0o6755 if name.endswith("!") else 0o755
                archive.addfile(entry, io.BytesIO(data))

"""A package index in a folder, with source distributions that note when their code is run."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path


class Index:
    """A folder of distributions, for `--find-links` or, by its `url`, as an index."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder."""
        self.folder = folder
        self.folder.mkdir()
        self._marker = folder.with_name(f"{folder.name}-ran")

    @property
    def url(self) -> str:
        """What `--index-url` takes."""
        return self.folder.as_uri()

    @property
    def ran(self) -> bool:
        """Whether code of a source distribution was run."""
        return self._marker.exists()

    def wheel(
        self,
        name: str,
        version: str = "1.0",
        metadata: Sequence[str] = (),
        files: Mapping[str, str] | None = None,
    ) -> str:
        """Adds a wheel, always of the same bytes; returns a requirement with its hash.

        Args:
            name: its name.
            version: its version.
            metadata: further lines of its metadata.
            files: further files of its `.dist-info`.
        """
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata]
        path = self.folder / f"{name}-{version}-py3-none-any.whl"
        contents = {
            "METADATA": "\n".join(lines) + "\n",
            "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "RECORD": "",
            **(files or {}),
        }
        with zipfile.ZipFile(path, "w") as wheel:
            for file, content in contents.items():
                wheel.writestr(zipfile.ZipInfo(f"{name}-{version}.dist-info/{file}"), content)
        return self._listed(name, version, path)

    def source(self, name: str, version: str = "1.0") -> str:
        """Adds a source distribution; returns a requirement with its hash.

        It needs nothing to be built, by the old way as little as by the new one.
        """
        trap = f"open({str(self._marker)!r}, 'a').close()\n"
        files = {
            "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            "setup.py": trap,
            "trap.py": trap,
            "pyproject.toml": (
                '[build-system]\nrequires = []\nbuild-backend = "trap"\nbackend-path = ["."]\n'
            ),
        }
        path = self.folder / f"{name}-{version}.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for file, content in files.items():
                entry = tarfile.TarInfo(f"{name}-{version}/{file}")
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content.encode()))
        return self._listed(name, version, path)

    def _listed(self, name: str, version: str, path: Path) -> str:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        with (folder / "index.html").open("a") as page:
            page.write(f'<a href="../{path.name}#sha256={digest}">{path.name}</a>\n')
        return f"{name}=={version} --hash=sha256:{digest}\n"

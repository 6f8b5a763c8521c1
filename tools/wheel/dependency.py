"""What a wheel says about itself: its version, its needs, its licence."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_NOTICES = ("licen", "copying", "notice")
# What a wheel says that has no identifier of SPDX in its metadata.
_IDENTIFIERS = {
    "Apache Software License": "Apache-2.0",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


@dataclass(frozen=True)
class Wheel:
    """A wheel's metadata, and the texts of its licence."""

    path: Path
    metadata: Message
    notices: tuple[str, ...]
    """Its files of licences and notices, in the order of their names."""

    @classmethod
    def read(cls, path: Path) -> Wheel:
        """Read a wheel."""
        with zipfile.ZipFile(path) as archive:
            (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
            folder = name.removesuffix("METADATA")
            notices = [
                archive.read(file).decode("utf-8", errors="replace").strip()
                for file in sorted(archive.namelist())
                if file.startswith(folder) and file.rpartition("/")[2].lower().startswith(_NOTICES)
            ]
            return cls(path, BytesParser().parsebytes(archive.read(name)), tuple(notices))

    @property
    def name(self) -> str:
        """The name that it is installed by."""
        return canonicalize_name(self.metadata["Name"])

    @property
    def version(self) -> str:
        """Its version."""
        return str(self.metadata["Version"])

    @property
    def license(self) -> str | None:
        """Its licence: an expression of SPDX where it can be told, else the wheel's own words."""
        if expression := self.metadata["License-Expression"]:
            return str(expression)
        prefix = "License :: OSI Approved :: "
        named = [str(self.metadata["License"] or "").strip()]
        named += [
            str(one).removeprefix(prefix)
            for one in self.metadata.get_all("Classifier", [])
            if str(one).startswith(prefix)
        ]
        # Older wheels have the whole text where others have the name.
        for name in named:
            if name and "\n" not in name:
                return _IDENTIFIERS.get(name, name)
        return None

    @property
    def sha256(self) -> str:
        """The digest of the file."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def requires(self, extras: Iterable[str]) -> Iterator[Requirement]:
        """Yield what it needs here."""
        for line in self.metadata.get_all("Requires-Dist", []):
            requirement = Requirement(line)
            marker = requirement.marker
            if not marker or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                yield requirement

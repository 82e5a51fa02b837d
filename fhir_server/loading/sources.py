"""Where records come from: files and folders of Bundles, single resources and NDJSON, plain, `.gz` or `.bz2`.

https://hl7.org/fhir/uv/bulkdata/ (NDJSON)
"""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO, Literal, cast

LINE_SUFFIXES = (".ndjson", ".jsonl")
DOCUMENT_SUFFIXES = (".json",)
PACKED_SUFFIXES = (".gz", ".bz2")
# Enough lines for one transaction to be worth its while, and few enough to share the work out.
LINES_A_UNIT = 200

# What a FHIR package has beside its resources: https://hl7.org/fhir/packages.html. `.index.json` is hidden.
PACKAGE_FILES = frozenset({"package.json", "package-lock.json"})
PACKAGE_FOLDERS = frozenset({"other", "openapi", "xml"})

# What reading a file that is damaged or cut short may raise.
UNREADABLE = (OSError, EOFError, zlib.error)

Kind = Literal["document", "lines"]


@dataclass(frozen=True, slots=True)
class Source:
    """A file to load. size: bytes on the disk, by which progress is measured."""

    path: Path
    kind: Kind
    size: int


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of work for one process.

    lines: number and JSON text of each record, or None for a file that the worker is to read itself. share: bytes of the
    disk that it stands for.
    """

    path: Path
    lines: tuple[tuple[int, bytes], ...] | None
    share: float


def find_sources(paths: Sequence[Path]) -> list[Source]:
    """The loadable files among paths and below folders, each folder in the order of names.

    Raises FileNotFoundError for a path that is not there, and ValueError for a file of no known kind that is named itself.
    """
    sources: list[Source] = []
    for path in paths:
        if path.is_dir():
            below = (p for p in sorted(path.rglob("*")) if p.is_file() and not _is_about_package(p))
            sources += [Source(p, kind, p.stat().st_size) for p in below if (kind := kind_of(p))]
            continue
        size = path.stat().st_size
        kind = kind_of(path)
        if kind is None:
            raise ValueError(f"'{path}' is neither .json nor .ndjson nor .jsonl, plain or packed as .gz or .bz2.")
        sources.append(Source(path, kind, size))
    return sources


def _is_about_package(path: Path) -> bool:
    """Whether a file within a folder belongs to the package that the folder is, and holds no resource of it."""
    if path.name.startswith(".") or path.name in PACKAGE_FILES:
        return True
    return path.parent.name in PACKAGE_FOLDERS and (path.parent.parent / "package.json").exists()


def kind_of(path: Path) -> Kind | None:
    """What a file holds, by its name; None for a file that is not for loading."""
    name = path.with_suffix("").name if path.suffix in PACKED_SUFFIXES else path.name
    if name.endswith(LINE_SUFFIXES):
        return "lines"
    return "document" if name.endswith(DOCUMENT_SUFFIXES) else None


def open_packed(path: Path) -> IO[bytes]:
    """A file opened for reading, unpacked by its suffix."""
    if path.suffix == ".gz":
        return cast(IO[bytes], gzip.open(path))
    if path.suffix == ".bz2":
        return cast(IO[bytes], bz2.open(path))
    return path.open("rb")


def units_of(source: Source) -> Iterator[Unit]:
    """The units of work of a file: one for a document, one for every so many lines of NDJSON.

    Raises one of UNREADABLE where the file cannot be read or unpacked to its end; what could be read has been given out.
    """
    if source.kind == "document":
        yield Unit(source.path, None, source.size)
        return
    fault: Exception | None = None
    with open_packed(source.path) as file:
        lines: list[tuple[int, bytes]] = []
        done = 0
        for number in count(1):
            try:
                line = file.readline()
            except UNREADABLE as error:
                fault, line = error, b""
            if line and not line.isspace():
                lines.append((number, line))
            if not line or len(lines) == LINES_A_UNIT:
                share = (_read_so_far(file) if line else source.size) - done
                yield Unit(source.path, tuple(lines), share)
                done += share
                lines = []
            if not line:
                break
    if fault is not None:
        raise fault


def _read_so_far(file: IO[bytes]) -> int:
    """The position on the disk, below the unpacking."""
    raw = getattr(file, "fileobj", None) or getattr(file, "_fp", None) or file
    return int(raw.tell())

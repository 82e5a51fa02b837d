"""The files of the journal as they are taken: from where each was left, whole lines only, until it is complete.

Beside `X.journal` lies `X.taken`: the number of bytes that are in the store for good. Where that is missing or behind, lines
are taken a second time, which stores nothing twice.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fhir_server.audit.journal import SUFFIX, UNFINISHED

TAKEN = ".taken"
DAMAGED = ".damaged"
READ_AT_ONCE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its break. name: of its file; offset: where it begins there. The two together name it for good."""

    name: str
    offset: int
    text: bytes


class Tail:
    """One file of the journal. position: of the first line that was not read yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name.removesuffix(SUFFIX)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self.taken = self.position = self._noted()

    def read(self, most: int) -> list[Line]:
        """The next lines, at most so many, that are there as a whole."""
        chunk = self._whole_lines()
        lines: list[Line] = []
        for text in chunk.split(b"\n")[:-1][:most]:
            lines.append(Line(self.name, self.position, text))
            self.position += len(text) + 1
        return lines

    def _whole_lines(self) -> bytes:
        size = READ_AT_ONCE
        while True:
            chunk = os.pread(self._descriptor, size, self.position)
            end = chunk.rfind(b"\n") + 1
            if end or len(chunk) < size:
                return chunk[:end]
            size *= 4  # one line that is longer than that

    def is_complete(self) -> bool:
        """Whether nobody will write to it any more. Asked before `read`, it tells that what `read` finds is the last."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def waiting(self) -> int:
        """How many bytes are there that the store does not have."""
        return os.fstat(self._descriptor).st_size - self.taken

    def note_taken(self, position: int) -> None:
        """Note that the store has what stands before a position."""
        if position == self.taken:
            return
        self.taken = position
        self.path.with_suffix(TAKEN).write_text(str(position))

    def note_damaged(self, line: Line) -> None:
        """Keep a line that nobody can read, beside the journal."""
        with self.path.with_suffix(DAMAGED).open("ab") as file:
            file.write(line.text + b"\n")

    def remove(self) -> None:
        """Remove the file, because the store has all that it holds."""
        rest = os.pread(self._descriptor, READ_AT_ONCE, self.position)
        if rest:  # written by half when the machine stopped; whoever asked for it got no answer
            self.note_damaged(Line(self.name, self.position, rest))
        self.path.unlink()
        self.path.with_suffix(TAKEN).unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        os.close(self._descriptor)

    def _noted(self) -> int:
        try:
            position = int(self.path.with_suffix(TAKEN).read_text())
        except (OSError, ValueError):
            return 0
        return position if 0 <= position <= os.fstat(self._descriptor).st_size else 0


def journal_files(folder: Path) -> list[Path]:
    """The files of the journal, the oldest first: their names begin with the time."""
    return sorted(folder.glob("*" + SUFFIX))


def remove_unfinished(folder: Path, before: float) -> None:
    """Remove what processes left that died before they wrote anything. before: seconds since 1970."""
    for path in folder.glob("*" + UNFINISHED):
        with suppress(OSError):
            if path.stat().st_mtime < before:
                path.unlink()

"""The journal: files to which a process appends what must not be lost, before it answers.

A line that was written is with the operating system, so it outlives the process however that ends. It is on the disk within
a second, or at once where that is asked for. Each process writes a file of its own, which it holds a lock on as long as it
may still write to it; whoever gets the lock knows that the file is complete.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from fhir_server.request_log import log
from fhir_server.settings import Settings
from resources.problem import Issue, Problem

FOLDER = "audit"
SUFFIX = ".journal"
UNFINISHED = ".new"
"""Of a file that nobody holds the lock of yet."""

ROTATED_AT = 8 * 1024 * 1024
# What must stay free for everybody else on the disk.
LEAST_FREE = 64 * 1024 * 1024
SYNCED_EVERY_SECONDS = 1.0
RETRY_SECONDS = "10"


def audit_folder(settings: Settings) -> Path:
    """Where the journal of a server is."""
    return settings.data_dir / FOLDER


def check_folder(folder: Path) -> None:
    """Make the folder of the journal. Raises OSError, with a sentence for the operator, where it cannot be written to."""
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        probe = folder / f".write-test-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OSError(
            f"The folder {folder} cannot be written to ({error.strerror or error}), where the server takes down what it "
            "does. Give this user write access to it, or set FHIR_DATA_DIR to another directory."
        ) from error


class JournalError(Problem):
    """What happens cannot be taken down, so it must not happen."""

    def __init__(self) -> None:
        text = "The server cannot take down at the moment what it does, so it does nothing; please try again."
        super().__init__(503, [Issue("error", "transient", text)], {"Retry-After": RETRY_SECONDS})


class Segment:
    """One file of the journal. users: how many still have something to write to it, or to sync."""

    def __init__(self, path: Path) -> None:
        self.size = 0
        self.users = 0
        self.is_synced = True
        # It gets its name once it is locked: the taker removes what is empty and locked by nobody.
        unfinished = path.with_suffix(UNFINISHED)
        self.descriptor = os.open(unfinished, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX)
            unfinished.rename(path)
            _sync_folder(path.parent)
        except OSError:
            os.close(self.descriptor)
            raise

    def write(self, line: bytes) -> None:
        """Append a line. Raises OSError where it does not go in whole; then none of it does."""
        self.is_synced = False
        if os.write(self.descriptor, line) != len(line):
            os.ftruncate(self.descriptor, self.size)
            raise OSError("the disk took a part of a line only")
        self.size += len(line)

    def sync(self) -> None:
        self.is_synced = True  # before, because somebody may write meanwhile
        os.fdatasync(self.descriptor)

    def is_removed(self) -> bool:
        """Whether somebody took the file away, and with it what is written from now on."""
        return os.fstat(self.descriptor).st_nlink == 0

    def close(self) -> None:
        os.close(self.descriptor)


class Journal:
    """The journal of this process, shared by its threads. The first line makes the folder and a file.

    new_name: a name for a file that no other has. rotated_at: bytes after which another file is begun.
    """

    def __init__(
        self,
        folder: Path,
        new_name: Callable[[], str],
        rotated_at: int = ROTATED_AT,
        least_free: int = LEAST_FREE,
    ) -> None:
        self._folder = folder
        self._new_name = new_name
        self._rotated_at = rotated_at
        self._least_free = least_free
        self._lock = threading.Lock()
        self._current: Segment | None = None
        self._retired: list[Segment] = []
        self._syncing: threading.Thread | None = None
        self._has_room = True
        self._last_key = 0

    def append(self, line: bytes) -> None:
        """Take a line down. Raises JournalError."""
        with self._lock:
            self._write(line)

    def append_durably(self, line: bytes) -> None:
        """Take a line down, and wait until it is on the disk. Raises JournalError."""
        with self._lock:
            segment = self._write(line)
            segment.users += 1
        try:
            segment.sync()
        except OSError as error:
            raise _failed(error) from None
        finally:
            with self._lock:
                segment.users -= 1

    def begin(self, line_for: Callable[[int], bytes]) -> tuple[Segment, int]:
        """Take down that something begins, before it is done; what `finish` needs, when it is. Raises JournalError.

        line_for: a key → the line with it.
        """
        with self._lock:
            self._last_key += 1
            segment = self._write(line_for(self._last_key))
            segment.users += 1
            return segment, self._last_key

    def finish(self, segment: Segment, line: bytes) -> None:
        """Take down how it ended, in the same file. It is done by now, so a failure is logged and that is all."""
        with self._lock:
            segment.users -= 1
            try:
                segment.write(line)
            except OSError as error:
                self._give_up(segment)
                _report(error)

    def _write(self, line: bytes) -> Segment:
        try:
            segment = self._segment()
        except OSError as error:
            raise _failed(error) from None
        try:
            segment.write(line)
        except OSError as error:
            self._give_up(segment)
            raise _failed(error) from None
        return segment

    def _segment(self) -> Segment:
        segment = self._current
        if segment is None or segment.size >= self._rotated_at:
            self._folder.mkdir(parents=True, mode=0o700, exist_ok=True)
            self._has_room = self._looks_roomy()
            if not self._has_room:
                raise OSError("the disk is nearly full")
            if segment is not None:
                self._give_up(segment)
            segment = self._current = Segment(self._folder / (self._new_name() + SUFFIX))
            if self._syncing is None:
                self._syncing = threading.Thread(target=self._keep_synced, name="audit-journal", daemon=True)
                self._syncing.start()
        elif not self._has_room:
            raise OSError("the disk is nearly full")
        return segment

    def _give_up(self, segment: Segment) -> None:
        """Write no more new things to a file. The thread that syncs closes it, once nobody uses it."""
        if segment is self._current:
            self._current = None
            self._retired.append(segment)

    def _looks_roomy(self) -> bool:
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize >= self._least_free

    def _keep_synced(self) -> None:
        while True:
            time.sleep(SYNCED_EVERY_SECONDS)
            try:
                self.tend()
            except OSError as error:
                _report(error)

    def tend(self) -> None:
        """Bring to the disk what was written, close what is no longer used, look how much room is left."""
        self._has_room = self._looks_roomy()
        with self._lock:
            current = self._current
            if current is not None and current.is_removed():
                log("error", "audit journal was removed")
                self._give_up(current)
            ended = [segment for segment in self._retired if not segment.users]
            self._retired = [segment for segment in self._retired if segment.users]
        for segment in ended:
            try:
                segment.sync()
            finally:
                segment.close()
        # Only this thread closes files, so this one stays open meanwhile.
        if current is not None and not current.is_synced:
            current.sync()


def _sync_folder(folder: Path) -> None:
    """Make sure that the name of a new file outlives a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failed(error: OSError) -> JournalError:
    _report(error)
    return JournalError()


def _report(error: OSError) -> None:
    log("error", "audit journal failed", error=type(error).__name__, reason=error.strerror or str(error))

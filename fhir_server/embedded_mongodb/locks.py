"""Who may work on a data directory: one owner, and any number of processes that share its MongoDB.

Both are flocks: the system drops them when their holder dies, however it dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import weakref
from pathlib import Path

from fhir_server.embedded_mongodb.data_dir import DataDir
from fhir_server.embedded_mongodb.errors import DataDirLocked, DataDirUnusable


class _Flock:
    """One flock on one file; not taken until asked, and never kept by a forked child."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        # A forked server worker shares the descriptor, and would hold the lock after `kill -9` of the server itself.
        mine = weakref.WeakMethod(self._forget)
        os.register_at_fork(after_in_child=lambda: (forget := mine()) and forget())

    def _forget(self) -> None:
        """Close without unlocking: the lock belongs to the open file, which the parent still has."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def take(self, how: int) -> bool:
        """Try once; how is LOCK_EX or LOCK_SH. A lock already held is changed to `how`."""
        if self._descriptor is None:
            try:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise DataDirUnusable(
                    f"The lock file {self._path} cannot be opened ({error.strerror}). Give this user write access to "
                    "the data directory, or set FHIR_DATA_DIR to another one."
                ) from error
        try:
            fcntl.flock(self._descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            self._forget()
            return False
        return True

    def release(self) -> None:
        if self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            self._forget()

    def note(self, text: str) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(OSError):  # on a full disk the lock holds all the same
                os.ftruncate(self._descriptor, 0)
                os.pwrite(self._descriptor, text.encode(), 0)


class ServerLock:
    """The right to start, restart and stop the MongoDB of one data directory; its holder's pid is in the file."""

    def __init__(self, data_dir: DataDir, purpose: str = "fhir-server") -> None:
        self._data_dir = data_dir
        self._purpose = purpose
        self._flock = _Flock(data_dir.server_lock)

    def try_acquire(self) -> bool:
        """Take the lock if it is free. Raises DataDirUnusable when the file cannot be opened."""
        if not self._flock.take(fcntl.LOCK_EX):
            return False
        self._flock.note(f"{os.getpid()} {self._purpose}\n")
        return True

    def acquire(self, wait_seconds: float = 1.0) -> None:
        """Take the lock, waiting a moment for a holder that is just leaving. Raises DataDirLocked."""
        deadline = time.monotonic() + wait_seconds
        while not self.try_acquire():
            if time.monotonic() >= deadline:
                raise self.conflict()
            time.sleep(0.05)

    def release(self) -> None:
        # The file stays: removing it would let two processes lock two files of the same name.
        self._flock.release()

    def conflict(self) -> DataDirLocked:
        """The error that names the holder."""
        pid, purpose = self._noted()
        who = f"{purpose} (process {pid})" if pid else "another process"
        return DataDirLocked(
            f"The data directory {self._data_dir.path} is in use by {who}. Stop that process first, or set "
            "FHIR_DATA_DIR to another directory for this one.",
            pid,
        )

    def holder(self) -> int | None:
        """The pid of the process that holds the lock now (0 when it did not say), or None when the lock is free."""
        if not self._data_dir.server_lock.exists():
            return None
        probe = os.open(self._data_dir.server_lock, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return self._noted()[0] or 0
        finally:
            os.close(probe)
        return None

    def _noted(self) -> tuple[int | None, str]:
        try:
            pid, _, purpose = self._data_dir.server_lock.read_text().strip().partition(" ")
            return int(pid), purpose or "fhir-server"
        except (OSError, ValueError):
            return None, "another process"


class UsersLock:
    """A shared lock of every process that uses the MongoDB, so that the last one to leave is known to be the last."""

    def __init__(self, data_dir: DataDir) -> None:
        self._flock = _Flock(data_dir.users_lock)

    def join(self) -> bool:
        """Be counted as a user; False while the last user is just stopping MongoDB."""
        return self._flock.take(fcntl.LOCK_SH)

    def is_last(self) -> bool:
        """Whether nobody else uses it; if so nobody can join until `leave`, and if not we have left."""
        return self._flock.take(fcntl.LOCK_EX)

    def leave(self) -> None:
        self._flock.release()

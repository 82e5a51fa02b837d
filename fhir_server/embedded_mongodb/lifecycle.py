"""Owning the embedded MongoDB: start or adopt it, keep it running, share it, stop it."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fhir_server.embedded_mongodb.address import Address, choose_address, remembered_address
from fhir_server.embedded_mongodb.binary import PlatformFacts, find_mongod
from fhir_server.embedded_mongodb.data_dir import DataDir, RunState
from fhir_server.embedded_mongodb.errors import DataDirLocked, EmbeddedMongoDBError, StartTimeout
from fhir_server.embedded_mongodb.launch import default_cache_mb, explain_exit, log_position, start_mongod
from fhir_server.embedded_mongodb.locks import ServerLock, UsersLock
from fhir_server.embedded_mongodb.process import MongodProcess, find_running
from fhir_server.embedded_mongodb.replica_set import wait_until_primary

logger = logging.getLogger(__name__)

ADOPTION_SECONDS = 10.0
STOP_SECONDS = 30.0
LONGEST_BACK_OFF = 10.0
SETTLED_SECONDS = 30.0
ADDRESS_IN_USE = 48


class EmbeddedMongoDB:
    """The MongoDB of one data directory, as a context manager or with start() and stop().

    `uri` (known once started, and unchanged while this runs) connects any process of the same user. The process that
    starts it owns it: it restarts a mongod that dies and stops it in the end. `attach_or_start` shares one that
    another process owns. The last process to leave stops mongod, so that a server that ends does not pull it from
    under a running load. `cache_mb` limits WiredTiger's cache (default: a quarter of memory, at most 2 GB).
    """

    def __init__(
        self,
        data_dir: Path | str,
        *,
        cache_mb: int | None = None,
        purpose: str = "fhir-server",
        start_seconds: float = 60.0,
        prefer_socket: bool = True,
        facts: PlatformFacts | None = None,
    ) -> None:
        self._data_dir = DataDir.at(data_dir)
        self._cache_mb = cache_mb or default_cache_mb()
        self._purpose = purpose
        self._start_seconds = start_seconds
        self._prefer_socket = prefer_socket
        self._facts = facts or PlatformFacts.of_this_machine()
        self._server_lock = ServerLock(self._data_dir, purpose)
        self._users = UsersLock(self._data_dir)
        self._stopping = threading.Event()
        self._supervisor: threading.Thread | None = None
        self._process: MongodProcess | None = None
        self._address: Address | None = None
        self._starter: int | None = None
        self._owned = False

    @classmethod
    def attach_or_start(cls, data_dir: Path | str, **options: Any) -> Self:
        """Share the MongoDB of the process that owns it, or start and own one; already started, call stop() or use
        `with`. `options` are those of the constructor. Raises what start() raises, and DataDirLocked when the owner
        does not get its MongoDB ready in time."""
        made = cls(data_dir, **options)
        deadline = time.monotonic() + made._start_seconds
        while True:
            try:
                made.start(lock_wait=0)
                return made
            except DataDirLocked as conflict:
                if made._attach():
                    return made
                # A foreign mongod holds the data files: waiting for an owner would be in vain.
                hopeless = conflict.pid is not None and conflict.pid == made._data_dir.pid_in_db()
                if hopeless or time.monotonic() > deadline:
                    raise
            time.sleep(0.05)

    @property
    def uri(self) -> str:
        """What pymongo connects to. Raises RuntimeError before start()."""
        if self._address is None:
            raise RuntimeError("The embedded MongoDB has not been started.")
        return self._address.uri

    @property
    def owned(self) -> bool:
        """Whether this object restarts and stops mongod (False: another process does)."""
        return self._owned

    @property
    def pid(self) -> int | None:
        """The pid of mongod as last known."""
        return self._process.pid if self._process else None

    def start(self, lock_wait: float = 1.0) -> None:
        """Take the data directory and return once MongoDB takes transactions.

        Raises DataDirLocked when another process owns the directory, UnsupportedPlatform, MissingLibrary,
        DataDirUnusable, DiskFull, MongodExited or StartTimeout. After an error nothing of ours is left running.
        """
        if self._starter is not None:
            raise RuntimeError("The embedded MongoDB is already started.")
        self._data_dir.prepare()
        self._server_lock.acquire(lock_wait)
        self._starter, self._owned = os.getpid(), True
        self._stopping.clear()
        try:
            while not self._users.join():  # the last user is just stopping it
                time.sleep(0.05)
            self._bring_up()
        except BaseException:
            self._release()
            raise
        self._supervisor = threading.Thread(target=self._supervise, name="embedded-mongodb", daemon=True)
        self._supervisor.start()

    def stop(self) -> None:
        """Stop mongod if we own it and nobody shares it any more; may be called twice, and is without effect in a
        forked worker. An interrupt in the middle is safe: mongod has been asked to stop and ends by itself."""
        if self._starter != os.getpid():
            return
        self._stopping.set()
        try:
            last = self._owned and self._users.is_last()
            if last and self._process is not None:
                self._process.signal(signal.SIGTERM)  # first of all: an interrupt may come at any later point
            if self._supervisor is not None:
                self._supervisor.join()
            if last and self._process is not None:
                self._process.end(STOP_SECONDS)
        finally:
            self._release()
        self._stop_if_last()

    def __enter__(self) -> Self:
        if self._starter is None:  # attach_or_start has started it
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _release(self) -> None:
        self._users.leave()
        self._server_lock.release()
        self._starter, self._owned = None, False
        self._supervisor, self._process, self._address = None, None, None

    def _stop_if_last(self) -> None:
        """Whoever shared a mongod whose owner has left, or leaves while another does: the last one stops it."""
        if self._server_lock.try_acquire():
            try:
                if self._users.is_last() and (left := find_running(self._data_dir)):
                    left.end(STOP_SECONDS)
            finally:
                self._release()

    def _attach(self) -> bool:
        """Share the owner's mongod; False while it has none ready."""
        if not self._users.join():
            return False
        state = self._data_dir.read_state()
        process = find_running(self._data_dir)
        if state is None or process is None:
            self._users.leave()
            return False
        address = remembered_address(self._data_dir, state.port)
        deadline = time.monotonic() + self._start_seconds
        if not wait_until_primary(address, lambda: process.alive() and time.monotonic() < deadline, False):
            self._users.leave()
            return False
        self._starter, self._process, self._address = os.getpid(), process, address
        return True

    def _bring_up(self) -> None:
        """Leave a primary behind in `_process` and `_address`: one that already runs, else a new one."""
        deadline = time.monotonic() + self._start_seconds
        state = self._data_dir.read_state()
        if (found := find_running(self._data_dir)) and not self._adopt(found, state):
            # It has our files but does not answer (hung, suspended, or just ending): it must go before another starts.
            found.end(STOP_SECONDS)
        elif found:
            return
        self._data_dir.require_free_space()
        binary = find_mongod(self._facts, self._data_dir)
        for attempt in range(3):
            # Clients hold on to the address: once given out it is kept, and a restart waits until it is free again.
            remembered = state.port if state else None
            address = self._address or choose_address(self._data_dir, remembered, self._prefer_socket)
            log_from = log_position(self._data_dir)
            exit_code = self._launch(binary, address, deadline)
            if exit_code is None:
                return
            # Between finding a free port and binding it somebody may have taken it (48 is mongod's word for that).
            if exit_code != ADDRESS_IN_USE or address.port is None or attempt == 2:
                raise explain_exit(self._data_dir, exit_code, log_from)

    def _launch(self, binary: Path, address: Address, deadline: float) -> int | None:
        """Start one mongod and wait until it is ready (None) or has ended (its exit code)."""
        # Noted before the start as well: were we killed in between, mongod.lock has the pid and this the port.
        self._data_dir.write_state(RunState(address.port))
        process = start_mongod(binary, self._data_dir, address, self._cache_mb)
        try:
            self._data_dir.write_state(RunState(address.port, process.pid, process.started))
            if wait_until_primary(address, lambda: self._goes_on(process, deadline)):
                self._process, self._address = process, address
                return None
        except BaseException:
            process.end(5.0)
            raise
        return process.exit_code if process.exit_code is not None else -1

    def _adopt(self, found: MongodProcess, state: RunState | None) -> bool:
        """Take over a mongod that outlived its owner."""
        address = remembered_address(self._data_dir, state.port if state else None)
        until = time.monotonic() + ADOPTION_SECONDS
        if not wait_until_primary(address, lambda: self._waits_for(found, until)):
            return False
        self._data_dir.write_state(RunState(address.port, found.pid, found.started))
        self._process, self._address = found, address
        return True

    def _waits_for(self, found: MongodProcess, until: float) -> bool:
        return found.alive() and time.monotonic() < until and not self._stopping.is_set()

    def _goes_on(self, process: MongodProcess, deadline: float) -> bool:
        if self._stopping.is_set():
            raise StartTimeout("The start of MongoDB was broken off because the server is stopping.")
        if time.monotonic() > deadline:
            raise StartTimeout(
                f"mongod runs but was not ready within {self._start_seconds:g} seconds. Look at the end of "
                f"{self._data_dir.log}; after a crash with much data it may only need more time: start again."
            )
        return process.alive()

    def _supervise(self) -> None:
        """Restart a mongod that dies, ever more slowly if it keeps dying."""
        back_off, since = 0.1, time.monotonic()
        while not self._stopping.wait(0.1):
            if self._process is not None and self._process.alive():
                if time.monotonic() - since > SETTLED_SECONDS:
                    back_off = 0.1
                continue
            if self._stopping.is_set():
                return
            logger.error("mongod (process %s) has ended unexpectedly; it is being restarted.", self.pid)
            if self._stopping.wait(back_off):
                return
            back_off = min(back_off * 2, LONGEST_BACK_OFF)
            try:
                self._bring_up()
                since = time.monotonic()
                logger.warning("mongod runs again as process %s.", self.pid)
            except (EmbeddedMongoDBError, OSError) as error:  # whatever it is, the next attempt may succeed
                logger.error("mongod could not be restarted: %s", error)

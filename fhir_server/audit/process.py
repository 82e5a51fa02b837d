"""The process that takes the journal into the store, beside those that answer requests.

It works while the machine has time to spare. Under full load the journal grows, and AuditEvents appear later; when too much
is waiting, it works like everybody else.
"""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from fhir_server.audit.journal import audit_folder, check_folder
from fhir_server.audit.pace import REST_SECONDS, SPELL_SECONDS, Pace, idle_seconds, step_back
from fhir_server.audit.tails import remove_unfinished
from fhir_server.audit.taking import Taker
from fhir_server.end_with_parent import end_with_parent
from fhir_server.request_log import log
from fhir_server.services import services_for
from fhir_server.settings import Settings
from fhir_server.store.database import connect
from fhir_server.store.faults import DatabaseError
from smart_auth.store import AuthStore

LOCK = "taker.lock"
RETRY_SECONDS = 2.0
RESTART_SECONDS = 1.0
# Lines of each file at a time; small, so that MongoDB is not kept from reads for long.
BATCH = 50
HURRY_FROM_BYTES = 1024 * 1024 * 1024
WARN_FROM_BYTES = 64 * 1024 * 1024
WARN_EVERY_SECONDS = 60.0
LAST_TAKE_SECONDS = 10.0

_SPAWN = multiprocessing.get_context("spawn")


@contextmanager
def taking(settings: Settings) -> Iterator[None]:
    """Take the journal for the length of a `with` block, and what is left of it at its end, as far as the time allows."""
    if not settings.auth:
        yield
        return
    check_folder(audit_folder(settings))
    stop = threading.Event()
    # Linux counts as parent the thread that started a process, so one thread does all of it.
    keeper = threading.Thread(target=_keep, args=(stop,), name="audit", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()


def _keep(stop: threading.Event) -> None:
    """Run the process, again whenever it ends before its time."""
    while not stop.is_set():
        here, there = _SPAWN.Pipe()
        process = _SPAWN.Process(target=_run, args=(there,), name="audit", daemon=True)
        process.start()
        there.close()
        while process.is_alive() and not stop.wait(RESTART_SECONDS):
            pass
        if stop.is_set():
            here.send("stop")
            process.join(LAST_TAKE_SECONDS)
            process.kill()
        else:
            log("error", "audit process ended", exit_code=process.exitcode)
        process.join()
        here.close()


def _run(parent: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    end_with_parent()
    step_back()
    settings = Settings.from_environ(os.environ)
    folder = audit_folder(settings)
    while not _is_mine(folder / LOCK):
        if parent.poll(RESTART_SECONDS):
            return
    remove_unfinished(folder, time.time() - WARN_EVERY_SECONDS)
    _Work(folder, settings).go_on(parent)


def _is_mine(lock: Path) -> bool:
    """Whether nobody else takes the journal, from now on until this process ends."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    return True


class _Work:
    def __init__(self, folder: Path, settings: Settings) -> None:
        assert settings.mongodb_uri is not None  # the parent has set it
        self._folder, self._settings = folder, settings
        self._database = connect(settings.mongodb_uri, settings.database)
        self._taker: Taker | None = None
        self._pace = Pace(time.monotonic, idle_seconds, os.cpu_count() or 1)
        self._warned_at = time.monotonic()

    def go_on(self, parent: Connection) -> None:
        """Take what comes, until the parent says that it is enough; then what is there."""
        rest = REST_SECONDS
        while not parent.poll(rest):
            spell = SPELL_SECONDS if self._waiting() > HURRY_FROM_BYTES else self._pace.spell()
            if spell is not None:
                rest = REST_SECONDS if self._take_for(spell) else RETRY_SECONDS
                self._pace.worked()
                self._warn()
        self._take_for(LAST_TAKE_SECONDS)

    def _take_for(self, seconds: float) -> bool:
        """Take batches for a time, as long as there are any; False where the store or the journal does not answer."""
        until = time.monotonic() + seconds
        try:
            if self._taker is None:
                services = services_for(self._settings, self._database)
                self._taker = Taker(self._folder, services, AuthStore(self._database.mongo))
            while self._taker.take(BATCH) and time.monotonic() < until:
                pass
        except Exception as error:  # the journal keeps it all; the next attempt may fare better
            log("warning" if isinstance(error, DatabaseError) else "error", "audit waits", error=type(error).__name__)
            return False
        return True

    def _waiting(self) -> int:
        return 0 if self._taker is None else self._taker.waiting()

    def _warn(self) -> None:
        now = time.monotonic()
        if now - self._warned_at >= WARN_EVERY_SECONDS and self._waiting() > WARN_FROM_BYTES:
            self._warned_at = now
            log("warning", "audit journal grows", bytes=self._waiting())

"""Serving: one Granian process per core, on the embedded MongoDB or the one that is configured."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.server import Server as Granian

from fhir_server.audit.process import taking
from fhir_server.embedded_mongodb import EmbeddedMongoDB
from fhir_server.end_with_parent import end_when_told
from fhir_server.services import WAITING_BUNDLES
from fhir_server.settings import Settings
from fhir_server.slow_bodies import THREADS_FOR_BODIES

# Each thread of a worker answers one request at a time, most of which it spends waiting for the database. Bundles, those
# at work and those that wait, must never hold all of them; more threads than needed only get in each other's way.
THREADS_FOR_OTHERS = 4
MOST_THREADS = 64
BACKLOG = 1024
STOP_SECONDS = 15
WORKER_TARGET = "fhir_server.app:worker_app"


def mongodb_for(settings: Settings, purpose: str, shared: bool = False) -> AbstractContextManager[Any]:
    """A `with` block in which FHIR_MONGODB_URI names a running MongoDB: the configured one, or the embedded one.

    shared: whether an embedded one that a server runs may be used beside it.
    """
    if settings.mongodb_uri is not None:
        return nullcontext()
    return _Embedded(settings, purpose, shared)


class _Embedded:
    def __init__(self, settings: Settings, purpose: str, shared: bool) -> None:
        self._settings, self._purpose, self._shared = settings, purpose, shared

    def __enter__(self) -> EmbeddedMongoDB:
        if self._shared:
            mongodb = EmbeddedMongoDB.attach_or_start(self._settings.data_dir, purpose=self._purpose)
        else:
            mongodb = EmbeddedMongoDB(self._settings.data_dir, purpose=self._purpose)
            mongodb.start()
        self._mongodb = mongodb
        os.environ["FHIR_MONGODB_URI"] = mongodb.uri
        return mongodb

    def __exit__(self, *_: object) -> None:
        del os.environ["FHIR_MONGODB_URI"]
        self._mongodb.stop()


def threads_for(settings: Settings) -> int:
    """How many threads of a worker process are at work at once; `THREADS_FOR_BODIES` more may wait for their clients."""
    return min(settings.max_concurrent_bundles + WAITING_BUNDLES + THREADS_FOR_OTHERS, MOST_THREADS)


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM. FHIR_MONGODB_URI must be set in the environment (see `mongodb_for`)."""
    server = Granian(
        WORKER_TARGET,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        # Not HTTP/2: Granian keeps a core busy for ever with a body that a client of that breaks off.
        http=HTTPModes.http1,
        factory=True,
        workers=settings.workers,
        blocking_threads=threads_for(settings) + THREADS_FOR_BODIES,
        backlog=BACKLOG,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
        log_access=False,
        log_enabled=False,
        websockets=False,
    )
    os.register_at_fork(after_in_child=end_when_told)  # the workers, from their first moment on
    with taking(settings):
        server.serve()

"""The thread that keeps the catalogue up to date and works on the re-index job, in one process of the server at a time."""

from __future__ import annotations

import secrets
import threading
import time

from fhir_server.reindexing.progress import LEASE_MS, hold_lease, load_progress
from fhir_server.reindexing.publish import publish_changes
from fhir_server.reindexing.steps import step, sweep
from fhir_server.request_log import log
from fhir_server.services import Services
from fhir_server.store.faults import DatabaseError

LOOK_SECONDS = 1.0
RENEW_MS = LEASE_MS // 3


def start_reindexing(services: Services) -> None:
    """Start the thread of this process. It ends with the process; another one takes over what it leaves."""
    threading.Thread(target=_run, args=(services,), name="reindexing", daemon=True).start()


def _run(services: Services) -> None:
    owner = secrets.token_hex(8)
    renewed_at = 0
    while True:
        try:
            now = services.clock()
            if now >= renewed_at + RENEW_MS:
                renewed_at = now if hold_lease(services.database, owner, now) else 0
            if renewed_at and work(services):
                continue
        except DatabaseError as error:
            # The next look may find it well again; what was done so far is stored.
            log("warning", "reindexing waits for the database", error=type(error).__name__)
            renewed_at = 0
        except Exception as error:
            log("error", "reindexing failed", error=type(error).__name__)
        time.sleep(LOOK_SECONDS)


def work(services: Services) -> bool:
    """Do what there is to do, a batch at most; whether there is more to do at once."""
    publish_changes(services.database, services.settings.text_search, services.clock())
    progress = load_progress(services.database)
    if progress.state == "finished":
        sweep(progress, services)
        return False
    before = time.monotonic()
    progress = step(progress, services)
    # As long again for everybody else.
    time.sleep(min(time.monotonic() - before, 1.0))
    return bool(progress.types)

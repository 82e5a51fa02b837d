"""Moving old AuditEvents out of the store, into a file that can be kept elsewhere.

Each becomes a line of NDJSON, as it is. They are removed from the store only when the file is on the disk, and that they
were is audited itself.
"""

from __future__ import annotations

import gzip
import os
from datetime import UTC, date, datetime, time
from pathlib import Path

from fhir_server.audit.journal import Journal
from fhir_server.audit.records import SecurityRecord, Who, line_of
from fhir_server.services import Clock
from fhir_server.store.database import Database
from fhir_server.store.old_resources import old_resources, take_out
from search.moments import milliseconds

TYPE = "AuditEvent"
CODE = "audit-archive"


def archive(database: Database, journal: Journal, clock: Clock, before: date, path: Path) -> int:
    """Move the AuditEvents that were stored before a day, by UTC, into a new gzip file; how many there were.

    Raises OSError where the file exists or cannot be written; then all of them are still in the store. Raises the driver's
    errors; then the file holds them all, and some may be in the store as well.
    """
    moment = milliseconds(datetime.combine(before, time(), UTC))
    ids: list[str] = []
    with path.open("xb") as file:
        path.chmod(0o600)
        with gzip.GzipFile(fileobj=file, mode="wb") as packed:
            for batch in old_resources(database, TYPE, moment):
                packed.writelines(raw + b"\n" for _, raw in batch)
                ids += [logical_id for logical_id, _ in batch]
        file.flush()
        os.fsync(file.fileno())
    reason = f"{len(ids)} AuditEvents from before {before} were moved to the file {path.name}."
    journal.append_durably(line_of(SecurityRecord(clock(), None, Who(), CODE, True, reason)))
    for start in range(0, len(ids), 1000):
        take_out(database, TYPE, ids[start : start + 1000])
    return len(ids)

"""The re-index job as it is stored: what is left to do, how far it is, and who works on it.

search   _id "reindex"   types  still to do, the first being done      after  last id done of it
         done, failed, total  resources      published  when the catalogue was changed      state, started, finished
         swept  whether what slow requests wrote meanwhile was looked for a second time
search   _id "lease"     owner  of the process that may work on it     until  when
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from pymongo.errors import DuplicateKeyError

from fhir_server.store.database import Database
from fhir_server.store.search_catalogue import COLLECTION

LEASE_MS = 15_000

State = Literal["running", "finished"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Times are milliseconds since 1970. published: when the catalogue last changed; `types` are done in their order."""

    state: State = "finished"
    types: list[str] = field(default_factory=list)
    after: str | None = None
    done: int = 0
    failed: int = 0
    total: int = 0
    published: int = 0
    started: int | None = None
    finished: int | None = None
    swept: bool = True

    def with_more(self, type_names: set[str], total: int, now: int) -> Progress:
        """The job with types to do from their beginning, besides what is left of it."""
        again = self if self.state == "running" else Progress(state="running", started=now)
        types = sorted({*again.types, *type_names})
        return replace(again, types=types, after=None, total=again.done + total, published=now, swept=False)


def load_progress(database: Database) -> Progress:
    """The job, or a finished one where there never was any."""
    document = database.mongo[COLLECTION].find_one({"_id": "reindex"})
    if document is None:
        return Progress()
    del document["_id"]
    return Progress(**document)


def begin(database: Database, progress: Progress) -> None:
    """Store a job with more to do, whatever is stored."""
    database.mongo[COLLECTION].replace_one({"_id": "reindex"}, asdict(progress), upsert=True)


def go_on(database: Database, progress: Progress) -> None:
    """Store how far a job is, unless it was given more to do in the meantime: then what was done just now is done again."""
    database.mongo[COLLECTION].replace_one({"_id": "reindex", "published": progress.published}, asdict(progress))


def hold_lease(database: Database, owner: str, now: int) -> bool:
    """Whether this process is the one to work on the job, for the next `LEASE_MS` milliseconds."""
    mine: dict[str, Any] = {"$or": [{"owner": owner}, {"until": {"$lt": now}}]}
    new = {"$set": {"owner": owner, "until": now + LEASE_MS}}
    try:
        database.mongo[COLLECTION].update_one({"_id": "lease", **mine}, new, upsert=True)
    except DuplicateKeyError:
        return False  # it is there, and somebody else's
    return True

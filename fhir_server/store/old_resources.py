"""Resources of one type from before some moment: read to the last, and taken out of the store for good.

Unlike a deletion this leaves no mark, so it is for what nobody else refers to, once it is safe elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fhir_server.store.database import Database

BATCH = 500


def old_resources(database: Database, type_name: str, before: int) -> Iterator[list[tuple[str, bytes]]]:
    """Batches of (logical id, bytes) of what was last written before a moment, in milliseconds since 1970; oldest first."""
    found = database.current(type_name).find({"t": {"$lt": before}, "raw": {"$exists": True}}, {"raw": 1})
    batch: list[tuple[str, bytes]] = []
    for document in found.sort([("t", 1), ("_id", 1)]):
        batch.append((document["_id"], document["raw"]))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def take_out(database: Database, type_name: str, ids: Sequence[str]) -> None:
    """Remove current versions from the store."""
    database.current(type_name).delete_many({"_id": {"$in": list(ids)}})

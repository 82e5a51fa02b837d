"""Removing versions for good, a batch at a time.

A current version is never removed unless it is a deletion and that is asked for; then its history goes first, so that a
process that dies in between leaves nothing without its current version. What is written meanwhile is safe: replaced versions
get documents of their own, and a deletion that has been replaced is no longer found.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from fhir_server.store.database import Database
from fhir_server.store.histories import ids_of

BATCH = 500
Json = dict[str, Any]


def remove_replaced(database: Database, type_name: str, logical_id: str | None, most: int) -> int:
    """Remove replaced versions of one resource, or of all of a type; the number that was removed, at most so many."""
    history = database.history(type_name)
    filter_ = {} if logical_id is None else {"_id": ids_of(logical_id)}
    found = (document["_id"] for document in history.find(filter_, {"_id": 1}).sort("_id").limit(most))
    removed = 0
    for batch in _batches(found):
        removed += history.delete_many({"_id": {"$in": batch}}).deleted_count
    return removed


def remove_deleted(database: Database, type_name: str, logical_id: str | None, most: int) -> int:
    """Remove deleted resources with all their versions; the number of versions removed, at most so many.

    One whose versions are more than that loses only its oldest ones.
    """
    current = database.current(type_name)
    # What is deleted has no index entries, which is what the index knows of it.
    filter_: Json = {"k": None, "raw": {"$exists": False}}
    if logical_id is not None:
        filter_["_id"] = logical_id
    removed = 0
    for document in list(current.find(filter_, {"v": 1}).limit(most)):
        removed += remove_replaced(database, type_name, document["_id"], most - removed)
        if removed >= most:
            break
        unchanged = {"_id": document["_id"], "v": document["v"], "raw": {"$exists": False}}
        removed += current.delete_one(unchanged).deleted_count
        if removed >= most:
            break
    return removed


def _batches(found: Iterator[Any]) -> Iterator[list[Any]]:
    while batch := list(islice(found, BATCH)):
        yield batch

"""Committing changes: the one way into the collections.

A single change needs no transaction. The replaced version is put into the history first and the current document is
replaced afterwards, guarded by the version that it must still have; a process that dies in between leaves a history
entry equal to the current version, which readers drop and the next update overwrites. The first write is not waited for
on its own: the journal is written in order, so the acknowledgement of the second covers both.

Several changes are committed in the caller's transaction, all or none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from pymongo import InsertOne, ReplaceOne
from pymongo.errors import BulkWriteError, DuplicateKeyError
from pymongo.write_concern import WriteConcern

from fhir_server.store.database import Database
from resources.change import Change, Stored

_NOT_WAITED_FOR = WriteConcern(w=1, j=False)
_DUPLICATE_KEY = 11000


class ConflictError(Exception):
    """Somebody else wrote the resource in the meantime; decide again on what is stored now."""


def commit(database: Database, change: Change) -> None:
    """Commit one change on its own. Raises `ConflictError` and leaves everything as it was where the version moved."""
    database.prepare({change.after.type})
    current = database.current(change.after.type)
    if change.before is None:
        try:
            current.insert_one(_current_document(change))
        except DuplicateKeyError:
            raise ConflictError from None
        return
    history = database.history(change.after.type).with_options(write_concern=_NOT_WAITED_FOR)
    replaced = _history_document(change.before, change.after.last_updated)
    history.replace_one({"_id": replaced["_id"]}, replaced, upsert=True)
    result = current.replace_one({"_id": change.before.id, "v": change.before.version}, _current_document(change))
    if result.matched_count == 0:
        raise ConflictError


def commit_together(database: Database, changes: Sequence[Change]) -> None:
    """Commit changes within the transaction that `database` is the view of (see `Database.within`).

    The collections must have been prepared before the transaction began. Raises `ConflictError`.
    """
    by_type: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        by_type[change.after.type].append(change)
    for type_name, of_type in by_type.items():
        replaced = [
            ReplaceOne({"_id": document["_id"]}, document, upsert=True)
            for document in (_history_document(c.before, c.after.last_updated) for c in of_type if c.before is not None)
        ]
        if replaced:
            database.history(type_name).bulk_write(replaced, ordered=False, session=database.session)
        try:
            result = database.current(type_name).bulk_write(
                [_current_write(change) for change in of_type], ordered=False, session=database.session
            )
        except BulkWriteError as error:
            if any(fault.get("code") == _DUPLICATE_KEY for fault in error.details.get("writeErrors", ())):
                raise ConflictError from None
            raise
        if result.inserted_count + result.matched_count != len(of_type):
            raise ConflictError


def _current_write(change: Change) -> InsertOne[dict[str, Any]] | ReplaceOne[dict[str, Any]]:
    document = _current_document(change)
    if change.before is None:
        return InsertOne(document)
    return ReplaceOne({"_id": change.before.id, "v": change.before.version}, document)


def _current_document(change: Change) -> dict[str, Any]:
    after = change.after
    document: dict[str, Any] = {
        "_id": after.id,
        "v": after.version,
        "t": after.last_updated,
        "m": after.method,
        "e": after.was_there,
    }
    if after.raw is not None:
        document["raw"] = after.raw
        document["k"] = list(change.entries)
    return document


def _history_document(replaced: Stored, replaced_at: int) -> dict[str, Any]:
    document: dict[str, Any] = {
        "_id": {"i": replaced.id, "v": replaced.version},
        "t": replaced.last_updated,
        "m": replaced.method,
        "e": replaced.was_there,
        "u": replaced_at,
    }
    if replaced.raw is not None:
        document["raw"] = replaced.raw
    return document

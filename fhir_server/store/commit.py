"""Committing changes: the one way into the collections.

A new resource is one insert. Every other change touches two documents, the current one and the replaced version in the
history, and is committed in a transaction, alone or with others. Two statements in the right order would do for a process
that dies in between, but not for a database that does: the driver repeats the second after a restart that has lost the
first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from bson.errors import BSONError
from pymongo import InsertOne, ReplaceOne
from pymongo.collection import Collection
from pymongo.errors import (
    BulkWriteError,
    DuplicateKeyError,
    PyMongoError,
    WriteConcernError,
    WriteError,
)

from fhir_server.store.database import Database, Json
from fhir_server.store.group_commit import GroupCommit
from resources.change import Change, Stored

_DUPLICATE_KEY = 11000
# What goes together must fit into one message, 48 MB, of which an entry may take two kilobytes.
MOST_BYTES_IN_GROUP, MOST_ENTRIES_IN_GROUP = 64 * 1024, 300
UNSENDABLE = (BSONError, OverflowError, UnicodeError)
"""What the driver raises for a document that no message can hold."""


class ConflictError(Exception):
    """Somebody else wrote the resource in the meantime; decide again on what is stored now."""


def commit_new(database: Database, change: Change) -> None:
    """Commit a resource under an id that nobody else can know yet. Raises `ConflictError` where it is taken all the same.

    What several threads bring at once is inserted in one statement, but for what is large.
    """
    type_name = change.after.type
    database.prepare({type_name})
    current = database.current(type_name)
    document = _current_document(change)
    if len(document["raw"]) > MOST_BYTES_IN_GROUP or len(document.get("k", ())) > MOST_ENTRIES_IN_GROUP:
        for fault in insert(current, [document]).values():
            raise fault
        return
    group = database.arriving.get(type_name)
    if group is None:
        group = database.arriving.setdefault(type_name, GroupCommit(lambda documents: insert(current, documents)))
    group.add(document)


def insert(current: Collection[Json], documents: Sequence[Json]) -> dict[int, BaseException]:
    """Insert documents; the index of each that was not → `ConflictError`, or what the database says is wrong with it."""
    try:
        if len(documents) == 1:
            current.insert_one(documents[0])
        else:
            current.insert_many(documents, ordered=False)
    except DuplicateKeyError:
        return {0: ConflictError()}
    except BulkWriteError as error:
        for unsure in error.details.get("writeConcernErrors", ()):  # nobody knows which of them will last
            raise WriteConcernError(unsure.get("errmsg", ""), unsure.get("code"), unsure) from None
        return {
            fault["index"]: ConflictError()
            if fault.get("code") == _DUPLICATE_KEY
            else WriteError(fault.get("errmsg", ""), fault.get("code"), fault)
            for fault in error.details.get("writeErrors", ())
        }
    except UNSENDABLE:
        if len(documents) == 1:
            raise
        # Refused before anything was sent: each by itself, so that nobody answers for what another one brought.
        return {
            number: fault
            for number, document in enumerate(documents)
            if (fault := _fault_alone(current, document)) is not None
        }
    return {}


def _fault_alone(current: Collection[Json], document: Json) -> BaseException | None:
    try:
        return insert(current, [document]).get(0)
    except (PyMongoError, *UNSENDABLE) as fault:
        return fault


def commit_missing(database: Database, changes: Sequence[Change]) -> None:
    """Commit new resources of one type, many at once; where an id is taken, what is stored under it stays as it is."""
    if not changes:
        return
    type_name = changes[0].after.type
    database.prepare({type_name})
    try:
        database.current(type_name).insert_many([_current_document(change) for change in changes], ordered=False)
    except BulkWriteError as error:
        faults = error.details.get("writeErrors", ())
        if error.details.get("writeConcernErrors") or any(fault.get("code") != _DUPLICATE_KEY for fault in faults):
            raise


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
        if change.index is not None:
            document.update(change.index(after.id))
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

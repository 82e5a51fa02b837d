"""Reading stored versions: the current one, a given one, many at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fhir_server.store.database import Database
from resources.change import Stored

FIELDS = {"v": 1, "t": 1, "m": 1, "e": 1, "raw": 1}


def stored_from(type_name: str, document: dict[str, Any]) -> Stored:
    """A document of a current or history collection as a value."""
    identity = document["_id"]
    if type(identity) is dict:
        logical_id, version = identity["i"], identity["v"]
    else:
        logical_id, version = identity, document["v"]
    return Stored(
        type_name, logical_id, version, document["t"], document.get("raw"), document["m"], document.get("e", False)
    )


def read(database: Database, type_name: str, logical_id: str) -> Stored | None:
    """The current version, which may be a deletion; None where there never was one."""
    document = database.current(type_name).find_one({"_id": logical_id}, FIELDS, session=database.session)
    return None if document is None else stored_from(type_name, document)


def read_many(database: Database, type_name: str, ids: Iterable[str]) -> dict[str, Stored]:
    """Logical id → current version, for those of the ids that exist or once did."""
    found = database.current(type_name).find({"_id": {"$in": sorted(set(ids))}}, FIELDS, session=database.session)
    return {document["_id"]: stored_from(type_name, document) for document in found}


def read_version(database: Database, type_name: str, logical_id: str, version: int) -> Stored | None:
    """One version, current or replaced."""
    current = read(database, type_name, logical_id)
    if current is None or current.version < version:
        return None
    if current.version == version:
        return current
    document = database.history(type_name).find_one({"_id": {"i": logical_id, "v": version}}, session=database.session)
    return None if document is None else stored_from(type_name, document)

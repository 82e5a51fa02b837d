"""Reading the index entries of current versions, without their content."""

from __future__ import annotations

from collections.abc import Iterable

from fhir_server.store.database import Database


def read_entries(database: Database, type_name: str, ids: Iterable[str]) -> dict[str, tuple[int, list[str] | None]]:
    """Logical id → the current version's number and its index entries (see `search.entry_text`), None for a deletion."""
    found = database.current(type_name).find(
        {"_id": {"$in": sorted(set(ids))}}, {"v": 1, "k": 1}, session=database.session
    )
    return {document["_id"]: (document["v"], document.get("k")) for document in found}

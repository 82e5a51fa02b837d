"""Histories: the versions of one resource, of a type, or of all types, newest first.

https://hl7.org/fhir/R4/http.html#history

The order is by time, then type, then id, all descending, so that one index has it; no two versions of one resource share
a moment. A page begins behind a position in that order, so what is written while somebody pages stands before the first
page and disturbs none. Each type is read from its current collection first and from its history afterwards: an update
that happens in between then shows a version twice, which is dropped here, and never not at all.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from bson import MaxKey
from pymongo.collection import Collection

from fhir_server.store.database import Database
from fhir_server.store.reads import FIELDS, stored_from
from resources.change import Stored

TIME_LIMIT_MS = 15_000


class Position(NamedTuple):
    """Where a page ended: the version with this moment, type and id was its last."""

    last_updated: int
    type: str
    id: str


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """Which versions are wanted.

    type, id: None for all. since: only versions made at or after this moment. at: only versions that were current at some
    moment from the first to before the second. All in milliseconds since 1970. limit: versions a page.
    hidden: types to leave out.
    """

    type: str | None
    id: str | None
    limit: int
    since: int | None = None
    at: tuple[int, int] | None = None
    after: Position | None = None
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """The versions of one page, and whether more follow."""

    versions: list[Stored]
    has_more: bool


def find_history(database: Database, query: HistoryQuery) -> HistoryPage:
    """One page of a history."""
    types = [query.type] if query.type is not None else [t for t in database.stored_types() if t not in query.hidden]
    currents = [(name, _find(database.current(name), name, query, database)) for name in types]
    streams: list[Iterator[Stored]] = []
    for name, current in currents:
        streams += [iter(current), iter(_find(database.history(name), name, query, database))]
    versions: list[Stored] = []
    for version in heapq.merge(*streams, key=_order, reverse=True):
        if versions and _order(versions[-1]) == _order(version):
            continue
        versions.append(version)
        if len(versions) > query.limit:
            break
    return HistoryPage(versions[: query.limit], has_more=len(versions) > query.limit)


def _order(version: Stored) -> tuple[int, str, str]:
    return version.last_updated, version.type, version.id


def _find(
    collection: Collection[dict[str, Any]], type_name: str, query: HistoryQuery, database: Database
) -> list[Stored]:
    is_history = collection.name != type_name
    conditions: list[dict[str, Any]] = []
    if query.id is not None:
        conditions.append({"_id": ids_of(query.id) if is_history else query.id})
    if query.since is not None:
        conditions.append({"t": {"$gte": query.since}})
    if query.at is not None:
        first, behind = query.at
        conditions.append({"t": {"$lt": behind}})
        if is_history:
            conditions.append({"u": {"$gt": first}})
    if query.after is not None:
        conditions.append(_behind(query.after, type_name, is_history))
    # The versions of one resource are in the order of time by their number, too, which is all that its index knows.
    sort = [("t", -1), ("_id", -1)] if query.id is None else [("_id", -1)]
    found = (
        collection.find({"$and": conditions} if conditions else {}, FIELDS, session=database.session)
        .sort(sort)
        .limit(query.limit + 1)
        .max_time_ms(TIME_LIMIT_MS)
    )
    return [stored_from(type_name, document) for document in found]


def count_versions(database: Database, current: Stored) -> int:
    """How many versions of a resource there are; fewer than their numbers tell where old ones were expunged."""
    # An update under way may show the current version in the history, too.
    filter_ = {"_id": ids_of(current.id, current.version)}
    return 1 + database.history(current.type).count_documents(filter_, session=database.session)


def ids_of(logical_id: str, before: int | None = None) -> dict[str, Any]:
    """The condition on `_id` in a history for all versions of a resource, or for those before a version."""
    return {"$gte": {"i": logical_id, "v": 0}, "$lt": {"i": logical_id, "v": MaxKey() if before is None else before}}


def _behind(position: Position, type_name: str, is_history: bool) -> dict[str, Any]:
    if type_name > position.type:
        return {"t": {"$lt": position.last_updated}}
    if type_name < position.type:
        return {"t": {"$lte": position.last_updated}}
    same_moment: Any = {"$lt": {"i": position.id, "v": 0}} if is_history else {"$lt": position.id}
    return {
        "t": {"$lte": position.last_updated},
        "$or": [{"t": {"$lt": position.last_updated}}, {"_id": same_moment}],
    }

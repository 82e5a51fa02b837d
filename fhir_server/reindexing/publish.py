"""Noticing that SearchParameters were written, and starting what follows from it."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from fhir_server.reindexing.progress import begin, load_progress
from fhir_server.store.database import Database
from fhir_server.store.search_catalogue import LAYOUT, CatalogueState, load_state, save_state
from resources.raw_json import parse_object
from search.catalogue import Added, TextSearch, text_parameters, types_of
from search.posted_parameters import chosen

TYPE = "SearchParameter"


def publish_changes(database: Database, text_search: TextSearch, now: int) -> bool:
    """Bring the catalogue up to the stored SearchParameters, the settings and this release's layout; whether it changed.

    Types that gained parameters get a new generation, and the job is given what is stored of them.
    """
    state = load_state(database)
    seen = _seen(database)
    wanted = text_parameters(text_search)
    words = [item.facts for item in state.added if item.facts.type == "text"]
    if state.revision and seen == state.seen and words == wanted and state.layout == LAYOUT:
        return False
    facts, unused = chosen(_posted(database))
    facts = [*wanted, *facts]
    stored = set(database.stored_types())
    known = {item.facts: item.is_ready for item in state.added}
    added = tuple(Added(item, known.get(item, not state.revision and not stored)) for item in facts)
    grown = {name for item in added if item.facts not in known for name in types_of(item.facts)}
    if state.layout != LAYOUT:
        grown |= stored
    new = CatalogueState(state.revision + 1, LAYOUT, seen, state.raised(grown), added, tuple(unused))
    # What was stored before there was any catalogue may come from an earlier release.
    return _publish(database, new, grown if state.revision else stored, now)


def reindex_all(database: Database, type_names: set[str], now: int) -> bool:
    """Have all resources of some types indexed anew; whether nobody else changed the catalogue at the same moment."""
    state = load_state(database)
    new = replace(state, revision=state.revision + 1, generations=state.raised(type_names))
    return _publish(database, new, type_names, now)


def finish(database: Database, state: CatalogueState) -> bool:
    """Let searches use every parameter of a state, all of which are indexed; whether it still was the present state."""
    if all(item.is_ready for item in state.added):
        return True
    ready = tuple(replace(item, is_ready=True) for item in state.added)
    return save_state(database, replace(state, revision=state.revision + 1, added=ready))


def _publish(database: Database, state: CatalogueState, type_names: set[str], now: int) -> bool:
    # The job first: were it lost after the catalogue, nobody would know of it; one too many does no harm.
    stored = type_names & set(database.stored_types())
    waits = any(not item.is_ready for item in state.added)
    if stored or waits:
        total = sum(database.current(name).estimated_document_count() for name in stored)
        begin(database, load_progress(database).with_more(stored, total, now))
    return save_state(database, state)


def _seen(database: Database) -> str:
    digest = hashlib.sha256()
    for document in database.current(TYPE).find({}, {"v": 1}).sort("_id"):
        digest.update(f"{document['_id']}/{document['v']}\n".encode())
    return digest.hexdigest()


def _posted(database: Database) -> list[dict[str, object]]:
    found = database.current(TYPE).find({"raw": {"$exists": True}}, {"raw": 1})
    return [parse_object(document["raw"])[1] for document in found]

"""The steps of the re-index job: each does a batch, and leaves behind how far the job is.

A resource is indexed anew only if nobody wrote it in the meantime: who writes it indexes it by the present catalogue. For
the second that a process may lag behind it is the last one, which the look at what was written meanwhile finds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pymongo import UpdateOne

from fhir_server.reindexing.progress import Progress, go_on
from fhir_server.reindexing.publish import finish
from fhir_server.request_log import log
from fhir_server.services import Services
from fhir_server.store.database import Database
from fhir_server.store.search_catalogue import load_state
from resources.document import parse_document
from resources.problem import Problem
from search.context import Context
from search.index import index_values

BATCH = 200
INDEX_FIELDS = ("k", "d", "n", "s", "x", "c", "g")

SETTLE_MS = 3_000
"""How long after a change of the catalogue some process may still index by the one before."""

SLOW_REQUEST_MS = 60_000
"""How long a request may take that began before the change and is written after it."""


def step(progress: Progress, services: Services) -> Progress:
    """Do one batch of a running job; the progress afterwards, which is stored as well."""
    database, now = services.database, services.clock()
    # Not the catalogue that requests work by, which may be a second old.
    state = load_state(database)
    context = replace(services.context(), catalogue=state.catalogue())
    if progress.types:
        progress = _next_batch(progress, database, context)
    elif now >= progress.published + SETTLE_MS:
        progress = _written_meanwhile(progress, database, context)
        if finish(database, state):
            progress = replace(progress, state="finished", finished=now, total=progress.done)
    go_on(database, progress)
    return progress


def sweep(progress: Progress, services: Services) -> None:
    """Look a last time for what slow requests wrote by the old catalogue, once they must have ended."""
    if not progress.swept and services.clock() >= progress.published + SETTLE_MS + SLOW_REQUEST_MS:
        context = replace(services.context(), catalogue=load_state(services.database).catalogue())
        go_on(services.database, replace(_written_meanwhile(progress, services.database, context), swept=True))


def _next_batch(progress: Progress, database: Database, context: Context) -> Progress:
    type_name, *rest = progress.types
    behind = {"_id": {"$gt": progress.after}} if progress.after is not None else {}
    found = database.current(type_name).find({**behind, **_outdated(type_name, context)}, {"raw": 1, "v": 1})
    database.prepare({type_name})  # with the indexes of this release
    documents = list(found.sort("_id").limit(BATCH))
    if not documents:
        return replace(progress, types=rest, after=None)
    failed = _index_anew(type_name, documents, database, context)
    return replace(
        progress, after=documents[-1]["_id"], done=progress.done + len(documents), failed=progress.failed + failed
    )


def _written_meanwhile(progress: Progress, database: Database, context: Context) -> Progress:
    since = {"t": {"$gte": progress.published - SLOW_REQUEST_MS}}
    for type_name in database.stored_types():
        found = database.current(type_name).find({**since, **_outdated(type_name, context)}, {"raw": 1, "v": 1})
        for documents in _batches(found):
            failed = _index_anew(type_name, documents, database, context)
            progress = replace(progress, done=progress.done + len(documents), failed=progress.failed + failed)
    return progress


def _outdated(type_name: str, context: Context) -> dict[str, Any]:
    """The filter for what was indexed by another generation of the catalogue."""
    return {"g": {"$ne": context.catalogue.generation_of(type_name)}, "raw": {"$exists": True}}


def _batches(documents: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for document in documents:
        batch.append(document)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _index_anew(type_name: str, documents: list[dict[str, Any]], database: Database, context: Context) -> int:
    """Index resources anew; the number of those for which that failed."""
    writes: list[UpdateOne] = []
    for document in documents:
        try:
            tree = parse_document(document["raw"], type_name).tree
            fields = index_values(tree, context).fields(document["_id"])
        except (Problem, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            # One resource that an expression cannot cope with must not keep all others from being found.
            log("error", "reindex failed", type=type_name, id=document["_id"], error=type(error).__name__)
            continue
        gone = {name: "" for name in INDEX_FIELDS if name not in fields}
        change: dict[str, Any] = {"$set": fields, **({"$unset": gone} if gone else {})}
        writes.append(UpdateOne({"_id": document["_id"], "v": document["v"]}, change))
    if writes:
        database.current(type_name).bulk_write(writes, ordered=False)
    return len(documents) - len(writes)

"""`$reindex`: have resources indexed anew, and read how far that is.

A parameter that is posted is indexed without being asked; this is for administrators who want to be sure.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from fhir_server.call import Answer, Call
from fhir_server.reindexing.progress import Progress, load_progress
from fhir_server.reindexing.publish import reindex_all
from fhir_server.services import Services
from fhir_server.store.search_catalogue import CatalogueState, load_state
from resources.problem import problem

ACCEPTED = 202


def reindex(call: Call, services: Services) -> Answer:
    """Start to index all resources of the type, or of every type, anew. 202, with the progress as Parameters."""
    types = {call.type} if call.type is not None else set(services.database.stored_types())
    if not reindex_all(services.database, types, services.clock()):
        raise problem(409, "conflict", "The search parameters were changed at the same moment; ask again.")
    answer = reindex_progress(call, services)
    answer.status = ACCEPTED
    answer.headers["Content-Location"] = f"{services.base_url}/$reindex"
    return answer


def reindex_progress(_: Call, services: Services) -> Answer:
    """How far the job is, and what became of each posted search parameter, as Parameters."""
    progress, state = load_progress(services.database), load_state(services.database)
    parameters = [*_of_job(progress), *_of_parameters(state)]
    return Answer(200, orjson.dumps({"resourceType": "Parameters", "parameter": parameters}))


def _of_job(progress: Progress) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": "status", "valueCode": progress.state},
        {"name": "total", "valueInteger": progress.total},
        {"name": "done", "valueInteger": progress.done},
        {"name": "failed", "valueInteger": progress.failed},
    ]
    found += [{"name": "waiting", "valueCode": name} for name in progress.types]
    for name, moment in (("started", progress.started), ("finished", progress.finished)):
        if moment is not None and (name == "started" or progress.state == "finished"):
            text = datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")
            found.append({"name": name, "valueInstant": text})
    return found


def _of_parameters(state: CatalogueState) -> list[dict[str, Any]]:
    """Of each posted parameter: its URL, its code, whether it can be searched by, and if not, why."""
    found = [
        _part(item.facts.id, "active" if item.is_ready else "indexing", {"name": "code", "valueCode": item.facts.code})
        for item in state.added
        if item.facts.type != "text"  # nobody posted these
    ]
    found += [_part(item.url, "unused", {"name": "reason", "valueString": item.reason}) for item in state.unused]
    return found


def _part(url: str, status: str, more: dict[str, Any]) -> dict[str, Any]:
    parts = [{"name": "url", "valueUri": url}, {"name": "status", "valueCode": status}, more]
    return {"name": "searchParameter", "part": parts}

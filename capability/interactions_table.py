"""The table of interactions: what is served. Routes and the CapabilityStatement are both built from it.

https://hl7.org/fhir/R4/http.html

So nothing can be claimed that has no route, and no route can be served that is not claimed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from capability.operations import operations

Level = Literal["instance", "type", "system"]


@dataclass(frozen=True, slots=True)
class Interaction:
    """One interaction at one address.

    name: the handler that answers it, one file each in `fhir_server/interactions/`.
    code: from http://hl7.org/fhir/restful-interaction, as the CapabilityStatement names it; None for what it has no code
    for, or names by another row.
    path: below the FHIR base, with `{type}`, `{id}` and `{version}` standing for themselves.
    success: the statuses of an answer that is no error. type: the resource type that the path names, if it names one.
    """

    name: str
    level: Level
    method: str
    path: str
    code: str | None
    summary: str
    success: tuple[int, ...] = (200,)
    type: str | None = None


def _operation_rows() -> tuple[Interaction, ...]:
    return tuple(
        Interaction(each.handler, cast(Level, level), method, path, None, each.summary, each.success, each.type)
        for each in operations()
        for level, path in each.paths()
        for method in each.methods
    )


INSTANCE = "/{type}/{id}"
TYPE = "/{type}"

INTERACTIONS: tuple[Interaction, ...] = (
    Interaction("capabilities", "system", "GET", "/metadata", None, "What the server can do"),
    Interaction("read", "instance", "GET", INSTANCE, "read", "The current version of a resource", (200, 304)),
    Interaction(
        "vread", "instance", "GET", INSTANCE + "/_history/{version}", "vread", "One version of a resource", (200, 304)
    ),
    Interaction("update", "instance", "PUT", INSTANCE, "update", "Replace a resource, or create it", (200, 201)),
    Interaction("patch", "instance", "PATCH", INSTANCE, "patch", "Change a part of a resource"),
    Interaction("delete", "instance", "DELETE", INSTANCE, "delete", "Delete a resource", (200, 204)),
    Interaction("history", "instance", "GET", INSTANCE + "/_history", "history-instance", "All versions of a resource"),
    Interaction("create", "type", "POST", TYPE, "create", "Create a resource, unless a condition finds it", (200, 201)),
    Interaction("search", "type", "GET", TYPE, "search-type", "Search resources of a type"),
    Interaction("search", "type", "POST", TYPE + "/_search", None, "Search resources, parameters in the body"),
    Interaction(
        "search", "type", "GET", "/{compartment}/{id}/{type}", None, "Search resources of a type in a compartment"
    ),
    Interaction(
        "search_system", "system", "GET", "/{compartment}/{id}/*", None, "Search all resources in a compartment"
    ),
    Interaction("search_system", "system", "GET", "/", "search-system", "Search resources of several types"),
    Interaction("search_system", "system", "POST", "/_search", None, "Search several types, parameters in the body"),
    Interaction(
        "conditional_update", "type", "PUT", TYPE, None, "Replace the one resource that a condition finds", (200, 201)
    ),
    Interaction(
        "conditional_delete", "type", "DELETE", TYPE, None, "Delete the one resource that a condition finds", (200, 204)
    ),
    Interaction(
        "conditional_patch", "type", "PATCH", TYPE, None, "Change a part of the one resource that a condition finds"
    ),
    Interaction("history", "type", "GET", TYPE + "/_history", "history-type", "All versions of a type's resources"),
    Interaction("history", "system", "GET", "/_history", "history-system", "All versions of all resources"),
    Interaction("reindex_progress", "system", "GET", "/$reindex", None, "How far indexing anew is"),
    Interaction("bundle", "system", "POST", "/", "transaction", "Process a transaction or batch Bundle"),
    Interaction("bundle", "system", "POST", "/", "batch", "Process a transaction or batch Bundle"),
    *_operation_rows(),
)

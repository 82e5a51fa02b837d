"""read and vread: one version of one resource.

https://hl7.org/fhir/R4/http.html#read and #vread
"""

from __future__ import annotations

import orjson

from capability.operations import held_definition
from fhir_server.call import Answer, Call
from fhir_server.interactions.search_result import shape_of
from fhir_server.prepare_write import checked_id
from fhir_server.services import Services
from fhir_server.store.reads import read as read_current
from fhir_server.store.reads import read_version
from fhir_server.visibility import is_visible
from resources.change import Stored
from resources.problem import Problem, problem
from search.fence import filter_within
from search.query_text import parse_pairs, parse_query

MAX_VERSION = 2**31 - 1
SHAPING = frozenset({"_elements", "_summary"})


def read(call: Call, services: Services) -> Answer:
    """The current version; 404 for what never was, 410 for what was deleted, 304 where the client has it already."""
    assert call.type is not None  # the route has both
    assert call.id is not None
    stored = read_current(services.database, call.type, checked_id(call.id))
    if (stored is None or stored.is_deleted) and (definition := _own_definition(call, services)) is not None:
        return Answer(200, definition)
    if stored is None or not is_visible(stored, "r", services.context()):
        raise not_found(call.type, call.id, stored)
    return _answer(call, stored)


def _own_definition(call: Call, services: Services) -> bytes | None:
    """The definition of an operation that is served, which nobody has to store, nor can take away."""
    if call.type != "OperationDefinition" or call.id is None:
        return None
    definition = held_definition(call.id, services.base_url)
    return None if definition is None else orjson.dumps(definition)


def vread(call: Call, services: Services) -> Answer:
    """One version, current or replaced."""
    assert call.type is not None  # the route has all three
    assert call.id is not None
    assert call.version is not None
    text = call.version
    version = int(text) if text.isascii() and text.isdigit() and len(text) <= 10 and text[0] != "0" else 0
    stored = (
        read_version(services.database, call.type, checked_id(call.id), version) if 0 < version <= MAX_VERSION else None
    )
    if stored is None or not _is_version_visible(stored, services):
        text = f"{call.type}/{call.id} has no version '{text[:64]}'."
        raise problem(404, "not-found", text, is_denial=is_hidden(stored))
    return _answer(call, stored)


def _is_version_visible(stored: Stored, services: Services) -> bool:
    """Whether a version may be read: it, and the resource as it is now, which may have been moved out of sight."""
    context = services.context()
    if not filter_within(context.fence, stored.type, "r"):
        return True
    current = read_current(services.database, stored.type, stored.id)
    return current is not None and is_visible(current, "r", context) and is_visible(stored, "r", context)


def _answer(call: Call, stored: Stored) -> Answer:
    if stored.is_deleted:
        raise gone(stored)
    if is_unchanged(call, stored):
        return Answer(304, version=stored)
    return Answer(200, _cut(call, stored), stored)


def _cut(call: Call, stored: Stored) -> bytes | None:
    """The resource, or the part of it that `_elements` or `_summary` ask for; other parameters are none of a read.

    https://hl7.org/fhir/R4/http.html#summary
    """
    if not call.query or stored.raw is None:
        return stored.raw
    asked = [pair for pair in parse_pairs(call.query) if pair[0] in SHAPING]
    cut = shape_of(parse_query(asked, stored.type))
    return stored.raw if cut is None else cut(stored.raw)


def is_unchanged(call: Call, stored: Stored) -> bool:
    """Whether the client's `If-None-Match`, or else its `If-Modified-Since`, says that it has this version.

    https://hl7.org/fhir/R4/http.html#cread
    """
    if call.if_none_match:
        return str(stored.version) in call.if_none_match or "*" in call.if_none_match
    # HTTP dates have whole seconds, so a version made within the second counts as known.
    return call.if_modified_since is not None and stored.last_updated // 1000 * 1000 <= call.if_modified_since


def not_found(type_name: str, logical_id: str, stored: Stored | None) -> Problem:
    """What to say where there is nothing, or nothing that may be seen. stored: what there is; it changes no answer."""
    text = f"There is no {type_name} with the id '{logical_id}'."
    return problem(404, "not-found", text, is_denial=is_hidden(stored))


def is_hidden(stored: Stored | None) -> bool:
    """Whether an answer that there is nothing refuses somebody a resource. A deletion tells nothing to be refused."""
    return stored is not None and not stored.is_deleted


def gone(deleted: Stored) -> Problem:
    return problem(
        410,
        "deleted",
        f"{deleted.type}/{deleted.id} was deleted in version {deleted.version}.",
        headers={"ETag": f'W/"{deleted.version}"'},
    )

"""`$meta`, `$meta-add` and `$meta-delete`: the profiles, tags and security labels of a resource, or in use anywhere.

https://hl7.org/fhir/R4/resource-operation-meta.html, #meta-add and #meta-delete

A change leaves a new version, like every other: then the history tells who put a label on what.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from fhir_server.call import Answer, Call
from fhir_server.interactions.patch import change_part
from fhir_server.operations.arguments import arguments_of, subject_of
from fhir_server.prepare_write import checked_id
from fhir_server.services import Services
from fhir_server.store.database import ENTRY_INDEX
from fhir_server.store.reader import Reader
from fhir_server.store.run_plan import too_costly
from fhir_server.visibility import may_see
from resources.change import Stored
from resources.definitions import resource_types
from resources.document import Document, parse_document
from resources.exact_json import parse_exact
from resources.exact_json import written as json_text
from resources.meta_labels import Edit, collected, with_labels, without_labels
from resources.parameters import parameter, parameters_bytes
from resources.problem import problem
from search.entry_text import HIGHEST, Filter, all_of, any_of, entry, starting_with
from search.fence import forbidden

MOST_READ = 20_000
LABEL_CODES = ("_profile", "_tag", "_security")
"""The search parameters that they are indexed by."""


def meta(call: Call, services: Services) -> Answer:
    """The meta of a resource; of a type or the whole server, the profiles, tags and labels of what may be read."""
    arguments_of(call)
    if call.id is not None:
        stored = subject_of(call, services)
        return Answer(200, _parameters(_meta_of(stored)), shown=[stored])
    return Answer(200, _parameters(_in_use(call, services)))


def meta_add(call: Call, services: Services) -> Answer:
    """Add profiles, tags and security labels to a resource; those that it has stay as they are."""
    return _change(call, services, with_labels)


def meta_delete(call: Call, services: Services) -> Answer:
    """Take profiles, tags and security labels off a resource; those that it has not are passed over."""
    return _change(call, services, without_labels)


def _change(call: Call, services: Services, edit: Edit) -> Answer:
    assert call.id is not None  # the route has it
    given = arguments_of(call).one("meta")
    logical_id = checked_id(call.id)

    def changed(stored: Stored) -> Document:
        assert stored.raw is not None  # a deleted one is refused
        return parse_document(json_text(edit(parse_exact(stored.raw.decode()), given)))

    stored, _ = change_part(call, services, lambda _: logical_id, changed)
    # Who may change it without reading it learns nothing of what was there.
    content = _parameters(_meta_of(stored)) if may_see(stored, services.context()) else None
    return Answer(200, content, stored, is_write=True)


def _in_use(call: Call, services: Services) -> dict[str, Any]:
    names = [call.type] if call.type is not None else sorted(resource_types())
    fences = {name: services.fence.within(name, "r") for name in names}
    allowed = {name: fence for name, fence in fences.items() if fence is not None}
    if not allowed:
        raise forbidden(call.type or "*", "r")
    if call.type is None:
        if services.database.session is not None:
            # MongoDB lists its collections only outside of a transaction.
            raise problem(400, "not-supported", "The labels of the whole server cannot be read within a transaction.")
        stored_types = set(services.database.stored_types())
        allowed = {name: fence for name, fence in allowed.items() if name in stored_types}
    reader = Reader(services.database, services.limits.milliseconds)
    metas: list[dict[str, Any]] = []
    for name, fence in allowed.items():
        for each in _metas(reader, name, fence):
            metas.append(each)
            if len(metas) > MOST_READ:
                raise too_costly(MOST_READ)
    return collected(metas)


def _metas(reader: Reader, type_name: str, fence: Filter) -> Iterator[dict[str, Any]]:
    """Metas that have among them all labels of what may be read of a type."""
    if not fence:
        for code in LABEL_CODES:
            yield from _from_index(reader, type_name, entry(code, ""))
        return
    labelled = any_of([starting_with(entry(code, "")) for code in LABEL_CODES])
    for document in reader.find(type_name, all_of([labelled, fence]), {"raw": 1}, [], limit=MOST_READ + 1):
        yield orjson.loads(document["raw"])["meta"]


def _from_index(reader: Reader, type_name: str, prefix: str) -> Iterator[dict[str, Any]]:
    """One meta for each index entry with a prefix: the index is read from one to the next, and not all that has them."""
    last, end = prefix, prefix + HIGHEST
    while True:
        beyond: Filter = {"k": {"$elemMatch": {"$gt": last, "$lt": end}}}
        found = next(reader.find(type_name, beyond, {"raw": 1, "k": 1}, [], limit=1, index=ENTRY_INDEX), None)
        if found is None:
            return
        last = min(each for each in found["k"] if last < each < end)
        yield orjson.loads(found["raw"])["meta"]


def _meta_of(stored: Stored) -> dict[str, Any]:
    assert stored.raw is not None  # a deleted one was refused
    found: dict[str, Any] = parse_document(stored.raw, stored.type).tree["meta"]
    return found


def _parameters(found: dict[str, Any]) -> bytes:
    """An empty meta cannot be written in FHIR, so it is left out."""
    return parameters_bytes([parameter("return", "Meta", found)] if found else [])

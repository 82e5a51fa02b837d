"""patch: change a part of one resource, also of the one that a condition finds.

https://hl7.org/fhir/R4/http.html#patch

What comes of it is validated like any update and leaves a new version.
"""

from __future__ import annotations

from collections.abc import Callable

from fhir_server.call import Answer, Call
from fhir_server.interactions.read import gone, not_found
from fhir_server.interactions.write import guard_name, single_match, written
from fhir_server.prepare_write import checked_id, prepare
from fhir_server.services import Services
from fhir_server.store.commit import commit_together
from fhir_server.store.database import Database
from fhir_server.store.reads import read
from fhir_server.store.transaction import touch_guards, transact
from fhir_server.visibility import guard_of, may_see
from resources.change import Stored, check_if_match, decide
from resources.document import Document, parse_document
from resources.exact_json import parse_exact
from resources.exact_json import written as json_text
from resources.patching import FhirPathPatch, JsonPatch
from resources.problem import Issue, problem
from search.plan import plan_condition

Patch = JsonPatch | FhirPathPatch


def patch(call: Call, services: Services) -> Answer:
    """Change a part of a resource. Raises a `Problem`: 404 and 410 where there is none, 422 for what cannot be done."""
    assert call.type is not None  # the route has both
    assert call.id is not None
    logical_id = checked_id(call.id)
    return _patch(call, services, lambda _: logical_id)


def conditional_patch(call: Call, services: Services) -> Answer:
    """Change a part of the one resource that matches; 404 where none does, 412 where several do."""
    assert call.type is not None
    selection = plan_condition(call.type, call.query, services.context())

    def matching(database: Database) -> str:
        touch_guards(database, [guard_name(selection)])
        found = single_match(database, selection)
        if found is None:
            raise problem(404, "not-found", f"No {selection.type} matches the condition.")
        return found

    return _patch(call, services, matching)


def _patch(call: Call, services: Services, find: Callable[[Database], str]) -> Answer:
    stored, warnings = change_part(call, services, find, lambda stored: patched_document(call.patch, stored))
    answer = written(call, stored, warnings, is_created=False)
    if not may_see(stored, services.context()):
        answer.content = None  # who may change it without reading it sent only a part of it
    return answer


def change_part(
    call: Call, services: Services, find: Callable[[Database], str], changed: Callable[[Stored], Document]
) -> tuple[Stored, list[Issue]]:
    """Replace a resource by what is made of it: the version that is current then, and the warnings of its validation.

    find: its logical id. changed: what to store in place of a version; it may be called several times.
    """

    def attempt(database: Database) -> tuple[Stored, list[Issue]]:
        logical_id = find(database)
        stored = patchable(call, logical_id, read(database, call.type or "", logical_id), services)
        document, context = changed(stored), services.context()
        intent, warnings = prepare("PUT", document, stored.id, context, if_match=call.if_match, rules=services.rules)
        change = decide(intent, stored, services.clock())
        if change is None:
            return stored, warnings
        commit_together(database, [change])
        return change.after, warnings

    services.database.prepare({call.type or ""})
    return transact(services.database, attempt)


def patchable(call: Call, logical_id: str, stored: Stored | None, services: Services) -> Stored:
    """The version that a patch is to change. Raises a `Problem`: 404 or 410 where there is none to be seen, 412 where the
    client means another one."""
    assert call.type is not None
    guard = guard_of(call.type, "u", services.context())
    # Before anything is tried on it: whether a patch fits would tell what the resource holds.
    if stored is None or (guard is not None and not guard(stored)):
        raise not_found(call.type, logical_id, stored)
    if stored.is_deleted:
        raise gone(stored)
    check_if_match(call.if_match, f"{call.type}/{logical_id}", stored)
    return stored


def patched_document(patch: Patch | None, stored: Stored) -> Document:
    """What a patch makes of a version. Raises a 422 `Problem` where it cannot be done or makes another resource of it."""
    assert patch is not None  # negotiation and Bundle entries see to it
    assert stored.raw is not None
    document = parse_document(json_text(patch.applied(parse_exact(stored.raw.decode()))))
    for member, before in (("resourceType", stored.type), ("id", stored.id)):
        if document.tree.get(member) != before:
            text = f"A patch must not change the {member}; it is '{before}'."
            raise problem(422, "processing", text, f"{stored.type}.{member}")
    return document

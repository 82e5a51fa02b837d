"""`$expunge`: remove old versions for good, for administrators.

There is no such operation in R4; the parameters are those that other servers have made common. What is removed cannot be
read any more, nor brought back; that it was asked for stays in the audit.
"""

from __future__ import annotations

from fhir_server.call import Answer, Call
from fhir_server.interactions.read import not_found
from fhir_server.operations.arguments import arguments_of
from fhir_server.prepare_write import checked_id
from fhir_server.services import Services
from fhir_server.store.expunging import remove_deleted, remove_replaced
from fhir_server.store.reads import read
from resources.parameters import parameter, parameters_bytes
from resources.problem import problem

DEFAULT_LIMIT, MOST_AT_ONCE = 1_000, 100_000
KEPT = frozenset({"AuditEvent"})
"""Types of which nothing is removed, because they say who did what."""


def expunge(call: Call, services: Services) -> Answer:
    """Remove versions of a resource, or of all of a type, and tell how many; fewer than `limit` means that all are gone.

    Raises a `Problem`: 400 where nothing is to be removed, 403 for what must be kept, 404 where there is no such resource.
    """
    assert call.type is not None  # the route has it
    arguments = arguments_of(call)
    if call.type in KEPT:
        raise problem(403, "forbidden", f"Nothing of {call.type} may be expunged.")
    deleted, replaced = arguments.one("expungeDeletedResources"), arguments.one("expungePreviousVersions")
    if not deleted and not replaced:
        text = "One of 'expungeDeletedResources' and 'expungePreviousVersions' must be true; otherwise nothing is expunged."
        raise problem(400, "required", text)
    logical_id = None if call.id is None else checked_id(call.id)
    if logical_id is not None and read(services.database, call.type, logical_id) is None:
        raise not_found(call.type, logical_id, None)
    left = min(arguments.one("limit") or DEFAULT_LIMIT, MOST_AT_ONCE)
    count = 0
    if deleted:
        count += remove_deleted(services.database, call.type, logical_id, left)
    if replaced and count < left:
        count += remove_replaced(services.database, call.type, logical_id, left - count)
    return Answer(200, parameters_bytes([parameter("count", "integer", count)]))

"""The arguments of an operation, and the resource that it is about.

https://hl7.org/fhir/R4/operations.html#request
"""

from __future__ import annotations

from collections.abc import Collection

from capability.operations import operation_of
from fhir_server.call import Call
from fhir_server.interactions.read import gone, not_found
from fhir_server.prepare_write import checked_id
from fhir_server.services import Services
from fhir_server.store.reads import read
from fhir_server.visibility import is_visible
from resources.change import Stored
from resources.document import parse_document
from resources.parameters import Arguments, read_arguments
from search.query_text import FORMAT_PARAMETERS, parse_pairs


def arguments_of(call: Call, beside: Collection[str] = ()) -> Arguments:
    """What a call gives for the parameters of its operation. beside: names in the query that the handler reads itself.

    Raises a 400 `Problem` for whatever is not as the operation's definition says.
    """
    operation = operation_of(call.interaction, call.type)
    pairs = [pair for pair in parse_pairs(call.query) if pair[0] not in FORMAT_PARAMETERS and pair[0] not in beside]
    body = call.document or (parse_document(call.body) if call.body else None)
    return read_arguments(operation.facts, pairs, body, operation.unserved, call.lenient)


def subject_of(call: Call, services: Services) -> Stored:
    """The resource that a call at an instance is about. Raises a `Problem`: 404 where there is none to be seen, 410 where it
    was deleted."""
    assert call.type is not None  # the route has both
    assert call.id is not None
    stored = read(services.database, call.type, checked_id(call.id))
    if stored is None or not is_visible(stored, "r", services.context()):
        raise not_found(call.type, call.id, stored)
    if stored.is_deleted:
        raise gone(stored)
    return stored

"""What a search asks of one type: its query, and the plan of it.

https://hl7.org/fhir/R4/http.html#search
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fhir_server.call import Call
from fhir_server.prepare_write import checked_id
from fhir_server.services import Services
from resources.definitions import compartment_parameters
from resources.problem import problem
from resources.raw_json import decode_utf8
from search.entry_text import LIVE, all_of, equal_to
from search.index_values import compartment_entry
from search.plan import Selection, plan_search
from search.query import Query
from search.query_text import parse_pairs, parse_query


@dataclass(frozen=True, slots=True)
class Target:
    """One type to search."""

    selection: Selection
    query: Query


def pairs_of(call: Call) -> list[tuple[str, str]]:
    """The parameters of a search, from its address and, for a POST, from its body."""
    pairs = parse_pairs(call.query)
    if call.method == "POST" and call.body:
        pairs += parse_pairs(decode_utf8(call.body))
    return pairs


def target_of(call: Call, type_name: str, pairs: Sequence[tuple[str, str]], services: Services) -> Target:
    """What the parameters mean for a type, within the compartment of the call if it has one. Raises a 400 `Problem`."""
    context = services.context()
    query = parse_query(pairs, type_name, call.lenient, context.catalogue)
    selection = plan_search(type_name, query, context)
    if call.compartment is not None:
        selection = within_compartment(selection, *call.compartment)
    return Target(selection, query)


def within_compartment(selection: Selection, compartment: str, logical_id: str) -> Selection:
    """The selection restricted to a compartment. Raises a 404 `Problem` where R4 has no such compartment for the type.

    https://hl7.org/fhir/R4/compartmentdefinition.html
    """
    if selection.type != compartment and selection.type not in compartment_parameters(compartment):
        raise problem(404, "not-found", f"{selection.type} is not part of the {compartment} compartment.")
    within = equal_to(compartment_entry(compartment, checked_id(logical_id)))
    # What is deleted is in no compartment, so where that is all there is to keep out, one condition will do.
    filter_ = within if selection.filter == equal_to(LIVE) else all_of([within, selection.filter])
    return replace(selection, filter=filter_)

"""search for contained resources: `_contained=true` or `both`, with `_containedType`.

https://hl7.org/fhir/R4/search.html#contained
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from fhir_server.call import Answer
from fhir_server.interactions.search_across import across
from fhir_server.interactions.search_request import Target
from fhir_server.services import Services
from fhir_server.store.run_plan import Match
from resources.definitions import is_a
from resources.problem import problem
from resources.raw_json import parse_items, parse_object, parse_value
from search.contained import contained_matches, containing
from search.entry_text import Filter, all_of, any_of
from search.index import index_values
from search.match import matches
from search.plan import JOIN, Selection


def search_contained(target: Target, url: str, services: Services) -> Answer:
    """One page of the resources, of any type, that contain a match, or of the contained matches themselves.

    With `both`, of those that match without being contained as well. url: of the search. Raises a 400 `Problem` for what
    cannot be asked of contained resources.
    """
    query, wanted = target.query, target.selection
    if wanted.joins or JOIN in repr(wanted.filter) or query.sort or query.includes or query.explains:
        text = "With '_contained', a search can neither chain, sort, include nor explain."
        raise problem(400, "not-supported", text)
    within = containing(wanted.type, wanted.filter)
    targets: list[Target] = []
    for name in sorted({*services.database.stored_types(), wanted.type}):
        fence = services.fence.within(name, "s")
        if fence is None:
            continue
        filters: list[Filter] = [within] if is_a(name, "DomainResource") else []
        if query.contained == "both" and name == wanted.type:
            filters.append(wanted.filter)
        if filters:
            targets.append(Target(Selection(name, all_of([any_of(filters), *([fence] if fence else [])])), query))
    if query.contained_type == "container":
        return across(targets, f"{url}?", services)
    return across(targets, f"{url}?", services, partial(_contained_in, wanted=wanted, target=target, services=services))


def _contained_in(match: Match, wanted: Selection, target: Target, services: Services) -> list[Match]:
    """The contained matches of a container, each under its address within it; with `both`, the container if it matches."""
    stored, context = match.stored, services.context()
    text, tree, spans = parse_object(stored.raw or b"{}")
    shown: list[Match] = []
    if target.query.contained == "both" and stored.type == wanted.type:
        document = {"_id": stored.id, "t": stored.last_updated, **index_values(tree, context).fields(stored.id)}
        shown = [match] if matches(wanted.filter, document) else []
    places = contained_matches(tree, wanted.type, wanted.filter, context)
    if places:
        contained, _ = parse_items(text, spans["contained"].value, _spelled)
        for place in places:
            address = f"{stored.id}#{tree['contained'][place].get('id', '')}"
            shown.append(replace(match, stored=replace(stored, id=address, raw=contained[place].encode())))
    return shown


def _spelled(text: str, at: int) -> tuple[str, int]:
    _, end = parse_value(text, at)
    return text[at:end], end

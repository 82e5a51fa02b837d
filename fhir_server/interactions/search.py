"""search within a type, within a compartment, and across types.

https://hl7.org/fhir/R4/http.html#search and https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from fhir_server.bundle_writer import Link, searchset
from fhir_server.call import Answer, Call
from fhir_server.interactions.explained import explained
from fhir_server.prepare_write import checked_id
from fhir_server.services import Services
from fhir_server.store.reader import Read
from fhir_server.store.run_includes import find_included
from fhir_server.store.run_plan import BY_ID, Match, Runner
from resources import subset
from resources.change import Stored
from resources.definitions import compartment_parameters, resource_types
from resources.problem import Issue, problem, quoted
from resources.raw_json import decode_utf8
from search.cursor import decode_cursor, encode_cursor
from search.entry_text import all_of, equal_to
from search.index_values import compartment_entry
from search.plan import Selection, plan_order, plan_search
from search.query import Query
from search.query_text import link_text, parse_pairs, parse_query

SHAPES: dict[str, Callable[[bytes], bytes]] = {
    "true": subset.summary,
    "text": subset.text_only,
    "data": subset.without_text,
}


@dataclass(frozen=True, slots=True)
class Target:
    """One type to search, and where its part of the result begins."""

    selection: Selection
    query: Query


def search(call: Call, services: Services) -> Answer:
    """One page of matches, and what they bring along, as a searchset Bundle with links to itself and the next page."""
    assert call.type is not None  # the route has it
    context = services.context()
    query = parse_query(_pairs(call), call.type, call.lenient, context.catalogue)
    selection = plan_search(call.type, query, context)
    if call.compartment is not None:
        selection = within_compartment(selection, *call.compartment)
    reads: list[Read] = []
    runner = Runner(services.database, services.limits, reads if query.explains else None)
    order = plan_order(call.type, query.sort, context.catalogue)
    url = f"{services.base_url}/{call.type}"
    if call.compartment is not None:
        url = f"{services.base_url}/{'/'.join(call.compartment)}/{call.type}"
    bound_to = f"{url}?{link_text(query, None)}"
    after = None if query.cursor is None else decode_cursor(query.cursor, bound_to, services.cursor_key())
    if query.wants_count_only or query.total != "none":
        services.costs.check_count(runner.reader, selection)
    if query.wants_count_only and not query.explains:
        return Answer(
            200,
            searchset([], [], [Link("self", bound_to)], runner.count(selection), _unknown(query), services.base_url),
        )
    if after is None:
        services.costs.check_page(runner.reader, selection, order, query.count)
    page = runner.page(selection, query.count, order, after, with_entries=bool(query.includes))
    included = find_included(runner.reader, page.matches, query.includes, context.catalogue)
    total: int | None = None
    if query.total != "none":
        total = runner.count(selection)
    elif after is None and not page.has_more:
        total = len(page.matches)  # the first page is the last, so the number is known for nothing
    if query.explains:
        return explained(reads, runner.reader, len(page.matches), services.costs.most)
    links = [Link("self", f"{url}?{link_text(query, query.cursor)}")]
    if page.has_more:
        cursor = encode_cursor(page.matches[-1].position, bound_to, services.cursor_key())
        links.append(Link("next", f"{url}?{link_text(query, cursor)}"))
    return Answer(
        200,
        searchset(
            shaped(page.matches, query), _whole(included, query), links, total, _unknown(query), services.base_url
        ),
    )


def _pairs(call: Call) -> list[tuple[str, str]]:
    pairs = parse_pairs(call.query)
    if call.method == "POST" and call.body:
        pairs += parse_pairs(decode_utf8(call.body))
    return pairs


def within_compartment(selection: Selection, compartment: str, logical_id: str) -> Selection:
    """The selection restricted to a compartment. Raises a 404 `Problem` where R4 has no such compartment for the type.

    https://hl7.org/fhir/R4/compartmentdefinition.html
    """
    if selection.type != compartment and selection.type not in compartment_parameters(compartment):
        raise problem(404, "not-found", f"{selection.type} is not part of the {compartment} compartment.")
    entry = compartment_entry(compartment, checked_id(logical_id))
    return replace(selection, filter=all_of([equal_to(entry), selection.filter]))


def shaped(matches: Sequence[Match], query: Query) -> list[Stored]:
    """The matches cut down to what `_elements` or `_summary` ask for."""
    if query.elements:
        cut: Callable[[bytes], bytes] = lambda raw: subset.with_elements(raw, query.elements)  # noqa: E731
    elif query.summary in SHAPES:
        cut = SHAPES[query.summary]
    else:
        return [match.stored for match in matches]
    return [replace(m.stored, raw=cut(m.stored.raw)) for m in matches if m.stored.raw is not None]


def _whole(included: Sequence[Match], query: Query) -> list[Stored]:
    """What matches bring along, which `_elements` says nothing about, but `_summary` does."""
    return shaped(included, replace(query, elements=frozenset()))


def _unknown(query: Query) -> list[Issue]:
    return [
        Issue("warning", "not-supported", f"The search parameter {quoted(name)} is not known here and was left out.")
        for name in query.unknown
    ]


def search_system(call: Call, services: Services) -> Answer:
    """Search across the types that `_type` names, one after the other, by what all of them can be searched by."""
    pairs = _pairs(call)
    names = sorted({name for key, value in pairs if key == "_type" for name in value.split(",") if name})
    if call.compartment is not None and not names:
        names = sorted({*compartment_parameters(call.compartment[0]), call.compartment[0]})
    if not names:
        raise problem(
            400, "required", "A search across types needs the parameter '_type', such as _type=Patient,Encounter."
        )
    for name in names:
        if name not in resource_types():
            raise problem(400, "value", f"{quoted(name)} of '_type' is not an R4 resource type.")
    rest = [pair for pair in pairs if pair[0] != "_type"]
    targets = [_target(name, rest, call, services) for name in names]
    query = targets[0].query
    if query.sort:
        raise problem(400, "not-supported", "Matches of several types cannot be sorted; search one type at a time.")
    return _across(targets, query, names, call, services)


def _target(name: str, pairs: list[tuple[str, str]], call: Call, services: Services) -> Target:
    context = services.context()
    query = parse_query(pairs, name, call.lenient, context.catalogue)
    selection = plan_search(name, query, context)
    if call.compartment is not None:
        selection = within_compartment(selection, *call.compartment)
    return Target(selection, query)


def _across(targets: Sequence[Target], query: Query, names: list[str], call: Call, services: Services) -> Answer:
    if query.explains:
        raise problem(400, "not-supported", "'_explain' tells about searches within one type.")
    runner = Runner(services.database, services.limits)
    url = services.base_url if call.compartment is None else f"{services.base_url}/{'/'.join(call.compartment)}/*"
    type_text = f"_type={','.join(names)}&"
    bound_to = f"{url}?{type_text}{link_text(query, None)}"
    start: list[object] = [names[0], None]
    if query.cursor is not None:
        start = list(decode_cursor(query.cursor, bound_to, services.cursor_key()))
    total: int | None = None
    if query.wants_count_only or query.total != "none":
        for target in targets:
            services.costs.check_count(runner.reader, target.selection)
        total = sum(runner.count(target.selection) for target in targets)
    matches: list[Match] = []
    following: list[str | int | None] | None = None
    for target in targets:
        if query.wants_count_only or target.selection.type < str(start[0]):
            continue
        room = query.count - len(matches)
        after = [start[1]] if target.selection.type == start[0] and start[1] is not None else None
        if after is None:
            services.costs.check_page(runner.reader, target.selection, BY_ID, room)
        page = runner.page(target.selection, room, after=after, with_entries=bool(query.includes))
        matches += page.matches
        if page.has_more:
            last = matches[-1].stored if matches else None
            following = [last.type, last.id] if last is not None else [target.selection.type, None]
            break
    included = find_included(runner.reader, matches, query.includes, services.catalogue())
    links = [Link("self", f"{url}?{type_text}{link_text(query, query.cursor)}")]
    if following is not None:
        cursor = encode_cursor(following, bound_to, services.cursor_key())
        links.append(Link("next", f"{url}?{type_text}{link_text(query, cursor)}"))
    elif total is None and query.cursor is None:
        total = len(matches)
    return Answer(
        200,
        searchset(shaped(matches, query), _whole(included, query), links, total, _unknown(query), services.base_url),
    )

"""search across types: of a whole server, or of a compartment.

https://hl7.org/fhir/R4/http.html#search
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fhir_server.bundle_writer import Link
from fhir_server.call import Answer, Call
from fhir_server.interactions.search_request import Target, pairs_of, target_of
from fhir_server.interactions.search_result import result
from fhir_server.services import Services
from fhir_server.store.run_includes import find_included
from fhir_server.store.run_plan import BY_ID, Match, Runner
from resources.definitions import compartment_parameters, resource_types
from resources.problem import problem, quoted
from search.cursor import decode_cursor, encode_cursor
from search.fence import forbidden
from search.plan import Selection
from search.query import Query
from search.query_text import link_text


def search_system(call: Call, services: Services) -> Answer:
    """Search across the types that `_type` names, one after the other, by what all of them can be searched by."""
    pairs = pairs_of(call)
    names = sorted({name for key, value in pairs if key == "_type" for name in value.split(",") if name})
    if call.compartment is not None and not names:
        types = {*compartment_parameters(call.compartment[0]), call.compartment[0]}
        names = sorted(name for name in types if services.fence.within(name, "s") is not None)
        if not names:
            raise forbidden(call.compartment[0], "s")
    if not names:
        raise problem(
            400, "required", "A search across types needs the parameter '_type', such as _type=Patient,Encounter."
        )
    for name in names:
        if name not in resource_types():
            raise problem(400, "value", f"{quoted(name)} of '_type' is not an R4 resource type.")
    rest = [pair for pair in pairs if pair[0] != "_type"]
    targets = [target_of(call, name, rest, services) for name in names]
    query = targets[0].query
    if query.sort:
        raise problem(400, "not-supported", "Matches of several types cannot be sorted; search one type at a time.")
    if query.explains or query.contained != "false":
        raise problem(400, "not-supported", "'_explain' and '_contained' are for searches within one type.")
    url = services.base_url if call.compartment is None else f"{services.base_url}/{'/'.join(call.compartment)}/*"
    return across(targets, f"{url}?_type={','.join(names)}&", services)


@dataclass(frozen=True, slots=True)
class _Pages:
    """Matches of several types, and the position (type, logical id) behind which more follow, if they do."""

    matches: list[Match]
    following: list[str | int | None] | None


def across(
    targets: Sequence[Target], url: str, services: Services, show: Callable[[Match], list[Match]] | None = None
) -> Answer:
    """One page of the matches of several types, which stand in the order of their names.

    The targets share one query. url: of the search, up to where its other parameters begin. show: what a match is answered
    as, itself if not given.
    """
    query = targets[0].query
    runner = Runner(services.database, services.limits)
    bound_to = f"{url}{link_text(query, None)}"
    start: list[object] = ["", None]
    if query.cursor is not None:
        start = list(decode_cursor(query.cursor, bound_to, services.cursor_key()))
    total: int | None = None
    if query.wants_count_only or query.total != "none":
        total = _total([target.selection for target in targets], runner, services)
    if query.wants_count_only:
        return result(query, [], [], [Link("self", bound_to)], total, services.base_url)
    pages = _pages(targets, query, start, runner, services)
    included = find_included(runner.reader, pages.matches, query.includes, services.context())
    links = [Link("self", f"{url}{link_text(query, query.cursor)}")]
    if pages.following is not None:
        cursor = encode_cursor(pages.following, bound_to, services.cursor_key())
        links.append(Link("next", f"{url}{link_text(query, cursor)}"))
    elif total is None and query.cursor is None:
        total = len(pages.matches)
    shown = pages.matches if show is None else [each for match in pages.matches for each in show(match)]
    return result(query, shown, included, links, total, services.base_url)


def _total(selections: Sequence[Selection], runner: Runner, services: Services) -> int:
    for selection in selections:
        services.costs.check_count(runner.reader, selection)
    return sum(runner.count(selection) for selection in selections)


def _pages(targets: Sequence[Target], query: Query, start: list[object], runner: Runner, services: Services) -> _Pages:
    matches: list[Match] = []
    for target in targets:
        selection = target.selection
        if selection.type < str(start[0]):
            continue
        room = query.count - len(matches)
        after = [start[1]] if selection.type == start[0] and start[1] is not None else None
        if after is None:
            services.costs.check_page(runner.reader, selection, BY_ID, room)
        page = runner.page(selection, room, after=after, with_entries=bool(query.includes))
        matches += page.matches
        if page.has_more:
            last = matches[-1].stored if matches else None
            return _Pages(matches, [last.type, last.id] if last is not None else [selection.type, None])
    return _Pages(matches, None)

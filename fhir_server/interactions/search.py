"""search within a type, also within a compartment.

https://hl7.org/fhir/R4/http.html#search and https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

from dataclasses import replace

from fhir_server.bundle_writer import Link
from fhir_server.call import Answer, Call
from fhir_server.interactions.explained import explained
from fhir_server.interactions.search_contained import search_contained
from fhir_server.interactions.search_request import pairs_of, target_of
from fhir_server.interactions.search_result import result
from fhir_server.services import Services
from fhir_server.store.reader import Read
from fhir_server.store.run_includes import find_included
from fhir_server.store.run_plan import Runner
from resources.problem import problem
from search.cursor import decode_cursor, encode_cursor
from search.entry_text import all_of
from search.leading import leading
from search.query_text import link_text


def search(call: Call, services: Services) -> Answer:
    """One page of matches, and what they bring along, as a searchset Bundle with links to itself and the next page."""
    assert call.type is not None  # the route has it
    target = target_of(call, call.type, pairs_of(call), services)
    query, selection = target.query, target.selection
    url = f"{services.base_url}/{call.type}"
    if call.compartment is not None:
        url = f"{services.base_url}/{'/'.join(call.compartment)}/{call.type}"
    if query.contained != "false":
        return search_contained(target, url, services)
    if query.explains and not services.may_administer:
        raise problem(403, "forbidden", "Only administrators may ask for '_explain'.")
    reads: list[Read] = []
    runner = Runner(services.database, services.limits, reads if query.explains else None)
    lead = leading(call.type, query, services.context(), is_whole=call.compartment is None)
    bound_to = f"{url}?{link_text(query, None)}"
    # A position means something in its own order only, and whoever asks may have a say in that.
    key_text = f"{bound_to} by {','.join(key.field for key in lead.order)}"
    after = None if query.cursor is None else decode_cursor(query.cursor, key_text, services.cursor_key())
    if query.wants_count_only or query.total != "none":
        services.costs.check_count(runner.reader, selection)
    if query.wants_count_only and not query.explains:
        return result(query, [], [], [Link("self", bound_to)], runner.count(selection), services.base_url)
    bounded = replace(selection, filter=all_of([lead.bounds, selection.filter])) if lead.bounds else selection
    if after is None:
        services.costs.check_page(runner.reader, bounded, lead.order, query.count)
    page = runner.page(bounded, query.count, lead.order, after, bool(query.includes), lead.decides)
    included = find_included(runner.reader, page.matches, query.includes, services.context())
    total: int | None = None
    if query.total != "none":
        total = runner.count(selection)
    elif after is None and not page.has_more:
        total = len(page.matches)  # the first page is the last, so the number is known for nothing
    if query.explains:
        return explained(reads, runner.reader, len(page.matches), services.costs.most)
    links = [Link("self", f"{url}?{link_text(query, query.cursor)}" if query.cursor else bound_to)]
    if page.has_more:
        cursor = encode_cursor(page.matches[-1].position, key_text, services.cursor_key())
        links.append(Link("next", f"{url}?{link_text(query, cursor)}"))
    return result(query, page.matches, included, links, total, services.base_url)

"""search within a type.

https://hl7.org/fhir/R4/http.html#search
"""

from __future__ import annotations

from fhir_server.bundle_writer import Link, searchset
from fhir_server.call import Answer, Call
from fhir_server.services import Services
from fhir_server.store.run_plan import Page, count, find_page
from resources.problem import Issue
from resources.raw_json import decode_utf8
from search.cursor import encode_cursor
from search.parameters import parameters_of
from search.plan import plan_search
from search.query_text import parse_pairs, parse_query


def search(call: Call, services: Services) -> Answer:
    """One page of matches as a searchset Bundle, with links to itself and to the next page."""
    assert call.type is not None  # the route has it
    pairs = parse_pairs(call.query)
    if call.method == "POST" and call.body:
        pairs += parse_pairs(decode_utf8(call.body))
    query = parse_query(pairs, parameters_of(call.type), call.lenient)
    step = plan_search(call.type, query, services.base_url)
    page = Page([], has_more=False) if query.summary_count else find_page(services.database, step)
    total: int | None = None
    if query.summary_count or query.count == 0 or query.total != "none":
        total = count(services.database, step)
    elif step.after is None and not page.has_more:
        total = len(page.matches)  # the first page is the last, so the number is known for nothing
    url = f"{services.base_url}/{call.type}?"
    links = [Link("self", url + query.link(query.cursor))]
    if page.has_more:
        links.append(Link("next", url + query.link(encode_cursor(page.matches[-1].id))))
    unknown = [
        Issue("warning", "not-supported", f"The search parameter '{name[:80]}' is not known here and was left out.")
        for name in query.unknown
    ]
    return Answer(200, searchset(page.matches, links, total, unknown, services.base_url))

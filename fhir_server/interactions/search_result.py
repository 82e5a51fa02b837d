"""What a search answers: matches cut to the shape that was asked for, what they bring along, and what was not understood.

https://hl7.org/fhir/R4/search.html#return
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from fhir_server.bundle_writer import Link, searchset
from fhir_server.call import Answer
from fhir_server.store.run_plan import Match
from resources import subset
from resources.change import Stored
from resources.problem import Issue, quoted
from search.query import Query

SHAPES: dict[str, Callable[[bytes], bytes]] = {
    "true": subset.summary,
    "text": subset.text_only,
    "data": subset.without_text,
}


def result(
    query: Query,
    matches: Sequence[Match],
    included: Sequence[Match],
    links: Sequence[Link],
    total: int | None,
    base_url: str,
) -> Answer:
    """The searchset Bundle of a page."""
    bundle = searchset(shaped(matches, query), _whole(included, query), links, total, _unknown(query), base_url)
    return Answer(200, bundle, shown=[match.stored for match in (*matches, *included)])


def shaped(matches: Sequence[Match], query: Query) -> list[Stored]:
    """The matches cut down to what `_elements` or `_summary` ask for."""
    cut = shape_of(query)
    if cut is None:
        return [match.stored for match in matches]
    return [replace(m.stored, raw=cut(m.stored.raw)) for m in matches if m.stored.raw is not None]


def shape_of(query: Query) -> Callable[[bytes], bytes] | None:
    """What cuts a resource down to what `_elements` or `_summary` ask for; None where it stays whole."""
    if query.elements:
        return lambda raw: subset.with_elements(raw, query.elements)
    return SHAPES.get(query.summary)


def _whole(included: Sequence[Match], query: Query) -> list[Stored]:
    """What matches bring along, which `_elements` says nothing about, but `_summary` does."""
    return shaped(included, replace(query, elements=frozenset()))


def _unknown(query: Query) -> list[Issue]:
    return [
        Issue("warning", "not-supported", f"The search parameter {quoted(name)} is not known here and was left out.")
        for name in query.unknown
    ]

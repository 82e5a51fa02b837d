"""`_id` and `_lastUpdated`: what the store keeps beside the resource and needs no index value for.

https://hl7.org/fhir/R4/search.html#all
"""

from __future__ import annotations

from resources.primitives import is_id
from search.context import Context
from search.entry_text import Filter, any_of
from search.escaping import unescaped
from search.kinds.date import prefixed_span
from search.parameters import Parameter
from search.query import Criterion

MODIFIERS: frozenset[str] = frozenset()


def id_filter(_: Parameter, criterion: Criterion, _context: Context) -> Filter:
    """The filter for documents with any of the logical ids. Text that is no id matches nothing."""
    ids = sorted({text for text in map(unescaped, criterion.values) if is_id(text)})
    return {"_id": ids[0]} if len(ids) == 1 else {"_id": {"$in": ids}}


def last_updated_filter(parameter: Parameter, criterion: Criterion, context: Context) -> Filter:
    """The filter on the time of the last change. Raises a 400 `Problem` for a text that is no date."""
    return any_of([_instant_filter(*prefixed_span(parameter.code, text, context)) for text in criterion.values])


def _instant_filter(prefix: str, first: int, behind: int) -> Filter:
    match prefix:
        case "ne":
            return any_of([{"t": {"$lt": first}}, {"t": {"$gte": behind}}])
        case "gt" | "sa":
            return {"t": {"$gte": behind}}
        case "lt" | "eb":
            return {"t": {"$lt": first}}
        case "ge":
            return {"t": {"$gte": first}}
        case "le":
            return {"t": {"$lt": behind}}
        case _:
            return {"t": {"$gte": first, "$lt": behind}}

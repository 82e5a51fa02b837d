"""The order in which the matches of a search are best read, and how far: by the date that is asked for.

A range of dates selects more the more there is. Read by id, all of it would have to be found before a page could be cut;
read by the date itself, newest first, a page costs what it holds, and people get to see the latest first. R4 leaves the
order to the server where the client asks for none. https://hl7.org/fhir/R4/search.html#sort
"""

from __future__ import annotations

from dataclasses import dataclass

from search.context import Context
from search.entry_text import Filter
from search.fence import filter_within
from search.kinds.date import DAY, prefixed_span
from search.parameters import Parameter
from search.plan import OrderKey, plan_order
from search.query import Criterion, Query
from search.sort_values import sort_field, sortable_number

# How long at most is what a date of these types covers; a Period may cover anything.
_WITHIN_A_YEAR = frozenset({"date", "dateTime", "instant"})
_LONGEST = 366 * DAY
# Behind every sort value of a moment, which goes on with the id of its resource.
_BEHIND = "\x01"


@dataclass(frozen=True, slots=True)
class Lead:
    """How to read matches.

    order: its keys. bounds: a filter on the first of them that every match passes; {} for none. decides: whether nothing
    else selects, so that no other index than that of the order needs to be thought of.
    """

    order: tuple[OrderKey, ...]
    bounds: Filter
    decides: bool = False


def leading(type_name: str, query: Query, context: Context, is_whole: bool = True) -> Lead:
    """The order of a query's matches: the one it asks for, else by the one date it asks for, else by id.

    is_whole: whether the query has all the conditions that there are; not so within a compartment.
    """
    parameters = context.catalogue.parameters_of(type_name)
    asked = {code for part in query.parts if (code := _plain_code(part)) and _is_single_date(parameters[code])}
    if query.sort:
        is_descending = query.sort[0].is_descending
        codes = {query.sort[0].code} & asked if len(query.sort) == 1 else set()
    else:
        is_descending, codes = True, asked
    if len(codes) != 1:
        return Lead(plan_order(type_name, query.sort, context.catalogue), {})
    parameter = parameters[codes.pop()]
    field = sort_field(parameter, is_descending)
    ends = _ends(parameter, query, context)
    is_alone = is_whole and len({_plain_code(part) for part in query.parts}) == 1
    decides = is_alone and "$gte" in ends and not filter_within(context.fence, type_name, "s")
    # Every match has such a date, and no two have the same sort value, so that this one key is the whole order. MongoDB
    # uses the index of sort values only where a condition names the field.
    return Lead((OrderKey(field, is_descending, True, False),), {field: ends or {"$gt": ""}}, decides)


def _plain_code(part: object) -> str | None:
    """The code of a criterion that bounds the dates of its matches, if it may be one."""
    if not isinstance(part, Criterion) or part.modifier is not None or len(part.values) != 1:
        return None
    return None if part.values[0].startswith("ne") else part.code


def _is_single_date(parameter: Parameter) -> bool:
    return parameter.kind == "date" and not parameter.repeats


def _ends(parameter: Parameter, query: Query, context: Context) -> dict[str, str]:
    """Between which sort values every match lies: operators of MongoDB, of which there may be none."""
    above: list[str] = []
    below: list[str] = []
    is_short = bool(parameter.types) and parameter.types <= _WITHIN_A_YEAR
    for part in query.parts:
        if _plain_code(part) != parameter.code or not isinstance(part, Criterion):
            continue
        prefix, lo, hi = prefixed_span(parameter.code, part.values[0], context)
        match prefix:
            case "eq":
                above.append(sortable_number(lo))
                below.append(sortable_number(hi) + _BEHIND)
            case "sa":
                above.append(sortable_number(hi))
            case "lt" | "eb":
                below.append(sortable_number(lo))
            case "le":
                below.append(sortable_number(hi) + _BEHIND)
            case "ap":
                below.append(sortable_number(hi))
        if prefix in ("gt", "ge", "ap") and is_short:
            above.append(sortable_number(lo - _LONGEST))
    return {**({"$gte": max(above)} if above else {}), **({"$lt": min(below)} if below else {})}

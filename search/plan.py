"""A query as a plan: the MongoDB filter, order and limit that find its matches. Plain values, no database.

https://hl7.org/fhir/R4/search.html

Matches are ordered by logical id, which never changes, so that a walk through the pages neither repeats nor skips a
resource however many are written meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from resources.problem import problem, quoted
from search.cursor import decode_cursor
from search.entry_text import LIVE, Filter, all_of, equal_to
from search.kinds import own, reference, string, token, uri
from search.parameters import Parameter, parameters_of
from search.query_text import RESULT_PARAMETERS, Criterion, Query, parse_pairs, parse_query

FilterBuilder = Callable[[Parameter, Criterion, str], Filter]

_FILTERS: dict[str, FilterBuilder] = {
    "id": own.id_filter,
    "lastUpdated": own.last_updated_filter,
    "token": token.filter_for,
    "string": string.filter_for,
    "reference": reference.filter_for,
    "uri": uri.filter_for,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan, over one resource type.

    filter: selects the matches. after: the logical id behind which the page begins, or None. limit: matches a page.
    """

    type: str
    filter: Filter
    limit: int
    after: str | None = None

    def page_filter(self) -> Filter:
        """The filter of this page alone."""
        return self.filter if self.after is None else all_of([self.filter, {"_id": {"$gt": self.after}}])


def plan_search(type_name: str, query: Query, base_url: str) -> Step:
    """The plan of a search within one type. Raises a 400 `Problem` for a value that its parameter cannot have."""
    after = None if query.cursor is None else decode_cursor(query.cursor, (str,))[0]
    return Step(type_name, criteria_filter(type_name, query.criteria, base_url), query.count, after)


def criteria_filter(type_name: str, criteria: Sequence[Criterion], base_url: str) -> Filter:
    """The filter for live resources of a type that satisfy all criteria."""
    known = parameters_of(type_name)
    filters: list[Filter] = []
    for criterion in criteria:
        parameter = known[criterion.code]
        if criterion.modifier is not None and criterion.modifier not in parameter.targets:
            raise problem(
                400, "not-supported", f"The modifier ':{criterion.modifier}' does not fit '{criterion.code}'."
            )
        filters.append(_FILTERS[parameter.kind](parameter, criterion, base_url))
    if all(known[criterion.code].kind in ("id", "lastUpdated") for criterion in criteria):
        filters.append(equal_to(LIVE))  # no index entry is asked for, so deleted resources must be kept out by name
    return all_of(filters)


def plan_condition(type_name: str, query_string: str, base_url: str) -> Step:
    """The plan of a conditional request's criteria; it looks for two matches, because more make no difference.

    https://hl7.org/fhir/R4/http.html#ccreate
    Raises a 400 `Problem` for unknown parameters, whatever handling the client prefers, for those that only say what the
    answer looks like, and for no criteria at all: otherwise a slip would make the condition true for every resource.
    """
    pairs = parse_pairs(query_string)
    for name, _ in pairs:
        if name in RESULT_PARAMETERS:
            raise problem(400, "not-supported", f"The parameter {quoted(name)} has no meaning in a condition.")
    query = parse_query(pairs, parameters_of(type_name))
    if not query.criteria:
        raise problem(400, "invalid", f"The condition {quoted(query_string)} has no search parameter.")
    return Step(type_name, criteria_filter(type_name, query.criteria, base_url), limit=2)

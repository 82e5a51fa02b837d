"""The order of matches: `_sort`. https://hl7.org/fhir/R4/search.html#sort"""

from __future__ import annotations

from collections.abc import Callable

from conformance.answers import instant
from conformance.check import Checks, expect
from conformance.clauses import SEARCH
from conformance.rest_context import RestContext
from conformance.search.cases import claims_of, found
from conformance.search.population import population
from conformance.statement import interaction, search_parameter

checks = Checks("Search: order")
SEARCHES = interaction("search-type", "Patient")
CLAUSE = f"{SEARCH}#sort"
NAMED = "_id={anna},{bob},{carl},{eve}"

ROWS = (
    ("date", "Patient", f"{NAMED}&_sort=birthdate", "anna bob carl eve", "`_sort` puts the earliest date first."),
    ("date_down", "Patient", f"{NAMED}&_sort=-birthdate", "eve carl bob anna", "`-` puts the latest date first."),
    ("string", "Patient", "_id={carl},{dora},{eve}&_sort=family", "carl dora eve", "Texts are sorted by the alphabet."),
    ("string_down", "Patient", "_id={carl},{dora},{eve}&_sort=-family", "eve dora carl", "`-` reverses the alphabet."),
    ("token", "Patient", "_id={anna},{bob},{eve}&_sort=gender", "anna bob eve", "Codes are sorted as texts."),
    ("two", "Patient", f"{NAMED}&_sort=gender,-birthdate", "anna carl bob eve", "A second key sorts what is equal."),
    ("two_down", "Patient", f"{NAMED}&_sort=-gender,birthdate", "eve bob carl anna", "Each key has its own direction."),
    ("number", "RiskAssessment", "_sort=-probability", "r_high r_more r_half", "Numbers are sorted by their value."),
    ("period", "Encounter", "_id={e_done},{e_open}&_sort=date", "e_done e_open", "Periods are sorted."),
)


def _check_of(type_name: str, query: str, wanted: str) -> Callable[[RestContext], None]:
    def run(context: RestContext) -> None:
        order = " ".join(found(context, type_name, query))
        expect(order == wanted, f"{type_name}?{query} comes in the order {order}, where {wanted} was expected.")

    return run


for _name, _type, _query, _wanted, _words in ROWS:
    _key = _query.partition("_sort=")[2].partition(",")[0].removeprefix("-")
    _claims = claims_of(_type, f"{_query}&{_key}=")
    checks(f"search.sort_{_name}", _words, CLAUSE, *_claims)(_check_of(_type, _query, _wanted))


@checks("search.sort_updated", "`_lastUpdated` sorts by the last change, in both directions.", CLAUSE, SEARCHES)
def _(context: RestContext) -> None:
    made = population(context).made
    for query, is_reverse in (("_sort=_lastUpdated", False), ("_sort=-_lastUpdated", True)):
        times = [instant(made[key]["meta"]["lastUpdated"]) for key in found(context, "Patient", query)]
        expect(times == sorted(times, reverse=is_reverse), f"Patient?{query} comes in another order.")


@checks(
    "search.sort_missing",
    "What lacks the value that is sorted by is found all the same, at one end.",
    CLAUSE,
    search_parameter("Patient", "birthdate"),
)
def _(context: RestContext) -> None:
    for query in ("_sort=birthdate", "_sort=-birthdate"):
        order = found(context, "Patient", query)
        expect(len(order) == 6 and "finn" in (order[0], order[-1]), f"Patient?{query} comes in the order {order}.")


@checks(
    "search.sort_steady",
    "The same search comes in the same order.",
    CLAUSE,
    search_parameter("Patient", "gender"),
)
def _(context: RestContext) -> None:
    orders = {tuple(found(context, "Patient", "_sort=gender")) for _ in range(3)}
    expect(len(orders) == 1, f"Three equal searches came in {len(orders)} orders.")

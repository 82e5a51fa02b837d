"""What comes along with the matches of a search. https://hl7.org/fhir/R4/search.html#include"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from conformance.check import Checks, expect
from conformance.clauses import SEARCH
from conformance.rest_context import RestContext
from conformance.search.cases import bundle, claims_of, expect_found, of_mode
from conformance.search.population import population

checks = Checks("Search: includes")
INCLUDE, REVINCLUDE = f"{SEARCH}#include", f"{SEARCH}#revinclude"


@dataclass(frozen=True, slots=True)
class Included:
    """A search, the matches that it must have, and what must come along: keys with blanks between."""

    name: str
    type_name: str
    query: str
    matches: str
    includes: str
    words: str


CASES = (
    Included(
        "include",
        "Encounter",
        "_id={e_done}&_include=Encounter:subject",
        "e_done",
        "anna",
        "`_include` brings what is referred to, with the mode include.",
    ),
    Included(
        "include_once",
        "Encounter",
        "patient={anna}&_include=Encounter:subject",
        "e_done e_past",
        "anna",
        "What several matches refer to comes once.",
    ),
    Included(
        "include_several",
        "Encounter",
        "_id={e_done}&_include=Encounter:subject&_include=Encounter:service-provider",
        "e_done",
        "anna ward",
        "Several includes bring what each of them names.",
    ),
    Included(
        "include_of_type",
        "Encounter",
        "_id={e_done}&_include=Encounter:subject:Patient",
        "e_done",
        "anna",
        "`_include` may name the type.",
    ),
    Included(
        "include_of_other_type",
        "Encounter",
        "_id={e_done}&_include=Encounter:subject:Group",
        "e_done",
        "",
        "`_include` of another type brings nothing.",
    ),
    Included(
        "include_nothing",
        "Encounter",
        "_id={e_past}&_include=Encounter:service-provider",
        "e_past",
        "",
        "`_include` brings nothing where there is no reference.",
    ),
    Included(
        "include_not_without_iterate",
        "Encounter",
        "_id={e_done}&_include=Encounter:subject&_include=Patient:organization",
        "e_done",
        "anna",
        "Without `:iterate`, what is included brings nothing along.",
    ),
    Included(
        "include_iterate",
        "Encounter",
        "_id={e_done}&_include=Encounter:subject&_include:iterate=Patient:organization",
        "e_done",
        "anna ward",
        "`:iterate` includes what an included resource refers to.",
    ),
    Included(
        "include_recursive",
        "Patient",
        "_id={anna}&_include=Patient:organization&_include:iterate=Organization:partof",
        "anna",
        "ward clinic",
        "`:iterate` follows a type's references to itself.",
    ),
    Included(
        "include_any",
        "Encounter",
        "_id={e_done}&_include=*",
        "e_done",
        "anna ward room gp",
        "`_include=*` brings everything that is referred to.",
    ),
    Included(
        "revinclude",
        "Encounter",
        "_id={e_done}&_revinclude=Observation:encounter",
        "e_done",
        "o_kg",
        "`_revinclude` brings what refers to a match.",
    ),
    Included(
        "revinclude_several",
        "Patient",
        "_id={anna}&_revinclude=Encounter:patient&_revinclude=Condition:patient",
        "anna",
        "e_done e_past c_active",
        "Several `_revinclude` bring what each of them names.",
    ),
    Included(
        "revinclude_and_include",
        "Encounter",
        "_id={e_done}&_revinclude=Observation:encounter&_include=Encounter:subject",
        "e_done",
        "o_kg anna",
        "`_include` and `_revinclude` work together.",
    ),
    Included(
        "revinclude_iterate",
        "Patient",
        "_id={anna}&_revinclude=Encounter:patient&_revinclude:iterate=Observation:encounter",
        "anna",
        "e_done e_past o_kg",
        "`_revinclude:iterate` goes on from what is included.",
    ),
    Included(
        "include_of_match",
        "Observation",
        "code=29463-7,882-1&_include=Observation:has-member",
        "o_kg o_70 o_lb o_concept",
        "",
        "What is a match itself does not come again as included.",
    ),
)


def _check_of(case: Included) -> Callable[[RestContext], None]:
    def run(context: RestContext) -> None:
        population(context).need(*case.matches.split(), *case.includes.split())
        tree = bundle(context, case.type_name, case.query)
        known, query = population(context), f"{case.type_name}?{case.query}"
        expect_found(of_mode(tree, "match", known), set(case.matches.split()), f"{query} (mode match)")
        expect_found(of_mode(tree, "include", known), set(case.includes.split()), f"{query} (mode include)")
        total, matches = tree.get("total"), len(case.matches.split())
        expect(total in (None, matches), f"The total of {query} is {total}, where {matches} match.")

    return run


for _case in CASES:
    _claims = claims_of(_case.type_name, _case.query)
    _clause = REVINCLUDE if "revinclude" in _case.query else INCLUDE
    checks(f"search.{_case.name}", _case.words, _clause, *_claims)(_check_of(_case))

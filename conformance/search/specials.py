"""Searches by what every resource has. https://hl7.org/fhir/R4/search.html#all"""

from __future__ import annotations

from conformance.check import Checks
from conformance.clauses import SEARCH
from conformance.rest_context import RestContext
from conformance.search.cases import Case, add_cases, expect_found, found
from conformance.search.people import CONFIDENTIALITY, PROFILE, SOURCE, WORD
from conformance.search.population import MARK_SYSTEM, population
from conformance.statement import search_parameter

checks = Checks("Search: all resources")
EVERYBODY = "anna bob carl dora eve finn"


def _row(name: str, query: str, finds: str, words: str, type_name: str = "Patient") -> Case:
    return Case(f"all_{name}", type_name, query, finds, words)


CASES = (
    _row("id", "_id={anna}", "anna", "`_id` finds one resource."),
    _row("ids", "_id={anna},{bob}", "anna bob", "`_id` takes several ids."),
    _row("id_and", "_id={anna}&gender=male", "", "`_id` is one condition among others."),
    _row("id_of_other_type", "_id={gp}", "", "`_id` does not find another type."),
    _row("tag_other", f"_tag={MARK_SYSTEM}|no-such-tag", "", "`_tag` that nothing has finds nothing."),
    _row("profile", f"_profile={PROFILE}", "anna", "`_profile` finds what claims a profile."),
    _row("security", f"_security={CONFIDENTIALITY}|R", "anna", "`_security` finds a label."),
    _row("source", f"_source={SOURCE}", "anna", "`_source` finds where something came from."),
    _row("text", f"_text={WORD}", "anna", "`_text` finds a word of the narrative."),
    _row("content", "_content=bahnhofstrasse", "anna", "`_content` finds a word of the whole."),
    _row("list", "_list={listed}", "anna bob", "`_list` finds the members of a List."),
    _row("filter", '_filter=gender eq male or family sw "smith"', "bob carl dora", "`_filter` takes an expression."),
    _row("filter_not", "_filter=not (gender eq male)", "anna dora eve finn", "`_filter` negates."),
    _row("empty_value", "family=&gender=male", "bob carl", "A parameter without a value is no condition."),
)
add_cases(checks, f"{SEARCH}#all", CASES)


@checks(
    "search.all_tag",
    "`_tag` finds what has a tag, with its system and without.",
    f"{SEARCH}#tag",
    search_parameter("Patient", "_tag"),
)
def _(context: RestContext) -> None:
    mark = population(context).mark
    for value in (mark, f"{MARK_SYSTEM}|{mark}"):
        expect_found(found(context, "Patient", f"_tag={value}"), set(EVERYBODY.split()), f"_tag={value}")
    expect_found(found(context, "Patient", f"_tag=urn:other|{mark}"), set(), f"_tag=urn:other|{mark}")

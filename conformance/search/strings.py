"""Searches by strings. https://hl7.org/fhir/R4/search.html#string"""

from __future__ import annotations

from conformance.check import Checks
from conformance.clauses import SEARCH
from conformance.search.cases import Case, add_cases

checks = Checks("Search: string")


def _row(name: str, query: str, finds: str, words: str) -> Case:
    return Case(f"string_{name}", "Patient", query, finds, words)


PLAIN = (
    _row("start", "family=mull", "anna bob carl", "A string finds what begins with it."),
    _row("case", "family=MULLERSON", "carl", "The case of a string does not count."),
    _row("accents", "family=müller", "anna bob carl", "Accents do not count in what is asked for."),
    _row("accents_stored", "family=muller", "anna bob carl", "Accents do not count in what is stored."),
    _row("not_within", "family=son", "", "A string does not find what has it in the middle."),
    _row("second_value", "given=maria", "anna", "Each of several values is found."),
    _row("blank", "family=van der", "eve", "Several words with blanks are found."),
    _row("escaped_comma", "family=Smith\\, Jones", "dora", "An escaped comma is a part of the value."),
    _row("or", "family=smith,van", "dora eve", "Values between commas find what begins with any of them."),
    _row("repeated", "given=anna&given=maria", "anna", "A repeated parameter asks for all its values."),
    _row(
        "repeated_nothing", "given=anna&given=robert", "", "A repeated parameter whose values no one has finds nothing."
    ),
    _row("two", "family=muller&given=rob", "bob", "Two parameters find what fits both."),
    _row(
        "name_family", "name=hausmann,mullerson", "carl", "`name` finds a family name, and only of the type asked for."
    ),
    _row("name_given", "name=carl", "carl", "`name` finds a given name."),
    _row("name_text", "name=finn", "finn", "`name` finds the text of a name."),
    _row("address", "address=bahnhof", "anna", "`address` finds a line."),
    _row("address_city", "address-city=zurich", "anna", "A part of an address is found."),
    _row("address_postcode", "address-postalcode=8001", "anna", "A postal code is found."),
    _row("unused", "family=nobody-has-this", "", "A name that nobody has finds nothing."),
    Case("string_name_practitioner", "Practitioner", "name=hausm", "gp", "A practitioner is found by name."),
    Case("string_organization", "Organization", "name=kit c", "clinic", "An organization is found by name."),
    Case("string_value", "Observation", "value-string=positive", "o_text", "A text value is found by its beginning."),
)
add_cases(checks, f"{SEARCH}#string", PLAIN)

MODIFIED = (
    _row("exact", "family:exact=Muller", "bob", "`:exact` finds the whole value alone."),
    _row("exact_case", "family:exact=muller", "", "`:exact` heeds the case."),
    _row("exact_accents", "family:exact=Müller", "anna", "`:exact` heeds accents."),
    _row("exact_or", "family:exact=Muller,Mullerson", "bob carl", "`:exact` takes several values."),
    _row("contains", "family:contains=son", "carl", "`:contains` finds what ends with a text."),
    _row(
        "contains_middle", "family:contains=ULLE", "anna bob carl", "`:contains` ignores the case and looks anywhere."
    ),
    _row("contains_accents", "address-city:contains=UERICH,uri", "anna", "`:contains` ignores accents."),
    _row("missing", "family:missing=true", "finn", "`:missing=true` finds what has no such element."),
    _row("not_missing", "address-city:missing=false", "anna", "`:missing=false` finds what has one."),
)
add_cases(checks, f"{SEARCH}#modifiers", MODIFIED)

"""Searches by numbers, quantities, URIs, and combinations of values. https://hl7.org/fhir/R4/search.html#ptypes"""

from __future__ import annotations

from conformance.check import Checks, expect
from conformance.clauses import SEARCH
from conformance.rest_context import RestContext
from conformance.search.care import LOINC, SNOMED, UCUM
from conformance.search.cases import Case, add_cases, found
from conformance.statement import search_parameter

checks = Checks("Search: number, quantity, uri, composite")


def _risk(name: str, value: str, finds: str, words: str) -> Case:
    return Case(f"number_{name}", "RiskAssessment", f"probability={value}", finds, words)


def _quantity(name: str, value: str, finds: str, words: str) -> Case:
    return Case(f"quantity_{name}", "Observation", f"value-quantity={value}", finds, words)


def _uri(name: str, query: str, finds: str, words: str) -> Case:
    return Case(f"uri_{name}", "Questionnaire", query, finds, words)


def _composite(name: str, query: str, finds: str, words: str) -> Case:
    return Case(f"composite_{name}", "Observation", query, finds, words)


NUMBERS = (
    _risk("rounded", "0.5", "r_half r_more", "A number finds what rounds to it at its precision."),
    _risk("precise", "0.50", "r_half", "A further digit makes a number more precise."),
    _risk("exponent", "5e-1", "r_half r_more", "A number may have an exponent."),
    _risk("exponent_precise", "50e-2", "r_half", "The digits before an exponent are its precision."),
    _risk("or", "0.50,0.80", "r_half r_high", "Numbers between commas find any of them."),
    _risk("gt", "gt0.5", "r_more r_high", "`gt` compares with the number exactly."),
    _risk("ge", "ge0.54", "r_more r_high", "`ge` finds the number itself."),
    _risk("lt", "lt0.54", "r_half", "`lt` does not find the number itself."),
    _risk("le", "le0.5", "r_half", "`le` compares with the number exactly."),
    _risk("ne", "ne0.50", "r_more r_high", "`ne` finds other numbers."),
    _risk("sa", "sa0.54", "r_high", "`sa` finds what is above."),
    _risk("eb", "eb0.54", "r_half", "`eb` finds what is below."),
    _risk("unused", "0.99", "", "A number that nothing has finds nothing."),
    Case("number_range", "RiskAssessment", "probability=gt0.5&probability=lt0.8", "r_more", "Two bounds make a range."),
)
add_cases(checks, f"{SEARCH}#number", NUMBERS)

QUANTITIES = (
    _quantity("plain", "6.3", "o_mmol", "A number finds a quantity in any unit."),
    _quantity("rounded", f"70|{UCUM}|kg", "o_kg o_70", "A quantity finds what rounds to it at its precision."),
    _quantity("precise", f"70.0|{UCUM}|kg", "o_kg", "A further digit makes a quantity more precise."),
    _quantity("no_system", "70.4||kg", "o_70", "A unit without a system finds the unit or its code."),
    _quantity("unit_text", "6.3||mmol/L", "o_mmol", "A unit without a system finds a unit that has no code."),
    _quantity("other_system", "70|http://example.org/units|kg", "", "A unit is not found in another system."),
    _quantity("other_unit", f"70|{UCUM}|g", "", "A quantity in another unit is not found."),
    _quantity("gt", f"gt70|{UCUM}|kg", "o_70", "`gt` compares with the value exactly."),
    _quantity("ge", f"ge70|{UCUM}|kg", "o_kg o_70", "`ge` finds the value itself."),
    _quantity("lt", f"lt70.4|{UCUM}|kg&value-quantity=gt60|{UCUM}|kg", "o_kg", "`lt` does not find the value itself."),
    _quantity("le", f"le70.4|{UCUM}|kg&value-quantity=gt60|{UCUM}|kg", "o_kg o_70", "`le` finds the value itself."),
    _quantity("sa", f"sa70|{UCUM}|kg", "o_70", "`sa` finds what is above."),
    _quantity("or", f"70.0|{UCUM}|kg,6.3||mmol/L", "o_kg o_mmol", "Quantities between commas find any of them."),
    Case(
        "quantity_component",
        "Observation",
        f"component-value-quantity=120|{UCUM}|mm[Hg]",
        "o_bp",
        "A component is found.",
    ),
    Case(
        "quantity_missing",
        "Observation",
        "value-quantity:missing=false",
        "o_kg o_70 o_lb o_mmol",
        "`:missing=false` finds what has a quantity.",
    ),
)
add_cases(checks, f"{SEARCH}#quantity", QUANTITIES)

URIS = (
    _uri("exact", "url={url}/one", "q_one", "A URI finds the very same."),
    _uri("not_start", "url={url}", "", "The beginning of a URI finds nothing."),
    _uri("case", "url={url}/ONE", "", "The case of a URI counts."),
    _uri("or", "url={url}/one,{url}-other", "q_one q_other", "URIs between commas find any of them."),
    _uri("below", "url:below={url}/one", "q_one q_two", "`:below` finds a URI and what continues it."),
    _uri("above", "url:above={url}/one/two/three", "q_one q_two", "`:above` finds what a URI continues."),
)
add_cases(checks, f"{SEARCH}#uri", URIS)

WEIGHT_CODE = f"{LOINC}|29463-7"
COMPOSITES = (
    _composite(
        "token", f"code-value-concept={LOINC}|882-1${SNOMED}|112144000", "o_concept", "A code and a coded value."
    ),
    _composite("quantity", f"code-value-quantity={WEIGHT_CODE}$ge70.2|{UCUM}|kg", "o_70", "A code and a quantity."),
    _composite("string", "code-value-string=29463-7x$positive", "o_text", "A code and a text."),
    _composite(
        "other_code", f"code-value-quantity=2339-0$gt50|{UCUM}|kg", "", "The value of another code is not found."
    ),
    _composite(
        "or",
        f"code-value-quantity={WEIGHT_CODE}$70.0|{UCUM}|kg,2339-0$6.3",
        "o_kg o_mmol",
        "Combinations between commas find any of them.",
    ),
    _composite(
        "component", f"component-code-value-quantity=8480-6$gt110|{UCUM}|mm[Hg]", "o_bp", "A part of a component."
    ),
    _composite(
        "one_component",
        f"component-code-value-quantity=8480-6$lt100|{UCUM}|mm[Hg]",
        "",
        "Code and value must be of the same component.",
    ),
)
add_cases(checks, f"{SEARCH}#composite", COMPOSITES)


@checks(
    "search.quantity_converted",
    "A UCUM quantity is found in another unit, or not at all.",
    f"{SEARCH}#quantity",
    search_parameter("Observation", "value-quantity"),
)
def _(context: RestContext) -> None:
    finds = found(context, "Observation", f"value-quantity=70000|{UCUM}|g")
    expect(finds in ([], ["o_kg"]), f"70000 g finds {finds}.")
    if not finds:
        context.notes.append("Units are not converted: 70000 g does not find 70 kg.")


@checks(
    "search.number_ap",
    "`ap` finds what is within about a tenth.",
    f"{SEARCH}#prefix",
    search_parameter("RiskAssessment", "probability"),
)
def _(context: RestContext) -> None:
    finds = set(found(context, "RiskAssessment", "probability=ap0.52"))
    expect("r_high" not in finds and {"r_half", "r_more"} <= finds, f"probability=ap0.52 finds {sorted(finds)}.")

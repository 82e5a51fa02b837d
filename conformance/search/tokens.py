"""Searches by tokens. https://hl7.org/fhir/R4/search.html#token"""

from __future__ import annotations

from conformance.check import Checks, expect
from conformance.clauses import SEARCH
from conformance.rest_context import RestContext
from conformance.search.care import LOINC, SNOMED
from conformance.search.cases import Case, add_cases, expect_found, found
from conformance.search.people import IDENTIFIER_TYPES, MRN
from conformance.statement import search_parameter

checks = Checks("Search: token")
GENDERS = "http://hl7.org/fhir/administrative-gender"
GENDER_VALUES = "http://hl7.org/fhir/ValueSet/administrative-gender"


def _patients(name: str, query: str, finds: str, words: str) -> Case:
    return Case(f"token_{name}", "Patient", query, finds, words)


def _observations(name: str, query: str, finds: str, words: str) -> Case:
    return Case(f"token_{name}", "Observation", query, finds, words)


PLAIN = (
    _patients("code", "gender=female", "anna dora", "A code finds what has it."),
    _patients("code_of_system", f"gender={GENDERS}|male", "bob carl", "A code element is found by its implied system."),
    _patients("code_or", "gender=female,unknown", "anna dora eve", "Values between commas find what has any of them."),
    _patients("code_unused", "gender=other", "", "A code that nothing has finds nothing."),
    _patients("and", "gender=male&active=true", "bob", "Two parameters find what fits both."),
    _patients("boolean_true", "active=true", "anna bob", "A boolean is found by true."),
    _patients(
        "boolean_false", "active=false", "carl", "A boolean is found by false, which does not find what lacks it."
    ),
    _patients("deceased_true", "deceased=true", "bob", "`deceased` finds who died at a date."),
    _patients("deceased_false", "deceased=false", "anna carl dora eve finn", "`deceased=false` finds everybody else."),
    _patients("identifier", "identifier=A-1", "anna bob carl", "A value without a system is found in any system."),
    _patients("identifier_system", f"identifier={MRN}|A-1", "anna", "A system and a value find one identifier."),
    _patients(
        "identifier_no_system", "identifier=|A-1", "carl", "A value after a bar is found where there is no system."
    ),
    _patients(
        "identifier_any", f"identifier={MRN}|", "anna dora", "A system before a bar finds each of its identifiers."
    ),
    _patients("identifier_whole", "identifier=A-", "", "The beginning of an identifier finds nothing."),
    _patients("identifiers", f"identifier={MRN}|A-1,{MRN}|D-4", "anna dora", "Several identifiers find each of them."),
    _patients("email", "email=anna@example.org", "anna", "A contact point is found by its value."),
    _patients("telecom", "telecom=555-0101", "anna", "`telecom` finds a phone number."),
    _patients("phone_is_no_email", "email=555-0101", "", "`email` does not find a phone number."),
    _patients("language", "language=de", "anna", "A CodeableConcept is found by its code."),
    _observations("coding", "code=29463-7", "o_kg o_70 o_lb", "A code finds a CodeableConcept in any system."),
    _observations("coding_system", f"code={LOINC}|29463-7", "o_kg o_70 o_lb", "A system and a code find a coding."),
    _observations("coding_other_system", f"code={SNOMED}|29463-7", "", "A code is not found in another system."),
    _observations("coding_second", f"code={SNOMED}|27113001", "o_kg", "A second coding is found as the first is."),
    _observations("coding_any", f"code={SNOMED}|", "o_kg", "A system before a bar finds each of its codes."),
    _observations(
        "coding_no_system", "code=|29463-7x", "o_text", "A code after a bar finds a coding without a system."
    ),
    _observations("coding_not_bare", "code=|29463-7", "", "A code after a bar does not find a coding with a system."),
    _observations("coding_and", "code=29463-7&code=27113001", "o_kg", "A repeated parameter asks for all its values."),
    _observations("status_and", "status=final&status=amended", "", "Two different values of one element find nothing."),
    _observations("status_or", "status=amended,preliminary&code=29463-7", "o_lb", "Commas and repeats work together."),
    _observations("component", "component-code=8480-6", "o_bp", "A code in a component is found."),
    _observations("combo", "combo-code=8480-6,29463-7", "o_bp o_kg o_70 o_lb", "`combo-code` looks in both places."),
    _observations("value_concept", f"value-concept={SNOMED}|112144000", "o_concept", "A coded value is found."),
    Case("token_coding_element", "Encounter", "class=AMB", "e_done e_past", "A Coding is found by its code."),
    Case("token_clinical_status", "Condition", "clinical-status=active", "c_active", "A clinical status is found."),
)
add_cases(checks, f"{SEARCH}#token", PLAIN)

MODIFIED = (
    _patients("not", "gender:not=male", "anna dora eve finn", "`:not` finds what has another code, and what has none."),
    _patients(
        "not_several", "gender:not=male,female", "eve finn", "`:not` with several values finds what has none of them."
    ),
    _observations("not_coding", f"code:not={LOINC}|29463-7", "o_bp o_mmol o_text o_concept", "`:not` takes a system."),
    _patients("missing", "gender:missing=true", "finn", "`:missing=true` finds what has no such element."),
    _patients("not_missing", "active:missing=false", "anna bob carl", "`:missing=false` finds what has one."),
    _observations("text", "code:text=body", "o_kg o_70 o_lb", "`:text` finds a display by a word of it."),
    _patients("in", f"gender:in={GENDER_VALUES}", "anna bob carl dora eve", "`:in` finds the codes of a value set."),
    _patients("not_in", f"gender:not-in={GENDER_VALUES}", "finn", "`:not-in` finds what has no code of a value set."),
    _patients(
        "of_type",
        f"identifier:of-type={IDENTIFIER_TYPES}|MR|A-1",
        "anna",
        "`:of-type` finds an identifier by its type.",
    ),
    _patients(
        "of_other_type", f"identifier:of-type={IDENTIFIER_TYPES}|SS|A-1", "", "`:of-type` does not find another type."
    ),
)
add_cases(checks, f"{SEARCH}#modifiers", MODIFIED)


@checks(
    "search.token_case",
    "The case of a code is either ignored or heeded, and never finds something else.",
    f"{SEARCH}#token",
    search_parameter("Patient", "gender"),
)
def _(context: RestContext) -> None:
    finds = found(context, "Patient", "gender=FEMALE", optional=True)
    expect(not finds or set(finds) == {"anna", "dora"}, f"gender=FEMALE finds {finds}.")
    if not finds:
        context.notes.append("Codes are compared with regard to case.")


@checks(
    "search.token_escaped_bar",
    "An escaped bar is a part of the value.",
    f"{SEARCH}#escaping",
    search_parameter("Patient", "identifier"),
)
def _(context: RestContext) -> None:
    expect_found(found(context, "Patient", f"identifier={MRN}\\|A-1"), set(), f"identifier={MRN}\\|A-1")

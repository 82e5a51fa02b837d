"""Searches by references, chains and `_has`. https://hl7.org/fhir/R4/search.html#reference"""

from __future__ import annotations

from conformance.check import Checks
from conformance.clauses import SEARCH
from conformance.search.cases import Case, add_cases
from conformance.search.people import MRN

checks = Checks("Search: reference, chains")


def _encounters(name: str, query: str, finds: str, words: str, needs: str = "") -> Case:
    return Case(name, "Encounter", query, finds, words, needs)


def _patients(name: str, query: str, finds: str, words: str, needs: str = "") -> Case:
    return Case(name, "Patient", query, finds, words, needs)


PLAIN = (
    _encounters("reference_id", "patient={anna}", "e_done e_past", "A reference is found by its id."),
    _encounters("reference_type_id", "subject=Patient/{anna}", "e_done e_past", "A reference is found by Type/id."),
    _encounters(
        "reference_absolute", "subject={base}/Patient/{anna}", "e_done e_past", "An absolute URL finds it too."
    ),
    _encounters(
        "reference_elsewhere", "subject=http://example.org/Patient/{anna}", "", "Another server's URL does not."
    ),
    _encounters("reference_other_type", "subject=Group/{anna}", "", "The id of another type does not."),
    _encounters("reference_or", "subject=Patient/{anna},Patient/{bob}", "e_done e_past e_open", "Commas find any."),
    _encounters("reference_typed", "subject:Patient={anna}", "e_done e_past", "A type may be a modifier."),
    _encounters("reference_typed_other", "subject:Group={anna}", "", "The modifier of another type finds nothing."),
    _encounters(
        "reference_identifier", f"subject:identifier={MRN}|A-1", "e_done", "`:identifier` finds the identifier."
    ),
    _encounters("reference_missing", "service-provider:missing=true", "e_open e_past e_none", "`:missing=true`."),
    _encounters("reference_not_missing", "part-of:missing=false", "e_none", "`:missing=false` finds what has one."),
    _encounters("reference_nested", "participant={gp}", "e_done", "A reference in a part of a resource is found."),
    _encounters("reference_unknown", "subject=Patient/no-such-patient", "", "An unknown id finds nothing."),
    _encounters("reference_and", "patient={anna}&location={room}", "e_done", "Two references find what has both."),
    Case(
        "reference_any_type", "Patient", "general-practitioner={gp}", "anna", "One of several types is found by its id."
    ),
    Case("reference_member", "Observation", "has-member={o_kg}", "o_concept", "A reference to its own type is found."),
)
add_cases(checks, f"{SEARCH}#reference", PLAIN)

CHAINS = (
    _encounters("chain_string", "patient.family=mullerson", "e_none", "A chain looks in what is referred to."),
    _encounters("chain_typed", "subject:Patient.gender=female", "e_done e_past", "A chain may name the type."),
    _encounters("chain_exact", "subject:Patient.family:exact=Muller", "e_open", "A chain may end with a modifier."),
    _encounters("chain_date", "patient.birthdate=ge1970-02", "e_open e_none", "A chain may end with a prefix."),
    _encounters("chain_or", "patient.gender=male,other", "e_open e_none", "A chain takes several values."),
    _encounters("chain_and", "patient.gender=male&patient.active=true", "e_open", "Two chains find what fits both."),
    _encounters(
        "chain_with_own", "patient.gender=male&status=cancelled", "e_none", "A chain and a parameter do as well."
    ),
    _encounters(
        "chain_two", "subject:Patient.organization.name=kit ward", "e_done e_past", "A chain of two steps.", "ward"
    ),
    _encounters(
        "chain_three",
        "subject:Patient.organization:Organization.partof.name=kit clinic",
        "e_done e_past",
        "A chain of three steps.",
        "ward clinic",
    ),
    _encounters("chain_nothing", "patient.family=nobody-has-this", "", "A chain to nothing finds nothing."),
    _encounters("chain_identifier", f"patient.identifier={MRN}|A-1", "e_done e_past", "A chain to an identifier."),
    Case("chain_id", "Observation", "encounter.patient={anna}", "o_kg", "A chain ends with a reference.", "e_done"),
    Case(
        "chain_medication",
        "MedicationRequest",
        "medication.code=387207008",
        "m_ref",
        "A chain to a Medication.",
        "pills",
    ),
)
add_cases(checks, f"{SEARCH}#chaining", CHAINS)

REVERSED = (
    _patients(
        "has_token", "_has:Observation:patient:code=29463-7", "anna bob carl", "`_has` looks at what refers here."
    ),
    _patients("has_status", "_has:Encounter:patient:status=cancelled", "carl", "`_has` takes any parameter."),
    _patients(
        "has_or", "_has:Encounter:patient:status=cancelled,in-progress", "bob carl", "`_has` takes several values."
    ),
    _patients(
        "has_and",
        "_has:Observation:patient:code=29463-7&_has:Encounter:patient:class=AMB",
        "anna",
        "Two `_has` find what fits both.",
    ),
    _patients("has_with_own", "_has:Observation:patient:code=29463-7&gender=male", "bob carl", "`_has` with another."),
    _patients(
        "has_nested",
        "_has:Encounter:patient:_has:Observation:encounter:status=final",
        "anna",
        "`_has` within `_has` goes two steps.",
        "o_kg",
    ),
    _patients("has_date", "_has:Encounter:patient:date=gt2024-03-05", "bob", "`_has` takes prefixes."),
    _patients("has_nothing", "_has:Observation:patient:code=no-such-code", "", "`_has` of nothing finds nothing."),
    _encounters(
        "has_in_chain", "patient._has:Observation:patient:code=2339-0", "", "`_has` may be at the end of a chain."
    ),
)
add_cases(checks, f"{SEARCH}#has", REVERSED)

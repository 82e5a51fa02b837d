"""Slices, told by each kind of discriminator, and the rules for what belongs to none.

https://hl7.org/fhir/R4/profiling.html#slicing
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.resources.profiles.definitions import URL, element, found, issues, profile, sliced
from tests.resources.profiles.material import Json

SSN, MRN, OTHER = ({"system": f"http://example.org/{name}", "value": "1"} for name in ("ssn", "mrn", "other"))


def patient(*identifiers: Json, **members: Any) -> Json:
    named = {"identifier": list(identifiers)} if identifiers else {}
    return {"resourceType": "Patient", **named, **members}


def by_system(rules: str = "open", **members: Any) -> Json:
    """One `ssn` is needed, and one `mrn` is allowed."""
    return profile(
        "p",
        "Patient",
        element("Patient.identifier", slicing=sliced(("value", "system"), rules=rules, **members)),
        element("Patient.identifier:ssn", min=1, max="1"),
        element("Patient.identifier:ssn.system", min=1, fixedUri="http://example.org/ssn"),
        element("Patient.identifier:ssn.value", min=1),
        element("Patient.identifier:mrn", min=0, max="1"),
        element("Patient.identifier:mrn.system", min=1, fixedUri="http://example.org/mrn"),
    )


def test_a_slice_is_counted_apart() -> None:
    assert found(patient(SSN, MRN, OTHER, OTHER), by_system()) == []
    assert found(patient(MRN), by_system()) == [("required", "Patient")]
    assert found(patient(), by_system()) == [("required", "Patient")]
    assert found(patient(MRN, SSN, SSN), by_system()) == [("structure", "Patient.identifier[2]")]


def test_the_rules_of_a_slice_are_for_its_values_alone() -> None:
    unvalued = {"system": SSN["system"]}
    assert found(patient(unvalued, {"system": MRN["system"]}), by_system()) == [("required", "Patient.identifier[0]")]


def test_the_sentence_names_slice_and_profile() -> None:
    [issue] = issues(patient(), by_system())
    assert "Patient.identifier:ssn is missing" in issue.text
    assert URL + "p" in issue.text


@pytest.mark.parametrize(
    ("rules", "identifiers", "expected"),
    [
        ("open", (OTHER, SSN), []),
        ("closed", (SSN, OTHER), [("structure", "Patient.identifier[1]")]),
        ("openAtEnd", (SSN, OTHER), []),
        ("openAtEnd", (OTHER, SSN), [("structure", "Patient.identifier[1]")]),
    ],
)
def test_what_belongs_to_no_slice_goes_by_the_rules(rules: str, identifiers: tuple[Json, ...], expected: Any) -> None:
    assert found(patient(*identifiers), by_system(rules)) == expected


def test_ordered_slices_stand_in_the_order_of_the_profile() -> None:
    assert found(patient(SSN, OTHER, MRN), by_system(ordered=True)) == []
    assert found(patient(MRN, SSN), by_system(ordered=True)) == [("structure", "Patient.identifier[1]")]


def test_slices_are_told_by_patterns() -> None:
    laboratory = {"coding": [{"system": "http://example.org", "code": "lab"}]}
    sorted_out = profile(
        "p",
        "Observation",
        element("Observation.category", slicing=sliced(("pattern", "$this"))),
        element("Observation.category:lab", min=1, max="1", patternCodeableConcept=laboratory),
    )
    told = {"coding": [{"system": "urn:x", "code": "y"}, {"system": "http://example.org", "code": "lab"}]}
    tree = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    assert found({**tree, "category": [{"text": "x"}, told]}, sorted_out) == []
    assert found({**tree, "category": [{"text": "x"}]}, sorted_out) == [("required", "Observation")]


def test_a_pattern_above_the_discriminator_tells_as_well() -> None:
    concept = {"coding": [{"system": "http://example.org", "code": "lab"}]}
    by_code = profile(
        "p",
        "Observation",
        element("Observation.component", slicing=sliced(("value", "code.coding.code"))),
        element("Observation.component:lab", min=1),
        element("Observation.component:lab.code", min=1, patternCodeableConcept=concept),
    )
    tree = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    assert found({**tree, "component": [{"code": concept, "valueInteger": 1}]}, by_code) == []
    assert found({**tree, "component": [{"code": {"text": "lab"}, "valueInteger": 1}]}, by_code) != []


def test_slices_of_a_choice_are_told_by_type() -> None:
    typed = profile(
        "p",
        "Observation",
        element("Observation.value[x]", slicing=sliced(("type", "$this"), rules="closed")),
        element("Observation.value[x]:valueQuantity", type=[{"code": "Quantity"}]),
        element("Observation.value[x]:valueQuantity.unit", min=1),
    )
    tree = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    assert found({**tree, "valueQuantity": {"value": 1, "unit": "m"}}, typed) == []
    assert found({**tree, "valueQuantity": {"value": 1}}, typed) == [("required", "Observation.value")]
    assert found({**tree, "valueString": "x"}, typed) == [("structure", "Observation.value")]


def test_slices_of_references_are_told_by_the_type_that_they_point_to() -> None:
    doctors = [{"code": "Reference", "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Practitioner"]}]
    led = profile(
        "p",
        "Patient",
        element("Patient.generalPractitioner", slicing=sliced(("type", "resolve()"))),
        element("Patient.generalPractitioner:doctor", min=1, type=doctors),
    )
    house, doctor = {"reference": "Organization/1"}, {"reference": "Practitioner/1"}
    assert found(patient(generalPractitioner=[house, doctor]), led) == []
    assert found(patient(generalPractitioner=[house]), led) == [("required", "Patient")]


def test_slices_are_told_by_the_profile_that_their_values_follow() -> None:
    named = profile("named", "Patient", element("Patient.name", min=1))
    of = [{"code": "Patient", "profile": [URL + "named"]}]
    holding = profile(
        "p",
        "Bundle",
        element("Bundle.entry", slicing=sliced(("profile", "resource"))),
        element("Bundle.entry:named", min=1, max="1"),
        element("Bundle.entry:named.resource", min=1, type=of),
    )

    def bundle(*patients: Json) -> Json:
        entries = [
            {"fullUrl": f"urn:uuid:00000000-0000-0000-0000-00000000000{n}", "resource": p}
            for n, p in enumerate(patients)
        ]
        return {"resourceType": "Bundle", "type": "collection", "entry": entries}

    assert found(bundle(patient(), patient(name=[{"family": "a"}])), holding, named) == []
    assert found(bundle(patient(), patient()), holding, named) == [("required", "Bundle")]


def test_slices_are_told_by_what_exists() -> None:
    dated = profile(
        "p",
        "Patient",
        element("Patient.identifier", slicing=sliced(("exists", "period"))),
        element("Patient.identifier:past", max="1"),
        element("Patient.identifier:past.period", min=1),
        element("Patient.identifier:present", max="1"),
        element("Patient.identifier:present.period", max="0"),
    )
    past = {**SSN, "period": {"end": "2001"}}
    assert found(patient(past, MRN), dated) == []
    assert found(patient(past, past, MRN), dated) == [("structure", "Patient.identifier[1]")]
    assert found(patient(past, MRN, MRN), dated) == [("structure", "Patient.identifier[2]")]


def test_slices_are_told_by_a_required_value_set() -> None:
    binding = {"strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/days-of-week"}
    days = profile(
        "p",
        "Observation",
        element("Observation.category", slicing=sliced(("value", "$this"))),
        element("Observation.category:day", min=1, binding=binding),
    )
    tree = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    day = {"coding": [{"system": "http://hl7.org/fhir/days-of-week", "code": "mon"}]}
    assert found({**tree, "category": [day]}, days) == []
    assert found({**tree, "category": [{"text": "monday"}]}, days) == [("required", "Observation")]


def test_a_slice_may_be_sliced_again() -> None:
    again = profile(
        "p",
        "Patient",
        *by_system()["differential"]["element"][1:4],
        element("Patient.identifier:ssn", slicing=sliced(("value", "use")), min=0, max="*"),
        element("Patient.identifier:ssn/old", max="0"),
        element("Patient.identifier:ssn/old.use", min=1, fixedCode="old"),
    )
    assert found(patient(SSN, {**MRN, "use": "old"}), again) == []
    assert found(patient(SSN, {**SSN, "use": "old"}), again) == [("structure", "Patient.identifier[1]")]


def test_slices_that_cannot_be_told_apart_are_reported_and_refuse_nothing() -> None:
    vague = profile(
        "p",
        "Patient",
        element("Patient.identifier", slicing=sliced(("value", "system"))),
        element("Patient.identifier:ssn", min=1),
    )
    told = issues(patient(MRN), vague)
    assert [(issue.severity, issue.code) for issue in told] == [("warning", "not-supported")]

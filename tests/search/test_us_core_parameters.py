"""The search parameters that US Core adds to those of R4."""

from __future__ import annotations

import pytest

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"
OMB = "urn:oid:2.16.840.1.113883.6.238"


def of_race(name: str, code: str) -> dict:
    parts = [
        {"url": "ombCategory", "valueCoding": {"system": OMB, "code": code}},
        {"url": "text", "valueString": "Words"},
    ]
    return {"url": US_CORE + name, "extension": parts}


PATIENT = {
    "resourceType": "Patient",
    "extension": [
        of_race("us-core-race", "2106-3"),
        of_race("us-core-ethnicity", "2135-2"),
        {
            "url": US_CORE + "us-core-genderIdentity",
            "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "446141000124107"}]},
        },
    ],
}
CONDITION = {
    "resourceType": "Condition",
    "subject": {"reference": "Patient/1"},
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/condition-assertedDate", "valueDateTime": "2024-03-04"}
    ],
}
ENCOUNTER = {
    "resourceType": "Encounter",
    "status": "finished",
    "class": {"code": "IMP"},
    "hospitalization": {"dischargeDisposition": {"coding": [{"code": "home"}]}},
}
TEAM = {"resourceType": "CareTeam", "participant": [{"role": [{"coding": [{"code": "doctor"}]}]}]}
GOAL = {
    "resourceType": "Goal",
    "lifecycleStatus": "active",
    "description": {"coding": [{"code": "281004"}]},
    "subject": {"reference": "Patient/1"},
}


@pytest.mark.parametrize(
    ("resource", "query", "expected"),
    [
        (PATIENT, "race=2106-3", True),
        (PATIENT, f"race={OMB}|2106-3", True),
        (PATIENT, "race=2135-2", False),
        (PATIENT, "race=words", False),
        (PATIENT, "ethnicity=2135-2", True),
        (PATIENT, "ethnicity=2106-3", False),
        (PATIENT, "gender-identity=446141000124107", True),
        (CONDITION, "asserted-date=2024-03", True),
        (CONDITION, "asserted-date=lt2024", False),
        (ENCOUNTER, "discharge-disposition=home", True),
        (TEAM, "role=doctor", True),
        (GOAL, "description=281004", True),
    ],
)
def test_us_core_parameters_find_by_what_they_are_defined_on(found, resource, query, expected):
    assert found(resource, query) is expected

"""Token, string, reference and uri parameters. https://hl7.org/fhir/R4/search.html#token and the sections around it"""

from __future__ import annotations

import pytest

MRN = {"system": "http://acme.org/patient", "value": "2345", "type": {"coding": [{"system": "urn:v2", "code": "MR"}]}}
PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [MRN, {"value": "no-system"}],
    "active": True,
    "gender": "male",
    "name": [{"family": "Müller-Sanchez", "given": ["Eve", "José María"]}],
    "telecom": [{"system": "phone", "value": "555-1234"}],
    "address": [{"line": ["Main St 5"], "city": "Ann Arbor"}],
    "managingOrganization": {"reference": "Organization/o1"},
    "generalPractitioner": [{"identifier": {"system": "urn:npi", "value": "77"}}],
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("identifier=http://acme.org/patient|2345", True),
        ("identifier=2345", True),
        ("identifier=|2345", False),
        ("identifier=|no-system", True),
        ("identifier=http://acme.org/patient|", True),
        ("identifier=urn:x|", False),
        ("identifier=http://acme.org/patient|9", False),
        ("identifier:of-type=urn:v2|MR|2345", True),
        ("identifier:of-type=urn:v2|MR|9", False),
        ("identifier=9,2345", True),
        ("gender=male", True),
        ("gender=MALE", True),
        ("gender=http://hl7.org/fhir/administrative-gender|male", True),
        ("gender=urn:x|male", False),
        ("gender:not=male", False),
        ("gender:not=female", True),
        ("gender:not=female,male", False),
        ("gender:in=http://hl7.org/fhir/ValueSet/administrative-gender", True),
        ("gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender", False),
        ("active=true", True),
        ("active=false", False),
        ("phone=555-1234", True),
        ("email=555-1234", False),
        ("email:missing=true", True),
        ("phone:missing=true", False),
        ("deceased=true", False),
        ("family=muller", True),
        ("family=MÜLLER-SANCHEZ", True),
        ("family=sanchez", False),
        ("family:contains=sanchez", True),
        ("family:exact=Müller-Sanchez", True),
        ("family:exact=müller-sanchez", False),
        ("family:exact=Müller", False),
        ("given=eve", True),
        ("given=jose maria", True),
        ("given:contains=mar", True),
        ("name=eve,adam", True),
        ("name=adam", False),
        ("address=main", True),
        ("address-city=ann", True),
        ("organization=Organization/o1", True),
        ("organization=o1", True),
        ("organization=http://localhost:8080/fhir/Organization/o1", True),
        ("organization=http://elsewhere/fhir/Organization/o1", False),
        ("organization:Organization=o1", True),
        ("general-practitioner:identifier=urn:npi|77", True),
        ("general-practitioner:identifier=77", True),
        ("general-practitioner:identifier=urn:npi|78", False),
        ("general-practitioner:missing=false", True),
        ("_id=p1", True),
        ("_id=p2,p1", True),
        ("_id=p2", False),
        ("gender=male&family=muller&active=true", True),
        ("gender=male&family=smith", False),
        ('_filter=family sw "mul" and gender eq male', True),
        ('_filter=gender eq female or (given co "mar" and not (active eq false))', True),
        ("_filter=gender eq female", False),
        ("_filter=birthdate pr false", True),
    ],
)
def test_a_patient_is_found_as_the_specification_says(found, query, expected):
    assert found(PATIENT, query) is expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (r"identifier=a\,b", True),
        ("identifier=a,b", False),
        (r"identifier=c\|d", True),
        ("identifier=c|d", False),
        (r"identifier=e\\f", True),
        (r"identifier=urn:1|a\,b", False),
    ],
)
def test_escapes_stand_for_the_characters_themselves(found, query, expected):
    patient = {"resourceType": "Patient", "identifier": [{"value": "a,b"}, {"value": "c|d"}, {"value": "e\\f"}]}
    assert found(patient, query) is expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("url=http://acme.org/fhir/ValueSet/1", True),
        ("url=http://acme.org/fhir/valueset/1", False),
        ("url:below=http://acme.org/fhir", True),
        ("url:below=http://acme.org/fh", False),
        ("url:above=http://acme.org/fhir/ValueSet/1/history/5", True),
        ("url:above=http://acme.org/fhir", False),
    ],
)
def test_uris_compare_exactly_or_by_path(found, query, expected):
    assert found({"resourceType": "ValueSet", "url": "http://acme.org/fhir/ValueSet/1"}, query) is expected


def test_the_text_of_a_code_is_searched_by_its_display_and_its_text(found):
    code = {"coding": [{"system": "http://loinc.org", "code": "8302-2", "display": "Body Height"}], "text": "Größe"}
    observation = {"resourceType": "Observation", "code": code}
    assert found(observation, "code:text=body")
    assert found(observation, "code:text=grosse")
    assert not found(observation, "code:text=weight")


def test_a_reference_counts_only_where_it_points_to_the_type_that_the_parameter_is_about(found):
    condition = {"resourceType": "Condition", "subject": {"reference": "Group/1"}}
    assert found(condition, "subject=Group/1")
    assert not found(condition, "patient=1")
    assert found({"resourceType": "Condition", "subject": {"reference": "Patient/1"}}, "patient=1")

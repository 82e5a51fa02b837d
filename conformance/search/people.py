"""The people and places of the population that is searched, with what parameters of their kinds are tried on.

References are `Type/key`, with the keys of the population in place of ids.
"""

from __future__ import annotations

from typing import Any

MRN, SSN = "urn:conformance-kit:mrn", "urn:conformance-kit:ssn"
IDENTIFIER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
PROFILE = "http://hl7.org/fhir/StructureDefinition/Patient"
SOURCE = "http://example.org/conformance-kit/source"
WORD = "kitnarrative"
XHTML = "http://www.w3.org/1999/xhtml"

Resource = dict[str, Any]


def people(unique: str) -> dict[str, Resource]:
    """Key → resource. unique: a text that nothing else on the server has."""
    return {
        "gp": {
            "resourceType": "Practitioner",
            "name": [{"family": "Hausmann", "given": ["Greta"]}],
        },
        "clinic": {"resourceType": "Organization", "name": "Kit Clinic"},
        "ward": {"resourceType": "Organization", "name": "Kit Ward", "partOf": {"reference": "Organization/clinic"}},
        "room": {"resourceType": "Location", "name": "Kit Room", "status": "active"},
        **_patients(),
        "q_one": _questionnaire(f"http://example.org/{unique}/one"),
        "q_two": _questionnaire(f"http://example.org/{unique}/one/two"),
        "q_other": _questionnaire(f"http://example.org/{unique}-other"),
    }


def _patients() -> dict[str, Resource]:
    return {
        "anna": {
            "resourceType": "Patient",
            "meta": {
                "profile": [PROFILE],
                "source": SOURCE,
                "security": [{"system": CONFIDENTIALITY, "code": "R"}],
            },
            "text": {"status": "generated", "div": f'<div xmlns="{XHTML}">{WORD}</div>'},
            "identifier": [
                {"type": {"coding": [{"system": IDENTIFIER_TYPES, "code": "MR"}]}, "system": MRN, "value": "A-1"}
            ],
            "active": True,
            "name": [{"family": "Müller", "given": ["Anna", "Maria"]}],
            "telecom": [{"system": "email", "value": "anna@example.org"}, {"system": "phone", "value": "555-0101"}],
            "gender": "female",
            "birthDate": "1970-01-31",
            "deceasedBoolean": False,
            "address": [{"line": ["Bahnhofstrasse 1"], "city": "Zürich", "postalCode": "8001", "country": "CH"}],
            "communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "de"}]}}],
            "generalPractitioner": [{"reference": "Practitioner/gp"}],
            "managingOrganization": {"reference": "Organization/ward"},
        },
        "bob": {
            "resourceType": "Patient",
            "identifier": [{"system": SSN, "value": "A-1"}],
            "active": True,
            "name": [{"family": "Muller", "given": ["Robert"]}],
            "gender": "male",
            "birthDate": "1970-02",
            "deceasedDateTime": "2024-06-01",
            "generalPractitioner": [{"reference": "Organization/clinic"}],
            "managingOrganization": {"reference": "Organization/clinic"},
        },
        "carl": {
            "resourceType": "Patient",
            "identifier": [{"value": "A-1"}],
            "active": False,
            "name": [{"family": "Mullerson", "given": ["Carl"]}],
            "gender": "male",
            "birthDate": "1980-12-31",
        },
        "dora": {
            "resourceType": "Patient",
            "identifier": [{"system": MRN, "value": "D-4"}],
            "name": [{"family": "Smith, Jones", "given": ["Dora"]}],
            "gender": "female",
            "birthDate": "1980",
        },
        "eve": {
            "resourceType": "Patient",
            "name": [{"family": "van der Berg", "given": ["Eve"]}],
            "gender": "unknown",
            "birthDate": "1981-01-01",
        },
        "finn": {"resourceType": "Patient", "name": [{"text": "Finn Only"}]},
    }


def _questionnaire(url: str) -> Resource:
    return {"resourceType": "Questionnaire", "url": url, "status": "draft"}

"""Parameters whose published definitions are unusual, or wrong."""

from __future__ import annotations

import pytest

from search.paths import compile_paths

SEQUENCE = {
    "resourceType": "MolecularSequence",
    "coordinateSystem": 0,
    "referenceSeq": {
        "chromosome": {"coding": [{"system": "urn:chromosomes", "code": "7"}]},
        "referenceSeqId": {"coding": [{"code": "NC_1"}]},
        "windowStart": 1,
        "windowEnd": 900,
    },
    "variant": [{"start": 100, "end": 120}],
}
DOCUMENT = {
    "resourceType": "DocumentReference",
    "status": "current",
    "content": [{"attachment": {"title": "x"}}],
    "relatesTo": [
        {"code": "replaces", "target": {"reference": "DocumentReference/old"}},
        {"code": "appends", "target": {"reference": "DocumentReference/other"}},
    ],
}
PLAN = {"resourceType": "InsurancePlan", "name": "Gold", "alias": ["Aurum"]}


@pytest.mark.parametrize(
    ("resource", "query", "expected"),
    [
        (SEQUENCE, "chromosome-variant-coordinate=7$ge90$le130", True),
        (SEQUENCE, "chromosome-variant-coordinate=urn:chromosomes|7$ge90$le130", True),
        (SEQUENCE, "chromosome-variant-coordinate=8$ge90$le130", False),
        (SEQUENCE, "chromosome-variant-coordinate=7$ge130$le900", False),
        (SEQUENCE, "referenceseqid-variant-coordinate=NC_1$ge90$le130", True),
        (DOCUMENT, "relationship=DocumentReference/old$replaces", True),
        (DOCUMENT, "relationship=DocumentReference/old$appends", False),
        (PLAN, "name=gold", True),
        (PLAN, "name=aurum", True),
        (PLAN, "name=silver", False),
    ],
)
def test_an_oddly_defined_parameter_finds_what_it_is_meant_to_find(found, resource, query, expected):
    assert found(resource, query) is expected


def test_a_path_may_go_on_below_a_choice_of_types():
    url = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-genderIdentity"
    [path] = compile_paths(f"Patient.extension.where(url='{url}').value.coding.code", "Patient")
    coded = {"coding": [{"system": "urn:x", "code": "y"}]}
    extensions = [
        {"url": url, "valueCodeableConcept": coded},
        {"url": url, "valueCode": "z"},
        {"url": "urn:x", "valueCode": "z"},
    ]
    patient = {"resourceType": "Patient", "extension": extensions}
    assert [value for value, _ in path.select(patient)] == ["y"]

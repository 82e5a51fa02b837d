"""How well two Patients fit. https://hl7.org/fhir/R4/patient-operation-match.html"""

from __future__ import annotations

from typing import Any

import pytest

from resources.types.patient_match import FULL_SCORE, Fit, Spelling, fit
from search.folding import folded
from search.kinds.phonetic import sounds

SPELLING = Spelling(folded, sounds)
ANNA: dict[str, Any] = {
    "resourceType": "Patient",
    "identifier": [{"system": "urn:mrn", "value": "1"}],
    "name": [{"family": "Müller", "given": ["Anna", "Maria"]}],
    "birthDate": "1970-02-03",
    "gender": "female",
    "telecom": [{"system": "phone", "value": "+49 30 1234 5678"}, {"system": "email", "value": "Anna@Example.org"}],
    "address": [{"line": ["Hauptstr. 1"], "postalCode": "10115", "city": "Berlin"}],
}


def points(given: dict[str, Any], found: dict[str, Any] = ANNA) -> int:
    return fit(given, found, SPELLING).points


def grade(given: dict[str, Any]) -> str | None:
    return fit(given, ANNA, SPELLING).grade


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"identifier": [{"system": "urn:mrn", "value": "1"}]}, 12),
        ({"identifier": [{"system": "urn:mrn", "value": "2"}]}, 0),
        ({"identifier": [{"system": "urn:other", "value": "1"}]}, 0),
        ({"identifier": [{"value": "1"}]}, 0),
        ({"identifier": [{"system": "urn:mrn", "value": "1", "use": "old"}]}, 0),
        ({"birthDate": "1970-02-03"}, 4),
        ({"birthDate": "1970-03-02"}, 2),
        ({"birthDate": "1971-02-03"}, 2),
        ({"birthDate": "1970"}, 2),
        ({"birthDate": "1985-11-30"}, -4),
        ({"name": [{"family": "MULLER"}]}, 3),
        ({"name": [{"family": "Mueler"}, {"family": "Muller"}]}, 3),
        ({"name": [{"family": "Muler"}]}, 2),
        ({"name": [{"family": "Schmidt"}]}, -3),
        ({"name": [{"given": ["maria"]}]}, 2),
        ({"name": [{"given": ["A."]}]}, 1),
        ({"name": [{"given": ["Ana"]}]}, 1),
        ({"name": [{"given": ["Kurt"]}]}, -1),
        ({"gender": "female"}, 1),
        ({"gender": "male"}, -1),
        ({"gender": "unknown"}, 0),
        ({"telecom": [{"value": "030 12345678"}]}, 3),
        ({"telecom": [{"value": "anna@example.ORG"}]}, 3),
        ({"telecom": [{"value": "030 12345679"}, {"system": "phone"}]}, 0),
        ({"address": [{"line": ["hauptstr. 1"], "postalCode": "10115"}]}, 2),
        ({"address": [{"line": ["Nebenstr. 1"], "city": "Berlin"}]}, 1),
        ({"address": [{"line": ["Hauptstr. 1"], "city": "Bonn"}]}, 0),
        ({}, 0),
    ],
)
def test_each_thing_counts_for_itself(given: dict[str, Any], expected: int) -> None:
    assert points(given) == expected


def test_what_only_one_of_them_has_does_not_count() -> None:
    assert points(ANNA, {"resourceType": "Patient"}) == 0
    assert points({"name": [{"text": "Anna Müller"}]}) == 0


def test_an_identifier_is_certain_unless_a_birth_date_or_name_speaks_against_it() -> None:
    identifier = ANNA["identifier"]
    assert grade({"identifier": identifier}) == "certain"
    assert grade({"identifier": identifier, "birthDate": "1985-11-30"}) == "probable"
    assert grade({"identifier": identifier, "name": [{"family": "Schmidt"}]}) == "probable"
    assert (
        grade({"identifier": identifier, "name": [{"family": "Schmidt", "given": ["Kurt"]}], "gender": "male"})
        is not None
    )
    assert grade({"identifier": identifier, "birthDate": "1970-02-03", "name": [{"family": "Schmidt"}]}) == "certain"


def test_name_and_birth_date_are_probable_and_a_phone_makes_them_certain() -> None:
    described = {"name": [{"family": "Muller", "given": ["Anna"]}], "birthDate": "1970-02-03", "gender": "female"}
    assert grade(described) == "probable"
    assert grade({**described, "telecom": [{"value": "03012345678"}]}) == "certain"
    assert grade({**described, "birthDate": "1970-03-02"}) == "probable"
    assert grade({"name": described["name"]}) == "possible"
    assert grade({"name": described["name"], "birthDate": "1985-11-30"}) is None
    assert grade({"gender": "female"}) is None


def test_a_score_lies_between_nought_and_one() -> None:
    assert fit(ANNA, ANNA, SPELLING).score == 1
    assert Fit(-4).score == 0
    assert Fit(FULL_SCORE // 2).score == 0.5
    assert Fit(3).grade is None

"""Number and quantity parameters. https://hl7.org/fhir/R4/search.html#number and #quantity"""

from __future__ import annotations

from decimal import Decimal

import pytest

UCUM = "http://unitsofmeasure.org"


def risk(probability: str) -> dict[str, object]:
    return {"resourceType": "RiskAssessment", "prediction": [{"probabilityDecimal": Decimal(probability)}]}


@pytest.mark.parametrize(
    ("stored", "query", "expected"),
    [
        ("100", "100", True),
        ("99.6", "100", True),
        ("100.4", "100", True),
        ("100.5", "100", False),
        ("99.4", "100", False),
        ("99.996", "100.00", True),
        ("100.004", "100.00", True),
        ("100.006", "100.00", False),
        ("104", "1e2", True),
        ("151", "1e2", False),
        ("100.4", "ne100", False),
        ("101", "ne100", True),
        ("100.01", "gt100", True),
        ("100", "gt100", False),
        ("100", "ge100", True),
        ("99.99", "lt100", True),
        ("100", "le100", True),
        ("109", "ap100", True),
        ("111", "ap100", False),
        ("-5", "lt-4.9", True),
        ("-5", "gt-5.1", True),
        ("0.0000001", "gt0", True),
    ],
)
def test_a_number_compares_as_the_specification_says(found, stored, query, expected):
    assert found(risk(stored), f"probability={query}") is expected


def observation(value: str, **unit: str) -> dict[str, object]:
    return {"resourceType": "Observation", "valueQuantity": {"value": Decimal(value), **unit}}


MG = {"unit": "mg", "system": UCUM, "code": "mg"}


@pytest.mark.parametrize(
    ("stored", "query", "expected"),
    [
        (observation("5.4", **MG), f"5.4|{UCUM}|mg", True),
        (observation("5.4", **MG), f"5.40e-3|{UCUM}|g", True),
        (observation("5.4", **MG), "5.4||mg", True),
        (observation("5.4", **MG), "5.4", True),
        (observation("5.4", **MG), f"5.4|{UCUM}|g", False),
        (observation("5.4", **MG), "5.4|urn:other|mg", False),
        (observation("5.4", **MG), f"le5.4|{UCUM}|mg", True),
        (observation("5.4", **MG), f"gt5.4|{UCUM}|mg", False),
        (observation("5.4", **MG), f"gt0.005|{UCUM}|g", True),
        (observation("5.4", **MG), f"ap5.0|{UCUM}|mg", True),
        (observation("3", unit="tablets"), "3||tablets", True),
        (observation("120", unit="mmHg", system=UCUM, code="mm[Hg]"), f"ge120|{UCUM}|mm[Hg]", True),
        (observation("1", unit="h", system=UCUM, code="h"), f"60|{UCUM}|min", True),
    ],
)
def test_a_quantity_compares_in_its_own_unit_and_in_those_that_it_converts_to(found, stored, query, expected):
    assert found(stored, f"value-quantity={query}") is expected


def test_a_range_matches_by_its_ends(found):
    onset = {"low": {"value": 30, "unit": "a"}, "high": {"value": 40, "unit": "a"}}
    condition = {"resourceType": "Condition", "onsetRange": onset}
    assert found(condition, "onset-age=gt35")
    assert found(condition, "onset-age=lt35")
    assert not found(condition, "onset-age=gt40")
    assert not found(condition, "onset-age=35")


@pytest.mark.parametrize("low", ["5", "-5"])
def test_a_range_without_an_end_reaches_as_far_as_numbers_do(found, low):
    condition = {"resourceType": "Condition", "onsetRange": {"low": {"value": int(low), "unit": "a"}}}
    assert found(condition, "onset-age=gt1000000")
    assert not found(condition, f"onset-age=lt{low}")


def test_a_composite_asks_for_both_in_the_same_component(found):
    pressure = {
        "resourceType": "Observation",
        "component": [
            {
                "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
                "valueQuantity": {"value": 107, **MG},
            },
            {
                "code": {"coding": [{"system": "http://loinc.org", "code": "8462-4"}]},
                "valueQuantity": {"value": 60, **MG},
            },
        ],
    }
    assert found(pressure, "component-code-value-quantity=http://loinc.org|8480-6$107")
    assert found(pressure, "component-code-value-quantity=8480-6$gt100")
    assert not found(pressure, "component-code-value-quantity=8480-6$lt100")
    assert not found(pressure, "component-code-value-quantity=8462-4$107")
    assert found(pressure, "combo-code-value-quantity=8462-4$60||mg")


def test_a_composite_of_codes_asks_for_both(found):
    observation_ = {
        "resourceType": "Observation",
        "code": {"coding": [{"system": "http://loinc.org", "code": "94531-1"}]},
        "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "10828004"}]},
    }
    assert found(observation_, "code-value-concept=94531-1$http://snomed.info/sct|10828004")
    assert not found(observation_, "code-value-concept=94531-1$260385009")


def test_near_finds_positions_within_a_distance(found):
    position = {"latitude": Decimal("42.25"), "longitude": Decimal("-83.69")}
    location = {"resourceType": "Location", "position": position}
    assert found(location, "near=42.25|-83.69|1|km")
    assert found(location, "near=42.30|-83.69|10|km")
    assert not found(location, "near=42.50|-83.69|10|km")
    assert found(location, "near=42.30|-83.69|5|mi")
    assert not found(location, "near=42.30|-83.69|500|m")

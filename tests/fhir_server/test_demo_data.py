"""The demo population: valid R4, consistent in itself, and the same for the same seed."""

from __future__ import annotations

import gzip
import json
import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest

from fhir_server.demo_data import organization_records, patient_records

SEED = 20
TODAY = date(2026, 3, 4)
PATIENTS = 200
PROJECT = Path(__file__).parents[2]
DEFINITIONS = Path(os.environ.get("FHIR_SHARED", PROJECT.parent / "shared")) / "fhir/r4/definitions"
needs_definitions = pytest.mark.skipif(
    not (DEFINITIONS / "fhir.schema.json.gz").is_file(), reason=f"no FHIR definitions in {DEFINITIONS}"
)
# What has a fixed place in time, by type of resource; the validity of a prescription and of a vaccine reach further.
WHEN = {
    "AllergyIntolerance": ("onsetDateTime", "recordedDate"),
    "Condition": ("onsetDateTime", "abatementDateTime", "recordedDate"),
    "Encounter": ("period.start", "period.end"),
    "Immunization": ("occurrenceDateTime",),
    "MedicationRequest": ("authoredOn",),
    "Observation": ("effectiveDateTime", "issued"),
    "Procedure": ("performedPeriod.start", "performedPeriod.end"),
}

Resource = dict[str, Any]


@cache
def shared() -> tuple[Resource, ...]:
    return tuple(organization_records(SEED, TODAY, PATIENTS))


@cache
def charts() -> tuple[tuple[Resource, ...], ...]:
    return tuple(tuple(patient_records(SEED, number, TODAY, PATIENTS)) for number in range(PATIENTS))


def population() -> list[Resource]:
    return [*shared(), *(record for chart in charts() for record in chart)]


def of_type(name: str, records: Any = None) -> list[Resource]:
    return [record for record in (population() if records is None else records) if record["resourceType"] == name]


def walk(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, dict):
        for child in value.values():
            yield from walk(child)
    elif isinstance(value, list):
        for child in value:
            yield from walk(child)


def at(value: Any, path: str) -> list[Any]:
    """Return the values at a dotted path, through lists."""
    for step in path.split("."):
        found = value if isinstance(value, list) else [value]
        value = []
        for one in found:
            if isinstance(one, dict) and step in one:
                value += one[step] if isinstance(one[step], list) else [one[step]]
    return list(value)


def codes(record: Resource, path: str) -> list[str]:
    return at(record, f"{path}.coding.code")


def load(name: str) -> Any:
    return json.loads(gzip.decompress((DEFINITIONS / f"{name}.json.gz").read_bytes()))


@needs_definitions
def test_every_resource_of_two_hundred_patients_is_valid_by_the_official_schema() -> None:
    schema = load("fhir.schema")
    validators = {
        name: jsonschema.Draft6Validator({"$ref": f"#/definitions/{name}", "definitions": schema["definitions"]})
        for name in {record["resourceType"] for record in population()}
    }
    # Slots differ in their times only: one practitioner's are enough.
    for record in population():
        if record["resourceType"] != "Slot" or record["id"].startswith("demo-slot-0000"):
            error = next(validators[record["resourceType"]].iter_errors(record), None)
            assert error is None, (record["id"], error.json_path, error.message)


@needs_definitions
def test_codes_of_required_bindings_are_in_their_value_sets_and_required_elements_are_there() -> None:
    value_sets = {
        entry["resource"]["url"]: {
            (one.get("system"), one["code"])
            for one in walk(entry["resource"].get("expansion", {}))
            if isinstance(one, dict) and "code" in one
        }
        for entry in load("valueset-expansions")["entry"]
    }
    types = {record["resourceType"] for record in population()}
    elements = {
        entry["resource"]["type"]: entry["resource"]["snapshot"]["element"]
        for entry in load("profiles-resources")["entry"]
        if entry["resource"].get("type") in types
    }
    checked = 0
    for record in population():
        for element in elements[record["resourceType"]][1:]:
            path = element["path"].partition(".")[2]
            if element["min"] and "." not in path:
                name = path.removesuffix("[x]")
                assert any(key.startswith(name) for key in record), (record["id"], path)
            binding = element.get("binding", {})
            allowed = value_sets.get(binding.get("valueSet", "").partition("|")[0])
            if binding.get("strength") != "required" or not allowed:
                continue
            for value in at(record, path):
                if isinstance(value, str):
                    assert value in {code for _, code in allowed}, (record["id"], path, value)
                else:
                    pairs = {(one["system"], one["code"]) for one in at(value, "coding")}
                    assert pairs & allowed, (record["id"], path, pairs)
                checked += 1
    assert checked > 10_000


def test_every_reference_points_to_an_earlier_resource_of_the_population() -> None:
    def check(records: Any, known: set[str]) -> None:
        for record in records:
            for value in walk(record):
                if isinstance(value, dict) and "reference" in value:
                    assert value["reference"] in known, (record["id"], value["reference"])
            known.add(f"{record['resourceType']}/{record['id']}")

    everyone: set[str] = set()
    check(shared(), everyone)
    for chart in charts():
        check(chart, set(everyone))


def test_ids_are_unique_and_legal_and_tell_their_patient() -> None:
    names = [f"{record['resourceType']}/{record['id']}" for record in population()]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", record["id"]) for record in population())
    assert charts()[42][0]["id"] == "demo-patient-00042"
    assert all("-00042" in record["id"] for record in charts()[42])


def test_the_same_seed_gives_the_same_bytes_in_whatever_order_patients_are_made() -> None:
    again = [patient_records(SEED, number, TODAY, PATIENTS) for number in reversed(range(PATIENTS))]
    assert orjson.dumps(again[::-1]) == orjson.dumps(charts())
    assert orjson.dumps(organization_records(SEED, TODAY, PATIENTS)) == orjson.dumps(shared())


def test_another_seed_gives_another_population() -> None:
    differ = sum(
        orjson.dumps(patient_records(SEED + 1, number, TODAY, PATIENTS)) != orjson.dumps(charts()[number])
        for number in range(PATIENTS)
    )
    assert differ == PATIENTS
    assert orjson.dumps(organization_records(SEED + 1, TODAY, PATIENTS)) != orjson.dumps(shared())


def test_values_are_plain_json_and_numbers_are_short() -> None:
    for record in population():
        for value in walk(record):
            assert type(value) in (dict, list, str, bool, int, float)
            assert value not in ({}, [], ""), record["id"]
            if isinstance(value, float):
                assert len(repr(value)) <= 8, (record["id"], value)


def test_no_two_resources_share_a_part_that_a_caller_could_change() -> None:
    parts = Counter(id(value) for record in population() for value in walk(record) if isinstance(value, dict | list))
    assert set(parts.values()) == {1}


def test_a_patient_has_twenty_to_twenty_five_resources_on_average() -> None:
    resources = sum(len(patient_records(SEED, number, TODAY, 100_000)) for number in range(2000))
    assert 20 <= resources / 2000 <= 25


def test_what_is_recorded_lies_between_birth_and_death_and_not_in_the_future() -> None:
    for patient, *rest in charts():
        born = patient["birthDate"]
        last = patient.get("deceasedDateTime", TODAY.isoformat())[:10]
        assert born < last <= TODAY.isoformat()
        for record in rest:
            for path in WHEN.get(record["resourceType"], ()):
                for when in at(record, path):
                    assert born <= when[:10] <= last, (record["id"], path, when)
        if "deceasedDateTime" in patient:
            assert patient["active"] is False
            assert not [one for one in of_type("Appointment", rest) if one["start"][:10] > last]
            assert not [one for one in of_type("MedicationRequest", rest) if one["status"] == "active"]


def test_ages_are_from_nought_to_ninety_five_and_illness_comes_with_age() -> None:
    ages = [TODAY.year - int(chart[0]["birthDate"][:4]) for chart in charts()]
    assert min(ages) <= 3
    assert 80 <= max(ages) <= 96
    young = [len(of_type("Condition", chart)) for chart, age in zip(charts(), ages, strict=True) if age < 30]
    old = [len(of_type("Condition", chart)) for chart, age in zip(charts(), ages, strict=True) if age >= 65]
    assert sum(old) / len(old) > 2 * sum(young) / len(young)


def test_periods_and_pairs_of_dates_are_in_order() -> None:
    for record in population():
        for value in walk(record):
            if isinstance(value, dict) and "start" in value and "end" in value:
                assert value["start"] <= value["end"], record["id"]
        if "abatementDateTime" in record:
            assert record["onsetDateTime"] <= record["abatementDateTime"]


def test_what_happens_because_of_a_condition_happens_after_its_onset() -> None:
    for chart in charts():
        onset = {f"Condition/{one['id']}": one["onsetDateTime"] for one in of_type("Condition", chart)}
        for record in chart:
            if record["resourceType"] in WHEN:
                begins = at(record, WHEN[record["resourceType"]][0])[0]
                for condition in at(record, "reasonReference.reference"):
                    assert onset[condition] <= begins[:10], record["id"]


def test_conditions_keep_the_rules_of_their_status() -> None:
    conditions = of_type("Condition", (one for number in range(900) for one in patient_records(1, number, TODAY, 900)))
    assert any("abatementDateTime" in one for one in conditions)
    assert any(codes(one, "verificationStatus") == ["entered-in-error"] for one in conditions)
    for one in conditions:
        in_error = codes(one, "verificationStatus") == ["entered-in-error"]
        assert ("clinicalStatus" in one) is not in_error
        assert ("abatementDateTime" in one) <= (codes(one, "clinicalStatus") == ["resolved"])


def test_an_allergy_has_a_clinical_status_unless_entered_in_error() -> None:
    for one in of_type("AllergyIntolerance"):
        assert ("clinicalStatus" in one) is (codes(one, "verificationStatus") != ["entered-in-error"])


def test_an_observation_has_either_a_value_or_components() -> None:
    for one in of_type("Observation"):
        assert any(key.startswith("value") for key in one) is ("component" not in one)
    panel = next(one for one in of_type("Observation") if "component" in one)
    assert codes(panel, "code") == ["85354-9"]
    assert codes(panel, "component.code") == ["8480-6", "8462-4"]


def test_the_mass_index_follows_from_the_weight_and_height_of_the_same_visit() -> None:
    compared = 0
    for chart in charts():
        visits: dict[str, dict[str, float]] = defaultdict(dict)
        for one in of_type("Observation", chart):
            for value in at(one, "valueQuantity.value"):
                visits[one["encounter"]["reference"]][codes(one, "code")[0]] = value
        for found in visits.values():
            if "39156-5" in found:
                assert found["39156-5"] == round(found["29463-7"] / (found["8302-2"] / 100) ** 2, 1)
                assert 12 <= found["39156-5"] <= 46
                compared += 1
    assert compared > 100


def test_a_child_has_a_mother() -> None:
    children = 0
    for patient, *rest in charts():
        if patient["birthDate"] > f"{TODAY.year - 17}-01-01":
            assert any(codes(one, "relationship") == ["MTH"] for one in of_type("RelatedPerson", rest))
            children += 1
    assert children > 10


def test_appointments_keep_the_rules_of_their_status() -> None:
    now = TODAY.isoformat()
    seen = set()
    for one in of_type("Appointment"):
        seen.add(one["status"])
        assert ("start" in one) is ("end" in one) is True
        assert ("cancelationReason" in one) is (one["status"] == "cancelled")
        assert all("actor" in participant for participant in one["participant"])
        past = one["status"] in ("fulfilled", "noshow", "cancelled")
        assert (one["start"][:10] < now) is past
        assert one["created"] <= min(now, one["start"][:10])
        assert one["minutesDuration"] == 30
        assert date.fromisoformat(one["start"][:10]).weekday() < 5
    assert seen == {"fulfilled", "noshow", "cancelled", "booked", "pending", "proposed"}


def test_a_stopped_prescription_says_why_and_every_status_occurs() -> None:
    requests = of_type("MedicationRequest")
    assert {one["status"] for one in requests} == {"active", "completed", "stopped"}
    assert all(("statusReason" in one) is (one["status"] == "stopped") for one in requests)


@pytest.mark.parametrize("patients", [1, 200, 1300])
def test_a_slot_is_busy_exactly_when_an_appointment_has_it(patients: int) -> None:
    slots = {f"Slot/{one['id']}": one for one in of_type("Slot", organization_records(SEED, TODAY, patients))}
    booked: dict[str, str] = {}
    for number in range(patients):
        for one in of_type("Appointment", patient_records(SEED, number, TODAY, patients)):
            for slot in at(one, "slot.reference"):
                assert slot not in booked
                booked[slot] = "busy" if one["status"] == "booked" else "busy-tentative"
                assert (slots[slot]["start"], slots[slot]["end"]) == (one["start"], one["end"])
                schedule = slots[slot]["schedule"]["reference"].rpartition("-")[2]
                assert f"Practitioner/demo-practitioner-{schedule}" in at(one, "participant.actor.reference")
    taken = {name: one["status"] for name, one in slots.items() if one["status"] in ("busy", "busy-tentative")}
    assert taken == booked
    assert {"free", "busy-unavailable"} <= {one["status"] for one in slots.values()}


def test_slots_lie_on_working_days_of_the_coming_two_weeks_inside_their_schedule() -> None:
    schedules = {f"Schedule/{one['id']}": one for one in of_type("Schedule")}
    for one in of_type("Slot"):
        horizon = schedules[one["schedule"]["reference"]]["planningHorizon"]
        assert horizon["start"] <= one["start"] < one["end"] <= horizon["end"]
        day = date.fromisoformat(one["start"][:10])
        assert 1 <= (day - TODAY).days <= 14
        assert day.weekday() < 5


def test_practitioners_grow_with_the_population_and_slots_stay_bounded() -> None:
    small = Counter(one["resourceType"] for one in organization_records(SEED, TODAY, 10))
    large = Counter(one["resourceType"] for one in organization_records(SEED, TODAY, 40_000))
    assert (small["Practitioner"], large["Practitioner"]) == (6, 200)
    assert large["Schedule"] == large["PractitionerRole"] == 200
    assert large["Slot"] <= 20_000


def test_names_exercise_accents_and_other_scripts() -> None:
    families = {family for one in of_type("Patient") for family in at(one, "name.family")}
    assert any("CJK" in unicodedata.name(family[0]) for family in families)
    assert any(letter in family for family in families for letter in "áéíñöłşệ")
    assert any("'" in family for family in families)


def test_the_narrative_is_escaped() -> None:
    text = charts()[4][0]["text"]["div"]
    assert "O&#x27;Malley" in text
    assert text.startswith('<div xmlns="http://www.w3.org/1999/xhtml">')


def test_the_first_five_patients_are_memorable_whatever_the_seed() -> None:
    for seed in (SEED, 99):
        first = [patient_records(seed, number, TODAY, PATIENTS) for number in range(5)]
        families = [at(chart[0], "name.family")[0] for chart in first]
        assert families == ["Castañeda", "Sjögren", "Wójcik", "欧阳", "O'Malley"]
        woman, boy, man, _, dead = first
        assert "44054006" in [code for one in of_type("Condition", woman) for code in codes(one, "code")]
        assert sum(codes(one, "code") == ["4548-4"] for one in of_type("Observation", woman)) >= 4
        assert len(woman) > 60
        assert "256349002" in [code for one in of_type("AllergyIntolerance", boy) for code in codes(one, "code")]
        assert [one["class"]["code"] for one in of_type("Encounter", man) if one["status"] == "in-progress"] == ["IMP"]
        assert "deceasedDateTime" in dead[0]


def test_every_day_of_a_leap_year_can_be_today() -> None:
    for today in (date(2028, 2, 29), date(2027, 12, 31), date(2028, 3, 1), date(2027, 1, 1)):
        for number in range(60):
            patient, *_ = patient_records(SEED, number, today, 60)
            assert patient["birthDate"] < today.isoformat()
        assert organization_records(SEED, today, 60)


def test_a_patient_outside_the_population_is_refused() -> None:
    with pytest.raises(ValueError, match="has no patient 10"):
        patient_records(SEED, 10, TODAY, 10)
    with pytest.raises(ValueError, match="at least one patient"):
        organization_records(SEED, TODAY, 0)

"""What a status may become, and what has to go with it. https://hl7.org/fhir/R4/valueset-encounter-status.html"""

from __future__ import annotations

import itertools

import pytest

from resources.definitions import type_facts, value_set_codes
from resources.types import JUDGES, judge_for
from resources.types.appointment import NEXT as APPOINTMENT
from resources.types.encounter import NEXT as ENCOUNTER
from resources.types.medication_request import NEXT as MEDICATION_REQUEST

TABLES = {"Appointment": APPOINTMENT, "Encounter": ENCOUNTER, "MedicationRequest": MEDICATION_REQUEST}


def statuses(type_name: str) -> set[str]:
    codes = value_set_codes(type_facts(type_name).elements["status"].binding[1])
    return {code for of_system in codes.values() for code in of_system}


def faults(type_name: str, before: dict, after: dict, warn_only=frozenset()) -> list[str]:
    judge = judge_for(type_name, warn_only)
    return [f"{issue.severity} {issue.expression}: {issue.text}" for issue in judge(before, after)]


@pytest.mark.parametrize("type_name", TABLES)
def test_every_status_of_the_tables_is_one_of_r4(type_name):
    table = TABLES[type_name]
    assert set(table) | {status for following in table.values() for status in following} <= statuses(type_name)


@pytest.mark.parametrize("type_name", TABLES)
def test_every_status_stays_and_may_be_a_mistake_but_a_mistake_is_for_ever(type_name):
    for status in statuses(type_name):
        assert faults(type_name, {"status": status}, {"status": status}) == []
        if status != "entered-in-error":
            assert faults(type_name, {"status": status}, {"status": "entered-in-error"}) == []
            (fault,) = faults(
                type_name, {"status": "entered-in-error"}, {"status": status, "statusReason": {"text": "x"}}
            )
            assert "stays as it is" in fault


@pytest.mark.parametrize("type_name", TABLES)
def test_what_the_tables_allow_passes_and_nothing_else_does(type_name):
    for old, new in itertools.permutations(statuses(type_name), 2):
        allowed = new in TABLES[type_name].get(old, ()) or (new == "entered-in-error" != old)
        assert (faults(type_name, {"status": old}, {"status": new, "statusReason": {"text": "x"}}) == []) is allowed, (
            old,
            new,
        )


@pytest.mark.parametrize(
    ("type_name", "old", "new"),
    [
        ("Appointment", "proposed", "booked"),
        ("Appointment", "booked", "arrived"),
        ("Appointment", "arrived", "fulfilled"),
        ("Appointment", "booked", "noshow"),
        ("Appointment", "waitlist", "booked"),
        ("Encounter", "planned", "in-progress"),
        ("Encounter", "in-progress", "onleave"),
        ("Encounter", "in-progress", "finished"),
        ("MedicationRequest", "draft", "active"),
        ("MedicationRequest", "active", "completed"),
        ("MedicationRequest", "on-hold", "active"),
    ],
)
def test_the_usual_course_of_things_passes(type_name, old, new):
    assert faults(type_name, {"status": old}, {"status": new}) == []


@pytest.mark.parametrize(
    ("type_name", "old", "new"),
    [
        ("Appointment", "fulfilled", "booked"),
        ("Appointment", "cancelled", "arrived"),
        ("Appointment", "proposed", "fulfilled"),
        ("Encounter", "finished", "planned"),
        ("Encounter", "cancelled", "in-progress"),
        ("MedicationRequest", "completed", "active"),
        ("MedicationRequest", "stopped", "active"),
        ("MedicationRequest", "active", "draft"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(type_name, old, new):
    (fault,) = faults(type_name, {"status": old}, {"status": new})
    assert fault.startswith(f"error {type_name}.status: ")
    assert f"'{old}' and cannot become '{new}'" in fault


def test_a_prescription_is_stopped_with_a_reason():
    (fault,) = faults("MedicationRequest", {"status": "active"}, {"status": "stopped"})
    assert "statusReason" in fault
    assert (
        faults("MedicationRequest", {"status": "active"}, {"status": "stopped", "statusReason": {"text": "rash"}}) == []
    )
    assert faults("MedicationRequest", {"status": "stopped"}, {"status": "stopped"}) == []


def test_the_history_of_an_encounter_is_kept_though_its_last_period_may_end():
    first = {"status": "planned", "period": {"start": "2026-01-01"}}
    ended = {"status": "planned", "period": {"start": "2026-01-01", "end": "2026-01-02"}}
    before = {"status": "in-progress", "statusHistory": [first]}
    assert (
        faults("Encounter", before, {"status": "finished", "statusHistory": [ended, {"status": "in-progress"}]}) == []
    )
    (fault,) = faults("Encounter", before, {"status": "finished"})
    assert fault.startswith("error Encounter.statusHistory: ")
    assert "1 of its 1 entries" in fault
    (fault,) = faults("Encounter", {"classHistory": [{"class": {"code": "IMP"}}]}, {"classHistory": []})
    assert fault.startswith("error Encounter.classHistory: ")


def test_a_group_may_warn_only():
    (fault,) = faults("Encounter", {"status": "finished"}, {"status": "planned"}, frozenset({"Encounter"}))
    assert fault.startswith("warning")
    assert judge_for("Patient") is None
    assert set(JUDGES) == set(TABLES)

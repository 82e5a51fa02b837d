"""A realistic, seeded demo population: our own generator, with our own short lists of names and places.

Everything is a pure function of its arguments: no clock, no network, no global randomness. Several
processes can therefore each write a range of the patients and still make one population, provided
that all of them pass the same `seed`, `today` and `patients`.
"""

from __future__ import annotations

from datetime import date

from .allergies import allergy_resources
from .appointments import appointment_resources
from .chart import new_chart
from .conditions import condition_resources
from .datatypes import Resource
from .encounters import encounter_resources
from .medications import medication_requests
from .observations import observation_resources
from .organization import clinic_count, organization_resources, practitioner_count, practitioner_resources
from .patient import patient_resources
from .prevention import immunization_resources, procedure_resources
from .slots import schedule_resources

__all__ = ["organization_records", "patient_records"]


def organization_records(seed: int, today: date, patients: int) -> list[Resource]:
    """Return what a population of `patients` patients shares: places, services, practitioners, schedules and slots.

    A reference points to an earlier resource of the list. Slots cover the ten working days after
    `today`; a slot is busy exactly when a patient of the population is booked into it.
    """
    if patients < 1:
        raise ValueError("a population has at least one patient")
    records = organization_resources(seed, patients)
    for number in range(practitioner_count(patients)):
        records.extend(practitioner_resources(seed, number, clinic_count(patients), today))
    records.extend(schedule_resources(seed, today, patients))
    return records


def patient_records(seed: int, number: int, today: date, patients: int) -> list[Resource]:
    """Return everything of patient `number` (from 0) of a population of `patients` patients.

    A reference points to an earlier resource of this list, or to one of `organization_records` of
    the same seed, day and number of patients. Patients 0 to 4 are the memorable ones of `personas`.
    """
    if not 0 <= number < patients:
        raise ValueError(f"a population of {patients} patients has no patient {number}")
    chart = new_chart(seed, number, today, patients)
    return [
        *patient_resources(chart),
        *condition_resources(chart),
        # Allergies before medicines: they say which medicines the patient must not have.
        *allergy_resources(chart),
        *appointment_resources(chart),
        *encounter_resources(chart),
        *observation_resources(chart),
        *immunization_resources(chart),
        *procedure_resources(chart),
        *medication_requests(chart),
    ]

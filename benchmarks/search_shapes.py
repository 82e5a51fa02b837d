"""The shapes of searches that are measured as the data grows."""

from __future__ import annotations

import random
from collections.abc import Iterator

from fhir_server.demo_data.names import CULTURES

FAMILIES = [
    name
    for culture in CULTURES[:4]
    for name in (each.partition("|")[0].partition("/")[0] for each in culture.family)
    if name.isascii() and name.isalpha()
]
# Group → shape → address below the base.
# {n}: a patient's number; {day}, {month}, {year}: of the past; {family}: a name; {letter}: that names begin with.
GROUPS: dict[str, dict[str, str]] = {
    "One patient": {
        "identifier": "Patient?identifier=http://example.org/fhir/identifiers/mrn|MRN{n:07d}",
        "identifier without system": "Patient?identifier=MRN{n:07d}",
        "by id": "Patient?_id=demo-patient-{n:05d}",
        "name and birthdate": "Patient?name={letter}&birthdate={year}-{month}-{day}",
        "chain, few": "Encounter?subject:Patient.identifier=MRN{n:07d}",
        "revinclude": "Patient?_id=demo-patient-{n:05d}&_revinclude=Encounter:subject",
    },
    "Patients by name, date and gender": {
        "name": "Patient?name={letter}&_count=20",
        "family exact": "Patient?family:exact={family}&_count=20",
        "birthdate day": "Patient?birthdate={year}-{month}-{day}",
        "birthdate year": "Patient?birthdate={year}&_count=20",
        "women by birth year": "Patient?gender=female&birthdate={year}&_count=20",
        "birthdate range": "Patient?birthdate=ge{year}-01-01&birthdate=lt{year}-07-01&_count=20",
        "gender": "Patient?gender=male&_count=20",
        "gender not": "Patient?gender:not=male&_count=20",
    },
    "The records of a patient": {
        "conditions of patient": "Condition?patient=demo-patient-{n:05d}",
        "observations of patient": "Observation?patient=demo-patient-{n:05d}&_count=50",
        "vital sign of patient": "Observation?patient=demo-patient-{n:05d}&code=http://loinc.org|8480-6",
        "latest observations of patient": "Observation?patient=demo-patient-{n:05d}&_sort=-date&_count=10",
        "appointments of patient": "Appointment?patient=demo-patient-{n:05d}&status=booked",
        "active prescriptions of patient": "MedicationRequest?patient=demo-patient-{n:05d}&status=active",
        "compartment": "Patient/demo-patient-{n:05d}/Observation?_count=20",
        "whole compartment": "Patient/demo-patient-{n:05d}/*?_count=50",
        "count of patient's": "Observation?patient=demo-patient-{n:05d}&_summary=count",
    },
    "Records of all patients": {
        "observations by code": "Observation?code=http://loinc.org|8302-2&_count=20",
        "encounters of a day": "Encounter?date=2025-{month}-{day}&_count=20",
        "encounters since, finished": "Encounter?status=finished&date=ge2025-{month}&_count=20",
        "chain, many": "Encounter?subject:Patient.gender=female&_count=20",
        "has, many": "Patient?_has:Condition:subject:clinical-status=active&_count=20",
        "has, with code": "Patient?_has:Observation:patient:code=4548-4&_count=20",
        "include": "MedicationRequest?status=active&_include=MedicationRequest:subject&_count=20",
        "page of all": "Observation?_count=50",
    },
    "Sorted": {
        "patients sorted by birthdate": "Patient?_sort=-birthdate&_count=20",
        "patients sorted by family": "Patient?_sort=family&_count=20",
        "women sorted by birthdate": "Patient?gender=female&_sort=birthdate&_count=20",
        "latest changes": "Patient?_sort=-_lastUpdated&_count=20",
        "observations by code sorted": "Observation?code=http://loinc.org|8302-2&_sort=-date&_count=20",
        "encounters sorted by date": "Encounter?_sort=-date&_count=20",
    },
    # A hundredth to a tenth of everything, found by a beginning, a part or a threshold, for which no index is in the order
    # of the page: all of a small store's matches are read, and of a large one's as many as hold a page. `:contains` alone
    # reads all that there is of its parameter.
    "A share of everything": {
        "family": "Patient?family={family}&_count=20",
        "family and gender": "Patient?family={family}&gender=female&_count=20",
        "chain by family": "Condition?subject:Patient.family={family}&_count=20",
        "family by its first letter, and gender": "Patient?family={letter}&gender=female&_count=20",
        "chain by the first letter of a name": "Condition?subject:Patient.family={letter}&_count=20",
        "observation value": "Observation?code=8302-2&value-quantity=gt190&_count=20",
        "blood pressure composite": "Observation?component-code-value-quantity=8480-6$gt150&_count=20",
        "name contains": "Patient?family:contains={letter}a&_count=20",
    },
}
SHAPES = {name: address for shapes in GROUPS.values() for name, address in shapes.items()}


def paths(shape: str, patients: int, seed: int = 1) -> Iterator[str]:
    """The addresses of a shape with other values each time; the same for the same seed."""
    chance = random.Random(f"{shape} {seed}")
    encoded = shape.replace("|", "%7C")  # as it must be in a URL; some servers insist
    while True:
        yield "/" + encoded.format(
            n=chance.randrange(5, patients),
            letter=chance.choice("abcdegjklmnorst"),
            family=chance.choice(FAMILIES),
            day=f"{chance.randint(1, 28):02d}",
            month=f"{chance.randint(1, 12):02d}",
            year=chance.randint(1940, 2015),
        )

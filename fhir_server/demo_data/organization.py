"""The places and people who give care: organizations, locations, services, practitioners and their roles."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import NamedTuple

from .datatypes import HL7, SNOMED, Coding, Resource, concept, identifier, random_source, reference
from .names import ascii_letters, draw_culture, draw_family, person_name
from .places import TOWNS, address, email, phone

NETWORK = ("Organization/demo-organization-network", "Larkspur Health Network")
HOSPITAL = ("Organization/demo-organization-hospital", "Larkspur General Hospital")
WARD = ("Location/demo-location-hospital-ward-3", "Larkspur General Hospital, ward 3")
EMERGENCY = ("Location/demo-location-hospital-emergency", "Larkspur General Hospital, emergency room")
PATIENTS_PER_PRACTITIONER = 200


class Specialty(NamedTuple):
    """What a practitioner does: the key in ids, the specialty, and HL7's code of the service."""

    key: str
    snomed: Coding
    service_type: Coding


_SERVICE_TYPE = HL7 + "service-type"
GENERAL_PRACTICE = Specialty(
    "general-practice",
    Coding(SNOMED, "394814009", "General practice (specialty)"),
    Coding(_SERVICE_TYPE, "124", "General Practice"),
)
CARDIOLOGY = Specialty(
    "cardiology", Coding(SNOMED, "394579002", "Cardiology"), Coding(_SERVICE_TYPE, "165", "Cardiology")
)
PEDIATRICS = Specialty(
    "pediatrics",
    Coding(SNOMED, "394537008", "Pediatric specialty"),
    Coding(_SERVICE_TYPE, "200", "Paediatric Medicine"),
)
ENDOCRINOLOGY = Specialty(
    "endocrinology", Coding(SNOMED, "394583002", "Endocrinology"), Coding(_SERVICE_TYPE, "169", "Endocrinology")
)
SPECIALTIES = (GENERAL_PRACTICE, CARDIOLOGY, PEDIATRICS, ENDOCRINOLOGY)
# Every six practitioners are three general practitioners (at these places of the six) and three specialists.
_PATTERN = (GENERAL_PRACTICE, GENERAL_PRACTICE, CARDIOLOGY, GENERAL_PRACTICE, PEDIATRICS, ENDOCRINOLOGY)
_PLACES = {
    specialty.key: tuple(place for place, one in enumerate(_PATTERN) if one is specialty) for specialty in SPECIALTIES
}


class Clinician(NamedTuple):
    """What other resources say about a practitioner: references, displays, specialty, clinic and room."""

    number: int
    to: str
    display: str
    specialty: Specialty
    clinic: int
    location: tuple[str, str]


def practitioner_count(patients: int) -> int:
    """Return how many practitioners serve `patients` patients."""
    return max(6, -(-patients // PATIENTS_PER_PRACTITIONER))


def clinic_count(patients: int) -> int:
    """Return how many clinics the network has for `patients` patients."""
    return min(len(TOWNS), 3 + practitioner_count(patients) // 40)


def clinic(number: int) -> tuple[str, str]:
    """Return the reference and the name of the clinic with this number (from 0)."""
    return f"Organization/demo-organization-clinic-{number + 1}", f"{TOWNS[number].name} Clinic"


def practitioner_of(specialty: str, draw: int, practitioners: int) -> int:
    """Return the number of a practitioner of `specialty`: the same one for the same `draw` (any number)."""
    places = _PLACES[specialty]
    whole, rest = divmod(practitioners, len(_PATTERN))
    # The last six may be incomplete: only their places below `rest` exist.
    count = whole * len(places) + sum(place < rest for place in places)
    six, place = divmod(draw % count, len(places))
    return six * len(_PATTERN) + places[place]


@lru_cache(maxsize=16384)
def clinician(seed: int, number: int, clinics: int) -> Clinician:
    """Return practitioner `number` as other resources refer to him or her."""
    name = _named(seed, number)[1]
    # A room of one's own: two patients are never booked into one room at the same time.
    site, room = number % clinics, number // clinics + 1
    location = (
        f"Location/demo-location-clinic-{site + 1}-room-{room}",
        f"{TOWNS[site].name} Clinic, room {room}",
    )
    specialty = _PATTERN[number % len(_PATTERN)]
    return Clinician(number, f"Practitioner/demo-practitioner-{number:04d}", f"Dr. {name}", specialty, site, location)


def _named(seed: int, number: int) -> tuple[Resource, str]:
    """Return the Practitioner with this number, and the name others display."""
    random = random_source(seed, "practitioner", number)
    culture = draw_culture(random)
    gender = "female" if random.random() < 0.55 else "male"
    name = person_name(random, culture, gender, draw_family(random, culture))
    local_part = f"{ascii_letters(name.given[0])}.{ascii_letters(name.family)}.{number}"
    practitioner = {
        "resourceType": "Practitioner",
        "id": f"demo-practitioner-{number:04d}",
        "identifier": [identifier("practitioner", f"P{number:06d}", "PRN", "Provider number")],
        "active": True,
        "name": [
            {
                "use": "official",
                "text": f"Dr. {name.text}",
                "family": name.family,
                "given": list(name.given),
                "prefix": ["Dr."],
            }
        ],
        "telecom": [phone(random, "work"), email(local_part, "work")],
        "gender": gender,
        "qualification": [{"code": concept(Coding(HL7 + "v2-0360", "MD", "Doctor of Medicine"))}],
        "communication": [concept(Coding("urn:ietf:bcp:47", culture.language, culture.language_name))],
    }
    return practitioner, name.text


def organization_resources(seed: int, patients: int) -> list[Resource]:
    """Return the organizations, locations and services of a network that serves `patients` patients."""
    random = random_source(seed, "organization")
    clinics = clinic_count(patients)
    provider = Coding(HL7 + "organization-type", "prov", "Healthcare Provider")
    records: list[Resource] = []
    for number, (to, name) in enumerate((NETWORK, HOSPITAL, *map(clinic, range(clinics)))):
        town = TOWNS[max(0, number - 2)]
        organization: Resource = {
            "resourceType": "Organization",
            "id": to.partition("/")[2],
            "identifier": [identifier("organization", f"ORG{number:03d}", "XX", "Organization identifier")],
            "active": True,
            "type": [concept(provider)],
            "name": name,
            "telecom": [phone(random, "work")],
            "address": [address(random, town, "work")],
        }
        if number:
            organization["partOf"] = reference(*NETWORK)
        records.append(organization)
    for number in range(clinics):
        rooms = -(-(practitioner_count(patients) - number) // clinics)
        records.extend(_clinic_locations(records[number + 2], number, rooms))
    records.extend(_hospital_locations(records[1]))
    records.extend(_service(specialty, clinics) for specialty in SPECIALTIES)
    return records


def _location(to: str, name: str, form: tuple[str, str], kind: tuple[str, str], managed_by: Resource) -> Resource:
    return {
        "resourceType": "Location",
        "id": to.partition("/")[2],
        "status": "active",
        "name": name,
        "mode": "instance",
        "type": [concept(Coding(HL7 + "v3-RoleCode", *kind))],
        "physicalType": concept(Coding(HL7 + "location-physical-type", *form)),
        "managingOrganization": reference(f"Organization/{managed_by['id']}", managed_by["name"]),
    }


def _building(to: str, kind: tuple[str, str], organization: Resource, position: tuple[float, float]) -> Resource:
    building = _location(to, organization["name"], ("bu", "Building"), kind, organization)
    building["telecom"] = [dict(one) for one in organization["telecom"]]
    building["address"] = organization["address"][0] | {"line": list(organization["address"][0]["line"])}
    building["position"] = {"latitude": position[0], "longitude": position[1]}
    return building


def _clinic_locations(organization: Resource, number: int, rooms: int) -> list[Resource]:
    town = TOWNS[number]
    to = f"Location/demo-location-clinic-{number + 1}"
    kind = ("FMC", "Family medicine clinic")
    records = [_building(to, kind, organization, (town.latitude, town.longitude))]
    for room in range(1, rooms + 1):
        name = f"{organization['name']}, room {room}"
        record = _location(f"{to}-room-{room}", name, ("ro", "Room"), ("PROFF", "Provider's Office"), organization)
        record["partOf"] = reference(to, organization["name"])
        records.append(record)
    return records


def _hospital_locations(organization: Resource) -> list[Resource]:
    to = "Location/demo-location-hospital"
    position = (round(TOWNS[0].latitude + 0.0137, 4), round(TOWNS[0].longitude - 0.0214, 4))
    records = [
        _building(to, ("HOSP", "Hospital"), organization, position),
        _location(*WARD, ("wa", "Ward"), ("HU", "Hospital unit"), organization),
        _location(*EMERGENCY, ("wa", "Ward"), ("ER", "Emergency room"), organization),
    ]
    for record in records[1:]:
        record["partOf"] = reference(to, organization["name"])
    return records


def _service(specialty: Specialty, clinics: int) -> Resource:
    return {
        "resourceType": "HealthcareService",
        "id": f"demo-healthcareservice-{specialty.key}",
        "active": True,
        "providedBy": reference(*NETWORK),
        "type": [concept(specialty.service_type)],
        "specialty": [concept(specialty.snomed)],
        "location": [
            reference(f"Location/demo-location-clinic-{number + 1}", f"{TOWNS[number].name} Clinic")
            for number in range(clinics)
        ],
        "name": specialty.service_type.display,
        "appointmentRequired": True,
        "availableTime": _opening_hours(),
    }


def _opening_hours() -> list[Resource]:
    return [
        {
            "daysOfWeek": ["mon", "tue", "wed", "thu", "fri"],
            "availableStartTime": "08:30:00",
            "availableEndTime": "17:30:00",
        }
    ]


def practitioner_resources(seed: int, number: int, clinics: int, today: date) -> list[Resource]:
    """Return practitioner `number` and the role that says where and as what he or she works."""
    practitioner, _ = _named(seed, number)
    who = clinician(seed, number, clinics)
    since = f"{today.year - 2 - number % 12}-01-01"
    role: Resource = {
        "resourceType": "PractitionerRole",
        "id": f"demo-practitionerrole-{number:04d}",
        "active": True,
        "period": {"start": since},
        "practitioner": reference(who.to, who.display),
        "organization": reference(*clinic(who.clinic)),
        "code": [concept(Coding(HL7 + "practitioner-role", "doctor", "Doctor"))],
        "specialty": [concept(who.specialty.snomed)],
        "location": [reference(*who.location)],
        "healthcareService": [reference(f"HealthcareService/demo-healthcareservice-{who.specialty.key}")],
        "telecom": [dict(practitioner["telecom"][0])],
        "availableTime": _opening_hours(),
    }
    return [practitioner, role]

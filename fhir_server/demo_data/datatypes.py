"""The FHIR data types the generator writes, as small functions that build fresh dictionaries.

Every call returns a new dictionary: two resources never share a part, so a caller may change one
resource (set `meta`, rewrite a reference) without changing another.
"""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any, NamedTuple

Resource = dict[str, Any]

SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
CVX = "http://hl7.org/fhir/sid/cvx"
UCUM = "http://unitsofmeasure.org"
HL7 = "http://terminology.hl7.org/CodeSystem/"
IDENTIFIERS = "http://example.org/fhir/identifiers/"

# One fixed offset the year round: an instant needs a zone, and a real zone's summer time would need its rules.
CLINIC_OFFSET = "-05:00"


class Coding(NamedTuple):
    """A code of a code system, with the words shown for it."""

    system: str
    code: str
    display: str


def random_source(*parts: int | str) -> Random:
    """Return the random source that belongs to these parts (the seed, a purpose, a number), and to no others."""
    return Random("/".join(map(str, parts)))


def coding(of: Coding) -> Resource:
    """Return the Coding element."""
    return {"system": of.system, "code": of.code, "display": of.display}


def concept(*of: Coding, text: str = "") -> Resource:
    """Return the CodeableConcept of these codings; its text is `text`, or the first coding's display."""
    return {
        "coding": [{"system": one.system, "code": one.code, "display": one.display} for one in of],
        "text": text or of[0].display,
    }


def reference(to: str, display: str = "") -> Resource:
    """Return the Reference to `to` ("Patient/demo-patient-00001"), with its display where there is one."""
    return {"reference": to, "display": display} if display else {"reference": to}


def quantity(value: float, unit: str, code: str) -> Resource:
    """Return the Quantity of a UCUM unit; `value` is written as it is, so round it first."""
    return {"value": value, "unit": unit, "system": UCUM, "code": code}


def identifier(kind: str, value: str, type_code: str, type_display: str, use: str = "official") -> Resource:
    """Return the Identifier `value` in our own example system `kind`, typed by HL7's table of identifier types."""
    return {
        "use": use,
        "type": concept(Coding(HL7 + "v2-0203", type_code, type_display)),
        "system": IDENTIFIERS + kind,
        "value": value,
    }


def instant(day: date, minute: int) -> str:
    """Return the instant `minute` minutes after midnight of `day` at the clinic."""
    return f"{day.isoformat()}T{minute // 60:02d}:{minute % 60:02d}:00{CLINIC_OFFSET}"


def period(start: str, end: str | None = None) -> Resource:
    """Return the Period from `start` to `end`, open where there is no end."""
    return {"start": start, "end": end} if end else {"start": start}

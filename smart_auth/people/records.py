"""What the pages show of resources, and what whoever stores resources provides for it.

The rules of who may see whom are not here but in `may_see`: the pages ask for nothing that the user may not have, and check
every id that comes back from a browser.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from smart_auth.model import User, patients_of

SHOWN_AT_ONCE = 20

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMERIC_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


@dataclass(frozen=True, slots=True)
class PatientSearch:
    """What was typed to find a patient, read: words of a name, a birth date (`1967-03-05`), identifiers. All must match.

    text: as typed; empty when the page is opened, for which any helpful few may be found, or none.
    """

    text: str
    names: tuple[str, ...] = ()
    birth_date: str | None = None
    identifiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PatientLine:
    """A patient as one line. sex: the code of `Patient.gender`; identifier: the one that staff would ask for."""

    id: str
    name: str
    birth_date: str | None = None
    sex: str | None = None
    identifier: str | None = None


@dataclass(frozen=True, slots=True)
class EncounterLine:
    """A visit as one line. start, end: FHIR dateTimes; kind, reason, place: words; status: `Encounter.status`."""

    id: str
    kind: str
    status: str
    start: str | None = None
    end: str | None = None
    reason: str | None = None
    place: str | None = None


class Records(Protocol):
    """Where the pages look resources up. Missing and deleted resources alike are None or left out.

    Ids come from browsers: any text must be taken, and one that is no id is found nowhere. All methods may be called by
    several threads at once. Names and dates are shown as they are; nothing is ever written to a log or an address.
    """

    def find_patients(self, search: PatientSearch, user: User) -> Sequence[PatientLine]:
        """Patients that match, best first, at most SHOWN_AT_ONCE + 1 of them. Asked for practitioners only."""
        ...

    def patient(self, patient_id: str) -> PatientLine | None:
        """One patient."""
        ...

    def encounters(self, patient_id: str) -> Sequence[EncounterLine]:
        """The visits of a patient, the most recent first, at most SHOWN_AT_ONCE."""
        ...

    def encounter(self, encounter_id: str, patient_id: str) -> EncounterLine | None:
        """One visit of that patient; None if it is another patient's."""
        ...

    def user_display(self, user: User) -> str | None:
        """The name in the user's own resource; None where there is none."""
        ...


def read_search(text: str) -> PatientSearch:
    """What somebody typed into the search for patients: dates, words with digits (identifiers) and words of a name."""
    names: list[str] = []
    identifiers: list[str] = []
    birth_date = None
    for word in text.replace(",", " ").split():
        as_date = _date(word)
        if as_date is not None and birth_date is None:
            birth_date = as_date
        elif any(sign.isdigit() for sign in word):
            identifiers.append(word)
        else:
            names.append(word)
    return PatientSearch(text, tuple(names), birth_date, tuple(identifiers))


def _date(word: str) -> str | None:
    numeric = _NUMERIC_DATE.fullmatch(word)
    if numeric:
        day, month, year = numeric.groups()
        word = f"{year}-{int(month):02}-{int(day):02}"
    if not _ISO_DATE.fullmatch(word):
        return None
    try:
        return date.fromisoformat(word).isoformat()
    except ValueError:
        return None


def own_patients(user: User) -> tuple[str, ...]:
    """The ids of the patients that a patient or related person may act for; none for others."""
    return patients_of(user.role, user.fhir_user, user.patients)


def may_see(user: User, patient_id: str) -> bool:
    """Whether the user may open this patient's record: practitioners any, patients and their relatives their own."""
    return user.role == "practitioner" or patient_id in own_patients(user)

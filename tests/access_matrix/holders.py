"""The tokens that the matrix is asked with: who holds each, and for which scopes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tests.access_matrix.rule import Holder, scopes_of

ONE, TWO, THREE = "demo-patient-00000", "demo-patient-00001", "demo-patient-00002"
_OBSERVATION = "category=http://terminology.hl7.org/CodeSystem/observation-category"
_CONDITION = "category=http://terminology.hl7.org/CodeSystem/condition-category"


@dataclass(frozen=True)
class Person:
    """A user of the run. role and the others: as `fhir-server user add` takes them."""

    name: str
    role: str
    own: str | None
    patients: tuple[str, ...] = ()

    @property
    def acts_for(self) -> tuple[str, ...]:
        """The patients whose records are theirs: a patient's own too."""
        own = ((self.own or "").removeprefix("Patient/"),) if self.role == "patient" else ()
        return (*own, *self.patients)


ROSALIA = Person("matrix-rosalia", "patient", f"Patient/{ONE}")
MOTHER = Person("matrix-mother", "related-person", f"RelatedPerson/demo-relatedperson-{TWO[-5:]}-1", (TWO, THREE))
DOCTOR = Person("matrix-doctor", "practitioner", "Practitioner/demo-practitioner-0000")
ADMINISTRATOR = Person("matrix-admin", "administrator", None)
PEOPLE = (ROSALIA, MOTHER, DOCTOR, ADMINISTRATOR)

OF_PATIENTS = (
    "patient/*.rs",
    "patient/*.cruds",
    "patient/*.read",
    "patient/*.write",
    "patient/*.*",
    "patient/*.r",
    "patient/*.s",
    "patient/*.cud",
    "patient/Patient.rs",
    "patient/Patient.cruds patient/AllergyIntolerance.cruds patient/Appointment.cruds",
    "patient/Observation.rs",
    "patient/Observation.u patient/Observation.s",
    f"patient/Observation.cruds?{_OBSERVATION}|laboratory",
    " ".join(f"patient/Observation.rs?{_OBSERVATION}|{code}" for code in ("laboratory", "social-history"))
    + " patient/Encounter.r",
    f"patient/Condition.rs?{_CONDITION}|problem-list-item patient/Patient.r",
    f"patient/Observation.rs patient/Observation.cud?{_OBSERVATION}|laboratory",
    "patient/Encounter.read patient/Appointment.*",
    "patient/Slot.rs patient/HealthcareService.rs",
    "openid fhirUser",
    "openid fhirUser patient/Observation.s",
    "openid patient/MedicationRequest.rs",
    "patient/Observation.rs user/Patient.rs",
)
OF_USERS = (
    "user/*.rs",
    "user/*.cruds",
    "user/*.read",
    "user/*.write",
    f"user/Observation.cruds?{_OBSERVATION}|vital-signs",
    "user/Patient.r user/Encounter.s",
    "user/Practitioner.cruds user/Organization.read",
    "openid fhirUser user/AuditEvent.rs",
)
OF_SYSTEMS = (
    "system/*.rs",
    "system/*.cruds",
    "system/*.read",
    f"system/Observation.cruds?{_OBSERVATION}|laboratory",
    "system/Patient.s system/Encounter.r",
    "system/Slot.rs system/SearchParameter.cruds",
)


@dataclass(frozen=True)
class Token:
    """A token of the run. text: of its scope parameter."""

    person: Person | None
    text: str
    launched_for: str | None

    @cached_property
    def holder(self) -> Holder:
        """What the rule is asked about."""
        person = self.person
        return Holder(
            person.role if person else None,
            person.own if person else None,
            person.acts_for if person else (),
            self.launched_for,
            scopes_of(self.text),
            "fhirUser" in self.text.split(),
        )

    def __str__(self) -> str:
        who = self.person.role if self.person else "nobody"
        return f"{who} with {self.text!r}" + (f" for {self.launched_for}" if self.launched_for else "")


TOKENS = (
    *(Token(ROSALIA, text, ONE) for text in OF_PATIENTS),
    *(Token(ROSALIA, text, None) for text in OF_USERS),
    # A launch for a patient whom the user may not act for opens nothing.
    *(Token(ROSALIA, text, TWO) for text in ("patient/*.cruds", "openid fhirUser patient/*.rs")),
    *(Token(MOTHER, text, TWO) for text in OF_PATIENTS[:10:2]),
    *(Token(MOTHER, text, None) for text in OF_USERS[:5]),
    Token(MOTHER, "patient/*.cruds", ONE),
    *(Token(DOCTOR, text, TWO) for text in OF_PATIENTS[1::3]),
    *(Token(DOCTOR, text, None) for text in OF_USERS),
    *(Token(ADMINISTRATOR, text, None) for text in OF_USERS[:6]),
    Token(ADMINISTRATOR, "patient/*.cruds", ONE),
    *(Token(None, text, None) for text in OF_SYSTEMS),
    *(Token(None, text, THREE) for text in ("patient/*.rs", "patient/Observation.cruds")),
)

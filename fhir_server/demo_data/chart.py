"""What is known of one patient while the resources are written: the person, the conditions, the visits.

The chart holds facts (days, ages, who treats whom); the other modules turn them into resources.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from .datatypes import Resource, random_source, reference
from .diagnoses import ACUTE, CHRONIC, DIAGNOSES, Diagnosis
from .names import Culture, PersonName, draw_culture, draw_family, person_name
from .organization import Clinician, clinic_count, clinician, practitioner_count, practitioner_of
from .personas import PERSONAS, Persona
from .slots import Booking, booking

# How far back visits go.
VISIT_YEARS = 4
_ACUTE_KEYS = frozenset(diagnosis.key for diagnosis in ACUTE)


class KnownCondition(NamedTuple):
    """A condition the patient has (or had, where it `ended`)."""

    diagnosis: Diagnosis
    to: str
    onset: date
    ended: date | None

    @property
    def acute(self) -> bool:
        """Whether it is a short illness."""
        return self.diagnosis.key in _ACUTE_KEYS


class Visit(NamedTuple):
    """A past encounter, or the stay that lasts now (`open`): its day, kind of encounter, who, and why."""

    to: str
    day: date
    minute: int
    kind: str
    clinician: Clinician
    reason: KnownCondition | None
    appointment: str
    open: bool = False


@dataclass(slots=True)
class Chart:
    """One patient's facts. `last_day` is the last day anything is recorded: yesterday, or the eve of death."""

    random: Random
    seed: int
    number: int
    today: date
    patients: int
    label: str
    gender: str
    culture: Culture
    name: PersonName
    birth: date
    death: date | None
    last_day: date
    persona: Persona | None
    booking: Booking | None
    general: Clinician
    conditions: list[KnownCondition] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    # Medicines the patient must not have (allergies).
    avoided: set[str] = field(default_factory=set)

    def subject(self) -> Resource:
        """Return the reference to the patient."""
        return {"reference": f"Patient/demo-patient-{self.label}", "display": self.name.text}

    def age_on(self, day: date) -> int:
        """Return the patient's age in whole years on `day`."""
        return day.year - self.birth.year - ((day.month, day.day) < (self.birth.month, self.birth.day))

    def day_between(self, first: date, last: date) -> date:
        """Return a day from `first` to `last`, both included."""
        return first + timedelta(days=int(self.random.random() * ((last - first).days + 1)))

    def has(self, key: str) -> bool:
        """Tell whether the patient has the diagnosis with this key."""
        return any(one.diagnosis.key == key for one in self.conditions)

    def practitioner(self, specialty: str) -> Clinician:
        """Return the patient's practitioner for `specialty`: always the same one."""
        practitioners = practitioner_count(self.patients)
        number = practitioner_of(specialty, self.number, practitioners)
        return clinician(self.seed, number, clinic_count(self.patients))


def new_chart(seed: int, number: int, today: date, patients: int) -> Chart:
    """Return the chart of patient `number` with the person, the conditions and the visits filled in."""
    random = random_source(seed, "patient", number)
    persona = PERSONAS[number] if number < len(PERSONAS) else None
    booked = booking(seed, number, patients)
    culture = persona.culture if persona else draw_culture(random)
    draw = random.random()
    gender = persona.gender if persona else "female" if draw < 0.51 else "male" if draw < 0.995 else "other"
    name = persona.name if persona else person_name(random, culture, gender, draw_family(random, culture))
    age = persona.age if persona else _age(random)
    birth = _birth(random, today, age)
    death = None
    if persona:
        death = today - timedelta(days=persona.died_days_ago) if persona.died_days_ago else None
    # Nobody dies with an appointment in the coming weeks: the slot would be taken by nobody.
    elif booked is None and age >= 40 and random.random() < (0.09 if age >= 70 else 0.02):
        death = today - timedelta(days=10 + int(random.random() * 900))
    last_day = (death or today) - timedelta(days=1)
    specialty = "pediatrics" if age < 18 else "general-practice"
    general_number = practitioner_of(specialty, number, practitioner_count(patients))
    general = clinician(seed, general_number, clinic_count(patients))
    chart = Chart(
        random=random,
        seed=seed,
        number=number,
        today=today,
        patients=patients,
        label=f"{number:05d}",
        gender=gender,
        culture=culture,
        name=name,
        birth=birth,
        death=death,
        last_day=last_day,
        persona=persona,
        booking=booked,
        general=general,
    )
    chart.conditions = _conditions(chart)
    chart.visits = _visits(chart)
    return chart


def _age(random: Random) -> int:
    """Return an age from 0 to 95, spread about as a town's is."""
    draw = random.random()
    for share, first, last in ((0.20, 0, 17), (0.42, 18, 34), (0.67, 35, 54), (0.91, 55, 74)):
        if draw < share:
            return random.randint(first, last)
    return random.randint(75, 95)


def _birth(random: Random, today: date, age: int) -> date:
    """Return a birthday that makes somebody `age` today; the youngest are two weeks old."""
    days = 14 + int(random.random() * 340)
    # The 28th at most: 29 February is not in every year.
    anniversary = date(today.year - age, today.month, min(today.day, 28))
    return anniversary - timedelta(days=days)


def _conditions(chart: Chart) -> list[KnownCondition]:
    random, age = chart.random, chart.age_on(chart.last_day)
    prefix = f"Condition/demo-condition-{chart.label}-"
    conditions: list[KnownCondition] = []
    if chart.persona:
        for key, years in chart.persona.conditions:
            onset = chart.last_day - timedelta(days=int(years * 365.25) - 20)
            ended = onset + timedelta(days=12) if key in _ACUTE_KEYS else None
            conditions.append(KnownCondition(DIAGNOSES[key], f"{prefix}{len(conditions) + 1}", onset, ended))
        return conditions
    for diagnosis in CHRONIC:
        if random.random() < diagnosis.share_at(age):
            first = chart.birth + timedelta(days=int((diagnosis.first_age + 0.1) * 365.25))
            onset = chart.day_between(max(first, chart.last_day - timedelta(days=20 * 365)), chart.last_day)
            conditions.append(KnownCondition(diagnosis, f"{prefix}{len(conditions) + 1}", onset, None))
    for diagnosis in ACUTE:
        if random.random() < diagnosis.share_at(age) * 1.4:
            first = max(chart.birth, chart.last_day - timedelta(days=VISIT_YEARS * 365))
            onset = chart.day_between(first, chart.last_day)
            over = onset + timedelta(days=5 + int(random.random() * 20))
            # What began a few days ago is not over yet.
            ended = over if over <= chart.last_day else None
            conditions.append(KnownCondition(diagnosis, f"{prefix}{len(conditions) + 1}", onset, ended))
    return conditions


def _visits(chart: Chart) -> list[Visit]:
    random, age = chart.random, chart.age_on(chart.last_day)
    first = max(chart.birth + timedelta(days=1), chart.last_day - timedelta(days=VISIT_YEARS * 365))
    chronic = sum(one.ended is None for one in chart.conditions)
    count = chart.persona.visits if chart.persona else 1 + int(random.random() * 2.4) + min(chronic, 4) * 2 // 3
    plans: list[tuple[date, KnownCondition | None]] = [
        (chart.day_between(one.onset, min(one.onset + timedelta(days=3), one.ended or chart.last_day)), one)
        for one in chart.conditions
        if one.acute and one.onset >= first
    ]
    for _ in range(count):
        day = chart.day_between(first, chart.last_day)
        lasting = [one for one in chart.conditions if one.onset <= day and one.ended is None]
        plans.append((day, lasting[int(random.random() * len(lasting))] if lasting else None))
    plans.sort(key=lambda plan: plan[0])
    visits: list[Visit] = []
    for day, reason in plans:
        visits.append(_visit(chart, day, reason, len(visits) + 1))
    in_hospital = chart.persona.in_hospital if chart.persona else age >= 30 and random.random() < 0.015
    if in_hospital and chart.death is None:
        day = chart.today - timedelta(days=1 + int(random.random() * 3))
        lasting = [one for one in chart.conditions if one.onset <= day and one.ended is None]
        reason = lasting[-1] if lasting else None
        who = chart.practitioner(reason.diagnosis.specialty if reason else "general-practice")
        to = f"Encounter/demo-encounter-{chart.label}-{len(visits) + 1}"
        # Nobody visits the clinic during the stay.
        visits = [visit for visit in visits if visit.day < day]
        visits.append(Visit(to, day, 8 * 60 + int(random.random() * 600), "inpatient", who, reason, "", True))
    return visits


def _visit(chart: Chart, day: date, reason: KnownCondition | None, number: int) -> Visit:
    random = chart.random
    draw = random.random()
    kind = "office"
    if draw < 0.05:
        kind = "emergency"
    elif draw < 0.08 and reason and chart.age_on(day) >= 18:
        kind = "inpatient"
    elif draw < 0.16:
        kind = "virtual"
    elif reason is None:
        kind = "check-up"
    if kind in ("office", "check-up", "virtual") and day.weekday() > 4:
        # The clinic is closed at the weekend: one goes on the Friday before, or where it is too early, to the hospital.
        friday = day - timedelta(days=day.weekday() - 4)
        if friday > chart.birth and (reason is None or friday >= reason.onset):
            day = friday
        else:
            kind = "emergency"
    who = chart.general
    if reason and kind == "office" and chart.age_on(day) >= 18 and random.random() < 0.4:
        who = chart.practitioner(reason.diagnosis.specialty)
    minute = 8 * 60 + 30 + 30 * int(random.random() * 16)
    if kind == "emergency":
        minute = int(random.random() * 1320)
    planned = kind in ("office", "check-up", "virtual") and random.random() < 0.45
    appointment = f"Appointment/demo-appointment-{chart.label}-{number}" if planned else ""
    return Visit(f"Encounter/demo-encounter-{chart.label}-{number}", day, minute, kind, who, reason, appointment)


def reference_to(of: Clinician) -> Resource:
    """Return the reference to a practitioner."""
    return reference(of.to, of.display)

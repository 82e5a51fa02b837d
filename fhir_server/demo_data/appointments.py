"""The Appointment resources of one patient: those kept, missed and cancelled, and those to come."""

from __future__ import annotations

from datetime import date, timedelta

from .chart import Chart, KnownCondition
from .datatypes import HL7, Coding, Resource, concept, instant, reference
from .organization import Clinician, clinic_count, clinician
from .slots import MINUTES, STARTS, slot_time

_CATEGORY = Coding(HL7 + "service-category", "17", "General Practice")
_SPECIALIST = Coding(HL7 + "service-category", "27", "Specialist Medical")
_TYPE = HL7 + "v2-0276"
_CHECK_UP = Coding(_TYPE, "CHECKUP", "A routine check-up, such as an annual physical")
_FOLLOW_UP = Coding(_TYPE, "FOLLOWUP", "A follow up visit from a previous appointment")
_CANCELLED = tuple(
    Coding(HL7 + "appointment-cancellation-reason", code, display)
    for code, display in (
        *(("pat", "Patient"), ("pat-fb", "Patient: Feeling Better"), ("pat-lt", "Patient: Lack of Transportation")),
        *(("prov", "Provider"), ("oth-weath", "Other: Weather")),
    )
)
# What the patient's and the others' participation is while an appointment has a status.
_PARTICIPATION = {
    "fulfilled": ("accepted", "accepted"),
    "noshow": ("accepted", "accepted"),
    "cancelled": ("declined", "accepted"),
    "booked": ("accepted", "accepted"),
    "pending": ("accepted", "needs-action"),
    "proposed": ("tentative", "needs-action"),
}


def appointment_resources(chart: Chart) -> list[Resource]:
    """Return the appointments: of kept ones as many as visits name, of the others some."""
    random = chart.random
    records = [
        _appointment(chart, visit.appointment, "fulfilled", visit.day, visit.minute, visit.clinician, visit.reason)
        for visit in chart.visits
        if visit.appointment
    ]
    prefix = f"Appointment/demo-appointment-{chart.label}-"
    for status, share in (("noshow", 0.12), ("cancelled", 0.16)):
        if chart.persona or random.random() < share:
            first = max(chart.birth + timedelta(days=1), chart.last_day - timedelta(days=700))
            day = chart.day_between(first, chart.last_day)
            day = day - timedelta(days=max(0, day.weekday() - 4))
            # A newborn's first weekend has no Friday before it.
            if day < first:
                continue
            records.append(_appointment(chart, prefix + status, status, day, _start(chart), chart.general, None))
    if chart.booking:
        day, minute = slot_time(chart.booking.place, chart.today)
        who = clinician(chart.seed, chart.booking.practitioner, clinic_count(chart.patients))
        reason = chart.conditions[0] if chart.conditions and chart.conditions[0].ended is None else None
        record = _appointment(chart, prefix + "soon", chart.booking.status, day, minute, who, reason)
        record["slot"] = [reference(chart.booking.slot)]
        records.append(record)
    if chart.death is None and (chart.number in (0, 3) or random.random() < 0.2):
        records.append(_later(chart, prefix + "later"))
    return records


def _start(chart: Chart) -> int:
    return chart.random.choice(STARTS)


def _later(chart: Chart, to: str) -> Resource:
    """Return an appointment after the two weeks that have slots, so it names none."""
    random = chart.random
    day = chart.today + timedelta(days=16 + int(random.random() * 110))
    day += timedelta(days=(7 - day.weekday()) if day.weekday() > 4 else 0)
    draw = random.random()
    status = "proposed" if chart.number == 3 else "booked" if draw < 0.8 else "pending" if draw < 0.9 else "proposed"
    return _appointment(chart, to, status, day, _start(chart), chart.general, None)


def _appointment(
    chart: Chart, to: str, status: str, day: date, minute: int, who: Clinician, reason: KnownCondition | None
) -> Resource:
    random = chart.random
    patient_status, other_status = _PARTICIPATION[status]
    specialty = who.specialty
    record: Resource = {
        "resourceType": "Appointment",
        "id": to.partition("/")[2],
        "status": status,
    }
    # app-4 as it is written knows "no-show", which is no status: only a cancelled one gives a reason.
    if status == "cancelled":
        record["cancelationReason"] = concept(_CANCELLED[int(random.random() * len(_CANCELLED))])
    record["serviceCategory"] = [concept(_CATEGORY if specialty.key == "general-practice" else _SPECIALIST)]
    record["serviceType"] = [concept(specialty.service_type)]
    record["specialty"] = [concept(specialty.snomed)]
    record["appointmentType"] = concept(_FOLLOW_UP if reason else _CHECK_UP)
    if reason:
        record["reasonReference"] = [reference(reason.to, reason.diagnosis.snomed.display)]
    record["description"] = f"{specialty.service_type.display} with {who.display}"
    record["start"] = instant(day, minute)
    record["end"] = instant(day, minute + MINUTES)
    record["minutesDuration"] = MINUTES
    made = max(chart.birth, min(day - timedelta(days=3 + int(random.random() * 40)), chart.last_day))
    record["created"] = made.isoformat()
    record["participant"] = [
        {"actor": chart.subject(), "required": "required", "status": patient_status},
        {"actor": reference(who.to, who.display), "required": "required", "status": other_status},
        {"actor": reference(*who.location), "required": "required", "status": other_status},
    ]
    return record

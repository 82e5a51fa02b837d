"""The Encounter resources of one patient: the past visits, and a stay in hospital that lasts now."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from .chart import Chart, Visit, reference_to
from .datatypes import HL7, SNOMED, Coding, Resource, coding, concept, instant, period, reference
from .organization import EMERGENCY, HOSPITAL, WARD, clinic

_CLASS = HL7 + "v3-ActCode"
_PARTICIPATION = HL7 + "v3-ParticipationType"
_PERFORMER = Coding(_PARTICIPATION, "PPRF", "primary performer")
_ATTENDER = Coding(_PARTICIPATION, "ATND", "attender")
_HOME = Coding(HL7 + "discharge-disposition", "home", "Home")


class _Kind(NamedTuple):
    """How a kind of visit is coded, and the minutes it lasts at least and on top of that at most."""

    act_class: Coding
    type: Coding
    shortest: int
    more: int


_AMBULATORY = Coding(_CLASS, "AMB", "ambulatory")
_KINDS = {
    "office": _Kind(_AMBULATORY, Coding(SNOMED, "390906007", "Follow-up encounter"), 15, 25),
    "check-up": _Kind(_AMBULATORY, Coding(SNOMED, "185349003", "Encounter for check up"), 20, 30),
    "virtual": _Kind(
        Coding(_CLASS, "VR", "virtual"), Coding(SNOMED, "448337001", "Telemedicine consultation with patient"), 10, 20
    ),
    "emergency": _Kind(
        Coding(_CLASS, "EMER", "emergency"), Coding(SNOMED, "50849002", "Emergency room admission"), 30, 80
    ),
    "inpatient": _Kind(
        Coding(_CLASS, "IMP", "inpatient encounter"), Coding(SNOMED, "32485007", "Hospital admission"), 0, 0
    ),
}


def encounter_resources(chart: Chart) -> list[Resource]:
    """Return the encounters of the chart's visits; their appointments must stand earlier in the list."""
    return [_encounter(chart, visit) for visit in chart.visits]


def _encounter(chart: Chart, visit: Visit) -> Resource:
    kind = _KINDS[visit.kind]
    lasts = period(instant(visit.day, visit.minute), _end(chart, visit, kind))
    hospital = visit.kind in ("inpatient", "emergency")
    record: Resource = {
        "resourceType": "Encounter",
        "id": visit.to.partition("/")[2],
        "status": "in-progress" if visit.open else "finished",
        "class": coding(kind.act_class),
        "type": [concept(kind.type)],
        "subject": chart.subject(),
        "participant": [
            {
                "type": [concept(_ATTENDER if hospital else _PERFORMER)],
                "period": dict(lasts),
                "individual": reference_to(visit.clinician),
            }
        ],
    }
    if visit.appointment:
        record["appointment"] = [reference(visit.appointment)]
    record["period"] = lasts
    if visit.reason:
        record["reasonReference"] = [reference(visit.reason.to, visit.reason.diagnosis.snomed.display)]
    if visit.kind == "inpatient" and not visit.open:
        record["hospitalization"] = {"dischargeDisposition": concept(_HOME)}
    place = visit.clinician.location
    if hospital:
        place = WARD if visit.kind == "inpatient" else EMERGENCY
    # A virtual visit has no place.
    if visit.kind != "virtual":
        record["location"] = [{"location": reference(*place), "status": "active" if visit.open else "completed"}]
    record["serviceProvider"] = reference(*(HOSPITAL if hospital else clinic(visit.clinician.clinic)))
    return record


def _end(chart: Chart, visit: Visit, kind: _Kind) -> str | None:
    if visit.open:
        return None
    if visit.kind == "inpatient":
        # Discharged in the evening, and the day before death at the latest.
        day = min(visit.day + timedelta(days=1 + int(chart.random.random() * 6)), chart.last_day)
        return instant(day, 18 * 60 + 30)
    return instant(visit.day, visit.minute + kind.shortest + int(chart.random.random() * kind.more))

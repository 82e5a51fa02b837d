"""Medicines: what is prescribed, how it is taken, and the MedicationRequests of one patient."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from .chart import Chart, KnownCondition, reference_to
from .datatypes import HL7, RXNORM, SNOMED, Coding, Resource, concept, quantity, reference

_ORAL = Coding(SNOMED, "26643006", "Oral route")
_INHALED = Coding(SNOMED, "447694001", "Respiratory tract route")
_CATEGORY = Coding(HL7 + "medicationrequest-category", "outpatient", "Outpatient")
_WHY = HL7 + "medicationrequest-status-reason"
_STOPPED = (
    Coding(_WHY, "altchoice", "Try another treatment first"),
    Coding(_WHY, "sintol", "Suspected intolerance"),
    Coding(_WHY, "drughigh", "Drug level too high"),
    Coding(_WHY, "sddi", "Drug interacts with another drug"),
)


class Medication(NamedTuple):
    """A medicine: its code, what one dose is, how many times a day (0: as needed), and for how many days."""

    rxnorm: Coding
    dose: float
    unit: str
    times: int
    days: int
    route: Coding = _ORAL


def _medication(code: str, display: str, unit: str, times: int, days: int = 90, dose: float = 1) -> Medication:
    route = _INHALED if unit == "puff" else _ORAL
    return Medication(Coding(RXNORM, code, display), dose, unit, times, days, route)


MEDICATIONS = {
    "metformin": _medication("861007", "metformin hydrochloride 500 MG Oral Tablet", "tablet", 2),
    "glipizide": _medication("310490", "glipizide 5 MG Oral Tablet", "tablet", 1),
    "lisinopril": _medication("314076", "lisinopril 10 MG Oral Tablet", "tablet", 1),
    "amlodipine": _medication("197361", "amlodipine 5 MG Oral Tablet", "tablet", 1),
    "atorvastatin": _medication("617310", "atorvastatin 20 MG Oral Tablet", "tablet", 1),
    "albuterol": _medication("745679", "200 ACTUAT albuterol 0.09 MG/ACTUAT Metered Dose Inhaler", "puff", 0, 30, 2),
    "aspirin": _medication("243670", "aspirin 81 MG Oral Tablet", "tablet", 1),
    "metoprolol": _medication("866514", "metoprolol tartrate 50 MG Oral Tablet", "tablet", 2),
    "furosemide": _medication("313988", "furosemide 40 MG Oral Tablet", "tablet", 1),
    "warfarin": _medication("855332", "warfarin sodium 5 MG Oral Tablet", "tablet", 1),
    "levothyroxine": _medication("10582", "levothyroxine", "tablet", 1),
    "sertraline": _medication("312941", "sertraline 50 MG Oral Tablet", "tablet", 1),
    "omeprazole": _medication("198051", "omeprazole 20 MG Delayed Release Oral Capsule", "capsule", 1),
    "acetaminophen": _medication("313782", "acetaminophen 325 MG Oral Tablet", "tablet", 0, 30, 2),
    "ibuprofen": _medication("310965", "ibuprofen 200 MG Oral Tablet", "tablet", 3, 7, 2),
    "sumatriptan": _medication("37418", "sumatriptan", "tablet", 0, 30),
    "amoxicillin": _medication("308191", "amoxicillin 500 MG Oral Capsule", "capsule", 3, 7),
    "nitrofurantoin": _medication("7454", "nitrofurantoin", "capsule", 2, 5),
}
_TIMES = {1: "once daily", 2: "twice daily", 3: "three times daily"}


def medication_requests(chart: Chart) -> list[Resource]:
    """Return the prescriptions of the patient's conditions, and those the memorable patients have besides."""
    random = chart.random
    records: list[Resource] = []
    for condition in chart.conditions:
        for key in condition.diagnosis.medications:
            if key in chart.avoided:
                continue
            # Some people with a chronic illness go without: the second medicine is given to fewer.
            known = chart.persona is not None
            if not known and random.random() > (0.85 if key == condition.diagnosis.medications[0] else 0.5):
                continue
            status = "completed" if condition.ended else "active" if chart.death is None else "completed"
            draw = 0.0 if known else random.random()
            if status == "active" and draw > 0.76:
                status = "completed" if draw < 0.88 else "stopped"
            records.append(_request(chart, key, condition, status, len(records) + 1))
    if chart.persona:
        for key, reason, status in chart.persona.medications:
            because = next(one for one in chart.conditions if one.diagnosis.key == reason)
            records.append(_request(chart, key, because, status, len(records) + 1))
    return records


def _request(chart: Chart, key: str, because: KnownCondition, status: str, number: int) -> Resource:
    medication = MEDICATIONS[key]
    authored, encounter, requester = _authored(chart, because, newest=status == "active")
    record: Resource = {
        "resourceType": "MedicationRequest",
        "id": f"demo-medicationrequest-{chart.label}-{number}",
        "status": status,
    }
    if status == "stopped":
        why = _STOPPED[int(chart.random.random() * len(_STOPPED))]
        record["statusReason"] = concept(why)
    record["intent"] = "order"
    record["category"] = [concept(_CATEGORY)]
    record["priority"] = "routine"
    record["medicationCodeableConcept"] = concept(medication.rxnorm)
    record["subject"] = chart.subject()
    if encounter:
        record["encounter"] = reference(encounter)
    record["authoredOn"] = authored.isoformat()
    record["requester"] = requester
    record["reasonReference"] = [reference(because.to, because.diagnosis.snomed.display)]
    record["dosageInstruction"] = [_dosage(medication)]
    record["dispenseRequest"] = _dispense(medication, because, authored)
    return record


def _authored(chart: Chart, because: KnownCondition, newest: bool) -> tuple[date, str, Resource]:
    """Return when, at which encounter ("" for none) and by whom it was prescribed: after the condition's onset."""
    visits = [visit for visit in chart.visits if visit.day >= because.onset]
    if because.ended:
        visits = [visit for visit in visits if visit.day <= because.ended]
    if visits:
        visit = visits[-1 if newest else 0]
        return visit.day, visit.to, reference_to(visit.clinician)
    last = because.ended or chart.last_day
    day = because.onset + timedelta(days=int(chart.random.random() * min(30, (last - because.onset).days + 1)))
    return day, "", reference_to(chart.general)


def _dosage(medication: Medication) -> Resource:
    words = f"{medication.dose} {medication.unit}{'s' if medication.dose > 1 else ''}"
    as_needed = medication.times == 0
    often = "every 6 hours as needed" if as_needed else _TIMES[medication.times]
    repeat: Resource = {"frequency": medication.times or 1, "period": 6 if as_needed else 1}
    repeat["periodUnit"] = "h" if as_needed else "d"
    return {
        "sequence": 1,
        "text": f"{words} {often}",
        "timing": {"repeat": repeat},
        "asNeededBoolean": as_needed,
        "route": concept(medication.route),
        "doseAndRate": [{"doseQuantity": quantity(medication.dose, medication.unit, f"{{{medication.unit}}}")}],
    }


def _dispense(medication: Medication, because: KnownCondition, authored: date) -> Resource:
    refills = 0 if because.ended else 3
    amount = int(medication.dose * (medication.times or 1) * medication.days)
    until = authored + timedelta(days=365 if refills else medication.days)
    return {
        "validityPeriod": {"start": authored.isoformat(), "end": until.isoformat()},
        "numberOfRepeatsAllowed": refills,
        "quantity": quantity(amount, medication.unit, f"{{{medication.unit}}}"),
        "expectedSupplyDuration": quantity(medication.days, "days", "d"),
    }

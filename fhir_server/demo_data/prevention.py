"""The Immunization and Procedure resources of one patient."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from .chart import Chart, reference_to
from .datatypes import CVX, HL7, SNOMED, Coding, Resource, concept, instant, period, quantity, reference

_INFLUENZA = Coding(CVX, "140", "Influenza, split virus, trivalent, PF")
_TDAP = Coding(CVX, "115", "Tdap")
_COVID = Coding(CVX, "208", "COVID-19, mRNA, LNP-S, PF, 30 mcg/0.3 mL dose")
_ZOSTER = Coding(CVX, "187", "zoster recombinant")
_PNEUMOCOCCAL = Coding(CVX, "33", "pneumococcal polysaccharide PPV23")
_DTAP = Coding(CVX, "20", "DTaP")
_POLIO = Coding(CVX, "10", "IPV")
_HEPATITIS = Coding(CVX, "08", "Hep B, adolescent or pediatric")
_MEASLES = Coding(CVX, "03", "MMR")
_VARICELLA = Coding(CVX, "21", "varicella")
# A child's vaccines: the age in months, the vaccine, the dose of its series.
_CHILDHOOD = (
    *((0, _HEPATITIS, 1), (2, _DTAP, 1), (2, _POLIO, 1), (4, _DTAP, 2), (6, _POLIO, 2), (6, _HEPATITIS, 2)),
    *((12, _MEASLES, 1), (12, _VARICELLA, 1), (15, _DTAP, 3), (48, _MEASLES, 2), (48, _DTAP, 4)),
)
_MUSCLE = Coding(SNOMED, "78421000", "Intramuscular route")
_OBJECTION = Coding(HL7 + "v3-ActReason", "PATOBJ", "patient objection")


class _Procedure(NamedTuple):
    """A procedure: its code, from which age, for which diagnosis (any: ""), the share who had it, its minutes."""

    code: Coding
    first_age: int
    diagnosis: str
    share: float
    minutes: int


_PROCEDURES = (
    _Procedure(Coding(SNOMED, "73761001", "Colonoscopy"), 45, "", 0.22, 40),
    _Procedure(Coding(SNOMED, "80146002", "Appendectomy"), 8, "", 0.03, 70),
    _Procedure(Coding(SNOMED, "110473004", "Cataract surgery"), 68, "", 0.20, 35),
    _Procedure(Coding(SNOMED, "29303009", "Electrocardiographic procedure"), 30, "hypertension", 0.30, 15),
    _Procedure(Coding(SNOMED, "40701008", "Echocardiography"), 40, "heart-failure", 0.8, 30),
    _Procedure(Coding(SNOMED, "415070008", "Percutaneous coronary intervention"), 45, "coronary-disease", 0.35, 90),
    _Procedure(Coding(SNOMED, "127783003", "Spirometry"), 6, "asthma", 0.5, 20),
    _Procedure(Coding(SNOMED, "127783003", "Spirometry"), 45, "copd", 0.7, 20),
)


def immunization_resources(chart: Chart) -> list[Resource]:
    """Return the vaccines of childhood for children, and those of adults for adults."""
    random, last = chart.random, chart.last_day
    age = chart.age_on(last)
    records: list[Resource] = []
    if age < 18:
        for months, vaccine, dose in _CHILDHOOD:
            day = chart.birth + timedelta(days=int(months * 30.44) + 1 + int(random.random() * 12))
            if day <= last and random.random() < 0.95:
                records.append(_immunization(chart, vaccine, day, dose, len(records) + 1))
    wanted = [(_INFLUENZA, 0.5 if age >= 50 else 0.28, 1, 330), (_INFLUENZA, 0.35, 1, 700)]
    if age >= 12:
        wanted += [(_COVID, 0.6, 1, 1000), (_TDAP, 0.4, 1, 3000)]
    if age >= 60:
        wanted += [(_ZOSTER, 0.45, 1, 1500), (_PNEUMOCOCCAL, 0.5, 1, 1800)]
    for vaccine, share, dose, days_ago in wanted:
        day = last - timedelta(days=int(days_ago * (0.4 + 0.6 * random.random())))
        if (chart.persona or random.random() < share) and chart.age_on(day) >= 1:
            records.append(_immunization(chart, vaccine, day, dose, len(records) + 1))
    return records


def _immunization(chart: Chart, vaccine: Coding, day: date, dose: int, number: int) -> Resource:
    random = chart.random
    given = chart.persona is not None or random.random() > 0.03
    record: Resource = {
        "resourceType": "Immunization",
        "id": f"demo-immunization-{chart.label}-{number}",
        "status": "completed" if given else "not-done",
    }
    if not given:
        record["statusReason"] = concept(_OBJECTION)
    record["vaccineCode"] = concept(vaccine)
    record["patient"] = chart.subject()
    record["occurrenceDateTime"] = day.isoformat()
    record["primarySource"] = True
    if given:
        record["lotNumber"] = f"L{int(random.random() * 90000) + 10000}"
        record["expirationDate"] = (day + timedelta(days=180)).isoformat()
        record["route"] = concept(_MUSCLE)
        record["doseQuantity"] = quantity(0.5, "mL", "mL")
        record["performer"] = [{"actor": reference_to(chart.general)}]
        record["protocolApplied"] = [{"doseNumberPositiveInt": dose}]
    return record


def procedure_resources(chart: Chart) -> list[Resource]:
    """Return the procedures the patient's age and conditions led to."""
    random, age = chart.random, chart.age_on(chart.last_day)
    records: list[Resource] = []
    for procedure in _PROCEDURES:
        if age <= procedure.first_age:
            continue
        reason = next((one for one in chart.conditions if one.diagnosis.key == procedure.diagnosis), None)
        if (procedure.diagnosis and reason is None) or random.random() >= procedure.share:
            continue
        first = chart.birth + timedelta(days=int(procedure.first_age * 365.25))
        day = chart.day_between(max(first, reason.onset) if reason else first, chart.last_day)
        minute = 8 * 60 + int(random.random() * 480)
        done = random.random() > 0.04
        record: Resource = {
            "resourceType": "Procedure",
            "id": f"demo-procedure-{chart.label}-{len(records) + 1}",
            "status": "completed" if done else "not-done",
        }
        if not done:
            record["statusReason"] = concept(Coding(SNOMED, "105480006", "Refusal of treatment by patient"))
        record["code"] = concept(procedure.code)
        record["subject"] = chart.subject()
        record["performedPeriod"] = period(instant(day, minute), instant(day, minute + procedure.minutes))
        record["performer"] = [{"actor": reference_to(chart.practitioner(_performer(procedure)))}]
        if reason:
            record["reasonReference"] = [reference(reason.to, reason.diagnosis.snomed.display)]
        records.append(record)
    return records


def _performer(procedure: _Procedure) -> str:
    heart = ("hypertension", "heart-failure", "coronary-disease")
    return "cardiology" if procedure.diagnosis in heart else "general-practice"

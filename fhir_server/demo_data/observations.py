"""The Observation resources of one patient: vital signs and laboratory values at the visits, and smoking."""

from __future__ import annotations

from typing import NamedTuple

from .body import Body, height, mass_index, new_body, pressure, pulse, weight
from .chart import Chart, Visit, reference_to
from .datatypes import HL7, LOINC, SNOMED, Coding, Resource, concept, instant, quantity, reference

_PROFILE = "http://hl7.org/fhir/StructureDefinition/"
_CATEGORY = HL7 + "observation-category"
_VITAL = Coding(_CATEGORY, "vital-signs", "Vital Signs")
_LABORATORY = Coding(_CATEGORY, "laboratory", "Laboratory")
_SOCIAL = Coding(_CATEGORY, "social-history", "Social History")
_INTERPRETATION = HL7 + "v3-ObservationInterpretation"
_HIGH = Coding(_INTERPRETATION, "H", "High")
_LOW = Coding(_INTERPRETATION, "L", "Low")
_NORMAL = Coding(_INTERPRETATION, "N", "Normal")

_PRESSURE = Coding(LOINC, "85354-9", "Blood pressure panel with all children optional")
_SYSTOLIC = Coding(LOINC, "8480-6", "Systolic blood pressure")
_DIASTOLIC = Coding(LOINC, "8462-4", "Diastolic blood pressure")
_SMOKING = Coding(LOINC, "72166-2", "Tobacco smoking status")
_SMOKERS = (
    Coding(SNOMED, "266919005", "Never smoked tobacco"),
    Coding(SNOMED, "8517006", "Ex-smoker"),
    Coding(SNOMED, "449868002", "Smokes tobacco daily"),
)


class _Measure(NamedTuple):
    """A vital sign with one value: code, unit as shown, unit as UCUM, and the profile it conforms to."""

    code: Coding
    unit: str
    ucum: str
    profile: str


_WEIGHT = _Measure(Coding(LOINC, "29463-7", "Body weight"), "kg", "kg", "bodyweight")
_HEIGHT = _Measure(Coding(LOINC, "8302-2", "Body height"), "cm", "cm", "bodyheight")
_BMI = _Measure(Coding(LOINC, "39156-5", "Body mass index (BMI) [Ratio]"), "kg/m2", "kg/m2", "bmi")
_PULSE = _Measure(Coding(LOINC, "8867-4", "Heart rate"), "beats/minute", "/min", "heartrate")
_TEMPERATURE = _Measure(Coding(LOINC, "8310-5", "Body temperature"), "°C", "Cel", "bodytemp")


class _Test(NamedTuple):
    """A laboratory test: code, unit, UCUM unit, reference range, decimals, and the usual value and its spread."""

    code: Coding
    unit: str
    ucum: str
    low: float | None
    high: float | None
    digits: int
    usual: float
    spread: float


def _blood(code: str, display: str, unit: str = "mg/dL") -> tuple[Coding, str, str]:
    return Coding(LOINC, code, display), unit, unit


_HBA1C = _Test(*_blood("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "%"), 4.0, 5.6, 1, 5.3, 0.25)
_GLUCOSE = _Test(*_blood("2339-0", "Glucose [Mass/volume] in Blood"), 70, 99, 0, 90, 8)
_CHOLESTEROL = _Test(*_blood("2093-3", "Cholesterol [Mass/volume] in Serum or Plasma"), None, 200, 0, 182, 24)
_HDL = _Test(*_blood("2085-9", "Cholesterol in HDL [Mass/volume] in Serum or Plasma"), 40, None, 0, 52, 9)
_CREATININE = _Test(*_blood("2160-0", "Creatinine [Mass/volume] in Serum or Plasma"), 0.6, 1.3, 2, 0.9, 0.13)
_TSH = _Test(*_blood("3016-3", "Thyrotropin [Units/volume] in Serum or Plasma", "m[IU]/L"), 0.4, 4.5, 2, 2.1, 0.7)


def observation_resources(chart: Chart) -> list[Resource]:
    """Return what was measured at each visit (not at a virtual one), and how the patient smokes."""
    body = new_body(chart)
    records: list[Resource] = []
    seen = [visit for visit in chart.visits if visit.kind != "virtual"]
    for visit in seen:
        last = visit is seen[-1]
        _vital_signs(chart, body, visit, last, records)
        _laboratory(chart, visit, last, records)
    if chart.visits and chart.age_on(chart.last_day) >= 16 and (chart.persona or chart.random.random() < 0.6):
        _smoking(chart, chart.visits[-1], records)
    return records


def _record(
    chart: Chart, visit: Visit, code: Coding, category: Coding, profile: str, records: list[Resource]
) -> Resource:
    """Append an Observation without its value to `records` and return it."""
    record: Resource = {"resourceType": "Observation", "id": f"demo-observation-{chart.label}-{len(records) + 1}"}
    if profile:
        record["meta"] = {"profile": [_PROFILE + profile]}
    record["status"] = "final"
    record["category"] = [concept(category)]
    record["code"] = concept(code)
    record["subject"] = chart.subject()
    record["encounter"] = reference(visit.to)
    record["effectiveDateTime"] = instant(visit.day, visit.minute + 5)
    if category is _LABORATORY:
        # The laboratory answers later on the day; vital signs are known at once.
        record["issued"] = instant(visit.day, min(visit.minute + 150, 1439))
    record["performer"] = [reference_to(visit.clinician)]
    records.append(record)
    return record


def _vital(chart: Chart, visit: Visit, measure: _Measure, value: float, records: list[Resource]) -> None:
    record = _record(chart, visit, measure.code, _VITAL, measure.profile, records)
    record["valueQuantity"] = quantity(value, measure.unit, measure.ucum)


def _vital_signs(chart: Chart, body: Body, visit: Visit, last: bool, records: list[Resource]) -> None:
    random, day = chart.random, visit.day
    thorough = last or visit.kind in ("check-up", "inpatient") or chart.persona is not None
    years = chart.age_on(day)
    if (years >= 18 and (thorough or random.random() < 0.85)) or (years >= 3 and random.random() < 0.4):
        systolic, diastolic = pressure(chart, body, day)
        record = _record(chart, visit, _PRESSURE, _VITAL, "bp", records)
        record["interpretation"] = [concept(_HIGH if systolic >= 140 or diastolic >= 90 else _NORMAL)]
        # The panel itself has no value: the values are the components'.
        record["component"] = [
            {"code": concept(_SYSTOLIC), "valueQuantity": quantity(systolic, "mmHg", "mm[Hg]")},
            {"code": concept(_DIASTOLIC), "valueQuantity": quantity(diastolic, "mmHg", "mm[Hg]")},
        ]
    if last or chart.persona or random.random() < 0.4:
        _vital(chart, visit, _PULSE, pulse(chart, body, day), records)
    if thorough or random.random() < 0.3:
        kilograms = weight(chart, body, day)
        _vital(chart, visit, _WEIGHT, kilograms, records)
        if thorough and (last or years < 18 or random.random() < 0.25):
            centimetres = height(chart, body, day)
            _vital(chart, visit, _HEIGHT, centimetres, records)
            if years >= 2:
                _vital(chart, visit, _BMI, mass_index(kilograms, centimetres), records)
    ill = visit.reason is not None and visit.reason.acute
    if ill or random.random() < 0.08:
        _vital(chart, visit, _TEMPERATURE, round(random.gauss(38.1 if ill else 36.8, 0.3), 1), records)


def _laboratory(chart: Chart, visit: Visit, last: bool, records: list[Resource]) -> None:
    random = chart.random
    often = chart.persona is not None
    diabetic = _since(chart, "diabetes", visit)
    if diabetic is not None and (often or random.random() < 0.6):
        # Treatment brings the sugar down over the years that follow the diagnosis.
        hba1c = 6.6 + 2.6 / (1 + diabetic * 0.35) + random.gauss(0, 0.3)
        _test(chart, visit, _HBA1C, hba1c, records)
        _test(chart, visit, _GLUCOSE, 28.7 * hba1c - 46.7 + random.gauss(0, 9), records)
    elif chart.age_on(visit.day) >= 40 and last and random.random() < 0.35:
        _test(chart, visit, _HBA1C, None, records)
    lipids = _since(chart, "hyperlipidemia", visit)
    if (lipids is not None and (often or random.random() < 0.5)) or (
        last and chart.age_on(visit.day) >= 35 and random.random() < 0.4
    ):
        more = 0 if lipids is None else 42 / (1 + lipids * 0.4)
        _test(chart, visit, _CHOLESTEROL, random.gauss(_CHOLESTEROL.usual + more, _CHOLESTEROL.spread), records)
        _test(chart, visit, _HDL, None, records)
    kidneys = _since(chart, "kidney-disease", visit)
    if kidneys is not None and (often or random.random() < 0.7):
        _test(chart, visit, _CREATININE, random.gauss(1.6, 0.2), records)
    elif _since(chart, "hypertension", visit) is not None and random.random() < 0.3:
        _test(chart, visit, _CREATININE, None, records)
    if _since(chart, "hypothyroidism", visit) is not None and random.random() < 0.5:
        _test(chart, visit, _TSH, abs(random.gauss(3.2, 1.6)) + 0.1, records)


def _since(chart: Chart, key: str, visit: Visit) -> float | None:
    """Return for how many years the patient has had the condition at the visit, or None."""
    for one in chart.conditions:
        if one.diagnosis.key == key:
            return (visit.day - one.onset).days / 365.25 if one.onset <= visit.day else None
    return None


def _test(chart: Chart, visit: Visit, test: _Test, value: float | None, records: list[Resource]) -> None:
    """Append the result of `test`; without a `value` it is one of a healthy person."""
    if value is None:
        value = chart.random.gauss(test.usual, test.spread)
    shown = round(value, test.digits) if test.digits else round(value)
    record = _record(chart, visit, test.code, _LABORATORY, "", records)
    record["valueQuantity"] = quantity(shown, test.unit, test.ucum)
    high = test.high is not None and shown > test.high
    low = test.low is not None and shown < test.low
    record["interpretation"] = [concept(_HIGH if high else _LOW if low else _NORMAL)]
    limits: Resource = {}
    if test.low is not None:
        limits["low"] = quantity(test.low, test.unit, test.ucum)
    if test.high is not None:
        limits["high"] = quantity(test.high, test.unit, test.ucum)
    record["referenceRange"] = [limits]


def _smoking(chart: Chart, visit: Visit, records: list[Resource]) -> None:
    draw = chart.random.random()
    smoker = 1 if chart.has("copd") else 0 if draw < 0.62 else 1 if draw < 0.85 else 2
    record = _record(chart, visit, _SMOKING, _SOCIAL, "", records)
    record["valueCodeableConcept"] = concept(_SMOKERS[smoker])

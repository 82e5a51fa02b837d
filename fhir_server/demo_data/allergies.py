"""The AllergyIntolerance resources of one patient."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from .chart import Chart, reference_to
from .datatypes import HL7, RXNORM, SNOMED, Coding, Resource, concept

_CLINICAL = HL7 + "allergyintolerance-clinical"
_VERIFICATION = HL7 + "allergyintolerance-verification"
_HIVES = Coding(SNOMED, "126485001", "Urticaria")
_RASH = Coding(SNOMED, "271807003", "Eruption of skin")
_ANAPHYLAXIS = Coding(SNOMED, "39579001", "Anaphylaxis")
_NAUSEA = Coding(SNOMED, "422587007", "Nausea")
_SNEEZING = Coding(SNOMED, "76067001", "Sneezing")
_SEVERITY = {"low": "mild", "high": "severe", "unable-to-assess": "moderate"}


class Allergen(NamedTuple):
    """What people react to: its code, category, type, how it shows, and the medicines to avoid."""

    code: Coding
    category: str
    type: str
    reactions: tuple[Coding, ...]
    avoids: tuple[str, ...] = ()


ALLERGENS = {
    "penicillin": Allergen(
        *(Coding(RXNORM, "7980", "penicillin G"), "medication", "allergy"),
        *((_ANAPHYLAXIS, _HIVES), ("amoxicillin",)),
    ),
    "sulfonamide": Allergen(Coding(RXNORM, "10180", "sulfamethoxazole"), "medication", "allergy", (_RASH, _HIVES)),
    "aspirin": Allergen(
        *(Coding(RXNORM, "1191", "aspirin"), "medication", "intolerance"),
        *((_NAUSEA,), ("aspirin", "ibuprofen")),
    ),
    "peanut": Allergen(Coding(SNOMED, "256349002", "Peanut"), "food", "allergy", (_ANAPHYLAXIS, _HIVES)),
    "milk": Allergen(Coding(SNOMED, "3718001", "Cow's milk"), "food", "intolerance", (_NAUSEA,)),
    "egg": Allergen(Coding(SNOMED, "102263004", "Eggs (edible)"), "food", "allergy", (_RASH,)),
    "pollen": Allergen(Coding(SNOMED, "256277009", "Grass pollen"), "environment", "allergy", (_SNEEZING,)),
    "latex": Allergen(Coding(SNOMED, "111088007", "Latex"), "environment", "allergy", (_RASH, _HIVES)),
}
_KEYS = tuple(ALLERGENS)


def allergy_resources(chart: Chart) -> list[Resource]:
    """Return the patient's allergies, and note in the chart which medicines they rule out."""
    random = chart.random
    if chart.persona:
        keys = list(chart.persona.allergies)
    else:
        count = 0 if random.random() < 0.74 else 1 if random.random() < 0.8 else 2
        keys = random.sample(_KEYS, count)
    records = []
    for number, key in enumerate(keys, start=1):
        record = _allergy(chart, ALLERGENS[key], number)
        records.append(record)
        if "clinicalStatus" in record:
            chart.avoided.update(ALLERGENS[key].avoids)
    return records


def _allergy(chart: Chart, allergen: Allergen, number: int) -> Resource:
    random = chart.random
    first = chart.birth + timedelta(days=min(200, (chart.last_day - chart.birth).days))
    onset = chart.day_between(first, chart.last_day)
    recorded = chart.day_between(onset, chart.last_day)
    draw = 0.5 if chart.persona else random.random()
    record: Resource = {"resourceType": "AllergyIntolerance", "id": f"demo-allergyintolerance-{chart.label}-{number}"}
    if draw < 0.02:
        # ait-2: what was entered in error has no clinical status.
        record["verificationStatus"] = concept(Coding(_VERIFICATION, "entered-in-error", "Entered in Error"))
    else:
        code = "resolved" if draw < 0.06 else "inactive" if draw < 0.10 else "active"
        sure = "unconfirmed" if draw > 0.85 else "confirmed"
        record["clinicalStatus"] = concept(Coding(_CLINICAL, code, code.capitalize()))
        record["verificationStatus"] = concept(Coding(_VERIFICATION, sure, sure.capitalize()))
    anaphylaxis = _ANAPHYLAXIS in allergen.reactions and (chart.persona is not None or random.random() < 0.5)
    criticality = "high" if anaphylaxis else "low" if random.random() < 0.85 else "unable-to-assess"
    record["type"] = allergen.type
    record["category"] = [allergen.category]
    record["criticality"] = criticality
    record["code"] = concept(allergen.code)
    record["patient"] = chart.subject()
    record["onsetDateTime"] = onset.isoformat()
    record["recordedDate"] = recorded.isoformat()
    record["recorder"] = reference_to(chart.general)
    shows = allergen.reactions[0] if anaphylaxis else allergen.reactions[-1]
    record["reaction"] = [{"manifestation": [concept(shows)], "severity": _SEVERITY[criticality]}]
    return record

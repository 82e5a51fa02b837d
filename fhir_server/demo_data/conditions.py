"""The Condition resources of one patient: the problem list, and the diagnoses of short illnesses."""

from __future__ import annotations

from datetime import timedelta

from .chart import Chart, KnownCondition, reference_to
from .datatypes import HL7, SNOMED, Coding, Resource, concept
from .diagnoses import DIAGNOSES

_ACTIVE = Coding(HL7 + "condition-clinical", "active", "Active")
_RESOLVED = Coding(HL7 + "condition-clinical", "resolved", "Resolved")
_VERIFICATION = HL7 + "condition-ver-status"
_CONFIRMED = Coding(_VERIFICATION, "confirmed", "Confirmed")
_PROVISIONAL = Coding(_VERIFICATION, "provisional", "Provisional")
_IN_ERROR = Coding(_VERIFICATION, "entered-in-error", "Entered in Error")
_PROBLEM = Coding(HL7 + "condition-category", "problem-list-item", "Problem List Item")
_DIAGNOSIS = Coding(HL7 + "condition-category", "encounter-diagnosis", "Encounter Diagnosis")
_SEVERITIES = (
    Coding(SNOMED, "255604002", "Mild"),
    Coding(SNOMED, "6736007", "Moderate"),
    Coding(SNOMED, "24484000", "Severe"),
)


def condition_resources(chart: Chart) -> list[Resource]:
    """Return the conditions the chart knows, and now and then one that was entered in error."""
    records = [_condition(chart, condition) for condition in chart.conditions]
    if chart.persona is None and chart.random.random() < 0.008:
        number = len(records) + 1
        to = f"Condition/demo-condition-{chart.label}-{number}"
        mistaken = KnownCondition(DIAGNOSES["hypothyroidism"], to, chart.last_day, None)
        record = _condition(chart, mistaken)
        # con-5: what was entered in error has no clinical status.
        del record["clinicalStatus"]
        record["verificationStatus"] = concept(_IN_ERROR)
        records.append(record)
    return records


def _condition(chart: Chart, condition: KnownCondition) -> Resource:
    random, diagnosis = chart.random, condition.diagnosis
    provisional = condition.ended is None and random.random() < 0.05
    record: Resource = {
        "resourceType": "Condition",
        "id": condition.to.partition("/")[2],
        # con-4: a condition with an abatement is resolved.
        "clinicalStatus": concept(_RESOLVED if condition.ended else _ACTIVE),
        "verificationStatus": concept(_PROVISIONAL if provisional else _CONFIRMED),
        "category": [concept(_DIAGNOSIS if condition.acute else _PROBLEM)],
    }
    if random.random() < 0.35:
        record["severity"] = concept(_SEVERITIES[int(random.random() * 3)])
    record["code"] = concept(diagnosis.snomed, diagnosis.icd10)
    record["subject"] = chart.subject()
    record["onsetDateTime"] = condition.onset.isoformat()
    if condition.ended:
        record["abatementDateTime"] = condition.ended.isoformat()
    recorded = min(condition.onset + timedelta(days=int(random.random() * 5)), condition.ended or chart.last_day)
    record["recordedDate"] = recorded.isoformat()
    record["recorder"] = reference_to(chart.general)
    return record

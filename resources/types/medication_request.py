"""Prescriptions: drafted, active, stopped.

https://hl7.org/fhir/R4/medicationrequest.html and https://hl7.org/fhir/R4/valueset-medicationrequest-status.html

That `doNotPerform` stays in every summary follows from the definitions, which call it a modifier.
"""

from __future__ import annotations

from typing import Any

from resources.problem import Issue
from resources.types.transitions import check_transition, table

NEXT = table(
    draft="active on-hold cancelled unknown",
    active="on-hold cancelled completed stopped unknown",
    on_hold="active cancelled completed stopped unknown",
    unknown="draft active on-hold cancelled completed stopped",
)


def judge(before: dict[str, Any], after: dict[str, Any]) -> list[Issue]:
    """What is wrong with the change of a MedicationRequest: its status, and a missing reason."""
    issues = check_transition("MedicationRequest", before, after, NEXT)
    if after.get("status") == "stopped" != before.get("status") and "statusReason" not in after:
        text = "A prescription that is stopped needs a 'statusReason': whoever reads it must know why."
        issues.append(Issue("error", "business-rule", text, "MedicationRequest.statusReason"))
    return issues

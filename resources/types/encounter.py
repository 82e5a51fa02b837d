"""Encounters: planned, under way, over.

https://hl7.org/fhir/R4/encounter.html#status and https://hl7.org/fhir/R4/valueset-encounter-status.html
"""

from __future__ import annotations

from typing import Any

from resources.problem import Issue
from resources.types.transitions import check_transition, table

NEXT = table(
    planned="arrived triaged in-progress onleave finished cancelled unknown",
    arrived="planned triaged in-progress onleave finished cancelled unknown",
    triaged="arrived in-progress onleave finished cancelled unknown",
    in_progress="arrived triaged onleave finished cancelled unknown",
    onleave="in-progress finished cancelled unknown",
    # Discharged by mistake: the visit goes on.
    finished="in-progress onleave unknown",
    unknown="planned arrived triaged in-progress onleave finished cancelled",
)


def judge(before: dict[str, Any], after: dict[str, Any]) -> list[Issue]:
    """What is wrong with the change of an Encounter: its status, and what of its history gets lost."""
    issues = check_transition("Encounter", before, after, NEXT)
    for member, what in (("statusHistory", "status"), ("classHistory", "class")):
        kept = [_without_end(entry) for entry in after.get(member, ())]
        lost = [entry for entry in before.get(member, ()) if _without_end(entry) not in kept]
        if lost:
            text = (
                f"The {member} of an Encounter is kept: {len(lost)} of its {len(before[member])} entries would be lost. "
                f"Add the {what} that ends, and leave those before it."
            )
            issues.append(Issue("error", "business-rule", text, f"Encounter.{member}"))
    return issues


def _without_end(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry but for the end of its period, which is what gets known in time."""
    period = {name: value for name, value in entry.get("period", {}).items() if name != "end"}
    return {**entry, "period": period}

"""What R4 says in prose of the types that come first here: what a status may become, and what has to go with it. Pure.

A rule judges a change, never a resource by itself: records that come from elsewhere are taken as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from resources.problem import Issue
from resources.types import appointment, encounter, medication_request

Tree = dict[str, Any]

Judge = Callable[[Tree, Tree], list[Issue]]
"""The old and the new content of a resource → what is wrong with the change."""

JUDGES: Mapping[str, Judge] = MappingProxyType(
    {
        "Appointment": appointment.judge,
        "Encounter": encounter.judge,
        "MedicationRequest": medication_request.judge,
    }
)


def judge_for(type_name: str, warn_only: frozenset[str] = frozenset()) -> Judge | None:
    """What judges the changes of a type's resources; None where nothing does. warn_only: types whose faults are warnings."""
    judge = JUDGES.get(type_name)
    if judge is None or type_name not in warn_only:
        return judge
    return lambda before, after: [replace(issue, severity="warning") for issue in judge(before, after)]

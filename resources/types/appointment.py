"""Appointments: proposed, booked, kept or not.

https://hl7.org/fhir/R4/appointment.html#statuses and https://hl7.org/fhir/R4/valueset-appointmentstatus.html

That all but proposed, waiting and cancelled ones have a start and an end, the invariant app-3 says.
"""

from __future__ import annotations

from typing import Any

from resources.problem import Issue
from resources.types.transitions import check_transition, table

NEXT = table(
    proposed="pending booked waitlist cancelled",
    pending="proposed booked waitlist cancelled",
    waitlist="proposed pending booked cancelled",
    booked="pending waitlist arrived checked-in fulfilled noshow cancelled",
    arrived="booked checked-in fulfilled noshow cancelled",
    checked_in="booked arrived fulfilled noshow cancelled",
    # A patient who comes late after all.
    noshow="booked arrived checked-in fulfilled",
)


def judge(before: dict[str, Any], after: dict[str, Any]) -> list[Issue]:
    """What is wrong with the change of an Appointment."""
    return check_transition("Appointment", before, after, NEXT)

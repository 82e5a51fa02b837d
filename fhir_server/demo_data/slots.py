"""Schedules, slots of the coming two weeks, and which patient is booked into which slot.

The booking is arithmetic, so that both sides see the same one without knowing of each other: a
patient's slot is a fixed permutation of the patient's number, and undoing the permutation tells
for a slot whose it is.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from .datatypes import Resource, concept, instant, period, random_source, reference
from .organization import (
    GENERAL_PRACTICE,
    clinic_count,
    clinician,
    practitioner_count,
    practitioner_of,
)

# Half hours of a working day, in minutes after midnight, with an hour's rest at noon.
STARTS: tuple[int, ...] = (*range(8 * 60 + 30, 12 * 60 + 30, 30), *range(13 * 60 + 30, 17 * 60 + 30, 30))
MINUTES = 30
DAYS = 10
SLOTS_EACH = DAYS * len(STARTS)
# Slots are kept bounded: beyond this many practitioners a schedule is listed without slots.
PRACTITIONERS_WITH_SLOTS = 120
# A prime that does not divide the number of slots: multiplying by it visits every slot once.
_STRIDE = 7919
_BOOKED_SHARE = 0.3
# What the memorable patients have; the fourth (in hospital now) and the last (deceased) have nothing.
_KNOWN_STATUS: dict[int, str | None] = {0: "booked", 1: "booked", 2: None, 3: "pending", 4: None}
SLOT_STATUS = {"booked": "busy", "pending": "busy-tentative", "proposed": "busy-tentative"}


class Booking(NamedTuple):
    """An appointment in the coming two weeks: its status, the practitioner's number, and which of his or her slots."""

    status: str
    practitioner: int
    place: int

    @property
    def slot(self) -> str:
        """The reference to the booked slot."""
        return f"Slot/demo-slot-{self.practitioner:04d}-{self.place:03d}"


def bookable_practitioners(patients: int) -> int:
    """Return how many practitioners have slots."""
    return min(practitioner_count(patients), PRACTITIONERS_WITH_SLOTS)


@lru_cache(maxsize=64)
def _slots_and_offset(seed: int, patients: int) -> tuple[int, int]:
    """Return how many slots patients can book (those of the general practitioners), and the permutation's offset."""
    general = sum(
        clinician(seed, number, clinic_count(patients)).specialty is GENERAL_PRACTICE
        for number in range(bookable_practitioners(patients))
    )
    slots = general * SLOTS_EACH
    return slots, random_source(seed, "slots").randrange(slots)


def booking(seed: int, number: int, patients: int) -> Booking | None:
    """Return what patient `number` has booked in the coming two weeks, or None."""
    slots, offset = _slots_and_offset(seed, patients)
    if number >= slots:
        return None
    status = _status(seed, number)
    if status is None:
        return None
    draw, index = divmod((number * _STRIDE + offset) % slots, SLOTS_EACH)
    return Booking(status, practitioner_of(GENERAL_PRACTICE.key, draw, bookable_practitioners(patients)), index)


def _status(seed: int, number: int) -> str | None:
    if number in _KNOWN_STATUS:
        return _KNOWN_STATUS[number]
    draw = random_source(seed, "booking", number).random() / _BOOKED_SHARE
    if draw >= 1:
        return None
    return "booked" if draw < 0.86 else "pending" if draw < 0.94 else "proposed"


@lru_cache(maxsize=64)
def working_days(today: date) -> tuple[date, ...]:
    """Return the next ten working days, from tomorrow on."""
    days = (today + timedelta(days=ahead) for ahead in range(1, 15))
    return tuple(day for day in days if day.weekday() < 5)[:DAYS]


def slot_time(index: int, today: date) -> tuple[date, int]:
    """Return the day of a practitioner's slot `index`, and its start in minutes after midnight."""
    day, place = divmod(index, len(STARTS))
    return working_days(today)[day], STARTS[place]


def schedule_resources(seed: int, today: date, patients: int) -> list[Resource]:
    """Return every practitioner's Schedule, and the Slots of those who have slots."""
    with_slots = bookable_practitioners(patients)
    taken: dict[tuple[int, int], str] = {}
    for number in range(min(patients, _slots_and_offset(seed, patients)[0])):
        booked = booking(seed, number, patients)
        if booked is not None:
            taken[booked.practitioner, booked.place] = SLOT_STATUS[booked.status]
    records: list[Resource] = []
    for number in range(practitioner_count(patients)):
        records.append(_schedule(seed, number, today, patients))
        if number < with_slots:
            records.extend(_slots(seed, number, today, patients, taken))
    return records


def _schedule(seed: int, number: int, today: date, patients: int) -> Resource:
    who = clinician(seed, number, clinic_count(patients))
    days = working_days(today)
    return {
        "resourceType": "Schedule",
        "id": f"demo-schedule-{number:04d}",
        "active": True,
        "serviceType": [concept(who.specialty.service_type)],
        "specialty": [concept(who.specialty.snomed)],
        "actor": [reference(who.to, who.display), reference(*who.location)],
        "planningHorizon": period(instant(days[0], STARTS[0]), instant(days[-1], STARTS[-1] + MINUTES)),
        "comment": f"{who.specialty.service_type.display} with {who.display}",
    }


def _slots(seed: int, number: int, today: date, patients: int, taken: dict[tuple[int, int], str]) -> list[Resource]:
    who = clinician(seed, number, clinic_count(patients))
    random = random_source(seed, "slots of", number)
    records: list[Resource] = []
    for index in range(SLOTS_EACH):
        day, minute = slot_time(index, today)
        # Some time is nobody's: rounds, teaching. A booking goes before it.
        otherwise = "busy-unavailable" if random.random() < 0.06 else "free"
        records.append(
            {
                "resourceType": "Slot",
                "id": f"demo-slot-{number:04d}-{index:03d}",
                "serviceType": [concept(who.specialty.service_type)],
                "specialty": [concept(who.specialty.snomed)],
                "schedule": reference(f"Schedule/demo-schedule-{number:04d}", who.display),
                "status": taken.get((number, index), otherwise),
                "start": instant(day, minute),
                "end": instant(day, minute + MINUTES),
            }
        )
    return records

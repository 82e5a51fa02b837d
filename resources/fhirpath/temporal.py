"""Dates, date-times and times of any precision.

http://hl7.org/fhirpath/N1/#datetime and http://hl7.org/fhirpath/N1/#datetime-arithmetic
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Literal

from .errors import FhirPathError

TemporalKind = Literal["Date", "DateTime", "Time"]

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_DATE_TIME = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:T(?:(\d{2})(?::(\d{2})(?::(\d{2})(?:\.(\d+))?)?)?(Z|[+-]\d{2}:\d{2})?)?)?"
)
_TIME = re.compile(r"(\d{2})(?::(\d{2})(?::(\d{2})(?:\.(\d+))?)?)?")

# What is left unsaid in a moment is at most the distance between the outermost time zones.
_WIDEST_OFFSET = 14 * 60


@dataclass(frozen=True)
class Temporal:
    """A Date, DateTime or Time.

    parts: the stated ones of year, month, day, hour, minute, second (a Time begins at the hour).
    fraction: the digits after the second; None where there are none. offset: minutes east of UTC; None if not stated.
    """

    kind: TemporalKind
    parts: tuple[int, ...]
    fraction: str | None = None
    offset: int | None = None

    def __str__(self) -> str:
        """The ISO 8601 form that FHIR uses, without the `@` of a literal."""
        date, time = ((), self.parts) if self.kind == "Time" else (self.parts[:3], self.parts[3:])
        text = "-".join(f"{p:04}" if i == 0 else f"{p:02}" for i, p in enumerate(date))
        if time:
            text += "T" if date else ""
            text += ":".join(f"{p:02}" for p in time)
            if self.fraction is not None:
                text += f".{self.fraction}"
            if self.offset is not None:
                text += _offset_text(self.offset)
        return text

    @cached_property
    def digits(self) -> int:
        """The precision as the number of digits that are stated: 4 for a year, 17 for milliseconds."""
        whole = 2 * len(self.parts) + (0 if self.kind == "Time" else 2)
        return whole + (3 if self.fraction is not None else 0)

    @cached_property
    def comparable(self) -> tuple[int | float, ...]:
        """The parts in UTC where the offset is known; seconds and fraction are one part, as the language has it."""
        parts: tuple[int | float, ...] = self.parts
        if self.offset is not None and len(self.parts) > 4 and self.offset:
            try:
                moment = _datetime(self.parts) - timedelta(minutes=self.offset)
                parts = moment.timetuple()[: len(self.parts)]
            except OverflowError:
                parts = self.parts
        if self.fraction is not None:
            parts = (*parts[:-1], parts[-1] + float(f"0.{self.fraction}"))
        return parts


def order(left: Temporal, right: Temporal) -> int | None:
    """-1, 0 or 1; None where the precisions (or a missing time zone) leave the order open."""
    mine, other = left.comparable, right.comparable
    timed_mine, timed_other = len(left.parts) > 3, len(right.parts) > 3
    if left.kind != "Time" and timed_mine and timed_other and (left.offset is None) != (right.offset is None):
        return _order_with_one_offset(left, right)
    if left.offset and not timed_other:
        mine = left.parts
    if right.offset and not timed_mine:
        other = right.parts
    for a, b in zip(mine, other, strict=False):
        if a != b:
            return -1 if a < b else 1
    return 0 if len(mine) == len(other) else None


def _order_with_one_offset(left: Temporal, right: Temporal) -> int | None:
    distance = (_moment(left) - _moment(right)).total_seconds() / 60
    if abs(distance) <= _WIDEST_OFFSET:
        return None
    return -1 if distance < 0 else 1


def _moment(value: Temporal) -> datetime:
    return _datetime(value.parts) - timedelta(minutes=value.offset or 0)


def _datetime(parts: tuple[int, ...]) -> datetime:
    year, month, day, hour, minute, second = (*parts, *(1, 1, 1, 0, 0, 0)[len(parts) :])
    return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)  # 60 is a leap second


@lru_cache(maxsize=4096)
def parse_date(text: str) -> Temporal | None:
    """`2014`, `2014-12` or `2014-12-24`; None for other texts and for days that do not exist."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    return _valid(Temporal("Date", tuple(int(p) for p in match.groups() if p is not None)))


@lru_cache(maxsize=4096)
def parse_date_time(text: str) -> Temporal | None:
    """A date, optionally with `T`, a time of any precision and a time zone; None for other texts."""
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return None
    *parts, fraction, offset = match.groups()
    stated = tuple(int(p) for p in parts if p is not None)
    if len(stated) > 3 and len([p for p in parts[:3] if p]) < 3:
        return None
    return _valid(Temporal("DateTime", stated, fraction, _offset(offset)))


@lru_cache(maxsize=1024)
def parse_time(text: str) -> Temporal | None:
    """`10`, `10:30`, `10:30:00` or with a fraction; None for other texts."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    *parts, fraction = match.groups()
    return _valid(Temporal("Time", tuple(int(p) for p in parts if p is not None), fraction))


def from_moment(moment: datetime, kind: TemporalKind) -> Temporal:
    """A `datetime` as Date, DateTime (to the millisecond) or Time."""
    fraction = f"{moment.microsecond // 1000:03}"
    if kind == "Date":
        return Temporal("Date", (moment.year, moment.month, moment.day))
    clock = (moment.hour, moment.minute, moment.second)
    if kind == "Time":
        return Temporal("Time", clock, fraction)
    offset = moment.utcoffset()
    minutes = None if offset is None else int(offset.total_seconds() // 60)
    return Temporal("DateTime", (moment.year, moment.month, moment.day, *clock), fraction, minutes)


def _valid(value: Temporal) -> Temporal | None:
    date, time = ((), value.parts) if value.kind == "Time" else (value.parts[:3], value.parts[3:])
    if date and not (1 <= date[0] <= 9999 and (len(date) < 2 or 1 <= date[1] <= 12)):
        return None
    if len(date) == 3 and not 1 <= date[2] <= calendar.monthrange(date[0], date[1])[1]:
        return None
    # A leap second is written as 60.
    if any(part > limit for part, limit in zip(time, (23, 59, 60), strict=False)):
        return None
    return value


def _offset(text: str | None) -> int | None:
    if text is None:
        return None
    if text == "Z":
        return 0
    sign = -1 if text[0] == "-" else 1
    return sign * (int(text[1:3]) * 60 + int(text[4:]))


def _offset_text(offset: int) -> str:
    if offset == 0:
        return "Z"
    return f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"


_MILLISECONDS = {"week": 604_800_000, "day": 86_400_000, "hour": 3_600_000, "minute": 60_000, "second": 1000}
_PARTS = ("year", "month", "day", "hour", "minute", "second")


def add(value: Temporal, amount: int, unit: str) -> Temporal:
    """The moment `amount` calendar units later (earlier where negative), in the precision of `value`."""
    if value.kind == "Time":
        return _add_to_time(value, amount, unit)
    precision = len(value.parts)
    if unit in ("year", "month"):
        if unit == "year":
            return _shift_months(value, 12 * amount)
        return _shift_months(value, amount if precision > 1 else 12 * _toward_zero(amount, 12))
    milliseconds = amount * _MILLISECONDS.get(unit, 1)
    if precision < 3:
        # A month counts 30 days and a year 365 where the precision does not reach the day.
        days = _toward_zero(milliseconds, _MILLISECONDS["day"])
        return _shift_months(value, 12 * _toward_zero(days, 365) if precision == 1 else _toward_zero(days, 30))
    smallest = 1 if value.fraction is not None else _MILLISECONDS[_PARTS[precision - 1]]
    milliseconds = _toward_zero(milliseconds, smallest) * smallest
    try:
        base = _datetime(value.parts)
        moment = base + timedelta(milliseconds=milliseconds + int(((value.fraction or "") + "000")[:3]))
    except (ValueError, OverflowError) as error:
        raise FhirPathError(f"{value} moved by {amount} {unit} leaves the calendar") from error
    fraction = None if value.fraction is None else f"{moment.microsecond // 1000:03}"
    return Temporal(value.kind, moment.timetuple()[:precision], fraction, value.offset)


def _add_to_time(value: Temporal, amount: int, unit: str) -> Temporal:
    if unit not in ("hour", "minute", "second", "millisecond"):
        raise FhirPathError(f"A time cannot be moved by {unit}s")
    moved = add(Temporal("DateTime", (2000, 1, 1, *value.parts), value.fraction), amount, unit)
    return Temporal("Time", moved.parts[3:], moved.fraction)


def _shift_months(value: Temporal, months: int) -> Temporal:
    year, month = divmod(value.parts[0] * 12 + (value.parts[1] if len(value.parts) > 1 else 1) - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise FhirPathError(f"{value} moved by {months} months leaves the calendar")
    parts = [year, month + 1, *value.parts[2:]][: len(value.parts)]
    if len(parts) > 2:
        parts[2] = min(parts[2], calendar.monthrange(year, month + 1)[1])
    return Temporal(value.kind, tuple(parts), value.fraction, value.offset)


def _toward_zero(amount: int, divisor: int) -> int:
    return amount // divisor if amount >= 0 else -(-amount // divisor)

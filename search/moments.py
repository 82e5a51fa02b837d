"""Dates and times as spans of milliseconds: what a text of any precision covers.

https://hl7.org/fhir/R4/search.html#date

A span is [first, behind): its first millisecond and the first one behind it, counted from 1970 in UTC. A text without a
time zone is read as UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

Span = tuple[int, int]

# Stand for "since ever" and "for ever"; every date that FHIR can write lies between them.
LOWEST = -(10**15)
HIGHEST = 10**15

_DATE = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)(\.(?P<fraction>\d+))?)?"
    r"(?P<zone>Z|[+ -](0\d|1[0-3]):[0-5]\d|[+ -]14:00)?)?)?)?",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND, _MINUTE, _HOUR, _DAY = 1_000, 60_000, 3_600_000, 86_400_000


def date_span(text: str) -> Span | None:
    """The span that a date or dateTime covers by its precision; None for text that is neither."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (
        int(match[name] or least)
        for name, least in (("year", 1), ("month", 1), ("day", 1), ("hour", 0), ("minute", 0), ("second", 0))
    )
    if hour > 23 or minute > 59 or second > 60:
        return None
    try:
        midnight = _days(year, month, day) * _DAY
        if match["hour"] is None:
            return midnight, _behind(year, month, day, match) * _DAY
    except ValueError:
        return None
    # A leap second is the last of its minute as far as clocks here go.
    first = midnight + hour * _HOUR + minute * _MINUTE + min(second, 59) * _SECOND - _offset(match["zone"])
    first += int((match["fraction"] or "")[:3].ljust(3, "0"))
    return first, first + _length(match)


def _days(year: int, month: int, day: int) -> int:
    """Days from 1970 on. Counted without a clock's limits, since a day may end where the calendar of datetime does."""
    return date(year, month, day).toordinal() - _EPOCH.toordinal()


def _behind(year: int, month: int, day: int, match: re.Match[str]) -> int:
    """The first day that a date no longer covers."""
    if match["day"]:
        return _days(year, month, day) + 1
    if match["month"] and month < 12:
        return _days(year, month + 1, 1)
    return _days(year, 12, 31) + 1


def _offset(zone: str | None) -> int:
    if zone is None or zone == "Z":
        return 0
    offset = int(zone[1:3]) * _HOUR + int(zone[4:6]) * _MINUTE
    return -offset if zone[0] == "-" else offset  # an unescaped plus arrives as a blank


def _length(match: re.Match[str]) -> int:
    if match["fraction"]:
        # A finer fraction than milliseconds is stored as one, so a coarser one covers all of its own digits.
        return int(10 ** max(0, 3 - len(match["fraction"])))
    return _SECOND if match["second"] else _MINUTE


def milliseconds(moment: datetime) -> int:
    """A moment, with its zone, as milliseconds since 1970."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)

"""`_id` and `_lastUpdated`: what the store keeps beside the resource and needs no index entry for.

https://hl7.org/fhir/R4/search.html#all
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from resources.primitives import is_id
from resources.problem import problem, quoted
from search.entry_text import Filter, any_of
from search.parameters import Parameter
from search.query_text import Criterion, split_value

_DATE = re.compile(
    r"(?P<prefix>eq|ne|gt|lt|ge|le|sa|eb|ap)?(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)(\.(?P<fraction>\d{1,9}))?)?(?P<zone>Z|[+ -]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)


def id_filter(_: Parameter, criterion: Criterion, _base_url: str) -> Filter:
    """The filter for documents with any of the logical ids. Text that is no id matches nothing."""
    ids = sorted({text for text in (split_value(value)[0] for value in criterion.values) if is_id(text)})
    return {"_id": ids[0]} if len(ids) == 1 else {"_id": {"$in": ids}}


def last_updated_filter(parameter: Parameter, criterion: Criterion, _base_url: str) -> Filter:
    """The filter on the time of the last change. Raises a 400 `Problem` for a text that is no date."""
    return any_of([_instant_filter(parameter.code, split_value(value)[0]) for value in criterion.values])


def _instant_filter(code: str, text: str) -> Filter:
    match = _DATE.fullmatch(text)
    span = None if match is None else _span(match)
    if match is None or span is None:
        raise problem(400, "value", f"The value {quoted(text)} of '{code}' is not a date such as ge2026-01-31.")
    first, behind = span
    match match["prefix"] or "eq":
        case "eq" | "ap":
            return {"t": {"$gte": first, "$lt": behind}}
        case "ne":
            return any_of([{"t": {"$lt": first}}, {"t": {"$gte": behind}}])
        case "gt" | "sa":
            return {"t": {"$gte": behind}}
        case "lt" | "eb":
            return {"t": {"$lt": first}}
        case "ge":
            return {"t": {"$gte": first}}
        case _:
            return {"t": {"$lt": behind}}


def date_span(text: str) -> tuple[int, int] | None:
    """A date or dateTime of any precision as milliseconds since 1970: its first, and the first behind it; or None.

    Without a time zone it is read as UTC.
    """
    match = _DATE.fullmatch(text)
    return None if match is None or match["prefix"] else _span(match)


def _span(match: re.Match[str]) -> tuple[int, int] | None:
    year, month, day, hour, minute, second = (
        int(match[name] or least)
        for name, least in (("year", 1), ("month", 1), ("day", 1), ("hour", 0), ("minute", 0), ("second", 0))
    )
    thousandths = int((match["fraction"] or "0")[:3].ljust(3, "0"))
    try:
        first = datetime(year, month, day, hour, minute, second, thousandths * 1000, UTC) - _offset(match["zone"])
        return milliseconds(first), milliseconds(_behind(first, match))
    except (ValueError, OverflowError):
        return None


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone == "Z":
        return timedelta()
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
    return -offset if zone[0] == "-" else offset  # an unescaped plus arrives as a blank


def _behind(first: datetime, match: re.Match[str]) -> datetime:
    """The first moment that the text's precision no longer covers."""
    if match["fraction"]:
        return first + timedelta(milliseconds=1)
    if match["second"]:
        return first + timedelta(seconds=1)
    if match["minute"]:
        return first + timedelta(minutes=1)
    if match["day"]:
        return first + timedelta(days=1)
    if match["month"]:
        return first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return first.replace(year=first.year + 1)


def milliseconds(moment: datetime) -> int:
    """A moment as milliseconds since 1970."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

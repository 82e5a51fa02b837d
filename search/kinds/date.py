"""Date parameters: dates, instants, periods and timings, compared as spans of time.

https://hl7.org/fhir/R4/search.html#date
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from resources.problem import problem, quoted
from search.context import Context
from search.entry_text import Filter, any_of
from search.escaping import unescaped
from search.index_values import IndexValues
from search.moments import HIGHEST, LOWEST, Span, date_span
from search.parameters import Parameter
from search.query import Criterion
from search.ranges import Width, range_entry, range_filter
from search.sort_values import sortable_number

DAY = 86_400_000
WIDTHS = (Width("d", DAY), Width("m", 31 * DAY), Width("y", 366 * DAY), Width("x", None))
PREFIXED = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.+)", re.DOTALL)
# R4 recommends a tenth of the gap between now and the date.
APPROXIMATION = 10

MODIFIERS: frozenset[str] = frozenset()


def index(parameter: Parameter, type_name: str) -> Callable[[Any, IndexValues, Context], None]:
    """What adds the spans of one value."""
    code = parameter.code

    def add(value: Any, into: IndexValues, _: Context) -> None:
        for lo, hi in spans(value, type_name):
            into.dates.append(range_entry(code, lo, hi, WIDTHS))
            into.sort.setdefault(code, []).append(sortable_number(lo))

    return add


def spans(value: Any, type_name: str) -> Iterator[Span]:
    """The spans of time of a value: one for a date or Period, one for each event and the bounds of a Timing."""
    if type(value) is str:
        span = date_span(value)
        if span is not None:
            yield span
    elif type_name == "Period":
        yield _period(value)
    elif type_name == "Timing":
        for event in value.get("event", ()):
            if type(event) is str and (span := date_span(event)):
                yield span
        bounds = value.get("repeat", {}).get("boundsPeriod")
        if bounds is not None:
            yield _period(bounds)


def _period(period: dict[str, Any]) -> Span:
    """A period, open at the end that is missing: since ever, or for ever."""
    start = date_span(period["start"]) if "start" in period else None
    end = date_span(period["end"]) if "end" in period else None
    return start[0] if start else LOWEST, end[1] if end else HIGHEST


def filter_for(parameter: Parameter, criterion: Criterion, context: Context) -> Filter:
    """The filter of a criterion: any of its dates, each with its prefix. Raises a 400 `Problem` for text that is no date."""
    return any_of([value_filter(parameter.code, text, context) for text in criterion.values])


def value_filter(code: str, text: str, context: Context, name: str | None = None) -> Filter:
    """The filter of one value such as `ge2026-01`, for entries under `code`; name: for messages, where it differs."""
    prefix, lo, hi = prefixed_span(name or code, text, context)
    return range_filter("d", code, prefix, lo, hi, WIDTHS)


def prefixed_span(code: str, text: str, context: Context) -> tuple[str, int, int]:
    """Prefix and span of a query's value; `ap` widens the span. Raises a 400 `Problem` for text that is no date."""
    match = PREFIXED.fullmatch(unescaped(text))
    span = date_span(match[2]) if match else None
    if match is None or span is None:
        raise problem(
            400, "value", f"The value {quoted(text)} of '{code}' is not a date such as 2026-01-31 or ge2026-01."
        )
    prefix, (lo, hi) = match[1] or "eq", span
    if prefix == "ap":
        margin = abs(context.now - lo) // APPROXIMATION
        lo, hi = lo - margin, hi + margin
    return prefix, lo, hi

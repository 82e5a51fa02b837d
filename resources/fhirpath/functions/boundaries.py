"""lowBoundary, highBoundary and precision.

http://hl7.org/fhirpath/#lowboundaryprecision-integer-decimal--date--datetime--time
"""

from __future__ import annotations

import calendar
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal, localcontext
from typing import Any

from ..errors import FhirPathError
from ..nodes import Items
from ..quantity import Quantity
from ..scope import Scope
from ..temporal import Temporal
from ..values import single, single_integer, type_label
from .registry import function

_MOST_PLACES = 31
_DATE_DIGITS = {4: 1, 6: 2, 8: 3, 10: 4, 12: 5, 14: 6, 17: 7}
_TIME_DIGITS = {2: 1, 4: 2, 6: 3, 9: 4}
# The earliest moment of an unstated offset is the one in the easternmost zone.
_EARLIEST_OFFSET, _LATEST_OFFSET = 14 * 60, -12 * 60


@function("lowBoundary", 0, 1)
def _low_boundary(_scope: Scope, items: Items, precision: Items | None = None) -> Items:
    return _boundary(items, precision, high=False)


@function("highBoundary", 0, 1)
def _high_boundary(_scope: Scope, items: Items, precision: Items | None = None) -> Items:
    return _boundary(items, precision, high=True)


def _boundary(items: Items, precision: Items | None, *, high: bool) -> Items:
    value = single(items, "A boundary")
    digits = None if precision is None else single_integer(precision, "A boundary")
    if value is None:
        return []
    result: Any
    if value.__class__ in (int, Decimal):
        result = _of_number(Decimal(value), 8 if digits is None else digits, high=high)
    elif value.__class__ is Quantity:
        number = _of_number(value.value, 8 if digits is None else digits, high=high)
        result = None if number is None else Quantity(number, value.unit, value.calendar)
    elif value.__class__ is Temporal:
        result = _of_temporal(value, digits, high=high)
    else:
        raise FhirPathError(f"{type_label(value)} has no boundary")
    return [] if result is None else [result]


def _of_number(value: Decimal, places: int, *, high: bool) -> Decimal | None:
    exponent = value.as_tuple().exponent
    if not 0 <= places <= _MOST_PLACES or not isinstance(exponent, int):
        return None
    with localcontext() as context:
        context.prec = 100
        half = Decimal(5).scaleb(min(exponent, 0) - 1)
        edge = value + half if high else value - half
        step = Decimal(1).scaleb(-places)
        if abs(edge) < step and places < -exponent:
            return edge.quantize(step, ROUND_DOWN)
        return edge.quantize(step, ROUND_CEILING if high else ROUND_FLOOR)


def _of_temporal(value: Temporal, digits: int | None, *, high: bool) -> Temporal | None:
    time = value.kind == "Time"
    table = _TIME_DIGITS if time else _DATE_DIGITS
    if digits is None:
        digits = {"Date": 8, "DateTime": 17, "Time": 9}[value.kind]
    size = table.get(digits)
    if size is None:
        return None
    parts = list(value.parts)
    if not time:
        if len(parts) == 1:
            parts.append(12 if high else 1)
        if len(parts) == 2:
            parts.append(calendar.monthrange(parts[0], parts[1])[1] if high else 1)
    full = 3 if time else 6
    # Where the hour is stated and the minute is not, the published cases take the minute as 00 at both ends.
    if high and not time and len(parts) == 4:
        parts.append(0)
    limits = (23, 59, 59)
    while len(parts) < full:
        parts.append(limits[len(parts) - (full - 3)] if high else 0)
    fraction = (value.fraction or "").ljust(3, "9" if high else "0")
    with_fraction = size == full + 1
    kept = tuple(parts[: min(size, full)])
    offset = value.offset
    if time or len(kept) < 4:
        offset = None
    elif offset is None:
        offset = _LATEST_OFFSET if high else _EARLIEST_OFFSET
    # A Date asked for in the digits of a time becomes a DateTime.
    kind = "DateTime" if value.kind == "Date" and len(kept) > 3 else value.kind
    return Temporal(kind, kept, fraction if with_fraction else None, offset)


@function("precision")
def _precision(_scope: Scope, items: Items) -> Items:
    value = single(items, "precision()")
    if value is None:
        return []
    if value.__class__ is Temporal:
        return [value.digits]
    if value.__class__ is int:
        return [len(str(abs(value)))]
    if value.__class__ is Decimal:
        exponent = value.as_tuple().exponent
        return [max(0, -exponent) if isinstance(exponent, int) else 0]
    raise FhirPathError(f"{type_label(value)} has no precision")

"""The operators `+ - * / div mod &`.

http://hl7.org/fhirpath/N1/#math
"""

from __future__ import annotations

from decimal import Context, Decimal, DecimalException
from typing import Any

from .errors import FhirPathError
from .quantity import CALENDAR_OF_UCUM, CALENDAR_UNITS, Quantity, combined, in_common_unit, is_sizeable
from .temporal import Temporal, add
from .values import type_label

_NUMBERS = (int, Decimal)
_CONTEXT = Context(prec=40)
_LARGEST_INTEGER = 2**63 - 1
LONGEST_TEXT = 1_000_000
"""Texts beyond this length are refused: repeated doubling would eat the memory."""


def plus(left: Any, right: Any) -> Any:
    """`left + right` of two system values; None where overflow or units leave no result."""
    if left.__class__ in _NUMBERS and right.__class__ in _NUMBERS:
        return bounded(left + right)
    if left.__class__ is str and right.__class__ is str:
        return concatenated(left, right)
    if left.__class__ is Temporal and right.__class__ is Quantity:
        return _moved(left, right, 1)
    if left.__class__ is Quantity and right.__class__ is Quantity:
        common = in_common_unit(left, right)
        return None if common is None else Quantity(common[0] + common[1], left.unit, left.calendar)
    raise _unsuited("+", left, right)


def minus(left: Any, right: Any) -> Any:
    """`left - right` of two system values; None where overflow or units leave no result."""
    if left.__class__ in _NUMBERS and right.__class__ in _NUMBERS:
        return bounded(left - right)
    if left.__class__ is Temporal and right.__class__ is Quantity:
        return _moved(left, right, -1)
    if left.__class__ is Quantity and right.__class__ is Quantity:
        common = in_common_unit(left, right)
        return None if common is None else Quantity(common[0] - common[1], left.unit, left.calendar)
    raise _unsuited("-", left, right)


def times(left: Any, right: Any) -> Any:
    """`left * right` of two system values; None where overflow or units leave no result."""
    if left.__class__ in _NUMBERS and right.__class__ in _NUMBERS:
        return bounded(left * right)
    pair = _quantities(left, right)
    if pair is None:
        raise _unsuited("*", left, right)
    return combined(*pair, "*")


def divided_by(left: Any, right: Any) -> Any:
    """`left / right` as a Decimal or Quantity; None for a division by zero."""
    if left.__class__ in _NUMBERS and right.__class__ in _NUMBERS:
        return None if right == 0 else Decimal(left) / Decimal(right)
    pair = _quantities(left, right)
    if pair is None:
        raise _unsuited("/", left, right)
    return combined(*pair, "/")


def div(left: Any, right: Any) -> Any:
    """The whole part of `left / right`; None for a division by zero."""
    if left.__class__ not in _NUMBERS or right.__class__ not in _NUMBERS:
        raise _unsuited("div", left, right)
    if right == 0:
        return None
    if left.__class__ is int and right.__class__ is int:
        times_in = abs(left) // abs(right)
        return times_in if (left < 0) == (right < 0) else -times_in
    try:
        return whole(_CONTEXT.divide(Decimal(left), Decimal(right)))
    except DecimalException:
        return None


def mod(left: Any, right: Any) -> Any:
    """The rest of the truncated division; None for a division by zero."""
    if left.__class__ not in _NUMBERS or right.__class__ not in _NUMBERS:
        raise _unsuited("mod", left, right)
    if right == 0:
        return None
    if left.__class__ is int and right.__class__ is int:
        rest = abs(left) % abs(right)
        return -rest if left < 0 else rest
    try:
        return Decimal(left) % Decimal(right)
    except DecimalException:
        return None


def ampersand(left: Any, right: Any) -> str:
    """Both texts joined; an empty side (None) counts as the empty text."""
    for side in (left, right):
        if side is not None and side.__class__ is not str:
            raise _unsuited("&", left, right)
    return concatenated(left or "", right or "")


def concatenated(left: str, right: str) -> str:
    """Both texts joined, within the bound on length."""
    if len(left) + len(right) > LONGEST_TEXT:
        raise FhirPathError(f"A text would be longer than {LONGEST_TEXT} characters")
    return left + right


def bounded(number: Any) -> Any:
    """The number itself, or None where an integer overflows."""
    if number.__class__ is int and not -_LARGEST_INTEGER <= number <= _LARGEST_INTEGER:
        return None
    return number


def whole(number: Decimal) -> int | None:
    """The integer part; None where it overflows. Asked before `int`, which writes out every digit of 1E+999999999."""
    return bounded(int(number)) if number.is_finite() and number.adjusted() < 20 else None


def negated(value: Any) -> Any:
    """`-value` of a number or quantity."""
    if value.__class__ in _NUMBERS:
        return -value
    if value.__class__ is Quantity:
        return Quantity(-value.value, value.unit, value.calendar)
    raise FhirPathError(f"Unary minus takes a number, not {type_label(value)}")


def _quantities(left: Any, right: Any) -> tuple[Quantity, Quantity] | None:
    pair = []
    for side in (left, right):
        if side.__class__ in _NUMBERS and is_sizeable(Decimal(side)):
            side = Quantity(Decimal(side), "1")
        if side.__class__ is not Quantity:
            return None
        pair.append(side)
    return pair[0], pair[1]


def _moved(value: Temporal, by: Quantity, sign: int) -> Temporal:
    unit = by.unit
    if not by.calendar:
        # Only durations of a definite length are exact enough to be taken from UCUM; the words stand for themselves.
        if unit in ("a", "mo") or (unit not in CALENDAR_OF_UCUM and unit not in CALENDAR_UNITS):
            raise FhirPathError(f"A date cannot be moved by {by}")
        unit = CALENDAR_OF_UCUM.get(unit) or CALENDAR_UNITS[unit]
    return add(value, sign * int(by.value), unit)


def _unsuited(operator: str, left: Any, right: Any) -> FhirPathError:
    return FhirPathError(f"{operator} is not defined between {type_label(left)} and {type_label(right)}")

"""Number parameters, and the comparison of numbers that quantities share.

https://hl7.org/fhir/R4/search.html#number

A number in a query stands for all that it may have been rounded from: 100 for [99.5, 100.5), 100.00 for [99.995, 100.005).
The prefixes for greater and less compare with the number itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

from resources.problem import problem, quoted
from search.context import Context
from search.entry_text import Filter, any_of
from search.escaping import unescaped
from search.index_values import IndexValues
from search.parameters import Parameter
from search.query import Criterion
from search.sort_values import sortable_number

_NUMBER = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?([+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?)")
# An entry is a single number (class `p`) or a range with two ends (class `w`).
POINT, WIDE = "p", "w"
INFINITY = 1e308
ONE = Fraction(1)

MODIFIERS: frozenset[str] = frozenset()


def index(parameter: Parameter, _type_name: str) -> Callable[[Any, IndexValues, Context], None]:
    """What adds one number, or both ends of a Range."""
    code = parameter.code

    def add(value: Any, into: IndexValues, _: Context) -> None:
        ends = number_ends(value)
        if ends is not None:
            into.numbers.append(number_entry(code, *ends))
            into.sort.setdefault(code, []).append(sortable_number(ends[0]))

    return add


def number_ends(value: Any, factor: Fraction = ONE) -> tuple[float, float] | None:
    """The lowest and highest number of a value: the same for a number or Quantity, apart for a Range; None without any.

    factor: exact, so that the same quantity comes out alike whatever unit it was written in.
    """
    if type(value) is dict:
        if "value" in value:
            return number_ends(value["value"], factor)
        low, high = value.get("low", {}).get("value"), value.get("high", {}).get("value")
        if low is None and high is None:
            return None
        return -INFINITY if low is None else _scaled(low, factor), INFINITY if high is None else _scaled(high, factor)
    if type(value) is int or type(value) is Decimal:
        number = _scaled(value, factor)
        return number, number
    return None


def _scaled(number: int | Decimal, factor: Fraction) -> float:
    return as_float(number if factor is ONE else Fraction(number) * factor)


def as_float(value: int | Decimal | Fraction) -> float:
    """A number as it is indexed; what is too large for that counts as the largest."""
    try:
        number = float(value)
    except OverflowError:
        number = math.inf if value > 0 else -math.inf
    return max(-INFINITY, min(INFINITY, number))


def number_entry(code: str, lo: float, hi: float) -> dict[str, Any]:
    """The index entry of a number or range of numbers."""
    return {"c": f"{code}|{POINT if lo == hi else WIDE}", "lo": lo, "hi": hi}


def filter_for(parameter: Parameter, criterion: Criterion, _: Context) -> Filter:
    """The filter of a criterion: any of its numbers. Raises a 400 `Problem` for text that is no number."""
    return any_of([number_filter(parameter.code, parameter.code, unescaped(text)) for text in criterion.values])


def number_filter(code: str, name: str, text: str, factor: Fraction = ONE) -> Filter:
    """The filter of one value such as `lt5.4`, for entries under `code`.

    name: of the parameter, for messages. factor: turns the number into the unit of the entries.
    """
    prefix, value, lo, hi = parsed_number(name, text, factor)
    if prefix == "ne":
        filter_ = number_bounds(code, "eq", value, lo, hi)
        return {"$nor": [filter_], "n": {"$elemMatch": {"c": {"$in": [f"{code}|{POINT}", f"{code}|{WIDE}"]}}}}
    return number_bounds(code, prefix, value, lo, hi)


def parsed_number(name: str, text: str, factor: Fraction = ONE) -> tuple[str, float, float, float]:
    """Prefix, number, and the range [lo, hi) that it stands for; `ap` widens that to a tenth of the number.

    Raises a 400 `Problem` for text that is no number.
    """
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise problem(400, "value", f"The value {quoted(text)} of '{name}' is not a number such as 100 or lt5.40.")
    number = Decimal(match[2])
    half = Decimal(5).scaleb(_last_digit(number) - 1)
    prefix = match[1] or "eq"
    value, lo, hi = (_scaled(n, factor) for n in (number, number - half, number + half))
    if prefix == "ap":
        margin = abs(value) / 10
        lo, hi = min(lo, value - margin), max(hi, value + margin)
    # More digits than an indexed number can hold leave no room between both ends; the number itself always is within.
    return prefix, value, lo, max(hi, math.nextafter(value, math.inf))


def _last_digit(number: Decimal) -> int:
    """The power of ten of the last digit that was written."""
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)  # the pattern lets neither infinity nor NaN through
    return exponent


def number_bounds(code: str, prefix: str, value: float, lo: float, hi: float) -> Filter:
    """The filter for numbers and ranges that compare with a value, rounded from [lo, hi), as the prefix says."""
    point, wide = _conditions(prefix, value, lo, hi)
    return any_of(
        [
            {"n": {"$elemMatch": {"c": f"{code}|{POINT}", "lo": point}}},
            {"n": {"$elemMatch": {"c": f"{code}|{WIDE}", **wide}}},
        ]
    )


def _conditions(prefix: str, value: float, lo: float, hi: float) -> tuple[dict[str, float], dict[str, Any]]:
    match prefix:
        case "eq":
            return {"$gte": lo, "$lt": hi}, {"lo": {"$gte": lo}, "hi": {"$lt": hi}}
        case "gt":
            return {"$gt": value}, {"hi": {"$gt": value}}
        case "lt":
            return {"$lt": value}, {"lo": {"$lt": value}}
        case "ge":
            return {"$gte": value}, {"hi": {"$gte": value}}
        case "le":
            return {"$lte": value}, {"lo": {"$lte": value}}
        case "sa":
            return {"$gt": value}, {"lo": {"$gt": value}}
        case "eb":
            return {"$lt": value}, {"hi": {"$lt": value}}
        case _:
            return {"$gte": lo, "$lt": hi}, {"lo": {"$lt": hi}, "hi": {"$gte": lo}}


def stretch_filter(code: str, name: str, start: str, end: str) -> Filter:
    """The filter for ranges whose lower end compares with one value, `gt100`, and whose upper end with another, `lt200`."""
    return any_of(
        [
            {"n": {"$elemMatch": {"c": f"{code}|{WIDE}", "lo": lo, "hi": hi}}}
            for lo, hi in product(_end_conditions(name, start), _end_conditions(name, end))
        ]
    )


def _end_conditions(name: str, text: str) -> list[dict[str, float]]:
    """Conditions on one number, of which any may hold."""
    prefix, value, lo, hi = parsed_number(name, text)
    return [{"$lt": lo}, {"$gte": hi}] if prefix == "ne" else [_conditions(prefix, value, lo, hi)[0]]

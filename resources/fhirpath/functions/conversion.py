"""to... and convertsTo... .

http://hl7.org/fhirpath/N1/#conversion
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ..nodes import Items
from ..quantity import CALENDAR_UNITS, Quantity, is_sizeable
from ..scope import Scope
from ..temporal import Temporal, parse_date_time, parse_time
from ..values import single
from .registry import function

_INTEGER = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,40}(?:\.\d{1,40})?", re.ASCII)
_QUANTITY = re.compile(r"(?P<value>[+-]?\d{1,40}(?:\.\d{1,40})?)\s*(?:'(?P<unit>[^']+)'|(?P<calendar>[a-z]+))?")
_TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "0.0"})


def to_boolean(value: Any) -> bool | None:
    """`toBoolean()` of one system value; None where it does not convert."""
    if value.__class__ is bool:
        return bool(value)
    if value.__class__ in (int, Decimal):
        return None if value not in (0, 1) else bool(value)
    if value.__class__ is str:
        text = value.lower()
        return True if text in _TRUE else False if text in _FALSE else None
    return None


def to_integer(value: Any) -> int | None:
    """`toInteger()` of one system value; None where it does not convert."""
    if value.__class__ is bool or value.__class__ is int:
        return int(value)
    if value.__class__ is str and _INTEGER.fullmatch(value):
        return int(value)
    return None


def to_decimal(value: Any) -> Decimal | None:
    """`toDecimal()` of one system value; None where it does not convert."""
    if value.__class__ in (bool, int, Decimal):
        return Decimal(value)
    if value.__class__ is str and _DECIMAL.fullmatch(value):
        return Decimal(value)
    return None


def to_string(value: Any) -> str | None:
    """`toString()` of one system value; None where it does not convert."""
    if value.__class__ is bool:
        return "true" if value else "false"
    if value.__class__ is Decimal:
        return f"{value:f}" if is_sizeable(value) else str(value)
    if value.__class__ in (str, int, Temporal, Quantity):
        return str(value)
    return None


def to_date(value: Any) -> Temporal | None:
    """`toDate()` of one system value; None where it does not convert."""
    if value.__class__ is str:
        found = parse_date_time(value)
        return None if found is None else to_date(found)
    if value.__class__ is Temporal and value.kind != "Time":
        return Temporal("Date", value.parts[:3])
    return None


def to_date_time(value: Any) -> Temporal | None:
    """`toDateTime()` of one system value; None where it does not convert."""
    if value.__class__ is str:
        return parse_date_time(value)
    if value.__class__ is Temporal and value.kind != "Time":
        return Temporal("DateTime", value.parts, value.fraction, value.offset)
    return None


def to_time(value: Any) -> Temporal | None:
    """`toTime()` of one system value; None where it does not convert."""
    if value.__class__ is str:
        return parse_time(value.removeprefix("T"))
    if value.__class__ is Temporal and value.kind == "Time":
        return value
    return None


def to_quantity(value: Any) -> Quantity | None:
    """`toQuantity()` of one system value; None where it does not convert."""
    if value.__class__ is Quantity:
        return value
    if value.__class__ in (bool, int, Decimal):
        return Quantity(Decimal(value), "1") if is_sizeable(Decimal(value)) else None
    if value.__class__ is not str:
        return None
    match = _QUANTITY.fullmatch(value)
    if match is None:
        return None
    if match["calendar"]:
        unit = CALENDAR_UNITS.get(match["calendar"])
        return None if unit is None else Quantity(Decimal(match["value"]), unit, calendar=True)
    return Quantity(Decimal(match["value"]), match["unit"] or "1")


def _register(name: str, convert: Callable[[Any], Any]) -> None:
    def to(_scope: Scope, items: Items, *_unit: Items) -> Items:
        value = single(items, f"to{name}()")
        result = None if value is None else convert(value)
        return [] if result is None else [result]

    def converts_to(_scope: Scope, items: Items, *_unit: Items) -> bool | None:
        value = single(items, f"convertsTo{name}()")
        return None if value is None else convert(value) is not None

    most = 1 if name == "Quantity" else 0
    function(f"to{name}", 0, most)(to)
    function(f"convertsTo{name}", 0, most, truth=True)(converts_to)


for _name, _convert in (
    ("Boolean", to_boolean),
    ("Integer", to_integer),
    ("Decimal", to_decimal),
    ("String", to_string),
    ("Date", to_date),
    ("DateTime", to_date_time),
    ("Time", to_time),
    ("Quantity", to_quantity),
):
    _register(_name, _convert)

"""abs, ceiling, exp, floor, ln, log, power, round, sqrt, truncate.

http://hl7.org/fhirpath/N1/#math-1
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, DecimalException, localcontext
from typing import Any

from ..arithmetic import bounded, whole
from ..errors import FhirPathError
from ..nodes import Items
from ..quantity import Quantity
from ..scope import Scope
from ..values import single, single_integer, type_label
from .registry import function

_CONTEXT = Context(prec=28)


def _number(items: Items, name: str) -> Any:
    value = single(items, f"{name}()")
    if value is None or value.__class__ in (int, Decimal):
        return value
    raise FhirPathError(f"{name}() takes a number, not {type_label(value)}")


def _collection(value: Any) -> Items:
    value = bounded(value)
    return [] if value is None else [value]


def _one(name: str, compute: Callable[[Any], Any]) -> None:
    def run(_scope: Scope, items: Items) -> Items:
        value = _number(items, name)
        if value is None:
            return []
        try:
            return _collection(compute(value))
        except DecimalException:
            return []  # no real result, or out of range

    function(name)(run)


def _whole(value: Any, rounding: str) -> int | None:
    return whole(Decimal(value).to_integral_value(rounding))


_one("ceiling", lambda v: _whole(v, ROUND_CEILING))
_one("floor", lambda v: _whole(v, ROUND_FLOOR))
_one("truncate", lambda v: whole(Decimal(v)))
_one("exp", lambda v: _CONTEXT.exp(Decimal(v)))
_one("ln", lambda v: _CONTEXT.ln(Decimal(v)) if v > 0 else None)
_one("sqrt", lambda v: _CONTEXT.sqrt(Decimal(v)) if v >= 0 else None)


@function("abs")
def _abs(_scope: Scope, items: Items) -> Items:
    value = single(items, "abs()")
    if value.__class__ is Quantity:
        return [Quantity(abs(value.value), value.unit, value.calendar)]
    value = _number(items, "abs")
    return [] if value is None else [abs(value)]


@function("log", 1)
def _log(_scope: Scope, items: Items, base: Items) -> Items:
    value, of = _number(items, "log"), _number(base, "log")
    if value is None or of is None or value <= 0 or of <= 0 or of == 1:
        return []
    exact = _CONTEXT.divide(_CONTEXT.ln(Decimal(value)), _CONTEXT.ln(Decimal(of)))
    # The quotient of two rounded logarithms is off in its last digits: 16.log(2) is 4.
    return [round(exact, 20)]


@function("power", 1)
def _power(_scope: Scope, items: Items, exponent: Items) -> Items:
    value, by = _number(items, "power"), _number(exponent, "power")
    if value is None or by is None:
        return []
    try:
        result = _CONTEXT.power(Decimal(value), Decimal(by))
    except DecimalException:
        return []
    if not result.is_finite():
        return []
    whole = value.__class__ is int and by.__class__ is int and by >= 0
    if not whole:
        return [result]
    return [] if abs(result) >= 2**63 else [value**by]


@function("round", 0, 1)
def _round(_scope: Scope, items: Items, precision: Items | None = None) -> Items:
    value = _number(items, "round")
    places = 0 if precision is None else single_integer(precision, "round()")
    if value is None or places is None:
        return []
    if places < 0:
        raise FhirPathError("round() takes a precision of zero or more")
    if value.__class__ is int or places > 28:
        return [value]
    with localcontext() as context:
        context.prec = 100
        rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return [rounded]

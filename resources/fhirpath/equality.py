"""When two items, or two collections, are equal or equivalent, and their order.

http://hl7.org/fhirpath/N1/#equality and http://hl7.org/fhirpath/N1/#comparison
"""

from __future__ import annotations

from collections.abc import Hashable
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from .errors import FhirPathError
from .nodes import Items, Node
from .quantity import Quantity, canonical_unit, in_common_unit, is_sizeable
from .temporal import Temporal, order
from .values import system, type_label

_NUMBERS = (int, Decimal)


def equal_items(left: Any, right: Any) -> bool | None:
    """Whether two items are equal; None where precision leaves it open."""
    a, b = system(left), system(right)
    kind, other = a.__class__, b.__class__
    if kind is other:
        if kind is Temporal:
            if (a.kind == "Time") != (b.kind == "Time"):
                return False
            found = order(a, b)
            return None if found is None else found == 0
        if kind is Quantity:
            return _equal_quantities(a, b)
        if kind is Node:
            return key(a) == key(b)
        return bool(a == b)
    if kind in _NUMBERS and other in _NUMBERS:
        return bool(a == b)
    if kind is Quantity and other in _NUMBERS:
        return _equal_quantities(a, _dimensionless(b))
    if kind in _NUMBERS and other is Quantity:
        return _equal_quantities(_dimensionless(a), b)
    return False


def _dimensionless(number: Any) -> Quantity:
    number = Decimal(number)
    if not is_sizeable(number):
        raise FhirPathError("The number is too large to be compared with a quantity")
    return Quantity(number, "1")


def _equal_quantities(a: Quantity, b: Quantity) -> bool | None:
    common = in_common_unit(a, b)
    if common is not None:
        return common[0] == common[1]
    # A calendar year may or may not be a UCUM year: not unequal, but not known to be equal.
    return None if in_common_unit(a, b, definite=False) is not None else False


def equal(left: Items, right: Items) -> bool | None:
    """The `=` operator: None where a side is empty or precision leaves it open."""
    if not left or not right:
        return None
    if len(left) == 1 and len(right) == 1:
        return equal_items(left[0], right[0])
    if len(left) != len(right):
        return False
    result: bool | None = True
    for a, b in zip(left, right, strict=True):
        same = equal_items(a, b)
        if same is False:
            return False
        if same is None:
            result = None
    return result


def equivalent_items(left: Any, right: Any) -> bool:
    """Whether two items are equivalent: texts whatever their case and space, numbers to the lesser precision."""
    a, b = system(left), system(right)
    kind, other = a.__class__, b.__class__
    if kind is str and other is str:
        return " ".join(a.lower().split()) == " ".join(b.lower().split())
    if kind in _NUMBERS and other in _NUMBERS:
        return _equivalent_numbers(Decimal(a), Decimal(b))
    if kind is Quantity and other is Quantity:
        common = in_common_unit(a, b, definite=False)
        return common is not None and _equivalent_numbers(*common)
    if kind is Temporal and other is Temporal:
        return bool((a.kind == "Time") == (b.kind == "Time") and order(a, b) == 0)
    if kind is Node and other is Node:
        return _equivalent_nodes(a.value, b.value)
    return bool(equal_items(a, b))


def _equivalent_nodes(a: Any, b: Any) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        names = (a.keys() | b.keys()) - {"id"}
        return all(_equivalent_nodes(a.get(name), b.get(name)) for name in names)
    if isinstance(a, list) and isinstance(b, list):
        return equivalent([Node(x, None) for x in a], [Node(x, None) for x in b])
    if a is None or b is None:
        return a is b
    return a.__class__ not in (dict, list) and b.__class__ not in (dict, list) and equivalent_items(a, b)


def _equivalent_numbers(a: Decimal, b: Decimal) -> bool:
    places = min(_places(a), _places(b))
    with localcontext() as context:
        context.prec = 60
        step = Decimal(1).scaleb(-places)
        return a.quantize(step, ROUND_HALF_UP) == b.quantize(step, ROUND_HALF_UP)


def _places(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def equivalent(left: Items, right: Items) -> bool:
    """The `~` operator: in any order, and two empty collections are equivalent."""
    if len(left) != len(right):
        return False
    if len(left) == 1:
        return equivalent_items(left[0], right[0])
    remaining = list(right)
    for a in left:
        for i, b in enumerate(remaining):
            if equivalent_items(a, b):
                del remaining[i]
                break
        else:
            return False
    return True


def compare(left: Any, right: Any) -> int | None:
    """The order of two system values: -1, 0, 1 or None where it is open. Raises FhirPathError for unlike types."""
    kind, other = left.__class__, right.__class__
    if (kind is str and other is str) or (kind in _NUMBERS and other in _NUMBERS):
        return int(left > right) - int(left < right)
    if kind is Temporal and other is Temporal and (left.kind == "Time") == (right.kind == "Time"):
        found: int | None = order(left, right)
        return found
    if kind in _NUMBERS and other is Quantity:
        left, kind = _dimensionless(left), Quantity
    if kind is Quantity and other in _NUMBERS:
        right, other = _dimensionless(right), Quantity
    if kind is Quantity and other is Quantity:
        common = in_common_unit(left, right)
        return None if common is None else (common[0] > common[1]) - (common[0] < common[1])
    raise FhirPathError(f"{type_label(left)} and {type_label(right)} have no order")


def key(item: Any) -> Hashable:
    """A hashable stand-in: items that are certainly equal have the same one. Keeps set operations linear."""
    value = system(item)
    kind = value.__class__
    if kind is str or kind is int or kind is Decimal:
        return value  # type: ignore[no-any-return]
    if kind is bool or value is None:
        return ("boolean", value)
    if kind is Temporal:
        return ("Time" if value.kind == "Time" else "Date", value.comparable, value.offset is None)
    if kind is Quantity:
        unit = canonical_unit(value.ucum_unit(definite=True) or f"calendar {value.unit}")
        if unit is None:
            return ("quantity", value.value, value.unit)
        return ("quantity", value.value.as_integer_ratio()[0] * unit[0] / value.value.as_integer_ratio()[1], unit[1])
    if kind is Node:
        return _json_key(value.value)
    return _json_key(value)


def _json_key(value: Any) -> Hashable:
    if value.__class__ is dict:
        return frozenset((name, _json_key(one)) for name, one in value.items())
    if value.__class__ is list:
        return tuple(_json_key(one) for one in value)
    if value.__class__ is bool:
        return ("boolean", value)
    return value  # type: ignore[no-any-return]


def distinct(items: Items) -> Items:
    """The items without those equal to an earlier one."""
    if len(items) < 2:
        return items
    seen: set[Hashable] = set()
    out: Items = []
    for item in items:
        mark = key(item)
        if mark not in seen:
            seen.add(mark)
            out.append(item)
    return out

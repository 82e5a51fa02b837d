"""From items to the values of the language's own types, and singletons.

http://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections and https://hl7.org/fhir/R4/fhirpath.html#types
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from .errors import FhirPathError
from .nodes import Items, Node, is_a
from .quantity import CALENDAR_OF_UCUM, Quantity, is_sizeable
from .temporal import Temporal, parse_date, parse_date_time, parse_time

UCUM = "http://unitsofmeasure.org"

_TEMPORAL: dict[str | None, Callable[[str], Temporal | None]] = {
    "date": parse_date,
    "dateTime": parse_date_time,
    "instant": parse_date_time,
    "time": parse_time,
    "System.Date": parse_date,
    "System.DateTime": parse_date_time,
    "System.Time": parse_time,
}


def system(item: Any) -> Any:
    """The value that operators see: a primitive's Python value, a Temporal, a Quantity; a complex Node stays itself.

    None for a primitive that has extensions only.
    """
    if item.__class__ is not Node:
        return item
    value = item.value
    if value.__class__ is str:
        parse = _TEMPORAL.get(item.type_name)
        return value if parse is None else parse(value) or value
    if value.__class__ is dict:
        return quantity_of(item) or item
    if item.type_name == "decimal" and value.__class__ is int:
        return Decimal(value)
    return value


def quantity_of(node: Node) -> Quantity | None:
    """A FHIR Quantity as the language's own; None for other types and where a comparator makes the value a range."""
    value = node.value
    if value.__class__ is not dict or not is_a(node.type_name, "Quantity"):
        return None
    number = value.get("value")
    if number is None or value.get("comparator") is not None:
        return None
    if number.__class__ is not int and number.__class__ is not Decimal:
        raise FhirPathError("The value of a Quantity is not a number.")
    number = Decimal(number)
    if not is_sizeable(number):
        return None
    code = value.get("code")
    unit = code if code is not None and value.get("system") == UCUM else value.get("unit", "1")
    if unit.__class__ is not str:
        raise FhirPathError("The unit of a Quantity is not a string.")
    # FHIR maps the UCUM codes of time to calendar durations.
    if unit in CALENDAR_OF_UCUM:
        return Quantity(number, CALENDAR_OF_UCUM[unit], calendar=True)
    return Quantity(number, unit)


def single(items: Items, what: str) -> Any:
    """The one system value of a collection, None where it is empty. Raises FhirPathError for more than one item."""
    if not items:
        return None
    if len(items) > 1:
        raise FhirPathError(f"{what} takes a single item, not {len(items)}")
    item = items[0]
    return system(item) if item.__class__ is Node else item


def single_string(items: Items, what: str) -> str | None:
    """The one string of a collection, None where it is empty. Raises FhirPathError for anything else.

    A Node of a date or a time counts as the text that it is in the data.
    """
    if not items:
        return None
    if len(items) > 1:
        raise FhirPathError(f"{what} takes a single item, not {len(items)}")
    value = items[0].value if items[0].__class__ is Node else items[0]
    if value is None or value.__class__ is str:
        return value
    raise FhirPathError(f"{what} takes a string, not {type_label(items[0])}")


def single_integer(items: Items, what: str) -> int | None:
    """The one integer of a collection, None where it is empty. Raises FhirPathError for anything else."""
    value = single(items, what)
    if value is None or value.__class__ is int:
        return value
    raise FhirPathError(f"{what} takes an integer, not {type_label(value)}")


def truth(items: Items) -> bool | None:
    """A collection read as a boolean: None where empty; a single item that is no boolean counts as true."""
    if not items:
        return None
    if len(items) > 1:
        raise FhirPathError(f"A boolean is expected, not {len(items)} items")
    item = items[0]
    value = item.value if item.__class__ is Node else item
    if value.__class__ is bool:
        return value
    return None if value is None else True


def type_label(item: Any) -> str:
    """The name of an item's type, for messages and for `type()`: `System.Integer`, `FHIR.Patient`."""
    if item.__class__ is Node:
        name = item.type_name
        if name is None:
            return "an item of unknown type"
        return str(name) if name.startswith("System.") else f"FHIR.{name}"
    return f"System.{system_type(item)}"


def system_type(value: Any) -> str:
    """The name of the language's own type of a plain value."""
    if value.__class__ is Temporal:
        return str(value.kind)
    return {bool: "Boolean", int: "Integer", Decimal: "Decimal", str: "String", Quantity: "Quantity"}.get(
        value.__class__, "Any"
    )

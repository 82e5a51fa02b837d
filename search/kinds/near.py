"""The special parameter `near` of Location: positions within a distance, `-83.69|42.25|11.2|km`.

https://hl7.org/fhir/R4/location.html#search
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from resources.problem import problem, quoted
from search.context import Context
from search.entry_text import Filter, any_of
from search.escaping import split_value
from search.index_values import IndexValues
from search.kinds.number import POINT, as_float, number_entry
from search.parameters import Parameter
from search.query import Criterion

MODIFIERS: frozenset[str] = frozenset()
EARTH_KM = 6371.0
KM_A_DEGREE = math.pi * EARTH_KM / 180
DEFAULT_KM = 10.0
UNITS = {"": 1.0, "km": 1.0, "m": 0.001, "mi": 1.609344, "[mi_us]": 1.609347, "[mi_i]": 1.609344}


def index(parameter: Parameter, _type_name: str) -> Callable[[Any, IndexValues, Context], None]:
    """What adds the coordinates of a point on a globe of radius 1, whose nearness needs no trigonometry in a filter."""

    def add(value: Any, into: IndexValues, _: Context) -> None:
        latitude, longitude = value.get("latitude"), value.get("longitude")
        if isinstance(latitude, (int, Decimal)) and isinstance(longitude, (int, Decimal)):
            for axis, number in zip("xyz", _on_globe(as_float(latitude), as_float(longitude)), strict=True):
                into.numbers.append(number_entry(f"{parameter.code}.{axis}", number, number))

    return add


def _on_globe(latitude: float, longitude: float) -> tuple[float, float, float]:
    phi, theta = math.radians(latitude), math.radians(longitude)
    return math.cos(phi) * math.cos(theta), math.cos(phi) * math.sin(theta), math.sin(phi)


def filter_for(parameter: Parameter, criterion: Criterion, _: Context) -> Filter:
    """The filter of a criterion: near any of the points. Raises a 400 `Problem` for a text that is no point."""
    return any_of([_near(parameter.code, text) for text in criterion.values])


def _near(code: str, text: str) -> Filter:
    parts = [part.strip() for part in split_value(text, "|")]
    try:
        latitude, longitude = float(parts[0]), float(parts[1])
        distance = float(parts[2]) if len(parts) > 2 and parts[2] else DEFAULT_KM
        kilometres = distance * UNITS[parts[3] if len(parts) > 3 else ""]
        if len(parts) > 4 or not (abs(latitude) <= 90 and abs(longitude) <= 360 and 0 <= kilometres < 1e6):
            raise ValueError
    except (ValueError, IndexError, KeyError):
        units = ", ".join(unit for unit in UNITS if unit)
        raise problem(
            400,
            "value",
            f"The value {quoted(text)} of '{code}' has not the form latitude|longitude|distance|unit ({units}).",
        ) from None
    # A box around the point: it holds the circle and little more, which R4 leaves to the server.
    reach = 2 * math.sin(min(kilometres / EARTH_KM, math.pi) / 2)
    return {
        "$and": [
            {"n": {"$elemMatch": {"c": f"{code}.{axis}|{POINT}", "lo": {"$gte": at - reach, "$lte": at + reach}}}}
            for axis, at in zip("xyz", _on_globe(latitude, longitude), strict=True)
        ]
    }

"""Quantities and the conversion between UCUM units.

http://hl7.org/fhirpath/N1/#quantity and https://ucum.org/ucum
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

# Keyword (singular or plural) → singular.
CALENDAR_UNITS = {
    form: unit
    for unit in ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
    for form in (unit, unit + "s")
}
# Up to the week a calendar duration is as long as the UCUM unit; a calendar year and `a` only are equivalent.
UCUM_OF_CALENDAR = {
    "year": "a",
    "month": "mo",
    "week": "wk",
    "day": "d",
    "hour": "h",
    "minute": "min",
    "second": "s",
    "millisecond": "ms",
}
CALENDAR_OF_UCUM = {ucum: calendar for calendar, ucum in UCUM_OF_CALENDAR.items()}

Dimensions = tuple[tuple[str, int], ...]

# With its annotations in braces; what is understood of it is far shorter.
LONGEST_UNIT = 300

# Atom → (factor, unit expression in base units, whether it takes prefixes).
_ATOMS: dict[str, tuple[str, dict[str, int], bool]] = {
    "m": ("1", {"m": 1}, True),
    "g": ("1", {"g": 1}, True),
    "s": ("1", {"s": 1}, True),
    "K": ("1", {"K": 1}, True),
    "rad": ("1", {"rad": 1}, True),
    "cd": ("1", {"cd": 1}, True),
    "C": ("1", {"C": 1}, True),
    "mol": ("602213670000000000000000", {}, True),
    "%": ("1/100", {}, False),
    "[ppth]": ("1/1000", {}, False),
    "[ppm]": ("1/1000000", {}, False),
    "10*": ("10", {}, False),
    "10^": ("10", {}, False),
    "min": ("60", {"s": 1}, False),
    "h": ("3600", {"s": 1}, False),
    "d": ("86400", {"s": 1}, False),
    "wk": ("604800", {"s": 1}, False),
    "mo": ("2629800", {"s": 1}, False),
    "a": ("31557600", {"s": 1}, False),
    "l": ("1/1000", {"m": 3}, True),
    "L": ("1/1000", {"m": 3}, True),
    "Hz": ("1", {"s": -1}, True),
    "N": ("1000", {"g": 1, "m": 1, "s": -2}, True),
    "Pa": ("1000", {"g": 1, "m": -1, "s": -2}, True),
    "J": ("1000", {"g": 1, "m": 2, "s": -2}, True),
    "W": ("1000", {"g": 1, "m": 2, "s": -3}, True),
    "bar": ("100000000", {"g": 1, "m": -1, "s": -2}, True),
    "m[Hg]": ("133322000", {"g": 1, "m": -1, "s": -2}, True),
    "cal": ("4184", {"g": 1, "m": 2, "s": -2}, True),
    "eq": ("602213670000000000000000", {}, True),
    "osm": ("602213670000000000000000", {}, True),
    "t": ("1000000", {"g": 1}, True),
    "u": ("1.66053886e-24", {"g": 1}, True),
    "[in_i]": ("0.0254", {"m": 1}, False),
    "[ft_i]": ("0.3048", {"m": 1}, False),
    "[yd_i]": ("0.9144", {"m": 1}, False),
    "[mi_i]": ("1609.344", {"m": 1}, False),
    "[lb_av]": ("453.59237", {"g": 1}, False),
    "[oz_av]": ("28.349523125", {"g": 1}, False),
    "[gr]": ("0.06479891", {"g": 1}, False),
    "[IU]": ("1", {"[iU]": 1}, True),
    "[iU]": ("1", {"[iU]": 1}, True),
    "[degF]": ("1", {"[degF]": 1}, False),
    "Cel": ("1", {"Cel": 1}, True),
}
_PREFIXES = {
    "da": 1, "h": 2, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15,
    "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15,
}  # fmt: skip
_COMPONENT = re.compile(r"(?P<operator>[./]?)(?:(?P<number>\d+)(?![*^])|(?P<atom>.*?)(?P<exponent>[+-]?\d+)?)")
_SPLIT = re.compile(r"[./]?(?:\[[^\]]*\]|10[*^]|[^./\[\]])+")


# Numbers with more digits than this (1E+999999999 is short to write) are not converted between units or written out.
_MOST_DIGITS = 100


def is_sizeable(number: Decimal) -> bool:
    """Whether a number can be written out in digits without harm."""
    return number.is_finite() and abs(number.adjusted()) < _MOST_DIGITS and len(number.as_tuple().digits) < _MOST_DIGITS


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with a unit: a UCUM code, or the singular of a calendar duration keyword where `calendar`."""

    value: Decimal
    unit: str
    calendar: bool = False

    def __str__(self) -> str:
        if not self.calendar:
            return f"{self.value:f} '{self.unit}'"
        return f"{self.value:f} {self.unit}{'' if self.value == 1 else 's'}"

    def ucum_unit(self, *, definite: bool) -> str | None:
        """The UCUM code; None where `definite` durations are asked for and this is a calendar month or year."""
        if not self.calendar:
            return self.unit
        if definite and self.unit in ("year", "month"):
            return None
        return UCUM_OF_CALENDAR[self.unit]


def in_common_unit(left: Quantity, right: Quantity, *, definite: bool = True) -> tuple[Decimal, Decimal] | None:
    """Both values in one unit; None where the units do not convert. `definite`: a calendar year is not a UCUM `a`."""
    if left.unit == right.unit and left.calendar == right.calendar:
        return left.value, right.value
    if left.calendar and right.calendar:
        if {left.unit, right.unit} == {"year", "month"}:
            return (left.value * 12, right.value) if left.unit == "year" else (left.value, right.value * 12)
        definite = True
    mine, other = left.ucum_unit(definite=definite), right.ucum_unit(definite=definite)
    if mine is None or other is None:
        return None
    a, b = canonical_unit(mine), canonical_unit(other)
    if a is None or b is None or a[1] != b[1] or not is_sizeable(right.value):
        return (left.value, right.value) if mine == other else None
    return left.value, _decimal(Fraction(right.value) * b[0] / a[0])


def combined(left: Quantity, right: Quantity, operator: str) -> Quantity | None:
    """Product (`*`) or quotient (`/`), in base units where the two units differ in kind; None for unknown units."""
    if (operator == "/" and right.value == 0) or not (is_sizeable(left.value) and is_sizeable(right.value)):
        return None
    mine, other = left.ucum_unit(definite=False) or "1", right.ucum_unit(definite=False) or "1"
    if other == "1":
        value = left.value * right.value if operator == "*" else left.value / right.value
        return Quantity(value, left.unit, left.calendar)
    if mine == "1" and operator == "*":
        return Quantity(left.value * right.value, right.unit, right.calendar)
    a, b = canonical_unit(mine), canonical_unit(other)
    if a is None or b is None:
        return None
    sign = 1 if operator == "*" else -1
    dimensions = dict(a[1])
    for base, exponent in b[1]:
        dimensions[base] = dimensions.get(base, 0) + sign * exponent
    factor = Fraction(left.value) * a[0] * (Fraction(right.value) * b[0]) ** sign
    unit = ".".join(base + (str(e) if e != 1 else "") for base, e in sorted(dimensions.items()) if e)
    return Quantity(_decimal(factor), unit or "1")


def canonical_unit(unit: str) -> tuple[Fraction, Dimensions] | None:
    """Factor and base units of a UCUM expression (without parentheses); None where it is not understood."""
    return _canonical(unit) if len(unit) <= LONGEST_UNIT else None


@lru_cache(maxsize=2048)
def _canonical(unit: str) -> tuple[Fraction, Dimensions] | None:
    text = re.sub(r"\{[^}]*\}", "", unit)
    if text in ("", "1"):
        return Fraction(1), ()
    factor = Fraction(1)
    dimensions: dict[str, int] = {}
    parts = _SPLIT.findall(text)
    if "".join(parts) != text or len(text) > 100:
        return None
    for part in parts:
        match = _COMPONENT.fullmatch(part)
        if match is None:
            return None
        sign = -1 if match["operator"] == "/" else 1
        if match["number"]:
            if not int(match["number"]):
                return None
            factor *= Fraction(int(match["number"])) ** sign
            continue
        atom = _atom(match["atom"])
        exponent = sign * int(match["exponent"] or 1)
        if atom is None or abs(exponent) > 30:
            return None
        factor *= atom[0] ** exponent
        for base, power in atom[1].items():
            dimensions[base] = dimensions.get(base, 0) + power * exponent
    return factor, tuple(sorted((base, power) for base, power in dimensions.items() if power))


def _atom(text: str) -> tuple[Fraction, dict[str, int]] | None:
    if text in _ATOMS:
        factor, dimensions, _ = _ATOMS[text]
        return Fraction(factor), dimensions
    for length in (2, 1):
        power = _PREFIXES.get(text[:length])
        atom = _ATOMS.get(text[length:])
        if power is not None and atom is not None and atom[2]:
            return Fraction(atom[0]) * Fraction(10) ** power, atom[1]
    return None


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)

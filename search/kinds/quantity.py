"""Quantity parameters: a number with a unit, `5.4|http://unitsofmeasure.org|mg`, `5.4||mg` or `5.4`.

https://hl7.org/fhir/R4/search.html#quantity

A value is indexed under every way to name its unit: none; code or unit text alone; and system and code, which for UCUM units
that convert by a factor become base units, so that 5 mg is found as 0.005 g.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

from resources.fhirpath.quantity import canonical_unit
from resources.problem import problem, quoted
from search.context import Context
from search.entry_text import Filter, any_of, entry
from search.escaping import split_value
from search.index_values import IndexValues
from search.kinds.number import ONE, number_ends, number_entry, number_filter
from search.parameters import Parameter
from search.query import Criterion
from search.sort_values import sortable_number

UCUM = "http://unitsofmeasure.org"
CURRENCY = "urn:iso:std:iso:4217"

MODIFIERS: frozenset[str] = frozenset()
_SAMPLE = re.compile(r"[+-]?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?")


def index(parameter: Parameter, type_name: str) -> Callable[[Any, IndexValues, Context], None]:
    """What adds one Quantity, Money, Range or SampledData."""
    code = parameter.code

    def add(value: Any, into: IndexValues, _: Context) -> None:
        ends = number_ends(_measured(value, type_name))
        if ends is not None:
            into.numbers += quantity_entries(code, value, type_name)
            into.sort.setdefault(code, []).append(sortable_number(ends[0]))

    return add


def quantity_entries(code: str, value: dict[str, Any], type_name: str) -> list[dict[str, Any]]:
    """The index entries of a quantity that has a number, one for each way to name its unit."""
    value = _measured(value, type_name)
    plain = number_ends(value)
    if plain is None:
        return []
    entries: list[dict[str, Any]] = []
    for unit_code, factor in _unit_codes(code, value, type_name):
        ends = plain if factor == ONE else number_ends(value, factor)
        assert ends is not None  # it has a number
        entries.append(number_entry(unit_code, *ends))
    return entries


def _measured(value: dict[str, Any], type_name: str) -> dict[str, Any]:
    """The value itself, or the Range that the samples of a SampledData span."""
    if type_name != "SampledData":
        return value
    # `E`, `U` and `L` stand for an error, and for what is above or below the limits; R4 refuses no other text either.
    samples = str(value.get("data", "")).split()
    numbers = [Decimal(sample) for sample in samples if _SAMPLE.fullmatch(sample)]
    if not numbers:
        return {}
    origin = value["origin"]
    base, factor = Decimal(origin.get("value", 0)), Decimal(value.get("factor", 1))
    lo, hi = sorted((base + factor * min(numbers), base + factor * max(numbers)))
    ends = {"low": {**origin, "value": lo}, "high": {**origin, "value": hi}}
    return {name: end for name, end in ends.items() if ("L" if name == "low" else "U") not in samples}


def _unit_codes(code: str, value: dict[str, Any], type_name: str) -> Iterator[tuple[str, Fraction]]:
    """The codes to index a quantity under, with the factor that its number is multiplied by."""
    yield code, ONE
    system: str | None
    if type_name == "Money":
        system, unit_code, unit = CURRENCY, value.get("currency"), None
    else:
        # A Range takes its unit from either end.
        holder = value if "value" in value else value.get("low") or value.get("high") or {}
        system, unit_code, unit = holder.get("system"), holder.get("code"), holder.get("unit")
    canonical = _canonical(code, unit_code) if system == UCUM and unit_code is not None else None
    if canonical is not None:
        yield canonical
    elif unit_code is not None and system is not None:
        yield entry(code, system, unit_code), ONE
    for name in dict.fromkeys((unit_code, unit)):
        if name is not None:
            yield entry(code, "", name), ONE


def _canonical(code: str, unit: str) -> tuple[str, Fraction] | None:
    found = canonical_unit(unit)
    if found is None:
        return None
    factor, dimensions = found
    return entry(code, "~", " ".join(f"{name}{power}" for name, power in dimensions)), factor


def filter_for(parameter: Parameter, criterion: Criterion, _: Context) -> Filter:
    """The filter of a criterion: any of its quantities. Raises a 400 `Problem` for text that is none."""
    return any_of([quantity_filter(parameter.code, text) for text in criterion.values])


def quantity_filter(code: str, text: str, name: str | None = None) -> Filter:
    """The filter of one value, for entries under `code`; name: of the parameter, for messages, where it differs."""
    parts = split_value(text, "|")
    number = parts[0]
    name = name or code
    if len(parts) == 1:
        return number_filter(code, name, number)
    if len(parts) != 3:
        raise problem(
            400, "value", f"The value {quoted(text)} of '{name}' has not the form number|system|code or number||code."
        )
    _, system, unit = parts
    if not unit:
        raise problem(400, "value", f"The value {quoted(text)} of '{name}' names no unit behind the last '|'.")
    if system == UCUM and (canonical := _canonical(code, unit)):
        return number_filter(canonical[0], name, number, canonical[1])
    return number_filter(entry(code, system, unit), name, number)

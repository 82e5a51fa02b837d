"""Sort values: texts that stand in the order of the values they stand for, with the resource's id as tie-breaker.

https://hl7.org/fhir/R4/search.html#sort

Stored as `s.<parameter>.a` (its lowest value) and, where there may be several, `s.<parameter>.d` (its highest): a single
field then holds a total order, in which a page can begin anywhere. One index covers all of `s`. Parameters that people
hardly sort by, codes, references and addresses, are kept under `x`, which is not indexed, and are sorted when asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from functools import cache

from search.parameters import Parameter

LONGEST = 64
UNINDEXED = "x."
SEPARATOR = "\x00"
INDEXED_KINDS = frozenset({"date", "string", "number", "quantity"})


def sortable_number(number: float) -> str:
    """A number as a text of sixteen digits whose order is the numbers' own."""
    (bits,) = struct.unpack(">q", struct.pack(">d", float(number) + 0.0))
    # The bits of positive doubles are in order; those of negative ones are reversed.
    return f"{(bits ^ 0x7FFFFFFFFFFFFFFF if bits < 0 else bits) + 2**63:016x}"


def sort_fields(
    values: Mapping[str, Sequence[str]], parameters: Mapping[str, Parameter], logical_id: str
) -> dict[str, dict[str, dict[str, str]]]:
    """The fields `s` and `x` for the values of a resource's parameters: parameter → its ends, each with the id behind it."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    behind = SEPARATOR + logical_id
    for code, texts in values.items():
        parameter = parameters[code]
        if len(texts) == 1:
            low = high = texts[0][:LONGEST] + behind
        else:
            low, high = min(texts)[:LONGEST] + behind, max(texts)[:LONGEST] + behind
        group, name = _place(parameter.kind, code)
        found.setdefault(group, {})[name] = {"a": low, "d": high} if parameter.repeats else {"a": low}
    return found


def sort_field(parameter: Parameter, is_descending: bool) -> str:
    """The field to sort by a parameter."""
    group, name = _place(parameter.kind, parameter.code)
    return f"{group}.{name}.{'d' if is_descending and parameter.repeats else 'a'}"


@cache
def _place(kind: str, code: str) -> tuple[str, str]:
    """The field that a parameter's sort values are in, and their name there: in names `.` and `$` mean something else."""
    group = "s" if kind in INDEXED_KINDS and not code.startswith("address") else "x"
    return group, code.replace(".", "_").replace("$", "_")

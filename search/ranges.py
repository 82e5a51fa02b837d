"""Ranges: how dates, numbers and quantities are indexed, and the filters that compare them.

https://hl7.org/fhir/R4/search.html#prefix

An entry is `{"c": class, "lo": lowest, "hi": highest}` in the array `d` (dates, milliseconds) or `n` (numbers). A class is
the parameter's code and the range's width, rounded up to one of a few: then a comparison that names one end of the stored
ranges bounds the other end as well, and the index is never scanned from somewhere to its end for want of a bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from search.entry_text import Filter, any_of

Number = int | float


class Width(NamedTuple):
    """A class of widths: its letter, and the widest range in it (None: any)."""

    letter: str
    most: Number | None


def range_entry(code: str, lo: Number, hi: Number, widths: Sequence[Width]) -> dict[str, Any]:
    """The index entry of a range from `lo` to `hi`."""
    width = next(w for w in widths if w.most is None or hi - lo <= w.most)
    return {"c": f"{code}|{width.letter}", "lo": lo, "hi": hi}


def range_filter(field: str, code: str, prefix: str, lo: Number, hi: Number, widths: Sequence[Width]) -> Filter:
    """The filter for stored ranges that compare with the query's range [lo, hi) as the prefix says.

    field: `d` or `n`. hi is exclusive on both sides for dates; numbers pass ranges prepared to the same effect.

    Per prefix, with T the stored and Q the query's range: eq, Q contains T; ne, it does not; gt, T reaches above Q;
    lt, T begins below Q; ge, gt or eq; le, lt or eq; sa, T lies wholly above Q; eb, wholly below; ap, they overlap.
    """
    if prefix == "ne":
        return {"$nor": [range_filter(field, code, "eq", lo, hi, widths)], **present(field, code, widths)}
    return any_of(
        [{field: {"$elemMatch": {"c": f"{code}|{width.letter}", **_bounds(prefix, lo, hi, width)}}} for width in widths]
    )


def present(field: str, code: str, widths: Sequence[Width]) -> Filter:
    """The filter for documents with any value of the parameter."""
    return {field: {"$elemMatch": {"c": {"$in": [f"{code}|{width.letter}" for width in widths]}}}}


def _bounds(prefix: str, lo: Number, hi: Number, width: Width) -> dict[str, Any]:
    """Conditions on `lo` and `hi` of an entry; `lo` is bounded wherever it can be, because the index is in its order."""
    match prefix:
        case "eq":
            return {"lo": {"$gte": lo, "$lte": hi}, "hi": {"$lte": hi}}
        case "gt":
            return {**_reaching(hi, width), "hi": {"$gt": hi}}
        case "lt":
            return {"lo": {"$lt": lo}}
        case "ge":
            # Whatever begins within the query's range is contained in it or reaches above it.
            return {**_reaching(lo, width), "$or": [{"lo": {"$gte": lo}}, {"hi": {"$gt": hi}}]}
        case "le":
            return {"lo": {"$lte": hi}, "$or": [{"lo": {"$lt": lo}}, {"hi": {"$lte": hi}}]}
        case "sa":
            return {"lo": {"$gte": hi}}
        case "eb":
            return {"lo": {"$lt": lo}, "hi": {"$lte": lo}}
        case _:
            return {"lo": {**_reaching(lo, width).get("lo", {}), "$lt": hi}, "hi": {"$gt": lo}}


def _reaching(point: Number, width: Width) -> dict[str, Any]:
    """Where an entry must begin that reaches above a point, given how wide it may be."""
    return {} if width.most is None else {"lo": {"$gt": point - width.most}}

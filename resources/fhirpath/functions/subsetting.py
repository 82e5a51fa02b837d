"""single, first, last, tail, skip, take, intersect, exclude, union, combine.

http://hl7.org/fhirpath/N1/#subsetting and http://hl7.org/fhirpath/N1/#combining
"""

from __future__ import annotations

from ..equality import distinct, key
from ..errors import FhirPathError
from ..nodes import Items
from ..scope import Scope
from ..values import single_integer
from .registry import function


@function("single")
def _single(_scope: Scope, items: Items) -> Items:
    if len(items) > 1:
        raise FhirPathError(f"single() found {len(items)} items")
    return items


@function("first")
def _first(_scope: Scope, items: Items) -> Items:
    return items[:1]


@function("last")
def _last(_scope: Scope, items: Items) -> Items:
    return items[-1:]


@function("tail")
def _tail(_scope: Scope, items: Items) -> Items:
    return items[1:]


@function("skip", 1)
def _skip(_scope: Scope, items: Items, number: Items) -> Items:
    return items[max(0, single_integer(number, "skip()") or 0) :]


@function("take", 1)
def _take(_scope: Scope, items: Items, number: Items) -> Items:
    return items[: max(0, single_integer(number, "take()") or 0)]


@function("intersect", 1)
def _intersect(_scope: Scope, items: Items, other: Items) -> Items:
    marks = {key(item) for item in other}
    return distinct([item for item in items if key(item) in marks])


@function("exclude", 1)
def _exclude(_scope: Scope, items: Items, other: Items) -> Items:
    marks = {key(item) for item in other}
    return [item for item in items if key(item) not in marks]


@function("union", 1)
def _union(_scope: Scope, items: Items, other: Items) -> Items:
    return distinct(items + other)


@function("combine", 1)
def _combine(scope: Scope, items: Items, other: Items) -> Items:
    scope.run.spend(len(items) + len(other))
    return items + other

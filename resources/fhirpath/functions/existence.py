"""empty, exists, all, allTrue ..., subsetOf, supersetOf, count, distinct, isDistinct, not.

http://hl7.org/fhirpath/N1/#existence
"""

from __future__ import annotations

from ..equality import distinct, key
from ..errors import FhirPathError
from ..nodes import Items
from ..scope import Scope
from ..values import system, truth, type_label
from .registry import Compiled, function


@function("empty", truth=True)
def _empty(_scope: Scope, items: Items) -> bool:
    return not items


@function("exists", 0, 1, form="lazy", truth=True)
def _exists(scope: Scope, items: Items, criteria: Compiled | None = None) -> bool:
    if criteria is None:
        return bool(items)
    scope.run.spend(len(items))
    inner = scope.inner()
    holds = criteria.truth
    for index, item in enumerate(items):
        inner.this = this = [item]
        inner.index = index
        if holds(inner, this):
            return True
    return False


@function("all", 1, form="lazy", truth=True)
def _all(scope: Scope, items: Items, criteria: Compiled) -> bool:
    scope.run.spend(len(items))
    inner = scope.inner()
    holds = criteria.truth
    for index, item in enumerate(items):
        inner.this = this = [item]
        inner.index = index
        if not holds(inner, this):
            return False
    return True


def _booleans(items: Items, name: str) -> list[bool]:
    values = [system(item) for item in items]
    for item, value in zip(items, values, strict=True):
        if value.__class__ is not bool:
            raise FhirPathError(f"{name}() takes booleans, not {type_label(item)}")
    return values


@function("allTrue", truth=True)
def _all_true(_scope: Scope, items: Items) -> bool:
    return all(_booleans(items, "allTrue"))


@function("anyTrue", truth=True)
def _any_true(_scope: Scope, items: Items) -> bool:
    return any(_booleans(items, "anyTrue"))


@function("allFalse", truth=True)
def _all_false(_scope: Scope, items: Items) -> bool:
    return not any(_booleans(items, "allFalse"))


@function("anyFalse", truth=True)
def _any_false(_scope: Scope, items: Items) -> bool:
    return not all(_booleans(items, "anyFalse"))


@function("subsetOf", 1, truth=True)
def _subset_of(_scope: Scope, items: Items, other: Items) -> bool:
    return {key(item) for item in items} <= {key(item) for item in other}


@function("supersetOf", 1, truth=True)
def _superset_of(_scope: Scope, items: Items, other: Items) -> bool:
    return {key(item) for item in items} >= {key(item) for item in other}


@function("count")
def _count(_scope: Scope, items: Items) -> Items:
    return [len(items)]


@function("distinct")
def _distinct(_scope: Scope, items: Items) -> Items:
    return distinct(items)


@function("isDistinct", truth=True)
def _is_distinct(_scope: Scope, items: Items) -> bool:
    return len(items) < 2 or len({key(item) for item in items}) == len(items)


@function("not", truth=True)
def _not(_scope: Scope, items: Items) -> bool | None:
    value = truth(items)
    return None if value is None else not value

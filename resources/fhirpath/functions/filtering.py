"""where, select, repeat, aggregate, sort, iif, trace.

http://hl7.org/fhirpath/N1/#filtering-and-projection and http://hl7.org/fhirpath/N1/#aggregates
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cmp_to_key
from typing import Any

from ..equality import compare, key
from ..errors import FhirPathError
from ..nodes import Items, Node
from ..scope import Scope
from ..values import single
from .registry import Compiled, function


@function("where", 1, form="lazy")
def _where(scope: Scope, items: Items, criteria: Compiled) -> Items:
    scope.run.spend(len(items))
    inner = scope.inner()
    holds = criteria.truth
    out: Items = []
    for index, item in enumerate(items):
        inner.this = this = [item]
        inner.index = index
        if holds(inner, this):
            out.append(item)
    return out


@function("select", 1, form="lazy")
def _select(scope: Scope, items: Items, projection: Compiled) -> Items:
    inner = scope.inner()
    project = projection.items
    out: Items = []
    for index, item in enumerate(items):
        inner.this = this = [item]
        inner.index = index
        found = project(inner, this)
        scope.run.spend(len(found) + 1)
        out.extend(found)
    return out


def _identity(item: Any) -> Hashable:
    # An element is itself only: comparing whole subtrees would make `repeat` quadratic and drop equal siblings.
    return id(item.value) if item.__class__ is Node and item.value.__class__ is dict else key(item)


@function("repeat", 1, form="lazy")
def _repeat(scope: Scope, items: Items, projection: Compiled) -> Items:
    inner = scope.inner()
    seen: set[Hashable] = set()
    out: Items = []
    waiting = items
    while waiting:
        found: Items = []
        for index, item in enumerate(waiting):
            inner.this = this = [item]
            inner.index = index
            for new in projection.items(inner, this):
                scope.run.spend(1)
                mark = _identity(new)
                if mark not in seen:
                    seen.add(mark)
                    found.append(new)
        out.extend(found)
        waiting = found
    return out


@function("aggregate", 1, 2, form="lazy")
def _aggregate(scope: Scope, items: Items, aggregator: Compiled, initial: Compiled | None = None) -> Items:
    inner = scope.inner()
    inner.total = [] if initial is None else initial.items(scope, scope.this)
    for index, item in enumerate(items):
        inner.this = this = [item]
        inner.index = index
        inner.total = aggregator.items(inner, this)
        scope.run.spend(len(inner.total))
    return inner.total or []


@function("sort", 0, 8, form="lazy")
def _sort(scope: Scope, items: Items, *keys: Compiled) -> Items:
    inner = scope.inner()

    def key_values(item: Any) -> list[Any]:
        inner.this = this = [item]
        return [single((k.ascending or k).items(inner, this), "A sort key") for k in keys] or [single(this, "sort()")]

    descending = [k.ascending is not None for k in keys] or [False]

    def order(left: tuple[list[Any], Any], right: tuple[list[Any], Any]) -> int:
        for a, b, down in zip(left[0], right[0], descending, strict=True):
            if a is None or b is None:
                if a is not b:
                    return -1 if a is None else 1  # an absent key comes first, in either direction
                continue
            found = compare(a, b)
            if found:
                return -found if down else found
        return 0

    pairs = sorted(((key_values(item), item) for item in items), key=cmp_to_key(order))
    return [item for _, item in pairs]


@function("iif", 2, 3, form="lazy")
def _iif(scope: Scope, items: Items, criterion: Compiled, then: Compiled, otherwise: Compiled | None = None) -> Items:
    if len(items) > 1:
        raise FhirPathError("iif() takes a single item as its input")
    inner = scope.inner(items) if items else scope
    value = single(criterion.items(inner, items), "The criterion of iif()")
    if value is not None and value.__class__ is not bool:
        raise FhirPathError("The criterion of iif() must be a boolean")
    if value:
        return then.items(inner, items)
    return [] if otherwise is None else otherwise.items(inner, items)


@function("trace", 1, 2, form="lazy")
def _trace(_scope: Scope, items: Items, _name: Compiled, _projection: Compiled | None = None) -> Items:
    # Tracing is for authors of expressions; a server has nobody to show it to.
    return items

"""now, today, timeOfDay, type, comparable.

http://hl7.org/fhirpath/N1/#utility-functions
"""

from __future__ import annotations

from ..errors import FhirPathError
from ..nodes import TYPE_INFO, Items, Node
from ..quantity import Quantity, canonical_unit
from ..scope import Scope
from ..temporal import from_moment
from ..values import single, system_type
from .registry import function


@function("now")
def _now(scope: Scope, _items: Items) -> Items:
    return [from_moment(scope.run.clock(), "DateTime")]


@function("today")
def _today(scope: Scope, _items: Items) -> Items:
    return [from_moment(scope.run.clock(), "Date")]


@function("timeOfDay")
def _time_of_day(scope: Scope, _items: Items) -> Items:
    return [from_moment(scope.run.clock(), "Time")]


@function("type")
def _type(_scope: Scope, items: Items) -> Items:
    out: Items = []
    for item in items:
        if item.__class__ is not Node:
            namespace, name = "System", system_type(item)
        elif item.type_name is None:
            continue
        elif item.type_name.startswith("System."):
            namespace, name = "System", item.type_name[7:]
        else:
            namespace, name = "FHIR", item.type_name
        out.append(Node({"namespace": namespace, "name": name}, TYPE_INFO))
    return out


@function("comparable", 1, truth=True)
def _comparable(_scope: Scope, items: Items, other: Items) -> bool | None:
    mine, theirs = single(items, "comparable()"), single(other, "comparable()")
    if mine is None or theirs is None:
        return None
    if mine.__class__ is not Quantity or theirs.__class__ is not Quantity:
        raise FhirPathError("comparable() takes quantities")
    a = canonical_unit(mine.ucum_unit(definite=False) or "")
    b = canonical_unit(theirs.ucum_unit(definite=False) or "")
    if a is None or b is None:
        return mine.unit == theirs.unit
    return a[1] == b[1]

"""The closures of the operators.

http://hl7.org/fhirpath/N1/#operations
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .arithmetic import ampersand, div, divided_by, minus, mod, negated, plus, times
from .equality import compare, distinct, equal, equal_items, equivalent, key
from .errors import FhirPathError
from .functions.registry import Compiled, Evaluate, Truth, of_items, of_truth
from .nodes import Items, Node
from .scope import Scope
from .syntax import Literal, Syntax
from .values import single, single_integer

_DATES = frozenset({"date", "dateTime", "instant", "time"})
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": plus,
    "-": minus,
    "*": times,
    "/": divided_by,
    "div": div,
    "mod": mod,
}
_ORDER: dict[str, Callable[[int], bool]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def binary(operator: str, left: Compiled, right: Compiled, right_syntax: Syntax) -> Compiled:
    """The closures of `left operator right`; `right_syntax` lets the comparison with a constant text be cheaper."""
    if operator in _LOGIC:
        return of_truth(_LOGIC[operator](left.truth, right.truth))
    if operator in ("=", "!="):
        same = _equals(left.items, right.items, right_syntax)
        return of_truth(same if operator == "=" else _negation(same))
    if operator in ("~", "!~"):
        wanted = operator == "~"
        return of_truth(lambda s, f: equivalent(left.items(s, f), right.items(s, f)) is wanted)
    if operator in _ORDER:
        return of_truth(_comparison(operator, left.items, right.items))
    if operator == "in":
        return of_truth(_membership(left.items, right.items, "in"))
    if operator == "contains":
        return of_truth(_membership(right.items, left.items, "contains"))
    if operator == "|":
        return of_items(lambda s, f: distinct(left.items(s, f) + right.items(s, f)))
    if operator == "&":
        return of_items(_joined(left.items, right.items))
    return of_items(_computed(operator, left.items, right.items))


def index(target: Compiled, position: Compiled) -> Evaluate:
    """The closure of `target[position]`."""

    def items(scope: Scope, focus: Items) -> Items:
        found = target.items(scope, focus)
        at = single_integer(position.items(scope, scope.this), "An index")
        return [found[at]] if at is not None and 0 <= at < len(found) else []

    return items


def polarity(operator: str, operand: Compiled) -> Evaluate:
    """The closure of a unary plus or minus."""

    def items(scope: Scope, focus: Items) -> Items:
        value = single(operand.items(scope, focus), f"Unary {operator}")
        if value is None:
            return []
        negative = negated(value)
        return [negative if operator == "-" else value]

    return items


def _and(left: Truth, right: Truth) -> Truth:
    def holds(scope: Scope, focus: Items) -> bool | None:
        a = left(scope, focus)
        if a is False:
            return False
        b = right(scope, focus)
        if b is False:
            return False
        return None if a is None or b is None else True

    return holds


def _or(left: Truth, right: Truth) -> Truth:
    def holds(scope: Scope, focus: Items) -> bool | None:
        a = left(scope, focus)
        if a:
            return True
        b = right(scope, focus)
        if b:
            return True
        return None if a is None or b is None else False

    return holds


def _xor(left: Truth, right: Truth) -> Truth:
    def holds(scope: Scope, focus: Items) -> bool | None:
        a, b = left(scope, focus), right(scope, focus)
        return None if a is None or b is None else a is not b

    return holds


def _implies(left: Truth, right: Truth) -> Truth:
    def holds(scope: Scope, focus: Items) -> bool | None:
        a = left(scope, focus)
        if a is False:
            return True
        b = right(scope, focus)
        if b:
            return True
        return b if a else None

    return holds


_LOGIC: dict[str, Callable[[Truth, Truth], Truth]] = {"and": _and, "or": _or, "xor": _xor, "implies": _implies}


def _negation(holds: Truth) -> Truth:
    def negated_truth(scope: Scope, focus: Items) -> bool | None:
        value = holds(scope, focus)
        return None if value is None else not value

    return negated_truth


def _equals(left: Evaluate, right: Evaluate, right_syntax: Syntax) -> Truth:
    if isinstance(right_syntax, Literal) and len(right_syntax.items) == 1 and isinstance(right_syntax.items[0], str):
        return _equals_text(left, right_syntax.items[0])
    return lambda scope, focus: equal(left(scope, focus), right(scope, focus))


def _equals_text(left: Evaluate, text: str) -> Truth:
    other: Items = [text]

    def holds(scope: Scope, focus: Items) -> bool | None:
        items = left(scope, focus)
        if len(items) == 1:
            item = items[0]
            if item.__class__ is Node:
                if item.type_name not in _DATES and item.value.__class__ is str:
                    return bool(item.value == text)
            elif item.__class__ is str:
                return bool(item == text)
        return equal(items, other)

    return holds


def _comparison(operator: str, left: Evaluate, right: Evaluate) -> Truth:
    test = _ORDER[operator]

    def holds(scope: Scope, focus: Items) -> bool | None:
        a, b = single(left(scope, focus), operator), single(right(scope, focus), operator)
        if a is None or b is None:
            return None
        order = compare(a, b)
        return None if order is None else test(order)

    return holds


def _membership(member: Evaluate, collection: Evaluate, operator: str) -> Truth:
    def holds(scope: Scope, focus: Items) -> bool | None:
        items, among = member(scope, focus), collection(scope, focus)
        if not items:
            return None
        if len(items) > 1:
            raise FhirPathError(f"{operator} takes a single item, not {len(items)}")
        if len(among) < 8:
            return any(equal_items(items[0], one) for one in among)
        mark = key(items[0])
        return any(key(one) == mark for one in among)

    return holds


def _joined(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda s, f: [ampersand(single(left(s, f), "&"), single(right(s, f), "&"))]


def _computed(operator: str, left: Evaluate, right: Evaluate) -> Evaluate:
    compute = _ARITHMETIC[operator]

    def items(scope: Scope, focus: Items) -> Items:
        a, b = single(left(scope, focus), operator), single(right(scope, focus), operator)
        if a is None or b is None:
            return []
        value = compute(a, b)
        return [] if value is None else [value]

    return items

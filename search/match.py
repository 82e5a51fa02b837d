"""The filters of a plan, evaluated in memory: the same meaning as MongoDB gives them, for documents not stored yet."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from search.entry_text import Filter

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda value, bound: value > bound,
    "$gte": lambda value, bound: value >= bound,
    "$lt": lambda value, bound: value < bound,
    "$lte": lambda value, bound: value <= bound,
    "$in": lambda value, listed: value in listed,
    "$regex": lambda value, pattern: re.search(pattern, value, re.DOTALL) is not None,
}


def matches(filter_: Filter, document: dict[str, Any]) -> bool:
    """Whether a filter selects a document: its fields `_id`, `t`, `k`, `d`, `n`."""
    for name, condition in filter_.items():
        if name == "$and":
            holds = all(matches(part, document) for part in condition)
        elif name == "$or":
            holds = any(matches(part, document) for part in condition)
        elif name == "$nor":
            holds = not any(matches(part, document) for part in condition)
        else:
            holds = name in document and _holds(condition, document[name])
        if not holds:
            return False
    return True


def _holds(condition: Any, value: Any) -> bool:
    if isinstance(value, list):
        if isinstance(condition, dict) and "$elemMatch" in condition:
            return any(_item_holds(condition["$elemMatch"], item) for item in value)
        return any(_holds(condition, item) for item in value)
    if isinstance(condition, dict):
        return all(_COMPARE[operator](value, bound) for operator, bound in condition.items())
    return bool(value == condition)


def _item_holds(condition: dict[str, Any], item: Any) -> bool:
    """Whether one item of an array satisfies an `$elemMatch`: conditions on its members, or on itself."""
    if isinstance(item, dict):
        return all(
            any(_item_holds(part, item) for part in holds)
            if name == "$or"
            else name in item and _holds(holds, item[name])
            for name, holds in condition.items()
        )
    return _holds(condition, item)

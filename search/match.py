"""The filters of a plan, evaluated in memory: the same meaning as MongoDB gives them, for documents not stored yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from search.entry_text import Filter

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda value, bound: value > bound,
    "$gte": lambda value, bound: value >= bound,
    "$lt": lambda value, bound: value < bound,
    "$lte": lambda value, bound: value <= bound,
    "$in": lambda value, listed: value in listed,
}


def matches(filter_: Filter, document: dict[str, Any]) -> bool:
    """Whether a filter selects a document: its fields `_id`, `t` and the array `k`."""
    for name, condition in filter_.items():
        if name == "$and":
            if not all(matches(part, document) for part in condition):
                return False
        elif name == "$or":
            if not any(matches(part, document) for part in condition):
                return False
        elif name not in document or not _holds(condition, document[name]):
            return False
    return True


def _holds(condition: Any, value: Any) -> bool:
    if isinstance(value, list):
        if isinstance(condition, dict) and "$elemMatch" in condition:
            return any(_holds(condition["$elemMatch"], item) for item in value)
        return any(_holds(condition, item) for item in value)
    if isinstance(condition, dict):
        return all(_COMPARE[operator](value, bound) for operator, bound in condition.items())
    return bool(value == condition)

"""Whether and how often a plain path (`a.b.c`) is present, walking the JSON without making Nodes.

Most invariants ask no more than that, and validation asks them for every element of every write.
http://hl7.org/fhirpath/N1/#path-selection
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from ..definitions import resource_types, type_facts
from .nodes import Items, Node

Walk = Callable[[Items], int]
"""How many items lie at the path; -1 where the walk does not apply and the general way must be taken."""


@cache
def _choice_forms() -> dict[str, frozenset[str]]:
    """Choice element name → all JSON names (also with `_`) that it takes anywhere in R4."""
    forms: dict[str, set[str]] = {}
    seen: set[str] = set()
    waiting = [*resource_types(), "Element", "Extension", "Dosage", "Timing", "ElementDefinition", "DomainResource"]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for element in type_facts(name).elements.values():
            waiting.extend(element.types)
            if element.is_choice:
                names = element.json_names()
                forms.setdefault(element.name, set()).update(names, ("_" + n for n in names))
    return {name: frozenset(both) for name, both in forms.items()}


@cache
def _json_choice_names() -> frozenset[str]:
    return frozenset(name for both in _choice_forms().values() for name in both)


def walk_of(path: tuple[str, ...]) -> Walk | None:
    """The counting walk of a path; None for paths that need types: type names, extensions of primitives, `valueX`."""
    forms = _choice_forms()
    for i, name in enumerate(path):
        if name[0].isupper() or name[0] == "_" or name == "resourceType" or name in _json_choice_names():
            return None
        if i and name in ("id", "extension"):
            return None
    names = tuple((name, "_" + name, forms.get(name)) for name in path)
    if len(names) == 1:
        return _single_walk(*names[0])
    return _long_walk(names)


def _single_walk(name: str, sibling: str, choice: frozenset[str] | None) -> Walk:
    def walk(focus: Items) -> int:
        count = 0
        for item in focus:
            if item.__class__ is not Node or item.value.__class__ is not dict:
                return -1
            value = item.value
            if name in value:
                count += _count(value, name, sibling)
            elif choice is not None:
                for key in value:
                    if key in choice:
                        count += 1
                        break
            elif sibling in value:
                count += _count(value, name, sibling)
        return count

    return walk


def _count(value: dict[str, Any], name: str, sibling: str) -> int:
    found: Any = value.get(name)
    other: Any = value.get(sibling)
    if found.__class__ is list or other.__class__ is list:
        if other is None:
            values: list[Any] = found
            return len(values) if None not in values else len([one for one in values if one is not None])
        return max(len(found or ()), len(other))
    return 0 if found is None and other is None else 1


def _long_walk(names: tuple[tuple[str, str, frozenset[str] | None], ...]) -> Walk:
    *leading, last = names
    name, sibling, choice = last

    def walk(focus: Items) -> int:
        values: list[dict[str, Any]] = []
        for item in focus:
            if item.__class__ is not Node or item.value.__class__ is not dict:
                return -1
            values.append(item.value)
        for step, _, step_choice in leading:
            below: list[dict[str, Any]] = []
            for value in values:
                found = value.get(step)
                if found is None and step_choice is not None:
                    found = next((value[key] for key in value if key in step_choice), None)
                if found.__class__ is dict:
                    below.append(found)
                elif found.__class__ is list:
                    below.extend(one for one in found if one.__class__ is dict)
            if not below:
                return 0
            values = below
        count = 0
        for value in values:
            if name in value or sibling in value:
                count += _count(value, name, sibling)
            elif choice is not None:
                for key in value:
                    if key in choice:
                        count += 1
                        break
        return count

    return walk

"""The values of an element within the JSON object that holds them, and what the paths of discriminators lead to.

https://hl7.org/fhir/R4/json.html and https://hl7.org/fhir/R4/profiling.html#discriminator
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple

from resources.definitions import type_facts
from resources.profiles.structure import ProfileFault
from resources.visit import Place

Item = tuple[Any, Any, "str | None", Place]
"""A value, its `_` sibling, its type where the JSON tells it, and its place."""

_STEP = re.compile(
    r"\$this|(?P<resolve>resolve\(\))|extension\(\s*['\"](?P<url>[^'\"]*)['\"]\s*\)|(?:ofType|as)\(\s*(?P<type>\w+)\s*\)"
    r"|(?P<name>\w+)(?:\[x\])?"
)


class Step(NamedTuple):
    """kind: `name`, `resolve`, `url` or `type`; the text is the name, the URL or the type."""

    kind: str
    text: str


class Found(NamedTuple):
    """What a path leads to. is_whole: False for a resource of which only the type is known."""

    value: Any
    type: str | None
    is_whole: bool = True


def steps_of(path: str) -> tuple[Step, ...]:
    """The steps of a discriminator's path. Raises `ProfileFault` for one outside of the small language that they have."""
    steps: list[Step] = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None or (match.end() < len(path) and path[match.end()] != "."):
            raise ProfileFault(f"The path '{path}' of a discriminator cannot be followed.")
        if match.lastgroup is not None:
            steps.append(Step(match.lastgroup, match[match.lastgroup]))
        at = match.end() + 1
    return tuple(steps)


def reach(item: Item, steps: Iterable[Step], resolve: Callable[[dict[str, Any]], Found | None]) -> list[Found]:
    """All that a path leads to from an item. resolve: what a Reference points to."""
    found = [Found(item[0], item[2])]
    for kind, text in steps:
        following: list[Found] = []
        for one in found:
            value = one.value
            if kind == "type":
                if one.type == text:
                    following.append(one)
            elif not isinstance(value, dict):
                continue
            elif kind == "resolve":
                target = resolve(value)
                if target is not None:
                    following.append(target)
            elif kind == "url":
                extensions = [one[0] for one in values_of(value, "extension", False, "Extension", _NOWHERE)]
                following += [Found(e, "Extension") for e in extensions if isinstance(e, dict) and e.get("url") == text]
            else:
                following += [
                    Found(one[0] if one[0] is not None else one[1], one[2]) for one in _members(value, text, one.type)
                ]
        found = following
    return found


_NOWHERE: Place = (None, "", -1)


def _members(value: dict[str, Any], name: str, of_type: str | None) -> list[Item]:
    plain = values_of(value, name, False, None, _NOWHERE)
    return plain or values_of(value, name, True, None, _NOWHERE)


def values_of(holder: dict[str, Any], name: str, is_choice: bool, type_name: str | None, place: Place) -> list[Item]:
    """The values of an element in the order of the JSON. name: without `[x]`. place: of the holder."""
    if is_choice:
        chosen = choice_in(holder, name)
        if chosen is None:
            return []
        json_name, type_name = chosen
    else:
        json_name = name
    value, sibling = holder.get(json_name), holder.get("_" + json_name)
    if value is None and sibling is None:
        return []
    if isinstance(value, list) or isinstance(sibling, list):
        values = value if isinstance(value, list) else []
        siblings = sibling if isinstance(sibling, list) else []
        items: list[Item] = []
        for index in range(max(len(values), len(siblings))):
            one = values[index] if index < len(values) else None
            items.append(
                (
                    one,
                    siblings[index] if index < len(siblings) else None,
                    _own_type(one, type_name),
                    (place, name, index),
                )
            )
        return items
    return [(value, sibling, _own_type(value, type_name), (place, name, -1))]


def choice_in(holder: dict[str, Any], name: str) -> tuple[str, str] | None:
    """JSON name and type of the value that a choice has: (`valueQuantity`, `Quantity`)."""
    length = len(name)
    for member in holder:
        plain = member[1:] if member[0] == "_" else member
        if plain.startswith(name) and len(plain) > length:
            type_name = type_by_suffix(plain[length:])
            if type_name is not None:
                return plain, type_name
    return None


def _own_type(value: Any, type_name: str | None) -> str | None:
    if isinstance(value, dict) and isinstance(value.get("resourceType"), str):
        return str(value["resourceType"])
    return type_name


@cache
def type_by_suffix(suffix: str) -> str | None:
    """The type of a choice by what follows the element's name: `CodeableConcept`, `DateTime`."""
    for name in (suffix, suffix[0].lower() + suffix[1:]):
        try:
            if type_facts(name).kind in ("primitive", "complex"):
                return name
        except KeyError:
            continue
    return None

"""The filters of ValueSet.compose: which codes of a code system they select.

https://hl7.org/fhir/R4/valueset-filter-operator.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from resources.problem import quoted
from resources.terminology.code_system import CodeSystem, Concept
from resources.terminology.faults import CannotExpand, UnknownCode
from resources.terminology.safe_pattern import UnsafePatternError, safe_pattern

Spend = Callable[[int], None]
"""Takes the steps that something costs from what an expansion may cost; raises where it is used up."""

# A filter on the hierarchy says so by naming the concepts themselves.
_CONCEPTS = frozenset({"concept", "code"})
_OF_EVERY_SYSTEM = frozenset({"concept", "code", "display", "parent", "child", "inactive", "notSelectable"})


def selected_by(filter_: Mapping[str, Any], system: CodeSystem, value_set: str, spend: Spend) -> frozenset[str]:
    """The codes of a system that a filter selects; value_set: URL, for messages.

    Raises `CannotExpand` for an operator, property or value that cannot be followed exactly.
    """
    name, operator, value = filter_["property"], filter_["op"], filter_["value"]

    def refuse(why: str, code: str = "not-supported") -> CannotExpand:
        text = f"{name} {operator} {value}"
        return CannotExpand(
            value_set,
            f"its filter {quoted(text)} on {quoted(system.url)} cannot be followed, because {why}",
            code=code,
            system=system.url,
            filter=text,
        )

    if operator in _HIERARCHY:
        if name not in _CONCEPTS:
            raise refuse(f"'{operator}' is about concepts, not about {quoted(name)}")
        known = system.find(value)
        if known is None:
            raise refuse(UnknownCode(system.url, value).text.rstrip("."), "code-invalid")
        return _HIERARCHY[operator](system, known.code)
    if not _is_known(name, system):
        raise refuse(f"the system says nothing of a property {quoted(name)}")
    values = _values_of(name, system)
    if operator == "exists":
        if value not in ("true", "false"):
            raise refuse(f"{quoted(value)} is neither true nor false", "invalid")
        return _those(system, lambda concept: any(values(concept)) is (value == "true"))
    if operator in ("=", "in", "not-in"):
        wanted = {value} if operator == "=" else {part.strip() for part in value.split(",")}
        is_in = operator != "not-in"
        return _those(system, lambda concept: any(_is_one_of(text, wanted) for text in values(concept)) is is_in)
    if operator == "regex":
        try:
            pattern = safe_pattern(value)
        except UnsafePatternError as fault:
            raise refuse(str(fault)) from None
        spend(pattern.steps(text for concept in system.concepts.values() for text in values(concept)))
        return _those(system, lambda concept: any(pattern.matches(text) for text in values(concept)))
    raise refuse(f"'{operator}' is no operator of R4", "invalid")


def _without_self(system: CodeSystem, code: str) -> frozenset[str]:
    return system.descendants(code) - {code}


def _others(system: CodeSystem, code: str) -> frozenset[str]:
    return frozenset(system.concepts) - system.descendants(code)


_HIERARCHY: Mapping[str, Callable[[CodeSystem, str], frozenset[str]]] = {
    "is-a": CodeSystem.descendants,
    "descendent-of": _without_self,
    "is-not-a": _others,
    "generalizes": CodeSystem.ancestors,
}


def _is_known(name: str, system: CodeSystem) -> bool:
    """Whether codes may have a property. One that a system declares as a filter of its own only it can follow."""
    if name in _OF_EVERY_SYSTEM or name in system.property_codes:
        return True
    return name not in system.filter_codes and any(
        name == code for concept in system.concepts.values() for code, _ in concept.properties
    )


def _values_of(name: str, system: CodeSystem) -> Callable[[Concept], Iterable[str]]:
    match name:
        case "concept" | "code":
            return lambda concept: (concept.code,)
        case "display":
            return lambda concept: (concept.display,)
        case "parent":
            return lambda concept: concept.parents
        case "child":
            return lambda concept: system.children.get(concept.code, ())
        case "inactive":
            return lambda concept: ("true" if concept.is_inactive else "false",)
        case "notSelectable":
            return lambda concept: ("true" if concept.is_abstract else "false",)
        case _:
            return lambda concept: (text for code, text in concept.properties if code == name)


def _those(system: CodeSystem, holds: Callable[[Concept], bool]) -> frozenset[str]:
    return frozenset(code for code, concept in system.concepts.items() if holds(concept))


def _is_one_of(text: str, wanted: set[str]) -> bool:
    """Whether a value is wanted; that of a Coding, `system|code`, may be named by its code."""
    return text in wanted or ("|" in text and text.partition("|")[2] in wanted)

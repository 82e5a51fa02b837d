"""The search parameters of each resource type, ready to extract index values and to build filters.

https://hl7.org/fhir/R4/searchparameter-registry.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from resources.definitions import SearchParameterFacts, is_a, resource_types, search_parameter_facts
from search.paths import CompiledPath, compile_component, compile_paths

# A named query is defined by an OperationDefinition, of which there are none.
NOT_SERVED = frozenset({"_text", "_content", "_query"})

# As published, each of its two components has the expression of the other.
CORRECTED_COMPONENTS = {
    "DocumentReference-relationship": (
        ("DocumentReference-relatesto", "target"),
        ("DocumentReference-relation", "code"),
    )
}


@dataclass(frozen=True, slots=True)
class Component:
    """One component of a composite parameter: the parameter it is compared as, and where its values stand.

    paths: type of the element that holds the components → paths within it.
    """

    parameter: Parameter
    paths: Mapping[str, tuple[CompiledPath, ...]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A search parameter of one resource type.

    code: as written in a query, `birthdate`; kind: its search type, `token`, `string`, ...
    paths: where its values stand; empty for what the store keeps beside the resource (`_id`, `_lastUpdated`).
    targets: for a reference, the resource types that it may point to. components: of a composite.
    types: the FHIR types of its values, as far as they are known. system: see `CompiledPath`. repeats: whether a resource
    may have several values.
    """

    code: str
    kind: str
    paths: tuple[CompiledPath, ...]
    targets: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()
    types: frozenset[str] = frozenset()
    system: str | None = None
    repeats: bool = True


@cache
def standard_parameters_of(type_name: str) -> Mapping[str, Parameter]:
    """Code → parameter of a resource type, of those that the standard defines, in the order of their codes."""
    found = {
        "_id": Parameter("_id", "id", ()),
        "_lastUpdated": Parameter("_lastUpdated", "lastUpdated", ()),
    }
    for facts in search_parameter_facts():
        if facts.code not in found and facts.code not in NOT_SERVED and _applies(facts, type_name):
            parameter = parameter_of(facts, type_name, {})
            if parameter is not None:
                found[facts.code] = parameter
    return MappingProxyType(dict(sorted(found.items())))


def _applies(facts: SearchParameterFacts, type_name: str) -> bool:
    return facts.expression is not None and any(is_a(type_name, base) for base in facts.base)


def parameter_of(
    facts: SearchParameterFacts, type_name: str, others: Mapping[str, SearchParameterFacts]
) -> Parameter | None:
    """A search parameter ready to be used for a resource type; None where that is not possible.

    others: id → search parameters besides the standard ones that a composite may be made of.
    """
    if facts.expression is None:
        return None
    paths = tuple(compile_paths(facts.expression, type_name))
    types = frozenset().union(*(path.types for path in paths))
    components: tuple[Component, ...] = ()
    if facts.type == "composite":
        components = tuple(
            _component(others.get(identifier) or _facts_by_id()[identifier], expression, type_name, types)
            for identifier, expression in CORRECTED_COMPONENTS.get(facts.id, facts.components)
        )
        if not all(any(component.paths.values()) for component in components):
            return None  # a component stands outside the element, which is not indexed
    if not paths:
        return None
    systems = {path.system for path in paths}
    return Parameter(
        facts.code,
        "phonetic" if facts.code == "phonetic" else facts.type,
        paths,
        facts.targets if facts.targets != ("Resource",) else tuple(sorted(resource_types())),
        components,
        types,
        systems.pop() if len(systems) == 1 else None,
        _repeats(paths, types),
    )


# One value of these holds several that count: the parts of a name, the events of a timing.
_OF_SEVERAL = frozenset({"HumanName", "Address", "Timing"})


def _repeats(paths: tuple[CompiledPath, ...], types: frozenset[str]) -> bool:
    elements = {path.element for path in paths}
    return len(elements) > 1 or any(path.repeats for path in paths) or bool(types & _OF_SEVERAL)


def _component(facts: SearchParameterFacts, expression: str, type_name: str, holders: frozenset[str]) -> Component:
    own = tuple(compile_paths(facts.expression or "", type_name))
    types = frozenset().union(*(path.types for path in own))
    return Component(
        Parameter(facts.code, facts.type, own, facts.targets, types=types),
        MappingProxyType({holder: compile_component(expression, holder, type_name) for holder in sorted(holders)}),
    )


@cache
def _facts_by_id() -> Mapping[str, SearchParameterFacts]:
    return {facts.id: facts for facts in search_parameter_facts()}

"""The facts of FHIR R4 4.0.1: types and their elements, codes, search parameters, compartments, operations.

https://hl7.org/fhir/R4/downloads.html (the "definitions" bundles)

The facts are condensed from the official bundles by `scripts/condense_definitions.py`; nothing here is written by hand.
Everything is frozen and loaded once a process, on first use.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

Kind = Literal["primitive", "complex", "resource", "backbone"]


@dataclass(frozen=True, slots=True)
class Invariant:
    """A constraint that a definition states: its key (`pat-1`), `error` or `warning`, and its FHIRPath."""

    key: str
    severity: str
    expression: str


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type.

    name: as in the definition, without `[x]` (`value` stands for `valueString`, `valueQuantity`, ...).
    max: None where the element repeats without limit.
    types: names that `type_facts` accepts; more than one only for a choice.
    targets: the resource types that a Reference, or else a canonical, may point to; empty where all are allowed.
    binding: the strength (`required`, `extensible`) and the URL of the value set, or None.
    """

    name: str
    types: tuple[str, ...]
    min: int = 0
    max: int | None = 1
    is_choice: bool = False
    targets: frozenset[str] = frozenset()
    binding: tuple[str, str] | None = None
    is_modifier: bool = False
    is_summary: bool = False
    invariants: tuple[Invariant, ...] = ()

    @property
    def is_list(self) -> bool:
        """Whether the JSON form is an array."""
        return self.max != 1

    def json_names(self) -> dict[str, str]:
        """JSON member name → type name: one for an ordinary element, one a type for a choice."""
        if not self.is_choice:
            return {self.name: self.types[0]}
        return {self.name + name[0].upper() + name[1:]: name for name in self.types}


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """A resource type, data type, primitive type or backbone element (named by its path, `Patient.contact`)."""

    name: str
    kind: Kind
    base: str | None
    is_abstract: bool = False
    regex: str | None = None
    elements: Mapping[str, Element] = field(default_factory=dict)
    invariants: tuple[Invariant, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchParameterFacts:
    """A standard search parameter; `components` are (id of the component's parameter, expression) of a composite."""

    id: str
    code: str
    type: str
    base: tuple[str, ...]
    expression: str | None
    targets: tuple[str, ...]
    components: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class OperationParameter:
    """A parameter of an operation. use: `in` or `out`. max: None where it repeats. type: None where it has parts."""

    name: str
    use: str
    min: int
    max: int | None
    type: str | None
    parts: tuple[OperationParameter, ...] = ()


@dataclass(frozen=True, slots=True)
class OperationFacts:
    """An operation as its OperationDefinition states it.

    resource: the types that it is for, `Resource` for all. levels: `system`, `type`, `instance`.
    """

    id: str
    url: str
    code: str
    resource: tuple[str, ...]
    levels: tuple[str, ...]
    parameters: tuple[OperationParameter, ...]

    def inputs(self) -> Mapping[str, OperationParameter]:
        """Name → parameter, of those that a request may have."""
        return {parameter.name: parameter for parameter in self.parameters if parameter.use == "in"}


@cache
def type_facts(name: str) -> TypeFacts:
    """The facts of a type by its name or backbone path. Raises KeyError for a name that R4 does not know."""
    facts = _facts("types")[name]
    return TypeFacts(
        name=name,
        kind=facts["kind"],
        base=facts["base"],
        is_abstract=facts.get("abstract", False),
        regex=facts.get("regex"),
        elements=MappingProxyType({n: _element(n, e) for n, e in facts.get("elements", {}).items()}),
        invariants=_invariants(facts),
    )


@cache
def resource_types() -> frozenset[str]:
    """The names of the 146 concrete resource types."""
    return frozenset(n for n, f in _facts("types").items() if f["kind"] == "resource" and not f.get("abstract"))


@cache
def is_a(name: str, ancestor: str) -> bool:
    """Whether a type is the other or descends from it: `is_a("Age", "Quantity")`."""
    current: str | None = name
    while current is not None:
        if current == ancestor:
            return True
        current = type_facts(current).base
    return False


@cache
def value_set_codes(url: str) -> Mapping[str, frozenset[str]] | None:
    """System → codes of a value set that an element binds as required; None where the value set is open or unknown."""
    facts = _facts("value_sets").get(url)
    return None if facts is None else MappingProxyType({system: frozenset(codes) for system, codes in facts.items()})


@cache
def code_system_codes() -> Mapping[str, frozenset[str]]:
    """URL → codes of the code systems that R4 itself defines, complete."""
    return MappingProxyType({url: frozenset(codes) for url, codes in _facts("code_systems").items()})


@cache
def code_system_facts() -> Mapping[str, Any]:
    """URL → members of each code system that comes with R4, HL7's v2 and v3 tables included.

    `concepts` holds for each code a list, cut behind the last that is there: display ("" where it is the code itself),
    parents, properties. Some 20,000 codes in a file of their own, so that nobody reads them who needs no terminology.
    """
    return MappingProxyType(_facts("concepts"))


@cache
def value_set_definitions() -> Mapping[str, Any]:
    """URL → `version`, `name`, `compose` and, rarely, `expansion` of each value set that comes with R4, as in a ValueSet."""
    return MappingProxyType(_facts("value_set_definitions"))


@cache
def search_parameter_facts() -> tuple[SearchParameterFacts, ...]:
    """All standard search parameters, and those that US Core adds."""
    return tuple(
        SearchParameterFacts(
            id=identifier,
            code=facts["code"],
            type=facts["type"],
            base=tuple(facts["base"]),
            expression=facts.get("expression"),
            targets=tuple(facts.get("target", ())),
            components=tuple((i, e) for i, e in facts.get("component", ())),
        )
        for identifier, facts in {**_facts("search_parameters"), **_facts("us_core_search_parameters")}.items()
    )


@cache
def compartment_parameters(compartment: str) -> Mapping[str, tuple[str, ...]]:
    """Resource type → codes of the search parameters that put it into the compartment (`Patient`, `Encounter`, ...)."""
    return MappingProxyType({name: tuple(codes) for name, codes in _facts("compartments")[compartment].items()})


@cache
def operation_facts() -> Mapping[str, OperationFacts]:
    """Id of an official OperationDefinition → its facts, of the operations that the server may serve."""
    return MappingProxyType(
        {
            identifier: OperationFacts(
                identifier,
                facts["url"],
                facts["code"],
                tuple(facts["resource"]),
                tuple(facts["levels"]),
                tuple(map(_operation_parameter, facts["parameters"])),
            )
            for identifier, facts in _facts("operations").items()
        }
    )


def _operation_parameter(facts: dict[str, Any]) -> OperationParameter:
    return OperationParameter(
        facts["name"],
        facts["use"],
        facts["min"],
        None if facts["max"] == "*" else int(facts["max"]),
        facts.get("type"),
        tuple(map(_operation_parameter, facts.get("part", ()))),
    )


def _element(name: str, facts: dict[str, Any]) -> Element:
    maximum = facts.get("max", "1")
    return Element(
        name=name,
        types=tuple(facts["types"]),
        min=facts.get("min", 0),
        max=None if maximum == "*" else int(maximum),
        is_choice=facts.get("choice", False),
        targets=frozenset(facts.get("targets", ())) - {"Resource"},
        binding=tuple(facts["binding"]) if "binding" in facts else None,
        is_modifier=facts.get("modifier", False),
        is_summary=facts.get("summary", False),
        invariants=_invariants(facts),
    )


def _invariants(facts: dict[str, Any]) -> tuple[Invariant, ...]:
    return tuple(Invariant(*i) for i in facts.get("invariants", ()))


@cache
def _facts(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(files(__name__).joinpath("r4", f"{name}.json").read_bytes())
    return content

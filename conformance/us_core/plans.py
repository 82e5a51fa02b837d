"""The condensed test plans of US Core: what each profile of a version asks of a server.

`plans.json` is made by `scripts/condense_us_core_plans.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

GUIDES = {"3.1.1": "STU3.1.1", "6.1.0": "STU6.1", "7.0.0": "STU7"}
DEFAULT_VERSION = "6.1.0"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A search parameter of a profile. kind: the type of the element that it looks at. comparators: prefixes that must be
    taken. any_of: whether values between commas are expected. chains: parameters of what it refers to.
    """

    name: str
    kind: str
    paths: tuple[str, ...]
    values: tuple[str, ...] = ()
    comparators: tuple[str, ...] = ()
    any_of: bool = False
    chains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """One profile. searches: (SHALL or SHOULD, names of parameters). must_support: paths. fixed: path → value."""

    version: str
    name: str
    url: str
    type_name: str
    interactions: Mapping[str, str]
    searches: tuple[tuple[str, tuple[str, ...]], ...]
    parameters: Mapping[str, Parameter]
    includes: tuple[str, ...] = ()
    revincludes: tuple[str, ...] = ()
    must_support: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)

    @property
    def clause(self) -> str:
        """The page of the profile in its implementation guide."""
        page = self.url.rpartition("/")[2]
        return f"https://hl7.org/fhir/us/core/{GUIDES[self.version]}/StructureDefinition-{page}.html"


@cache
def plans_of(version: str) -> tuple[Plan, ...]:
    """The profiles of a version, by name. Raises a KeyError for a version that is not known."""
    GUIDES[version]
    facts: dict[str, dict[str, Any]] = json.loads(files(__package__).joinpath("plans.json").read_text(encoding="utf-8"))
    return tuple(
        _plan(version, key.removeprefix(f"{version}/"), each)
        for key, each in facts.items()
        if key.startswith(f"{version}/")
    )


def _plan(version: str, name: str, facts: Mapping[str, Any]) -> Plan:
    return Plan(
        version,
        name,
        facts["url"],
        facts["type"],
        facts.get("interactions", {}),
        tuple((each[0], tuple(each[1:])) for each in facts.get("searches", [])),
        {key: _parameter(key, each) for key, each in facts.get("parameters", {}).items()},
        tuple(facts.get("includes", [])),
        tuple(facts.get("revincludes", [])),
        tuple(facts.get("must_support", [])),
        tuple(facts.get("extensions", [])),
        facts.get("fixed", {}),
    )


def _parameter(name: str, facts: Mapping[str, Any]) -> Parameter:
    return Parameter(
        name,
        facts["type"],
        tuple(facts["paths"]),
        tuple(map(str, facts.get("values", []))),
        tuple(facts.get("comparators", [])),
        "or" in facts,
        tuple(facts.get("chains", [])),
    )

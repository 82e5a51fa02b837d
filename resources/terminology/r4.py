"""The terminology that comes with R4: its own code systems and value sets, and HL7's v2 and v3 tables.

https://hl7.org/fhir/R4/terminologies-systems.html

Frozen definition data like the rest of `resources.definitions`, read when first asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from resources.definitions import code_system_facts, value_set_definitions
from resources.terminology.canonical import split_canonical
from resources.terminology.code_system import CodeSystem, Concept
from resources.terminology.code_system_resource import concept_of
from resources.terminology.expansion import Expansion
from resources.terminology.terminology import DefinedTerminology

Json = Mapping[str, Any]

KEPT_EXPANSIONS = 100


class R4Definitions:
    """A `Source`."""

    def value_set(self, canonical: str) -> Json | None:
        url, version = split_canonical(canonical)
        facts = value_set_definitions().get(url)
        if facts is None or version not in (None, facts.get("version")):
            return None
        return {"url": url, **facts}

    def code_system(self, canonical: str) -> CodeSystem | None:
        if canonical in code_system_facts():  # one of the tables has a version as a part of its URL
            return _code_system(canonical)
        url, version = split_canonical(canonical)
        facts = code_system_facts().get(url)
        return _code_system(url) if facts is not None and version == facts.get("version") else None

    def systems_with(self, code: str) -> Sequence[CodeSystem]:
        return [_code_system(url) for url in _systems_by_code().get(code.casefold(), ())]


class R4Terminology(DefinedTerminology):
    """Knows nothing but R4; the value sets that it was asked for last are remembered, as they never change."""

    def __init__(self) -> None:
        super().__init__(R4Definitions())

    def value_set(self, canonical: str) -> Expansion | None:
        return _expanded(canonical)


R4 = R4Terminology()


@lru_cache(KEPT_EXPANSIONS)
def _expanded(canonical: str) -> Expansion | None:
    return DefinedTerminology(R4Definitions()).value_set(canonical)


@cache
def _code_system(url: str) -> CodeSystem:
    facts = code_system_facts()[url]
    return CodeSystem(
        url=url,
        version=facts.get("version"),
        name=facts.get("name"),
        status=facts["status"],
        content=facts["content"],
        case_sensitive=facts.get("caseSensitive"),
        hierarchy_meaning=facts.get("hierarchyMeaning"),
        concepts={code: _concept(code, *held) for code, held in facts["concepts"].items()},
        property_codes=frozenset({"status"}),
    )


def _concept(code: str, display: str = "", parents: Sequence[str] = (), properties: Json | None = None) -> Concept:
    texts = [
        (name, value if isinstance(value, str) else str(value).lower()) for name, value in (properties or {}).items()
    ]
    return concept_of(code, display or code, parents, texts)


@cache
def _systems_by_code() -> Mapping[str, tuple[str, ...]]:
    """Folded code → URLs of the code systems that have it."""
    found: dict[str, list[str]] = {}
    for url, facts in code_system_facts().items():
        for code in {code.casefold() for code in facts["concepts"]}:
            found.setdefault(code, []).append(url)
    return {code: tuple(urls) for code, urls in found.items()}

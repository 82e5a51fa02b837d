"""Terminology: what can be asked about codes, whoever holds the value sets and code systems.

https://hl7.org/fhir/R4/terminology-service.html
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

from resources.terminology.code_system import CodeSystem
from resources.terminology.compose import Json, expand
from resources.terminology.expansion import Expansion
from resources.terminology.faults import UnknownSystem


class Source(Protocol):
    """Where definitions come from. canonical: a URL, `|version` behind it where only that version will do."""

    def value_set(self, canonical: str) -> Json | None:
        """A ValueSet resource, or as much of one as `url`, `version`, `compose` and `expansion`."""

    def code_system(self, canonical: str) -> CodeSystem | None:
        """A code system that is no supplement to another."""

    def systems_with(self, code: str) -> Sequence[CodeSystem]:
        """The code systems that have a code, in whatever case it is written."""


class Terminology(ABC):
    """Value sets and code systems by their canonical URL, `|version` behind it where only that version will do."""

    @abstractmethod
    def value_set(self, canonical: str) -> Expansion | None:
        """The codes of a value set; None where it is not known. Raises `CannotExpand` where its codes cannot be told."""

    @abstractmethod
    def code_system(self, canonical: str) -> CodeSystem | None:
        """A code system; None where it is not known. Of some, known by name only, no codes are held."""

    @abstractmethod
    def systems_with(self, code: str) -> Sequence[CodeSystem]:
        """The code systems that have a code, in whatever case it is written."""

    @abstractmethod
    def definition(self, canonical: str) -> Json | None:
        """The ValueSet resource, or as much of it as is known, that a URL means; None where it is not known."""

    @abstractmethod
    def expand(self, value_set: Json) -> Expansion:
        """The codes of a ValueSet resource that need not be held itself. Raises `CannotExpand`."""

    def subsumes(self, system: str, above: str, below: str) -> bool:
        """Whether `above` is `below` or subsumes it. Raises `UnknownSystem` and `UnknownCode`.

        https://hl7.org/fhir/R4/codesystem-operation-subsumes.html
        """
        return self.known_system(system).subsumes(above, below)

    def descendants(self, system: str, code: str) -> frozenset[str]:
        """The code and all that it subsumes. Raises `UnknownSystem` and `UnknownCode`."""
        return self.known_system(system).descendants(code)

    def ancestors(self, system: str, code: str) -> frozenset[str]:
        """The code and all that subsume it. Raises `UnknownSystem` and `UnknownCode`."""
        return self.known_system(system).ancestors(code)

    def known_system(self, canonical: str) -> CodeSystem:
        """A code system with its codes. Raises `UnknownSystem` where it is not known, or its codes are not."""
        found = self.code_system(canonical)
        if found is None:
            raise UnknownSystem(canonical)
        if not found.holds_codes:
            raise UnknownSystem(canonical, f"has no codes here, because its content is '{found.content}'")
        return found


class DefinedTerminology(Terminology):
    """Works everything out from definitions, each time it is asked; of several sources the first that knows counts."""

    def __init__(self, *sources: Source) -> None:
        self._sources = sources

    def value_set(self, canonical: str) -> Expansion | None:
        definition = self.definition(canonical)
        return None if definition is None else self.expand(definition)

    def code_system(self, canonical: str) -> CodeSystem | None:
        return next((found for source in self._sources if (found := source.code_system(canonical)) is not None), None)

    def systems_with(self, code: str) -> Sequence[CodeSystem]:
        found: list[CodeSystem] = []
        for at, source in enumerate(self._sources):
            for system in source.systems_with(code):
                if all(before.code_system(system.url) is None for before in self._sources[:at]):
                    found.append(system)
        return found

    def expand(self, value_set: Json) -> Expansion:
        return expand(value_set, self.definition, self.code_system)

    def definition(self, canonical: str) -> Json | None:
        return next((found for source in self._sources if (found := source.value_set(canonical)) is not None), None)

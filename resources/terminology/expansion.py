"""The codes of a value set, told one by one.

https://hl7.org/fhir/R4/valueset.html#expansion
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, slots=True)
class ExpandedCode:
    """One code of a value set, with the members of ValueSet.expansion.contains. version: of the code system."""

    system: str
    code: str
    display: str | None = None
    version: str | None = None
    is_abstract: bool = False
    is_inactive: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.system, self.code


@dataclass(frozen=True)
class Expansion:
    """All codes of a value set, each once, in the order of its definition.

    url and version: of the value set. partial: code systems that the set draws on of which only a part is held here (a
    fragment, or examples), so that other codes of these may be meant as well.
    """

    url: str
    version: str | None
    entries: tuple[ExpandedCode, ...]
    partial: frozenset[str] = frozenset()

    @cached_property
    def codes(self) -> Mapping[str, frozenset[str]]:
        """System → codes, abstract and inactive ones as well."""
        return _by_system(self.entries)

    @cached_property
    def selectable(self) -> Mapping[str, frozenset[str]]:
        """System → codes that a resource may carry: those that are not abstract."""
        return _by_system(tuple(entry for entry in self.entries if not entry.is_abstract))

    def find(self, system: str, code: str) -> ExpandedCode | None:
        return self._by_key.get((system, code))

    @cached_property
    def _by_key(self) -> Mapping[tuple[str, str], ExpandedCode]:
        return {entry.key: entry for entry in self.entries}


def _by_system(entries: tuple[ExpandedCode, ...]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for entry in entries:
        found.setdefault(entry.system, set()).add(entry.code)
    return {system: frozenset(codes) for system, codes in found.items()}

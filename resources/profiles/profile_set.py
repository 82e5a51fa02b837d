"""Profiles compiled once, from StructureDefinitions that somebody finds."""

from __future__ import annotations

from collections.abc import Iterable

from resources.profiles.compile import CompiledProfile, compile_profile
from resources.profiles.structure import Find, Json
from resources.terminology import Expansion, Terminology, TerminologyFault
from resources.terminology.canonical import split_canonical
from resources.terminology.held import resource_rank


class DefinedProfiles:
    """`Profiles` of definitions that do not change. Each is compiled, or expanded, when it is first asked for."""

    def __init__(self, find: Find, terminology: Terminology) -> None:
        self._find = find
        self._terminology = terminology
        self._expanded: dict[str, Expansion | TerminologyFault | None] = {}
        self._compiled: dict[str, CompiledProfile | None] = {}

    def profile(self, canonical: str) -> CompiledProfile | None:
        if canonical not in self._compiled:
            definition = self._find(canonical)
            self._compiled[canonical] = None if definition is None else compile_profile(definition, self._find)
        return self._compiled[canonical]

    def value_set(self, canonical: str) -> Expansion | None:
        if canonical not in self._expanded:
            try:
                self._expanded[canonical] = self._terminology.value_set(canonical)
            except TerminologyFault as fault:
                self._expanded[canonical] = fault
        found = self._expanded[canonical]
        if isinstance(found, TerminologyFault):
            raise found.with_traceback(None)
        return found


def found_among(definitions: Iterable[Json], canonical: str) -> Json | None:
    """The definition that a canonical means among those with its URL: of the version it names, else the newest in use."""
    _, version = split_canonical(canonical)
    fitting = [one for one in definitions if version is None or _is_version(str(one.get("version", "")), version)]
    return max(fitting, key=resource_rank, default=None)


def _is_version(own: str, asked: str) -> bool:
    """Whether a version is the one that is asked for, which may be cut short: `6.1` for 6.1.0."""
    return own == asked or own.startswith(asked + ".")


def finder(definitions: Iterable[Json]) -> Find:
    """Finds by canonical URL among definitions that are at hand."""
    by_url: dict[str, list[Json]] = {}
    for one in definitions:
        by_url.setdefault(str(one.get("url")), []).append(one)
    return lambda canonical: found_among(by_url.get(split_canonical(canonical)[0], ()), canonical)

"""A code system as a value: its codes, what is known of each, and which of them subsume which.

https://hl7.org/fhir/R4/codesystem.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from resources.terminology.faults import UnknownCode

# Where it is not stated what the hierarchy means, R4's own systems mean "is a": `relapse` below `active`. In a
# classification (ICD) what falls into a class falls into the class above it. Parts and groups say nothing of that kind.
# https://hl7.org/fhir/R4/valueset-codesystem-hierarchy-meaning.html
SUBSUMING = frozenset({None, "is-a", "classified-with"})
# Of other systems (`not-present`, `supplement`) the resource does not say which codes there are.
# https://hl7.org/fhir/R4/valueset-codesystem-content-mode.html
HOLDING_CODES = frozenset({"complete", "fragment", "example"})


@dataclass(frozen=True, slots=True)
class Concept:
    """One code.

    display: the code itself where the system has no other. parents: codes right above it, whatever the hierarchy means.
    is_abstract: not to be chosen, only to group others. is_inactive: no longer to be used. properties: (code of the
    property, value as text), without the hierarchy.
    """

    code: str
    display: str
    parents: tuple[str, ...] = ()
    is_abstract: bool = False
    is_inactive: bool = False
    properties: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class CodeSystem:
    """concepts: code → concept, in the order of the resource, a parent before those nested in it.

    content: `complete`, `fragment`, `example`, `not-present`. case_sensitive: None where the system does not say.
    property_codes and filter_codes: those that the system declares. last_updated: of the resource, as it is written there.
    """

    url: str
    version: str | None
    name: str | None
    status: str
    content: str
    case_sensitive: bool | None
    hierarchy_meaning: str | None
    concepts: Mapping[str, Concept]
    property_codes: frozenset[str] = frozenset()
    filter_codes: frozenset[str] = frozenset()
    last_updated: str = ""

    @property
    def is_partial(self) -> bool:
        """Whether only some of the system's codes are held."""
        return self.content != "complete"

    @property
    def holds_codes(self) -> bool:
        return self.content in HOLDING_CODES

    def find(self, code: str, ignoring_case: bool = False) -> Concept | None:
        """The concept of a code. Spelling in another case is accepted unless the system says that case matters.

        https://hl7.org/fhir/R4/codesystem-definitions.html#CodeSystem.caseSensitive
        """
        concept = self.concepts.get(code)
        if concept is None and (ignoring_case or not self.case_sensitive):
            return self._by_folded.get(code.casefold())
        return concept

    def descendants(self, code: str) -> frozenset[str]:
        """The code and all that it subsumes. Raises `UnknownCode`."""
        return self._reached(code, self.children)

    def ancestors(self, code: str) -> frozenset[str]:
        """The code and all that subsume it. Raises `UnknownCode`."""
        return self._reached(code, self._subsuming_parents)

    def subsumes(self, above: str, below: str) -> bool:
        """Whether `above` is `below` or subsumes it. Raises `UnknownCode`."""
        self._known(above)
        return above in self.ancestors(below)

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """Code → codes right below it that it subsumes."""
        found: dict[str, list[str]] = {}
        for code, parents in self._subsuming_parents.items():
            for parent in parents:
                found.setdefault(parent, []).append(code)
        return {code: tuple(below) for code, below in found.items()}

    @cached_property
    def _subsuming_parents(self) -> Mapping[str, tuple[str, ...]]:
        if self.hierarchy_meaning not in SUBSUMING:
            return {}
        return {code: concept.parents for code, concept in self.concepts.items() if concept.parents}

    @cached_property
    def _by_folded(self) -> Mapping[str, Concept]:
        found: dict[str, Concept] = {}
        for code, concept in self.concepts.items():
            found.setdefault(code.casefold(), concept)
        return found

    def _known(self, code: str) -> None:
        if code not in self.concepts:
            raise UnknownCode(self.url, code)

    def _reached(self, code: str, along: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
        self._known(code)
        return frozenset(_walk(code, along))


def _walk(code: str, along: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Every code that can be reached, once each, so that a circle in a hierarchy does no harm."""
    seen, waiting = {code}, [code]
    while waiting:
        current = waiting.pop()
        yield current
        for following in along.get(current, ()):
            if following not in seen:
                seen.add(following)
                waiting.append(following)

"""The terminology of a server: the CodeSystems and ValueSets that it stores, before those that come with R4.

https://hl7.org/fhir/R4/terminology-service.html

What was worked out is kept together with the versions of all that it was made from, and used again only while these are the
current ones. Which they are is looked up at most every `LOOK_AGAIN_SECONDS`; so long may a worker take to notice what
another has changed. What was not found leaves no trace: a value set can be used as soon as it is stored.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fhir_server.store.bounded_cache import BoundedCache
from fhir_server.store.database import Database
from fhir_server.store.reads import read_many
from resources.document import parse_document
from resources.references import parse_literal
from resources.terminology import (
    CodeSystem,
    DefinedTerminology,
    Expansion,
    HeldDefinitions,
    R4Definitions,
    Terminology,
    TerminologyFault,
    code_system_of,
)
from search.entry_text import LIVE, Filter, entry, equal_to

LOOK_AGAIN_SECONDS = 1.0
# With more than these, a code without its system would have to be looked for in too many.
MAX_SEARCHED_SYSTEMS = 200
# Of resources with one URL; more would be a mistake.
MAX_VERSIONS = 50
KEPT_LOOKS = 2_000
KEPT_BYTES = 32 * 1024 * 1024
KEPT_CODES = 200_000

Subject = tuple[str, str | None]
"""A resource type and what is asked of it: a URL, `ValueSet/1`, or None for all there are."""

Versions = tuple[tuple[str, int], ...]
"""(logical id, version) of the resources that a look has found."""

Outcome = Expansion | TerminologyFault


class HeldTerminology(Terminology):
    """One per process. Costs nothing until it is asked; reads outside of any transaction.

    seconds: a clock that only runs on.
    """

    def __init__(self, database: Database, seconds: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._seconds = seconds
        self._looks: BoundedCache[Subject, tuple[float, Versions]] = BoundedCache(KEPT_LOOKS)
        self._parsed: BoundedCache[tuple[str, str, int], Any] = BoundedCache(KEPT_BYTES)
        self._expanded: BoundedCache[str, tuple[dict[Subject, Versions], Outcome]] = BoundedCache(KEPT_CODES)

    def value_set(self, canonical: str) -> Expansion | None:
        kept = self._expanded.get(canonical)
        if kept is None or any(self.look(subject) != versions for subject, versions in kept[0].items()):
            question = _Question(self)
            outcome: Outcome | None
            try:
                outcome = question.terminology.value_set(canonical)
            except TerminologyFault as fault:
                outcome = fault
            if outcome is None:
                self._forget(question.used)
                return None
            self._expanded.put(canonical, (question.used, outcome), _weight(outcome))
        else:
            outcome = kept[1]
        if isinstance(outcome, TerminologyFault):
            raise outcome.with_traceback(None)
        return outcome

    def code_system(self, canonical: str) -> CodeSystem | None:
        question = _Question(self)
        found = question.terminology.code_system(canonical)
        if found is None:
            self._forget(question.used)
        return found

    def systems_with(self, code: str) -> Sequence[CodeSystem]:
        question = _Question(self)
        found = question.terminology.systems_with(code)
        if not found:
            self._forget(question.used)
        return found

    def definition(self, canonical: str) -> Mapping[str, Any] | None:
        question = _Question(self)
        found = question.terminology.definition(canonical)
        if found is None:
            self._forget(question.used)
        return found

    def expand(self, value_set: Mapping[str, Any]) -> Expansion:
        return _Question(self).terminology.expand(value_set)

    def look(self, subject: Subject) -> Versions:
        """The resources of a subject in their current versions, as of `LOOK_AGAIN_SECONDS` ago at most."""
        kept = self._looks.get(subject)
        if kept is not None and self._seconds() < kept[0]:
            return kept[1]
        asked_at = self._seconds()
        type_name, name = subject
        most = MAX_VERSIONS if name is not None else MAX_SEARCHED_SYSTEMS + 1
        documents = self._database.current(type_name).find(_filter(subject), {"v": 1}).sort("_id").limit(most)
        versions = tuple((document["_id"], document["v"]) for document in documents)
        self._looks.put(subject, (asked_at + LOOK_AGAIN_SECONDS, versions))
        return versions

    def resources(self, type_name: str, versions: Versions) -> list[Any]:
        """The resources that a look has found, each parsed once a version: a CodeSystem's facts, a ValueSet's tree."""
        found = {key: self._parsed.get((type_name, *key)) for key in versions}
        missing = [logical_id for (logical_id, _), parsed in found.items() if parsed is None]
        for stored in read_many(self._database, type_name, missing).values() if missing else ():
            if stored.raw is not None:
                tree = parse_document(stored.raw).tree
                parsed = code_system_of(tree) if type_name == "CodeSystem" else tree
                self._parsed.put((type_name, stored.id, stored.version), parsed, len(stored.raw))
                # It may have been changed since the look, which then is found out by the next one.
                found = {key: value for key, value in found.items() if key[0] != stored.id}
                found[stored.id, stored.version] = parsed
        return [parsed for parsed in found.values() if parsed is not None]

    def _forget(self, used: dict[Subject, Versions]) -> None:
        for subject in used:
            self._looks.drop(subject)


class _Question:
    """What one question uses: every look that it rests on is noted down."""

    def __init__(self, held: HeldTerminology) -> None:
        self._held = held
        self._every: list[CodeSystem] | None = None
        self.used: dict[Subject, Versions] = {}
        own = HeldDefinitions(self._value_sets, self._code_systems, self._every_code_system)
        self.terminology = DefinedTerminology(own, R4Definitions())

    def _value_sets(self, url: str) -> list[Any]:
        return self._held.resources("ValueSet", self._look(("ValueSet", url)))

    def _code_systems(self, url: str) -> list[CodeSystem]:
        if self._every is not None:
            return [system for system in self._every if system.url == url]
        return self._held.resources("CodeSystem", self._look(("CodeSystem", url)))

    def _every_code_system(self) -> list[CodeSystem]:
        versions = self._look(("CodeSystem", None))
        if len(versions) > MAX_SEARCHED_SYSTEMS:
            text = f"More than {MAX_SEARCHED_SYSTEMS} code systems are held here; say which one, as in system|code."
            raise TerminologyFault("too-costly", text)
        self._every = self._held.resources("CodeSystem", versions)
        return self._every

    def _look(self, subject: Subject) -> Versions:
        """The same answer throughout one question."""
        if subject not in self.used:
            self.used[subject] = self._held.look(subject)
        return self.used[subject]


def _filter(subject: Subject) -> Filter:
    type_name, name = subject
    if name is None:
        return equal_to(LIVE)
    literal = parse_literal(name)
    if literal is None or literal.base is not None or literal.type != type_name or literal.version is not None:
        return equal_to(entry("url", name))
    return {"_id": literal.id, **equal_to(LIVE)}  # a deleted resource has no entries


def _weight(outcome: Outcome) -> int:
    return 1 + (len(outcome.entries) if isinstance(outcome, Expansion) else 0)

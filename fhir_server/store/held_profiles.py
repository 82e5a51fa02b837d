"""The profiles of a server: the StructureDefinitions that it stores, each compiled once a version.

https://hl7.org/fhir/R4/profiling.html

As with the terminology, a compiled profile is kept with the versions of all that it was made from (itself, the profiles that
it derives from or points to) and used only while these are the current ones; another worker's change is seen within
`held_terminology.LOOK_AGAIN_SECONDS`, and so is a profile that was not there when it was asked for last.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from fhir_server.store.bounded_cache import BoundedCache
from fhir_server.store.held_terminology import LOOK_AGAIN_SECONDS, HeldTerminology, Subject, Versions
from resources.profiles import CompiledProfile, compile_profile, found_among
from resources.profiles.structure import Json
from resources.terminology import Expansion
from resources.terminology.canonical import split_canonical

KEPT_PROFILES = 1_000

Kept = tuple[dict[Subject, Versions], CompiledProfile | None]


class HeldProfiles:
    """One per process; `resources.profiles.Profiles`.

    held: looks up what is stored, and in which versions. seconds: a clock that only runs on.
    """

    def __init__(self, held: HeldTerminology, seconds: Callable[[], float] = time.monotonic) -> None:
        self._held = held
        self._seconds = seconds
        self._lacking: BoundedCache[str, float] = BoundedCache(KEPT_PROFILES)
        self._compiled: BoundedCache[str, Kept] = BoundedCache(KEPT_PROFILES)

    def profile(self, canonical: str) -> CompiledProfile | None:
        kept = self._compiled.get(canonical)
        if kept is not None and all(self._held.look(subject) == versions for subject, versions in kept[0].items()):
            return kept[1]
        used: dict[Subject, Versions] = {}

        def find(wanted: str) -> Json | None:
            url, _ = split_canonical(wanted)
            subject = ("StructureDefinition", url)
            if subject not in used:
                used[subject] = self._held.look(subject)
            versions = used[subject]
            return found_among(self._held.resources("StructureDefinition", versions), wanted) if versions else None

        definition = find(canonical)
        compiled = None if definition is None else compile_profile(definition, find)
        self._compiled.put(canonical, (used, compiled))
        return compiled

    def value_set(self, canonical: str) -> Expansion | None:
        """As the terminology has it. That there is none is remembered for a moment: every write may name it again."""
        lacking_until = self._lacking.get(canonical)
        if lacking_until is not None and self._seconds() < lacking_until:
            return None
        found = self._held.value_set(canonical)
        if found is None:
            self._lacking.put(canonical, self._seconds() + LOOK_AGAIN_SECONDS)
        return found

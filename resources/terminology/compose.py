"""A ValueSet's definition → its codes: what is included, less what is excluded.

https://hl7.org/fhir/R4/valueset.html#compositions

A set is told whole or not at all: what cannot be followed raises `CannotExpand`, and never makes a smaller set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from resources.problem import quoted
from resources.terminology.code_system import CodeSystem
from resources.terminology.expansion import ExpandedCode, Expansion
from resources.terminology.faults import CannotExpand
from resources.terminology.filters import selected_by
from resources.terminology.stored_expansion import stored_codes

Json = Mapping[str, Any]
Codes = dict[tuple[str, str], ExpandedCode]
"""(system, code) → the entry, in the order of the definition."""

MAX_CODES = 50_000
MAX_IMPORTS_DEEP = 20
# What one expansion may cost: a second or so. A step is what trying one character of a pattern takes.
MAX_STEPS = 20_000_000
STEPS_A_CODE = 20

# Faults of what is held here rather than of the definition: then a stored expansion may say more than we know.
_STORED_HELPS = frozenset({"not-found", "not-supported"})


FindValueSet = Callable[[str], Json | None]
FindCodeSystem = Callable[[str], CodeSystem | None]
"""Canonical URL, `|version` behind it where only that version will do → what it names."""


def expand(value_set: Json, find_value_set: FindValueSet, find_code_system: FindCodeSystem) -> Expansion:
    """All codes of a valid ValueSet resource, or of as much of one as `compose` and `expansion`.

    The compose decides; a stored expansion stands in where there is none, or where it draws on what is not held here.
    Raises `CannotExpand`.
    """
    url = value_set.get("url", "")
    expander = _Expander(url, find_value_set, find_code_system)
    codes = expander.codes_of(value_set, url)
    return Expansion(url, value_set.get("version"), tuple(codes.values()), frozenset(expander.partial))


class _Expander:
    """Expands one value set with all that it imports, each once."""

    def __init__(self, url: str, find_value_set: FindValueSet, find_code_system: FindCodeSystem) -> None:
        self._find_value_set = find_value_set
        self._find_code_system = find_code_system
        self._imported: dict[str, Codes] = {}
        self._path = [url]
        self._steps_left = MAX_STEPS
        self.partial: set[str] = set()

    def codes_of(self, value_set: Json, url: str) -> Codes:
        compose = value_set.get("compose")
        stored = value_set.get("expansion")
        if not compose:
            if stored is None:
                raise CannotExpand(url, "it has neither a compose nor an expansion", code="invalid")
            return stored_codes(stored, url, MAX_CODES)
        try:
            return self._composed(compose, url)
        except CannotExpand as fault:
            if stored is None or fault.code not in _STORED_HELPS:
                raise
            return stored_codes(stored, url, MAX_CODES)

    def _composed(self, compose: Json, url: str) -> Codes:
        found: Codes = {}
        for rule in compose.get("include", ()):
            for key, entry in self._selected(rule, url).items():
                found.setdefault(key, entry)
            self._check_size(found, url)
        for rule in compose.get("exclude", ()):
            for key in self._selected(rule, url):
                found.pop(key, None)
        if compose.get("inactive") is False:
            return {key: entry for key, entry in found.items() if not entry.is_inactive}
        return found

    def _selected(self, rule: Json, url: str) -> Codes:
        """The codes for which all conditions of a rule hold: in the system, and in each of the value sets."""
        system = rule.get("system")
        imported = [self._import(canonical, url) for canonical in rule.get("valueSet", ())]
        if system is None:
            if not imported:
                raise CannotExpand(url, "one of its rules names neither a system nor a value set", code="invalid")
            first, *others = imported
        elif imported and "concept" not in rule and "filter" not in rule:
            # All codes of the system that the value sets have: for these the system need not be held.
            first, others = {key: entry for key, entry in imported[0].items() if key[0] == system}, imported[1:]
        else:
            first, others = self._of_system(system, rule, url), imported
        self._spend(STEPS_A_CODE * len(first), url)
        if not others:
            return first
        return {key: entry for key, entry in first.items() if all(key in other for other in others)}

    def _of_system(self, url: str, rule: Json, value_set: str) -> Codes:
        version = rule.get("version")
        canonical = url if version in (None, "*") else f"{url}|{version}"
        system = self._find_code_system(canonical)
        if "concept" in rule:
            listed = {one["code"]: one.get("display") for one in rule["concept"]}
            return _entries(url, listed, system, version)
        if system is None:
            raise CannotExpand(
                value_set, f"the code system {quoted(canonical)} is not held here", code="not-found", system=url
            )
        if not system.holds_codes:
            why = f"of the code system {quoted(canonical)} no codes are held here, as its content is '{system.content}'"
            raise CannotExpand(value_set, why, code="not-found", system=url)
        if system.is_partial:
            self.partial.add(url)
        self._spend(STEPS_A_CODE * len(system.concepts) * (1 + len(rule.get("filter", ()))), value_set)
        codes: Iterable[str] = system.concepts
        for filter_ in rule.get("filter", ()):
            selected = selected_by(filter_, system, value_set, lambda steps: self._spend(steps, value_set))
            codes = [code for code in codes if code in selected]
        return _entries(url, dict.fromkeys(codes), system, version)

    def _import(self, canonical: str, url: str) -> Codes:
        """The codes of an imported value set."""
        known = self._imported.get(canonical)
        if known is not None:
            return known
        path = [*self._path, canonical]
        if canonical in self._path:
            raise CannotExpand(url, f"value sets import each other in a circle: {', '.join(path)}", code="processing")
        if len(path) > MAX_IMPORTS_DEEP:
            raise CannotExpand(
                url, f"value sets import each other more than {MAX_IMPORTS_DEEP} deep", code="too-costly"
            )
        value_set = self._find_value_set(canonical)
        if value_set is None:
            why = f"the value set {quoted(canonical)}, which it imports, is not held here"
            raise CannotExpand(url, why, code="not-found")
        self._path = path
        try:
            found = self.codes_of(value_set, value_set.get("url") or canonical.partition("|")[0])
        finally:
            self._path = path[:-1]
        self._imported[canonical] = found
        return found

    def _check_size(self, codes: Codes, url: str) -> None:
        if len(codes) > MAX_CODES:
            raise CannotExpand(url, f"it has more than {MAX_CODES:,} codes", code="too-costly")

    def _spend(self, steps: int, url: str) -> None:
        self._steps_left -= steps
        if self._steps_left < 0:
            raise CannotExpand(url, "working it out would take too long", code="too-costly")


def _entries(url: str, displays: Mapping[str, str | None], system: CodeSystem | None, version: str | None) -> Codes:
    """Codes of a system as entries; what the value set does not say of them is taken from the system where it is held."""
    found: Codes = {}
    system_version = system.version if system is not None else None if version == "*" else version
    for code, display in displays.items():
        concept = system.find(code) if system is not None else None
        if concept is None:
            found[url, code] = ExpandedCode(url, code, display, system_version)
        else:
            found[url, code] = ExpandedCode(
                url, code, display or concept.display, system_version, concept.is_abstract, concept.is_inactive
            )
    return found

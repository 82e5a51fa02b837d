"""The value sets and code systems that somebody holds as resources: which of those with one URL is meant.

https://hl7.org/fhir/R4/references.html#canonical
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from resources.terminology.canonical import split_canonical
from resources.terminology.code_system import CodeSystem
from resources.terminology.code_system_resource import code_system_of

Json = Mapping[str, Any]

# What is in use goes before what is not yet, and that before what is no longer.
_STATUS = {"active": 2, "draft": 1, "unknown": 1}
_NUMBERS = re.compile(r"(\d+)")


class HeldDefinitions:
    """A `Source`: resources of whoever holds them.

    value_sets, code_systems: URL without a version → all with that URL. every_code_system: all there are. Of several with a
    URL the version that is asked for counts; if none is, the one in use with the highest version, and of these the latest.
    """

    def __init__(
        self,
        value_sets: Callable[[str], Sequence[Json]],
        code_systems: Callable[[str], Sequence[CodeSystem]],
        every_code_system: Callable[[], Iterable[CodeSystem]],
    ) -> None:
        self._value_sets = value_sets
        self._code_systems = code_systems
        self._every_code_system = every_code_system

    def value_set(self, canonical: str) -> Json | None:
        url, version = split_canonical(canonical)
        found = [one for one in self._value_sets(url) if version in (None, one.get("version"))]
        return max(found, key=resource_rank, default=None)

    def code_system(self, canonical: str) -> CodeSystem | None:
        url, version = split_canonical(canonical)
        found = [one for one in self._code_systems(url) if version in (None, one.version) and _is_whole(one)]
        return max(found, key=_system_rank, default=None)

    def systems_with(self, code: str) -> Sequence[CodeSystem]:
        by_url: dict[str, CodeSystem] = {}
        for system in self._every_code_system():
            if _is_whole(system) and (
                system.url not in by_url or _system_rank(by_url[system.url]) < _system_rank(system)
            ):
                by_url[system.url] = system
        return [system for system in by_url.values() if system.find(code, ignoring_case=True) is not None]


def held_definitions(resources: Iterable[Json]) -> HeldDefinitions:
    """The definitions among resources that are at hand, those of other types left aside."""
    value_sets: list[Json] = []
    code_systems: list[CodeSystem] = []
    for resource in resources:
        if resource["resourceType"] == "ValueSet":
            value_sets.append(resource)
        elif resource["resourceType"] == "CodeSystem":
            code_systems.append(code_system_of(resource))
    return HeldDefinitions(
        lambda url: [one for one in value_sets if one.get("url") == url],
        lambda url: [one for one in code_systems if one.url == url],
        lambda: code_systems,
    )


def _is_whole(system: CodeSystem) -> bool:
    """Whether a resource defines a system of its own, rather than adding to the displays and properties of another."""
    return system.content != "supplement" and system.url != ""


def resource_rank(resource: Json) -> tuple[object, ...]:
    """Of resources with one canonical URL, the one that ranks highest is meant."""
    updated = resource.get("meta", {}).get("lastUpdated", "")
    return _rank(resource.get("status", ""), resource.get("version"), updated)


def _system_rank(system: CodeSystem) -> tuple[object, ...]:
    return _rank(system.status, system.version, system.last_updated)


def _rank(status: str, version: str | None, last_updated: str) -> tuple[object, ...]:
    return _STATUS.get(status, 0), _natural(version or ""), last_updated


def _natural(version: str) -> list[tuple[int, int, str]]:
    """A version as people order them: `1.10` behind `1.9`."""
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in _NUMBERS.split(version[:100]) if part]

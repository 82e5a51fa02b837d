"""Cells that read: instances, versions, histories."""

from __future__ import annotations

from tests.access_matrix.cells import FORBIDDEN, MISSING, Ask, Expected, Interactions, World
from tests.access_matrix.compartments import Json
from tests.access_matrix.records import PAGE
from tests.access_matrix.rule import Holder

interactions = Interactions()


@interactions("read")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    return Ask("GET", f"/{key}"), read_of(world, holder, type_name, key)


def read_of(world: World, holder: Holder, type_name: str, key: str) -> Expected:
    """What a read must be answered with."""
    if not world.rule.can(holder, "r", type_name):
        return FORBIDDEN
    resource = world.records.current(key)
    if resource is None:
        was_there = key in world.records.versions and world.rule.may_all(holder, "r", type_name)
        return Expected(410) if was_there else MISSING
    return Expected(200, frozenset({key})) if world.rule.may(holder, "r", resource) else MISSING


@interactions("read of what is missing", "type")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    missing = f"{type_name}/no-such-resource"
    return Ask("GET", f"/{missing}"), read_of(world, holder, type_name, missing)


@interactions("vread of the first version")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    ask = Ask("GET", f"/{key}/_history/1")
    if not world.rule.can(holder, "r", type_name):
        return ask, FORBIDDEN
    first = next((resource for version, resource in world.records.versions[key] if version == "1"), None)
    return ask, Expected(200) if first is not None and shown(world, holder, "r", key, first) else MISSING


@interactions("history of an instance")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    ask = Ask("GET", f"/{key}/_history")
    if not world.rule.can(holder, "r", type_name):
        return ask, FORBIDDEN
    current = world.records.current(key)
    if not world.rule.may_all(holder, "r", type_name) and (current is None or not world.rule.may(holder, "r", current)):
        return ask, MISSING
    return ask, Expected(200, _versions(world, holder, "r", [key]))


@interactions("history of a type", "type")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    ask = Ask("GET", f"/{type_name}/_history?_count={PAGE}")
    if not world.rule.can(holder, "s", type_name):
        return ask, FORBIDDEN
    keys = [key for key in world.records.versions if key.startswith(f"{type_name}/")]
    return ask, Expected(200, _versions(world, holder, "s", keys))


@interactions("history of the system", "token")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    ask = Ask("GET", f"/_history?_count={PAGE}")
    types = {key.partition("/")[0] for key in world.records.versions}
    if not any(world.rule.can(holder, "s", name) for name in types):
        return ask, FORBIDDEN
    return ask, Expected(200, _versions(world, holder, "s", list(world.records.versions)))


def _versions(world: World, holder: Holder, letter: str, keys: list[str]) -> frozenset[str]:
    return frozenset(
        f"{key}@{version}"
        for key in keys
        for version, resource in world.records.versions[key]
        if shown(world, holder, letter, key, resource)
    )


def shown(world: World, holder: Holder, letter: str, key: str, version: Json | None) -> bool:
    """Whether a version may be seen: by its own content and by what the resource is now, which may have been moved away."""
    type_name = key.partition("/")[0]
    if world.rule.may_all(holder, letter, type_name):
        return True
    current = world.records.current(key)
    if version is None or current is None:
        return False
    return world.rule.may(holder, letter, version) and world.rule.may(holder, letter, current)

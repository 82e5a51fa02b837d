"""Cells that write: create, update and delete, with conditions and in Bundles.

Where a write is carried out, what it changed is put back, so that every cell meets the same records.
"""

from __future__ import annotations

import json

from tests.access_matrix.cells import FORBIDDEN, MISSING, NEW_ID, Ask, Expected, Interactions, World
from tests.access_matrix.compartments import Json
from tests.access_matrix.holders import ONE, THREE, TWO
from tests.access_matrix.reading import read_of
from tests.access_matrix.records import clone
from tests.access_matrix.rule import Holder

interactions = Interactions(writes=True)


def moved(resource: Json) -> Json:
    """A resource with everything that is about one patient about another."""
    text = json.dumps(resource)
    for before, after in ((ONE, TWO), (TWO, THREE), (THREE, ONE)):
        if f"Patient/{before}" in text:
            text = text.replace(f"Patient/{before}", f"Patient/{after}")
            break
    made: Json = json.loads(text)
    return {**made, "id": resource["id"]} if "id" in resource else made


def _sees(world: World, holder: Holder, resource: Json) -> bool:
    return any(
        world.rule.can(holder, letter, resource["resourceType"]) and world.rule.may(holder, letter, resource)
        for letter in "rs"
    )


def update_of(world: World, holder: Holder, key: str, content: Json) -> Expected:
    """What an update of a resource that is there must be answered with."""
    if not world.rule.can(holder, "u", content["resourceType"]) or not world.rule.may(holder, "u", content):
        return FORBIDDEN
    before = world.resource(key)
    if world.rule.may(holder, "u", before):
        return Expected(200, restores=(key,))
    return FORBIDDEN if _sees(world, holder, before) else MISSING


def create_of(world: World, holder: Holder, letter: str, content: Json) -> Expected:
    """What must be answered to a write that makes a resource."""
    type_name = content["resourceType"]
    if world.rule.can(holder, letter, type_name) and world.rule.may(holder, letter, content):
        return Expected(201, creates=True)
    return FORBIDDEN


def delete_of(world: World, holder: Holder, key: str) -> Expected:
    """What a delete of a resource that is there must be answered with: as if nothing were there, where that must be."""
    before = world.resource(key)
    if not world.rule.can(holder, "d", before["resourceType"]):
        return FORBIDDEN
    if world.rule.may(holder, "d", before):
        return Expected(204, restores=(key,))
    return FORBIDDEN if _sees(world, holder, before) else Expected(204)


@interactions("create")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    content = clone(world.resource(key))
    return Ask("POST", f"/{type_name}", content), create_of(world, holder, "c", content)


@interactions("update without a change")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    content = world.resource(key)
    expected = update_of(world, holder, key, content)
    return Ask("PUT", f"/{key}", content), Expected(expected.status)


@interactions("update that moves")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    content = moved(world.resource(key))
    return Ask("PUT", f"/{key}", content), update_of(world, holder, key, content)


@interactions("update that creates")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    content = clone(world.resource(key), NEW_ID)
    return Ask("PUT", f"/{type_name}/{NEW_ID}", content), create_of(world, holder, "u", content)


@interactions("delete")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    return Ask("DELETE", f"/{key}"), delete_of(world, holder, key)


@interactions("conditional create")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    content = clone(world.resource(key))
    headers = (("If-None-Exist", f"_id={key.partition('/')[2]}"),)
    ask = Ask("POST", f"/{type_name}", content, headers)
    expected = create_of(world, holder, "c", content)
    if expected.status == 403 or not world.rule.can(holder, "s", type_name):
        return ask, FORBIDDEN
    return ask, Expected(200) if world.rule.may(holder, "s", world.resource(key)) else expected


@interactions("conditional update")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    logical_id, content = key.partition("/")[2], clone(world.resource(key))
    ask = Ask("PUT", f"/{type_name}?_id={logical_id}", content)
    if not world.rule.can(holder, "u", type_name) or not world.rule.can(holder, "s", type_name):
        return ask, FORBIDDEN
    if world.rule.may(holder, "s", world.resource(key)):
        return ask, update_of(world, holder, key, {**content, "id": logical_id})
    return ask, create_of(world, holder, "u", content)


@interactions("conditional delete")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    ask = Ask("DELETE", f"/{type_name}?_id={key.partition('/')[2]}")
    if not world.rule.can(holder, "d", type_name) or not world.rule.can(holder, "s", type_name):
        return ask, FORBIDDEN
    return ask, delete_of(world, holder, key) if world.rule.may(holder, "s", world.resource(key)) else Expected(204)


def _bundle(kind: str, *entries: Json) -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def _entry(method: str, url: str, resource: Json | None = None) -> Json:
    made: Json = {"request": {"method": method, "url": url}}
    return made if resource is None else {**made, "resource": resource}


@interactions("batch")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    content, changed = clone(world.resource(key)), moved(world.resource(key))
    entries = (
        _entry("GET", key),
        _entry("GET", f"{type_name}?_id={key.partition('/')[2]}"),
        _entry("POST", type_name, content),
        _entry("PUT", key, changed),
    )
    expected = (
        read_of(world, holder, type_name, key).status,
        200 if world.rule.can(holder, "s", type_name) else 403,
        create_of(world, holder, "c", content).status,
        update_of(world, holder, key, changed).status,
    )
    if expected[3] == 200 and expected[0] == 200:
        # It is read after it was moved.
        expected = (200 if world.rule.may(holder, "r", changed) else 404, *expected[1:])
    restores = (key,) if expected[3] == 200 else ()
    return Ask("POST", "", _bundle("batch", *entries)), Expected(
        200, entries=expected, restores=restores, creates=expected[2] == 201
    )


def patch_of(world: World, holder: Holder, key: str, changed: Json) -> Expected:
    """What a patch must be answered with. What is hidden is missing, for a patch says nothing of what it meets."""
    before = world.resource(key)
    if not world.rule.can(holder, "u", before["resourceType"]):
        return FORBIDDEN
    if not world.rule.may(holder, "u", before):
        return FORBIDDEN if _sees(world, holder, before) else MISSING
    if not world.rule.may(holder, "u", changed):
        return FORBIDDEN
    # Who may change a resource without seeing it is not shown it.
    keys = frozenset({key}) if _sees(world, holder, changed) else frozenset()
    return Expected(200, keys, restores=(key,))


JSON_PATCH = (("Content-Type", "application/json-patch+json"),)
LANGUAGE = [{"op": "add", "path": "/language", "value": "en"}]


@interactions("patch")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    return Ask("PATCH", f"/{key}", LANGUAGE, JSON_PATCH), patch_of(world, holder, key, world.resource(key))


@interactions("patch that moves")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected] | None:
    before, changed = world.resource(key), moved(world.resource(key))
    members = [name for name in changed if changed[name] != before[name]]
    if not members:
        return None
    steps = [{"op": "replace", "path": f"/{name}", "value": changed[name]} for name in members]
    return Ask("PATCH", f"/{key}", steps, JSON_PATCH), patch_of(world, holder, key, changed)


@interactions("conditional patch")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    ask = Ask("PATCH", f"/{type_name}?_id={key.partition('/')[2]}", LANGUAGE, JSON_PATCH)
    before = world.resource(key)
    if not world.rule.can(holder, "u", type_name) or not world.rule.can(holder, "s", type_name):
        return ask, FORBIDDEN
    return ask, patch_of(world, holder, key, before) if world.rule.may(holder, "s", before) else MISSING


@interactions("transaction")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    content = clone(world.resource(key))
    entries = (_entry("GET", key), _entry("POST", type_name, content))
    ask = Ask("POST", "", _bundle("transaction", *entries))
    created, read = create_of(world, holder, "c", content), read_of(world, holder, type_name, key)
    if 403 in (created.status, read.status):
        return ask, FORBIDDEN
    return ask, Expected(200, entries=(200, 201), creates=True) if read.status == 200 else MISSING


@interactions("transaction that deletes")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    expected = delete_of(world, holder, key)
    ask = Ask("POST", "", _bundle("transaction", _entry("DELETE", key)))
    if expected.status == 403:
        return ask, FORBIDDEN
    return ask, Expected(200, entries=(204,), restores=expected.restores)

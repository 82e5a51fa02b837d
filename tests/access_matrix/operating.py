"""Cells of operations: whole records, labels, matches, and what only administrators may do."""

from __future__ import annotations

from dataclasses import replace

from tests.access_matrix.cells import FORBIDDEN, Ask, Expected, Interactions, World
from tests.access_matrix.compartments import Json
from tests.access_matrix.reading import read_of
from tests.access_matrix.rule import Holder
from tests.access_matrix.writing import patch_of

interactions = Interactions()
changing = Interactions(writes=True)

# Types that refer to nothing outside of a patient's record which would be of one of them.
OF_A_RECORD = ("Patient", "AllergyIntolerance", "Immunization", "RelatedPerson")
LABEL = {
    "resourceType": "Parameters",
    "parameter": [{"name": "meta", "valueMeta": {"tag": [{"system": "urn:matrix", "code": "seen"}]}}],
}


@interactions("everything of a patient")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected] | None:
    if type_name != "Patient":
        return None
    ask = Ask("GET", f"/{key}/$everything?_count=3&_type={','.join(OF_A_RECORD)}")
    read = read_of(world, holder, type_name, key)
    if not world.rule.can(holder, "s", type_name):
        return ask, FORBIDDEN
    if read.status != 200:
        return ask, read
    logical_id = key.partition("/")[2]
    found = {
        each
        for name in OF_A_RECORD
        if world.rule.can(holder, "s", name)
        for each in world.allowed(holder, "s", name)
        if logical_id in world.compartments.of(world.resource(each))
    }
    return ask, Expected(200, frozenset(found))


@interactions("meta of a resource")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    return Ask("GET", f"/{key}/$meta"), replace(read_of(world, holder, type_name, key), keys=None)


@interactions("validation of a resource")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    return Ask("GET", f"/{key}/$validate"), replace(read_of(world, holder, type_name, key), keys=None)


@interactions("match of a patient by an identifier")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected] | None:
    if type_name != "Patient":
        return None
    wanted = _identifiers(world.resource(key))
    if not wanted:
        return None
    identifiers = [{"system": system, "value": value} for system, value in sorted(wanted)]
    ask = Ask("POST", "/Patient/$match", {"resourceType": "Patient", "identifier": identifiers})
    if not world.rule.can(holder, "s", type_name):
        return ask, FORBIDDEN
    allowed = world.allowed(holder, "s", type_name)
    return ask, Expected(200, frozenset(each for each in allowed if wanted & _identifiers(world.resource(each))))


def _identifiers(patient: Json) -> set[tuple[str, str]]:
    held = (each for each in patient.get("identifier", ()) if each.get("use") != "old")
    return {(each["system"], each["value"]) for each in held if "system" in each and "value" in each}


@interactions("expunge by those who are no administrators")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected] | None:
    if holder.role == "administrator":
        return None  # it would take histories away that other cells look at
    return Ask("POST", f"/{key}/$expunge?expungePreviousVersions=true"), FORBIDDEN


@changing("add a label")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    expected = patch_of(world, holder, key, world.resource(key))
    return Ask("POST", f"/{key}/$meta-add", LABEL), replace(expected, keys=None)

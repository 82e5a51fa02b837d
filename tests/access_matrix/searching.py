"""Cells that search: by type, system and compartment; chains, includes, sorts and totals."""

from __future__ import annotations

from dataclasses import dataclass

from tests.access_matrix.cells import FORBIDDEN, Ask, Expected, Interactions, World
from tests.access_matrix.compartments import Json, walk
from tests.access_matrix.holders import ONE, THREE, TWO
from tests.access_matrix.records import PAGE
from tests.access_matrix.rule import Holder

interactions = Interactions()


@dataclass(frozen=True)
class Link:
    """A reference parameter: of which type, where its references stand, and which type it is asked for."""

    source: str
    parameter: str
    path: str
    target: str


# What is asked of each type along references: from it, and towards it.
INCLUDES = {
    "Patient": Link("Patient", "general-practitioner", "generalPractitioner", "Practitioner"),
    "Encounter": Link("Encounter", "participant", "participant.individual", "Practitioner"),
    "Appointment": Link("Appointment", "actor", "participant.actor", "Patient"),
    "MedicationRequest": Link("MedicationRequest", "subject", "subject", "Patient"),
    "Observation": Link("Observation", "subject", "subject", "Patient"),
    "Condition": Link("Condition", "encounter", "encounter", "Encounter"),
    "AllergyIntolerance": Link("AllergyIntolerance", "patient", "patient", "Patient"),
    "RelatedPerson": Link("RelatedPerson", "patient", "patient", "Patient"),
    "Immunization": Link("Immunization", "patient", "patient", "Patient"),
    "List": Link("List", "item", "entry.item", "Observation"),
    "Group": Link("Group", "member", "member.entity", "Patient"),
    "Provenance": Link("Provenance", "target", "target", "Observation"),
    "Organization": Link("Organization", "partof", "partOf", "Organization"),
    "PractitionerRole": Link("PractitionerRole", "practitioner", "practitioner", "Practitioner"),
}
REVINCLUDES = {
    "Patient": Link("Observation", "subject", "subject", "Patient"),
    "Encounter": Link("Observation", "encounter", "encounter", "Encounter"),
    "Appointment": Link("Encounter", "appointment", "appointment", "Appointment"),
    "Observation": Link("Provenance", "target", "target", "Observation"),
    "Condition": Link("Encounter", "diagnosis", "diagnosis.condition", "Condition"),
    "Practitioner": Link("Encounter", "participant", "participant.individual", "Practitioner"),
    "Organization": Link("Encounter", "service-provider", "serviceProvider", "Organization"),
    "Location": Link("Appointment", "actor", "participant.actor", "Location"),
}
# A token parameter that every target of a chain and every source of a reverse chain has.
TOKENS = {
    "Patient": ("gender", "female"),
    "Practitioner": ("gender", "female"),
    "Encounter": ("status", "finished"),
    "Observation": ("status", "final"),
    "Appointment": ("status", "fulfilled"),
}


def _search(world: World, holder: Holder, type_name: str, query: str, matches: set[str]) -> tuple[Ask, Expected]:
    """A search of a type that finds, of what may be searched, the matches."""
    ask = Ask("GET", f"/{type_name}?{query}{'&' if query else ''}_count={PAGE}")
    if not world.rule.can(holder, "s", type_name):
        return ask, FORBIDDEN
    return ask, Expected(200, frozenset(matches & world.allowed(holder, "s", type_name)))


def _all(world: World, type_name: str) -> set[str]:
    return set(world.records.of_type(type_name))


@interactions("search of a type", "type")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    return _search(world, holder, type_name, "", _all(world, type_name))


@interactions("search of a type by POST", "type")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    _, expected = _search(world, holder, type_name, "", _all(world, type_name))
    return Ask("POST", f"/{type_name}/_search", form=(("_count", str(PAGE)),)), expected


@interactions("search by _id")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    return _search(world, holder, type_name, f"_id={key.partition('/')[2]}", {key})


@interactions("search by _id and other ids, in pages")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    some = {key, *sorted(_all(world, type_name))[:3]}
    ids = ",".join(each.partition("/")[2] for each in sorted(some))
    _, expected = _search(world, holder, type_name, "", some)
    return Ask("GET", f"/{type_name}?_id={ids}&_count=1"), expected


@interactions("_sort", "type")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    return _search(world, holder, type_name, "_sort=-_lastUpdated", _all(world, type_name))


@interactions("_elements", "type")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    return _search(world, holder, type_name, "_elements=id", _all(world, type_name))


@interactions("_total", "type")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    return _counted(world, holder, type_name, "_total=accurate&_count=1")


@interactions("_summary=count", "type")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    return _counted(world, holder, type_name, "_summary=count")


def _counted(world: World, holder: Holder, type_name: str, query: str) -> tuple[Ask, Expected]:
    ask = Ask("GET", f"/{type_name}?{query}")
    if not world.rule.can(holder, "s", type_name):
        return ask, FORBIDDEN
    return ask, Expected(200, total=len(world.allowed(holder, "s", type_name)))


@interactions("_include", "type")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected] | None:
    link = INCLUDES.get(type_name)
    if link is None:
        return None
    ask, expected = _search(world, holder, type_name, f"_include={type_name}:{link.parameter}", _all(world, type_name))
    if expected.keys is None:
        return ask, expected
    # Following a reference is a read of what it names.
    brought = {
        target
        for match in expected.keys
        for target in world.compartments.references(world.resource(match), link.path)
        if _may(world, holder, "r", target)
    }
    return ask, Expected(200, expected.keys | brought)


@interactions("_revinclude", "type")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected] | None:
    link = REVINCLUDES.get(type_name)
    if link is None:
        return None
    query = f"_revinclude={link.source}:{link.parameter}"
    ask, expected = _search(world, holder, type_name, query, _all(world, type_name))
    if expected.keys is None:
        return ask, expected
    # Looking for what refers to something is a search.
    allowed = world.allowed(holder, "s", link.source) if world.rule.can(holder, "s", link.source) else set()
    brought = {source for source in allowed if _refers(world, source, link) & expected.keys}
    return ask, Expected(200, expected.keys | brought)


@interactions("chain", "type")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected] | None:
    link = INCLUDES.get(type_name)
    if link is None or link.target not in TOKENS:
        return None
    (code, value), targets = TOKENS[link.target], _with_token(world, holder, link.target)
    matches = {each for each in _all(world, type_name) if _refers(world, each, link) & targets}
    ask, expected = _search(world, holder, type_name, f"{link.parameter}:{link.target}.{code}={value}", matches)
    return ask, expected if world.rule.can(holder, "s", link.target) else FORBIDDEN


@interactions("_has", "type")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected] | None:
    link = REVINCLUDES.get(type_name)
    if link is None or link.source not in TOKENS:
        return None
    (code, value), sources = TOKENS[link.source], _with_token(world, holder, link.source)
    matches = {target for source in sources for target in _refers(world, source, link)} & _all(world, type_name)
    query = f"_has:{link.source}:{link.parameter}:{code}={value}"
    ask, expected = _search(world, holder, type_name, query, matches)
    return ask, expected if world.rule.can(holder, "s", link.source) else FORBIDDEN


@interactions("search across types", "token")
def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
    types = ("Encounter", "Observation", "Patient")
    ask = Ask("GET", f"/?_type={','.join(types)}&_count={PAGE}")
    if not all(world.rule.can(holder, "s", name) for name in types):
        return ask, FORBIDDEN
    return ask, Expected(200, frozenset(each for name in types for each in world.allowed(holder, "s", name)))


def _add_compartment(patient: str) -> None:
    @interactions(f"search of the compartment of {patient}", "type")
    def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected] | None:
        if not world.compartments.has(type_name):
            return None
        ask = Ask("GET", f"/Patient/{patient}/{type_name}?_count={PAGE}")
        if not world.rule.can(holder, "s", type_name):
            return ask, FORBIDDEN
        return ask, Expected(200, frozenset(_inside(world, holder, type_name, patient)))

    @interactions(f"search of all of the compartment of {patient}", "token")
    def _(world: World, holder: Holder, type_name: str, key: str) -> tuple[Ask, Expected]:
        ask = Ask("GET", f"/Patient/{patient}/*?_count={PAGE}")
        types = {each.partition("/")[0] for each in world.records.versions}
        types = {name for name in types if world.compartments.has(name) and world.rule.can(holder, "s", name)}
        if not types:
            return ask, FORBIDDEN
        return ask, Expected(200, frozenset(each for name in types for each in _inside(world, holder, name, patient)))


for _patient in (ONE, TWO, THREE):
    _add_compartment(_patient)


def _inside(world: World, holder: Holder, type_name: str, patient: str) -> set[str]:
    return {
        key for key in world.allowed(holder, "s", type_name) if patient in world.compartments.of(world.resource(key))
    }


def _with_token(world: World, holder: Holder, type_name: str) -> set[str]:
    """The keys of those resources of a type that may be searched and have the value of TOKENS."""
    code, value = TOKENS[type_name]
    return {key for key in world.allowed(holder, "s", type_name) if value in walk(world.resource(key), [code])}


def _refers(world: World, key: str, link: Link) -> set[str]:
    resource: Json = world.resource(key)
    return {each for each in world.compartments.references(resource, link.path) if each.startswith(f"{link.target}/")}


def _may(world: World, holder: Holder, letter: str, key: str) -> bool:
    resource = world.records.current(key)
    return resource is not None and world.rule.may(holder, letter, resource)

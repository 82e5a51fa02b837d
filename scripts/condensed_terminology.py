"""Code systems and value sets of the official bundles as facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from definition_bundles import STRUCTURE, Json, extension_value, resources_of

UNCLOSED = STRUCTURE + "valueset-unclosed"
TOO_COSTLY = STRUCTURE + "valueset-toocostly"
# Code systems under this address are part of R4 and change with FHIR's release only, unlike those of HL7 terminology.
FHIR_CODE_SYSTEM = "http://hl7.org/fhir/"
# Its expansions in the bundles are samples: of an edition made for tests, and cut at a thousand codes a rule.
SNOMED_CT = "http://snomed.info/sct"
# Whoever shows the displays of these needs a licence, which is not ours to give.
LICENSED = frozenset({SNOMED_CT, "http://loinc.org"})
# The bundles that hold code systems and value sets.
TERMINOLOGY = ("valuesets", "v3-codesystems", "v2-tables")
CONCEPT_PROPERTY = "http://hl7.org/fhir/concept-properties#"
# What is kept of the properties of concepts, beside the hierarchy. `abstract` is an older name of `notSelectable`.
KEPT_PROPERTIES = {"status": "status", "notSelectable": "notSelectable", "abstract": "notSelectable"}


def codes_of(contains: list[Json]) -> Iterator[tuple[str, str]]:
    for concept in contains:
        if not concept.get("abstract") and "code" in concept:
            yield concept.get("system", ""), concept["code"]
        yield from codes_of(concept.get("contains", []))


def condensed_value_sets(folder: Path, types: dict[str, Json]) -> dict[str, Json]:
    bound = {
        element["binding"][1]
        for facts in types.values()
        for element in facts.get("elements", {}).values()
        if element.get("binding", [""])[0] == "required"
    }
    value_sets: dict[str, Json] = {}
    for value_set in resources_of(folder, "valueset-expansions", "ValueSet"):
        expansion = value_set.get("expansion", {})
        is_open = any(extension_value(expansion, url, "valueBoolean") for url in (UNCLOSED, TOO_COSTLY))
        if value_set["url"] not in bound or is_open or not expansion.get("contains"):
            continue  # an open value set (MIME types, UCUM) cannot refuse a code
        systems: dict[str, list[str]] = {}
        for system, code in codes_of(expansion["contains"]):
            systems.setdefault(system, []).append(code)
        value_sets[value_set["url"]] = {system: sorted(set(codes)) for system, codes in sorted(systems.items())}
    return dict(sorted(value_sets.items()))


def condensed_code_systems(folder: Path) -> dict[str, list[str]]:
    def codes(concepts: list[Json]) -> Iterator[str]:
        for concept in concepts:
            yield concept["code"]
            yield from codes(concept.get("concept", []))

    return {
        system["url"]: sorted(set(codes(system["concept"])))
        for system in sorted(resources_of(folder, "valuesets", "CodeSystem"), key=lambda one: str(one["url"]))
        if system["content"] == "complete" and "concept" in system and system["url"].startswith(FHIR_CODE_SYSTEM)
    }


def condensed_concepts(folder: Path) -> dict[str, Json]:
    """URL → facts of a code system; a code's are `[display, parents, properties]`, cut behind the last that it has."""
    systems: dict[str, Json] = {}
    for bundle in TERMINOLOGY:
        for system in resources_of(folder, bundle, "CodeSystem"):
            facts: Json = {m: system[m] for m in ("version", "name", "content", "status") if m in system}
            facts |= {m: system[m] for m in ("caseSensitive", "hierarchyMeaning") if m in system}
            if system["content"] != "supplement":
                systems[system["url"]] = facts | {"concepts": concepts_of(system)}
    return dict(sorted(systems.items()))


def concepts_of(system: Json) -> Json:
    roles = {
        p["code"]: p.get("uri", "").removeprefix(CONCEPT_PROPERTY)
        if CONCEPT_PROPERTY in p.get("uri", "")
        else p["code"]
        for p in system.get("property", [])
    }
    parents: dict[str, list[str]] = {}
    found: Json = {}

    def add(concepts: list[Json], parent: str | None) -> None:
        for concept in concepts:
            code = concept["code"]
            above = parents.setdefault(code, [])
            if parent is not None:
                above.append(parent)
            properties: Json = {}
            for one in concept.get("property", []):
                role, value = roles.get(one["code"], one["code"]), next(v for k, v in one.items() if k[:5] == "value")
                if role == "child":
                    parents.setdefault(value, []).append(code)
                elif role in ("parent", "subsumedBy"):
                    above.append(value)
                elif role in KEPT_PROPERTIES:
                    properties[KEPT_PROPERTIES[role]] = value
            found[code] = (concept.get("display", code), properties)
            add(concept.get("concept", []), code)

    add(system.get("concept", []), None)
    return {
        code: cut([display if display != code else "", list(dict.fromkeys(parents[code])), properties])
        for code, (display, properties) in found.items()
    }


def cut(facts: list[Any]) -> list[Any]:
    """A list without what is empty at its end."""
    while facts and not facts[-1]:
        facts = facts[:-1]
    return facts


def condensed_value_set_definitions(folder: Path, systems: Mapping[str, Json]) -> dict[str, Json]:
    expansions = {v["url"]: v for v in resources_of(folder, "valueset-expansions", "ValueSet")}
    definitions: dict[str, Json] = {}
    for bundle in TERMINOLOGY:
        for value_set in resources_of(folder, bundle, "ValueSet"):
            facts: Json = {m: value_set[m] for m in ("version", "name", "status") if m in value_set}
            compose = value_set["compose"]
            facts["compose"] = {"inactive": compose["inactive"]} if "inactive" in compose else {}
            for rule in ("include", "exclude"):
                if rule in compose:
                    facts["compose"][rule] = [condensed_rule(one, systems) for one in compose[rule]]
            expansion = expansions.get(value_set["url"], {}).get("expansion", {})
            is_open = any(extension_value(expansion, url, "valueBoolean") for url in (UNCLOSED, TOO_COSTLY))
            if needs_expansion(compose, systems) and expansion.get("contains") and not is_open:
                members = ("system", "code", "display")
                contains = [
                    {m: c[m] for m in members if m in c and (m != "display" or c.get("system") not in LICENSED)}
                    for c in flat(expansion["contains"])
                ]
                facts["expansion"] = {"contains": contains}
            definitions[value_set["url"]] = facts
    return dict(sorted(definitions.items()))


def condensed_rule(rule: Json, systems: Mapping[str, Json]) -> Json:
    facts: Json = {m: rule[m] for m in ("system", "version", "valueSet") if m in rule}
    if "version" in systems.get(rule.get("system", ""), {}):
        facts.pop("version", None)  # one rule names a version older than R4, which has only its own
    if "filter" in rule:
        facts["filter"] = [{m: one[m] for m in ("property", "op", "value")} for one in rule["filter"]]
    if "concept" in rule:
        known = systems.get(rule["system"], {"concepts": {}})["concepts"]
        facts["concept"] = [
            {"code": c["code"], "display": c["display"]}
            if "display" in c
            and rule["system"] not in LICENSED
            and c["display"] != ((known.get(c["code"]) or [""])[0] or c["code"])
            else {"code": c["code"]}
            for c in rule["concept"]
        ]
    return facts


def needs_expansion(compose: Json, systems: Mapping[str, Json]) -> bool:
    open_ended = {r["system"] for r in compose["include"] if "system" in r and "concept" not in r}
    return not open_ended <= systems.keys() and SNOMED_CT not in open_ended


def flat(contains: list[Json]) -> Iterator[Json]:
    for concept in contains:
        yield concept
        yield from flat(concept.get("contains", []))

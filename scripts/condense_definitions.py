"""Condense the official FHIR R4 4.0.1 definition bundles into the compact facts that `resources/definitions/` loads.

    python scripts/condense_definitions.py [--definitions DIR] [--output DIR]

In: the folder of the official bundles (`profiles-resources.json.gz`, `valueset-expansions.json.gz`, ...).
Out: nine JSON files of plain facts (paths, types, cardinalities, codes, expressions; no prose), one group a line so
that a change of the input reads as a small diff:

- `types.json`: every resource, data type and backbone element: its parent, its elements, its invariants
- `value_sets.json`: the codes of every value set that an element binds as required and that is closed
- `code_systems.json`: the codes of every complete code system that R4 itself defines (`http://hl7.org/fhir/...`)
- `concepts.json`: every code system, HL7's own tables included: each code with its display, parents and properties
- `value_set_definitions.json`: what every value set includes and excludes; its expansion only where that is complete
  and draws on a system that is not in `concepts.json`
- `search_parameters.json`: every search parameter: code, type, base, expression, targets, components
- `us_core_search_parameters.json`: the same of those that US Core adds
- `compartments.json`: for each compartment, the search parameters that put a resource into it
- `operations.json`: the operations that are served: levels and parameters
"""

from __future__ import annotations

import argparse
import json
import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from condensed_operations import condensed_operations
from condensed_terminology import (
    condensed_code_systems,
    condensed_concepts,
    condensed_value_set_definitions,
    condensed_value_sets,
)
from definition_bundles import STRUCTURE, Json, extension_value, read_bundle, resources_of

ROOT = Path(__file__).resolve().parent.parent
FHIR_TYPE = STRUCTURE + "structuredefinition-fhir-type"
REGEX = STRUCTURE + "regex"
# These two are checked on every element by native code, so repeating them some 8,000 times would say nothing.
UNIVERSAL_INVARIANTS = {"ele-1", "ext-1"}
COMPARTMENTS = ("device", "encounter", "patient", "practitioner", "relatedperson")


def type_name(structure: Json) -> str:
    # SimpleQuantity and MoneyQuantity are constraints on Quantity that elements name as a type of their own.
    return str(structure["id"] if structure.get("derivation") == "constraint" else structure["type"])


def condensed_invariants(element: Json, inherited: set[str]) -> list[list[str]]:
    return [
        [c["key"], c["severity"], c["expression"]]
        for c in element.get("constraint", [])
        if "expression" in c and c["key"] not in inherited
    ]


def condensed_element(element: Json, name: str, kind: str, profile_invariants: dict[str, list[list[str]]]) -> Json:
    """One ElementDefinition of a snapshot as facts; what has the usual value (0..1, not a choice) is left out."""
    facts: Json = {}
    if element["min"]:
        facts["min"] = element["min"]
    if element["max"] != "1":
        facts["max"] = element["max"]
    if name.endswith("[x]"):
        facts["choice"] = True
    types: list[str] = []
    targets: list[str] = []
    invariants = condensed_invariants(element, UNIVERSAL_INVARIANTS)
    is_reference = any(reference["code"] == "Reference" for reference in element.get("type", []))
    for reference in element.get("type", []):
        code = reference["code"]
        if code == "Reference" or not is_reference:
            targets += [t.removeprefix(STRUCTURE) for t in reference.get("targetProfile", [])]
        if code.startswith("http://hl7.org/fhirpath/"):
            code = extension_value(reference, FHIR_TYPE, "valueUrl")
            if code == "string" and name == "id" and kind == "resource":
                code = "id"
        if code in ("BackboneElement", "Element"):
            code = element["path"]
        types.append(code)
        for profile in reference.get("profile", []):
            invariants += profile_invariants.get(profile.removeprefix(STRUCTURE), [])
    if "contentReference" in element:
        types.append(element["contentReference"].removeprefix("#"))
    facts["types"] = types
    if targets:
        facts["targets"] = sorted(set(targets))
    binding = element.get("binding")
    if binding and "valueSet" in binding and binding["strength"] in ("required", "extensible"):
        facts["binding"] = [binding["strength"], binding["valueSet"].split("|")[0]]
    if element.get("isModifier"):
        facts["modifier"] = True
    if element.get("isSummary"):
        facts["summary"] = True
    if invariants:
        facts["invariants"] = invariants
    return facts


def condensed_types(folder: Path) -> dict[str, Json]:
    structures = {
        type_name(s): s
        for bundle in ("profiles-types", "profiles-resources")
        for s in resources_of(folder, bundle, "StructureDefinition")
        if s["kind"] != "logical"
    }
    root_keys = {
        name: {c["key"] for c in s["snapshot"]["element"][0].get("constraint", [])} for name, s in structures.items()
    }
    profile_invariants = {
        name: condensed_invariants(s["snapshot"]["element"][0], root_keys["Quantity"])
        for name, s in structures.items()
        if s.get("derivation") == "constraint"
    }
    types: dict[str, Json] = {}
    for name, structure in sorted(structures.items()):
        if structure.get("derivation") == "constraint":
            continue
        kind = structure["kind"].removesuffix("-type")
        base = structure.get("baseDefinition", "").removeprefix(STRUCTURE) or None
        root, *elements = structure["snapshot"]["element"]
        facts: Json = {"kind": kind, "base": base}
        if structure["abstract"]:
            facts["abstract"] = True
        invariants = condensed_invariants(root, UNIVERSAL_INVARIANTS | root_keys.get(base or "", set()))
        if invariants:
            facts["invariants"] = invariants
        if kind == "primitive":
            value = next(e for e in elements if e["path"] == f"{name}.value")
            if value.get("type"):
                pattern = extension_value(value["type"][0], REGEX, "valueString")
                if pattern:
                    facts["regex"] = pattern
            types[name] = facts
            continue
        types[name] = facts | {"elements": {}}
        for element in elements:
            parent, _, last = element["path"].rpartition(".")
            holder = kind if parent == name else "backbone"
            condensed = condensed_element(element, last, holder, profile_invariants)
            types[parent]["elements"][last.removesuffix("[x]")] = condensed
            if condensed["types"] == [element["path"]]:
                types[element["path"]] = {
                    "kind": "backbone",
                    "base": next(t["code"] for t in element["type"]),
                    "elements": {},
                }
    return types


def condensed_search_parameters(folder: Path) -> dict[str, Json]:
    parameters: dict[str, Json] = {}
    for parameter in resources_of(folder, "search-parameters", "SearchParameter"):
        facts: Json = {"code": parameter["code"], "type": parameter["type"], "base": parameter["base"]}
        for member in ("expression", "target"):
            if member in parameter:
                facts[member] = parameter[member]
        if "component" in parameter:
            facts["component"] = [[c["definition"].rpartition("/")[2], c["expression"]] for c in parameter["component"]]
        parameters[parameter["url"].rpartition("/")[2]] = facts
    return dict(sorted(parameters.items()))


def condensed_us_core_parameters(folder: Path) -> dict[str, Json]:
    """Search parameters of US Core whose code the type does not have in R4. folder: with a package a version."""
    standard = condensed_search_parameters(folder)
    taken = {(base, facts["code"]) for facts in standard.values() for base in facts["base"]}
    parameters: dict[str, Json] = {}
    for package in sorted((folder.parents[1] / "us-core").glob("us-core-[0-9]*.zip")):
        with zipfile.ZipFile(package) as archive:
            for name in sorted(archive.namelist()):
                if "SearchParameter-" in name and name.endswith(".json"):
                    found = json.loads(archive.read(name))
                    bases = [base for base in found["base"] if (base, found["code"]) not in taken]
                    if bases and not found["code"].startswith("_"):
                        facts = {"code": found["code"], "type": found["type"], "base": bases}
                        parameters[found["id"]] = {**facts, "expression": _whole_concepts(found["expression"])}
    return dict(sorted(parameters.items()))


def _whole_concepts(expression: str) -> str:
    """The expression with codings and concepts whole, where the published one leaves out their systems."""
    expression = re.sub(r"\.value\.code$", ".value.ofType(Coding)", expression)
    expression = re.sub(r"\.value\.coding\.code$", ".value.ofType(CodeableConcept)", expression)
    return expression.replace(".valueDateTime", ".value.ofType(dateTime)")


def condensed_compartments(folder: Path) -> dict[str, Json]:
    compartments: dict[str, Json] = {}
    for name in COMPARTMENTS:
        definition = read_bundle(folder, f"compartmentdefinition-{name}")
        compartments[definition["code"]] = {r["code"]: r["param"] for r in definition["resource"] if r.get("param")}
    return compartments


def condense(folder: Path) -> dict[str, str]:
    """File name → content, for the files of facts."""
    types = condensed_types(folder)
    concepts = condensed_concepts(folder)
    return {
        "types.json": one_a_line(types),
        "value_sets.json": one_a_line(condensed_value_sets(folder, types)),
        "code_systems.json": one_a_line(condensed_code_systems(folder)),
        "concepts.json": one_a_line(concepts),
        "value_set_definitions.json": one_a_line(condensed_value_set_definitions(folder, concepts)),
        "search_parameters.json": one_a_line(condensed_search_parameters(folder)),
        "us_core_search_parameters.json": one_a_line(condensed_us_core_parameters(folder)),
        "compartments.json": one_a_line(condensed_compartments(folder)),
        "operations.json": one_a_line(condensed_operations(folder)),
    }


def one_a_line(facts: Mapping[str, Any]) -> str:
    lines = (f"{json.dumps(k)}:{json.dumps(v, ensure_ascii=False, separators=(',', ':'))}" for k, v in facts.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> None:
    shared = Path(os.environ.get("FHIR_SHARED", ROOT.parent / "shared"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--definitions", type=Path, default=shared / "fhir" / "r4" / "definitions")
    parser.add_argument("--output", type=Path, default=ROOT / "resources" / "definitions" / "r4")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name, content in condense(arguments.definitions).items():
        (arguments.output / name).write_text(content, encoding="utf-8")
        print(f"{name}: {len(content):,} characters, {content.count(chr(10)) - 2:,} facts")


if __name__ == "__main__":
    main()

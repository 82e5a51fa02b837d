"""The official profiles that tests check against: US Core, and those that come with R4."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from resources.document import parse_document
from resources.problem import Issue
from resources.profiles import DefinedProfiles, check_profiles, finder
from resources.terminology import DefinedTerminology, R4Definitions, held_definitions
from resources.validation import errors_of, validate

Json = dict[str, Any]

DEFINITIONS = ("StructureDefinition", "ValueSet", "CodeSystem")
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"


class Package:
    """A package of FHIR: its definitions and its examples by file name."""

    def __init__(self, path: Path) -> None:
        self.definitions: list[Json] = []
        self.examples: dict[str, Json] = {}
        with zipfile.ZipFile(path) as content:
            for name in content.namelist():
                file = name.rpartition("/")[2]
                if not file.endswith(".json") or file in (".index.json", "package.json") or "/other/" in name:
                    continue
                tree = parse_document(content.read(name)).tree
                if "/example/" in name:
                    self.examples[file.removesuffix(".json")] = tree
                elif tree["resourceType"] in DEFINITIONS:
                    self.definitions.append(tree)
        self.profiles = profiles_of(self.definitions)


@cache
def us_core(shared: Path, version: str) -> Package:
    return Package(shared / f"fhir/us-core/us-core-{version}.zip")


@cache
def core_definitions(shared: Path) -> tuple[Json, ...]:
    """The extensions and profiles that come with R4."""
    return tuple(_core(shared))


def _core(shared: Path) -> Iterator[Json]:
    for name in ("extension-definitions", "profiles-others"):
        with gzip.open(shared / f"fhir/r4/definitions/{name}.json.gz") as file:
            for entry in parse_document(file.read()).tree["entry"]:
                if entry["resource"]["resourceType"] == "StructureDefinition":
                    yield entry["resource"]


def profiles_of(definitions: Iterable[Json]) -> DefinedProfiles:
    held = list(definitions)
    terminology = DefinedTerminology(held_definitions(held), R4Definitions())
    return DefinedProfiles(finder(one for one in held if one["resourceType"] == "StructureDefinition"), terminology)


def errors(tree: Json, profiles: DefinedProfiles, *asked: str) -> list[Issue]:
    """What is wrong with a resource by the base definitions, or else by profiles."""
    return errors_of(validate(tree)) or errors_of(check_profiles(tree, profiles, asked=asked))

"""Whose compartments a resource is in, worked out on plain JSON: R4's own list of parameters, and a path walked for each.

https://hl7.org/fhir/R4/compartmentdefinition-patient.html

Nothing here comes from the implementation. The list is read from the official definition; that every parameter which it
names for the types of these tests has a walk is checked by a test.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Json = dict[str, Any]

# (type, parameter) → where its references stand.
WALKS: dict[tuple[str, str], tuple[str, ...]] = {
    ("AllergyIntolerance", "patient"): ("patient",),
    ("AllergyIntolerance", "recorder"): ("recorder",),
    ("AllergyIntolerance", "asserter"): ("asserter",),
    ("Appointment", "actor"): ("participant.actor",),
    ("Condition", "patient"): ("subject",),
    ("Condition", "asserter"): ("asserter",),
    ("Encounter", "patient"): ("subject",),
    ("Group", "member"): ("member.entity",),
    ("Immunization", "patient"): ("patient",),
    ("List", "subject"): ("subject",),
    ("List", "source"): ("source",),
    ("MedicationRequest", "subject"): ("subject",),
    ("Observation", "subject"): ("subject",),
    ("Observation", "performer"): ("performer",),
    ("Patient", "link"): ("link.other",),
    ("Procedure", "patient"): ("subject",),
    ("Procedure", "performer"): ("performer.actor",),
    ("Provenance", "patient"): ("target",),
    ("RelatedPerson", "patient"): ("patient",),
    ("Schedule", "actor"): ("actor",),
}
_LITERAL = re.compile(r"(?:(?P<base>https?://.*)/)?(?P<key>[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})(?:/_history/[^/]+)?")


def official_parameters(shared: Path) -> dict[str, tuple[str, ...]]:
    """Type → the parameters by which it is in a Patient compartment, as R4 lists them; empty for types that never are."""
    path = shared / "fhir/r4/definitions/compartmentdefinition-patient.json.gz"
    definition = json.loads(gzip.decompress(path.read_bytes()))
    return {each["code"]: tuple(each.get("param", ())) for each in definition["resource"]}


class Compartments:
    """What is in whose compartment. base_url: of the server, which absolute references may name."""

    def __init__(self, parameters: dict[str, tuple[str, ...]], base_url: str) -> None:
        self._parameters = parameters
        self._base_url = base_url

    def has(self, type_name: str) -> bool:
        """Whether resources of a type can be in a patient's compartment."""
        return type_name == "Patient" or bool(self._parameters.get(type_name))

    def of(self, resource: Json) -> frozenset[str]:
        """The ids of the patients in whose compartments a resource is."""
        type_name = resource["resourceType"]
        found = {resource["id"]} if type_name == "Patient" and "id" in resource else set()
        for parameter in self._parameters.get(type_name, ()):
            for path in WALKS[type_name, parameter]:
                for key in self.references(resource, path):
                    kind, _, logical_id = key.partition("/")
                    if kind == "Patient":
                        found.add(logical_id)
        return frozenset(found)

    def references(self, resource: Json, path: str) -> Iterator[str]:
        """`Type/id` of what a resource of this server refers to at a path."""
        for value in walk(resource, path.split(".")):
            literal = _LITERAL.fullmatch(value.get("reference", "")) if isinstance(value, dict) else None
            if literal is not None and literal["base"] in (None, self._base_url):
                yield literal["key"]


def walk(value: Any, names: list[str]) -> Iterator[Any]:
    """The values at a path, through arrays."""
    if isinstance(value, list):
        for each in value:
            yield from walk(each, names)
    elif not names:
        yield value
    elif isinstance(value, dict) and names[0] in value:
        yield from walk(value[names[0]], names[1:])

"""Small profiles, made for one test each."""

from __future__ import annotations

from typing import Any

from resources.problem import Issue
from resources.profiles import check_profiles
from resources.validation import errors_of, validate
from tests.resources.profiles.material import Json, profiles_of

URL = "http://example.org/StructureDefinition/"


def profile(name: str, type_name: str, *elements: Json, base: str | None = None, **members: Any) -> Json:
    """A profile by its differential. elements: `element(...)`."""
    return {
        "resourceType": "StructureDefinition",
        "url": URL + name,
        "name": name,
        "status": "active",
        "kind": "resource",
        "abstract": False,
        "type": type_name,
        "baseDefinition": base or f"http://hl7.org/fhir/StructureDefinition/{type_name}",
        "derivation": "constraint",
        "differential": {"element": [{"id": type_name, "path": type_name}, *elements]},
        **members,
    }


def element(identifier: str, **members: Any) -> Json:
    """An element by its id, `Patient.name:official.family`."""
    path = ".".join(part.partition(":")[0] for part in identifier.split("."))
    last = identifier.rpartition(".")[2]
    named = {"sliceName": last.partition(":")[2]} if ":" in last else {}
    return {"id": identifier, "path": path, **named, **members}


def sliced(*discriminators: tuple[str, str], rules: str = "open", **members: Any) -> Json:
    """The members of a slicing. discriminators: (type, path)."""
    told = [{"type": kind, "path": path} for kind, path in discriminators]
    return {"discriminator": told, "rules": rules, **members}


def issues(tree: Json, *held: Json, asked: str | None = None) -> list[Issue]:
    """What the first of the profiles that are held, or the one that is asked about, finds in a resource."""
    assert errors_of(validate(tree)) == []
    return check_profiles(tree, profiles_of(held), asked=[asked or held[0]["url"]])


def found(tree: Json, *held: Json, asked: str | None = None) -> list[tuple[str, str | None]]:
    """Code and place of each error."""
    return [(issue.code, issue.expression) for issue in errors_of(issues(tree, *held, asked=asked))]

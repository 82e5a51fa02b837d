"""A resource checked against profiles: those that it is asked about, those that it claims, and its extensions.

https://hl7.org/fhir/R4/validation.html and https://hl7.org/fhir/R4/resource.html#Meta.profile

Only what profiles add is checked here; the base definitions are `resources.validation`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from resources.problem import Issue, Severity, quoted
from resources.profiles.items import Item
from resources.profiles.structure import core_type
from resources.profiles.visit import Profiles, ProfileVisit
from resources.visit import Place

_EXTENSIONS = frozenset({"extension", "modifierExtension"})


def check_profiles(
    tree: dict[str, Any],
    profiles: Profiles,
    *,
    asked: Iterable[str] = (),
    unknown: Severity = "warning",
    at: str | None = None,
) -> list[Issue]:
    """The issues of a resource that fits the base definitions.

    asked: canonical URLs of the profiles to check besides those in `meta.profile`; one that is not held is an error.
    unknown: how severe it is that a claimed profile is not held. at: FHIRPath of the resource where it is part of another.
    """
    name = str(tree.get("resourceType"))
    place: Place = (None, at or name, -1)
    visit = ProfileVisit(tree, tree, profiles)
    done: list[str] = []
    for canonical in asked:
        if canonical not in done:
            done.append(canonical)
            _check_against(canonical, tree, place, visit, "error")
    _check_claims(tree, place, visit, unknown, done)
    _check_below(tree, place, visit, unknown)
    return list(dict.fromkeys(visit.issues))


def _check_claims(
    resource: dict[str, Any], place: Place, visit: ProfileVisit, unknown: Severity, done: Iterable[str] = ()
) -> None:
    meta = resource.get("meta")
    claimed = meta.get("profile") if isinstance(meta, dict) else None
    for index, canonical in enumerate(claimed if isinstance(claimed, list) else ()):
        if isinstance(canonical, str) and canonical not in done:
            where: Place = ((place, "meta", -1), "profile", index)
            _check_against(canonical, resource, place, visit, unknown, where)


def _check_against(
    canonical: str,
    resource: dict[str, Any],
    place: Place,
    visit: ProfileVisit,
    unknown: Severity,
    where: Place | None = None,
) -> None:
    """where: what names the profile, for an issue about the profile itself."""
    name = str(resource.get("resourceType"))
    core = core_type(canonical)
    if core is not None:
        if core not in (name, "Resource", "DomainResource"):
            visit.error(where or place, "value", f"The profile {quoted(canonical)} is for {core}, not for {name}.")
        return
    profile = visit.profiles.profile(canonical)
    if profile is None:
        text = f"The profile {quoted(canonical)} is not held here, so the resource is not checked against it."
        visit.report(unknown, where or place, "not-found", text)
    elif profile.rules is None:
        visit.report(unknown, where or place, "not-supported", str(profile.fault))
    elif profile.type not in (name, "Resource", "DomainResource"):
        visit.error(where or place, "value", f"The profile {quoted(canonical)} is for {profile.type}, not for {name}.")
    else:
        item: Item = (resource, None, name, place)
        profile.rules.check_item(item, visit)


def _check_below(node: dict[str, Any], place: Place, visit: ProfileVisit, unknown: Severity) -> None:
    """The claims of the resources within, and every extension by its definition, wherever it stands."""
    for name, value in node.items():
        if name == "text" or value.__class__ not in (dict, list):
            continue
        is_extension = name in _EXTENSIONS
        for index, inner in _objects(value):
            at: Place = (place, name.removeprefix("_"), index)
            if is_extension:
                _check_extension(inner, at, visit)
            if "resourceType" in inner:
                inside = visit.inside(inner, is_contained=name == "contained")
                _check_claims(inner, at, inside, unknown)
                _check_below(inner, at, inside, unknown)
            else:
                _check_below(inner, at, visit, unknown)


def _objects(value: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    if value.__class__ is dict:
        yield -1, value
        return
    for index, one in enumerate(value):
        if one.__class__ is dict:
            yield index, one


def _check_extension(extension: dict[str, Any], place: Place, visit: ProfileVisit) -> None:
    url = extension.get("url")
    if not isinstance(url, str) or ":" not in url:
        return  # those within an extension have names that it defines itself
    profile = visit.profiles.profile(url)
    if profile is not None and profile.rules is not None and profile.type == "Extension":
        profile.rules.check_item((extension, None, "Extension", place), visit)

"""The functions that FHIR adds to the language.

https://hl7.org/fhir/R4/fhirpath.html#functions
"""

from __future__ import annotations

import re
from typing import Any

from ...definitions import type_facts, value_set_codes
from ..errors import FhirPathError
from ..narrative import is_acceptable
from ..nodes import Items, Node, append_member, is_a, node_of
from ..scope import Scope
from ..values import single_string
from .registry import function

_REFERENCE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?$")
_CORE = "http://hl7.org/fhir/StructureDefinition/"


@function("hasValue", truth=True)
def _has_value(_scope: Scope, items: Items) -> bool:
    if len(items) != 1:
        return False
    item = items[0]
    return item.__class__ is not Node or (item.value is not None and item.value.__class__ is not dict)


@function("getValue")
def _get_value(scope: Scope, items: Items) -> Items:
    return items if _has_value(scope, items) else []


@function("extension", 1)
def _extension(_scope: Scope, items: Items, url: Items) -> Items:
    wanted = single_string(url, "extension()")
    found: Items = []
    for item in items:
        if item.__class__ is Node:
            append_member(found, item, "extension")
    return [one for one in found if one.value.__class__ is dict and one.value.get("url") == wanted]


@function("resolve")
def _resolve(scope: Scope, items: Items) -> Items:
    out: Items = []
    for item in items:
        declared = None
        if item.__class__ is Node and item.value.__class__ is dict:
            reference = item.value.get("reference")
            declared = item.value.get("type")
        else:
            reference = item.value if item.__class__ is Node else item
        if reference.__class__ is str:
            found = _resolved(scope, reference, declared)
            if found is not None:
                out.append(found)
    return out


def _resolved(scope: Scope, reference: str, declared: Any) -> Node | None:
    if reference.startswith("#"):
        root = scope.run.root_node()
        if root is None or root.value.__class__ is not dict:
            return None
        if reference == "#":
            return root
        contained = root.value.get("contained") or ()
        return next((node_of(one, None) for one in contained if one.get("id") == reference[1:]), None)
    if scope.run.resolve is not None:
        found = scope.run.resolve(reference)
        if found is not None:
            return found if found.__class__ is Node else node_of(found, None)
    # Nobody found it: the text still says what type it is, which is all that `where(resolve() is Patient)` asks.
    match = _REFERENCE.search(reference)
    if match is not None and is_a(match[1], "Resource"):
        return Node({"resourceType": match[1], "id": match[2]}, match[1])
    if declared.__class__ is str and is_a(declared, "Resource"):
        return Node({"resourceType": declared}, declared)
    return None


@function("htmlChecks", truth=True)
def _html_checks(_scope: Scope, items: Items) -> bool:
    return all(text is None or is_acceptable(text) for text in (single_string([i], "htmlChecks()") for i in items))


@function("memberOf", 1, truth=True)
def _member_of(scope: Scope, items: Items, value_set: Items) -> bool | None:
    # Only value sets with a closed, known list of codes can be answered. For any other the result is true, so that an
    # invariant does not refuse what the server cannot judge.
    url = single_string(value_set, "memberOf()")
    if not items or url is None:
        return None
    if len(items) > 1:
        raise FhirPathError("memberOf() takes a single item")
    known = scope.run.codes_of
    codes = value_set_codes(url.split("|")[0]) if known is None else known(url)
    if codes is None:
        return True
    value = items[0].value if items[0].__class__ is Node else items[0]
    if value.__class__ is not dict:
        return any(value in of_system for of_system in codes.values())
    return any(
        coding.get("code") in codes.get(coding.get("system", ""), ()) for coding in value.get("coding", (value,))
    )


@function("conformsTo", 1, truth=True)
def _conforms_to(_scope: Scope, items: Items, profile: Items) -> bool | None:
    """Whether an item is of the type that a core StructureDefinition describes; profiles proper are not known here."""
    url = single_string(profile, "conformsTo()")
    if not items or url is None:
        return None
    name = url.removeprefix(_CORE)
    try:
        type_facts(name)
    except KeyError:
        raise FhirPathError(f"The profile {url} is not known") from None
    return all(item.__class__ is Node and is_a(item.type_name, name) for item in items)


@function("subsumes", 1, truth=True)
@function("subsumedBy", 1, truth=True)
def _subsumes(_scope: Scope, _items: Items, _code: Items) -> None:
    return None  # no terminology service


@function("elementDefinition")
@function("slice", 2)
def _no_profile(_scope: Scope, _items: Items, *_arguments: Items) -> Items:
    return []  # data is evaluated without a profile, so there is no definition and no slice to give


@function("checkModifiers", 0, 64)
def _check_modifiers(_scope: Scope, items: Items, *known: Items) -> Items:
    urls = {single_string(one, "checkModifiers()") for one in known}
    found: Items = []
    for item in items:
        if item.__class__ is Node:
            append_member(found, item, "modifierExtension")
    for extension in found:
        if extension.value.get("url") not in urls:
            raise FhirPathError(f"The modifier extension {extension.value.get('url')} is not understood")
    return items


@function("hasTemplateIdOf", 1, truth=True)
def _has_template_id_of(_scope: Scope, _items: Items, _template: Items) -> bool:
    return False  # template ids are CDA's; no FHIR resource has one

"""Coded values and the value sets that a profile binds them to.

https://hl7.org/fhir/R4/terminologies.html#strength
"""

from __future__ import annotations

from typing import Any

from resources.definitions import Element, value_set_codes
from resources.problem import Severity, quoted
from resources.profiles.element_checks import Check
from resources.profiles.items import Item
from resources.profiles.structure import ElementNode
from resources.profiles.visit import ProfileVisit
from resources.terminology import Expansion, TerminologyFault
from resources.terminology.canonical import split_canonical


def binding_check(node: ElementNode, facts: Element | None, of: str) -> Check | None:
    """That a coded value is in the value set: an error where that is required, a warning where the binding is extensible."""
    if node.binding is None or node.binding[0] not in ("required", "extensible"):
        return None
    strength, canonical = node.binding
    url = split_canonical(canonical)[0]
    is_required = strength == "required"
    stated = facts.binding if facts is not None else None
    if is_required and stated == ("required", url) and value_set_codes(url) is not None:
        return None
    severity: Severity = "error" if is_required else "warning"

    def check(item: Item, visit: ProfileVisit) -> None:
        codings = codings_of(item[0])
        if codings is None:
            return
        if not codings:
            if is_required:
                text = f"{node.id} has no coding; the profile {of} requires one from the value set {canonical}."
                visit.error(item[3], "code-invalid", text)
            return
        expansion = expansion_of(canonical, visit)
        if expansion is None:
            if is_required:
                text = f"The codes of the value set {canonical} are not known here, so {node.id} is not checked against it."
                visit.warn_once(item[3], "not-found", text)
            return
        if not any(is_in(expansion, system, code) for system, code in codings):
            shown = ", ".join(f"{system}|{code}" if system else code for system, code in codings)
            demand = "requires" if is_required else "expects, where one fits, a code of"
            text = (
                f"{quoted(shown)} is not in the value set {canonical}, which the profile {of} {demand} for {node.id}."
            )
            visit.report(severity, item[3], "code-invalid", text)

    return check


def codings_of(value: Any) -> list[tuple[str | None, str]] | None:
    """(system, code) of each coding in a coded value; None for what is no coded value."""
    if isinstance(value, str):
        return [(None, value)]
    if not isinstance(value, dict):
        return None
    listed = value.get("coding") if "code" not in value else [value]
    found: list[tuple[str | None, str]] = []
    for coding in listed if isinstance(listed, list) else ():
        if isinstance(coding, dict) and isinstance(coding.get("code"), str):
            system = coding.get("system")
            found.append((system if isinstance(system, str) else "", coding["code"]))
    return found


def expansion_of(canonical: str, visit: ProfileVisit) -> Expansion | None:
    """The codes of a value set, None where they cannot be told."""
    try:
        return visit.profiles.value_set(canonical)
    except TerminologyFault:
        return None


def is_in(expansion: Expansion, system: str | None, code: str) -> bool:
    """Whether a value set has a code. system: None where the value has none by its type, as a `code`."""
    if system is None:
        return any(code in codes for codes in expansion.codes.values()) or bool(expansion.partial)
    return code in expansion.codes.get(system, ()) or system in expansion.partial

"""Invariants: the constraints that the definitions state as FHIRPath, run natively where they are met all the time.

https://hl7.org/fhir/R4/conformance-rules.html#constraints

The universal ones (`ele-1` in `shape`, `ext-1`, `dom-*`, `ref-1`, `per-1`, ...) are written here in Python, because they
apply to nearly every element of every resource. All others are compiled once from their FHIRPath.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from resources import fhirpath
from resources.bindings import coding_fault
from resources.consistency import RULES, Rule
from resources.definitions import Element, Invariant, type_facts
from resources.problem import Issue, Severity, quoted
from resources.visit import Place, Visit
from resources.visit import expression as expression_of

InvariantCheck = Callable[[Any, Place, Visit], None]
"""Reports to the visit when a value, at a place, breaks the invariant."""

# What a rule raises on a value of the wrong shape, which is reported on its own: the rule has nothing to add to that.
_NOT_EVALUATED = (fhirpath.FhirPathError, TypeError, ValueError, AttributeError, LookupError, ArithmeticError)

Native = Callable[[Any, Visit], str | None]


def type_invariants(type_name: str) -> list[InvariantCheck]:
    """The checks of all invariants that a type states or inherits."""
    checks: list[InvariantCheck] = []
    name: str | None = type_name
    if type_name == "Extension":
        checks.append(_native(Invariant("ext-1", "error", ""), _ext_1))
    while name is not None:
        facts = type_facts(name)
        checks += [_check(invariant, type_name) for invariant in facts.invariants if invariant.key not in _ELSEWHERE]
        name = facts.base
    checks += [_consistency(rule) for rule in RULES.get(type_name, ())]
    if type_name == "Coding":
        checks.append(_coding)
    return checks


def element_invariants(element: Element, type_name: str) -> list[InvariantCheck]:
    """The checks of the invariants that a definition states on one of its elements, for one of the element's types."""
    return [_check(invariant, type_name) for invariant in element.invariants if invariant.key not in _ELSEWHERE]


def _check(invariant: Invariant, type_name: str) -> InvariantCheck:
    native = _NATIVE.get(invariant.key)
    return _native(invariant, native) if native is not None else _compiled(invariant, type_name)


def _native(invariant: Invariant, native: Native) -> InvariantCheck:
    def check(value: Any, place: Place, visit: Visit) -> None:
        fault = native(value, visit)
        if fault is not None:
            visit.error(place, "invariant", f"{fault} ({invariant.key}).")

    return check


def _coding(coding: dict[str, Any], place: Place, visit: Visit) -> None:
    fault = coding_fault(coding)
    if fault is not None:
        visit.error(place, "code-invalid", fault)


def _consistency(rule: Rule) -> InvariantCheck:
    def check(value: Any, place: Place, visit: Visit) -> None:
        fault = rule(value, visit)
        if fault is not None:
            visit.error(place, "invariant", f"{fault}.")

    return check


@cache
def _compiled(invariant: Invariant, type_name: str) -> InvariantCheck:
    expression = fhirpath.compile_invariant(invariant.expression)
    severity: Severity = "warning" if invariant.severity == "warning" else "error"

    def check(value: Any, place: Place, visit: Visit) -> None:
        try:
            holds = expression.holds(
                value, type_name=type_name, resource=visit.resource, root_resource=visit.root_resource
            )
        except _NOT_EVALUATED:
            text = f"The rule {invariant.key} cannot be evaluated on this value: {invariant.expression}"
            visit.unevaluated.append(Issue("error", "invariant", text, expression_of(place)))
            return
        if not holds:
            text = f"The rule {invariant.key} is broken: {invariant.expression}"
            visit.report(severity, place, "invariant", text)

    return check


def _ext_1(extension: dict[str, Any], _: Visit) -> str | None:
    has_value = any(name.startswith(("value", "_value")) for name in extension)
    if has_value == ("extension" in extension):
        which = "both a value and extensions" if has_value else "neither a value nor extensions"
        return f"The extension {quoted(extension.get('url', ''))} has {which}"
    return None


def _dom_2(resource: dict[str, Any], _: Visit) -> str | None:
    if any("contained" in inner for inner in _contained(resource)):
        return "A contained resource may not itself contain resources"
    return None


def _dom_3(resource: dict[str, Any], _: Visit) -> str | None:
    contained = _contained(resource)
    if not contained:
        return None
    targets = set(_local_targets(resource))
    for inner in contained:
        # A contained resource that points back at its container (`#`) is tied to it as well.
        if f"#{inner.get('id')}" not in targets and "#" not in set(_local_targets(inner)):
            return (
                f"The contained resource {quoted(inner.get('id', ''))} is not referred to from anywhere in the resource"
            )
    return None


def _dom_4(resource: dict[str, Any], _: Visit) -> str | None:
    for inner in _contained(resource):
        meta = inner.get("meta")
        if isinstance(meta, dict) and ("versionId" in meta or "lastUpdated" in meta):
            return "A contained resource may not have meta.versionId or meta.lastUpdated"
    return None


def _dom_5(resource: dict[str, Any], _: Visit) -> str | None:
    for inner in _contained(resource):
        meta = inner.get("meta")
        if isinstance(meta, dict) and "security" in meta:
            return "A contained resource may not have a security label"
    return None


def _contained(resource: dict[str, Any]) -> list[dict[str, Any]]:
    contained = resource.get("contained")
    return [inner for inner in contained if isinstance(inner, dict)] if isinstance(contained, list) else []


def _local_targets(node: Any) -> list[str]:
    """Every string anywhere below that begins with '#': what a reference, canonical or uri to a contained resource is."""
    found: list[str] = []
    pending = [node]
    while pending:
        current = pending.pop()
        for value in current.values() if isinstance(current, dict) else current:
            if isinstance(value, str):
                if value.startswith("#"):
                    found.append(value)
            elif isinstance(value, (dict, list)):
                pending.append(value)
    return found


def _ref_1(reference: dict[str, Any], visit: Visit) -> str | None:
    target = reference.get("reference")
    if isinstance(target, str) and target.startswith("#") and len(target) > 1 and target[1:] not in visit.contained:
        return f"The reference {quoted(target)} does not point to a contained resource of this resource"
    return None


def _cpt_2(contact_point: dict[str, Any], _: Visit) -> str | None:
    return "A contact point with a value needs a system" if _lacks(contact_point, "value", "system") else None


def _qty_3(quantity: dict[str, Any], _: Visit) -> str | None:
    return "A quantity with a code needs a system" if _lacks(quantity, "code", "system") else None


def _sqty_1(quantity: dict[str, Any], _: Visit) -> str | None:
    return "A simple quantity may not have a comparator" if "comparator" in quantity else None


def _att_1(attachment: dict[str, Any], _: Visit) -> str | None:
    return "An attachment with data needs a contentType" if _lacks(attachment, "data", "contentType") else None


def _lacks(node: dict[str, Any], holder: str, needed: str) -> bool:
    return holder in node and needed not in node and "_" + needed not in node


def _per_1(period: dict[str, Any], _: Visit) -> str | None:
    start, end = period.get("start"), period.get("end")
    if not isinstance(start, str) or not isinstance(end, str):
        return None
    if len(start) == len(end) and start[10:11] == end[10:11] and start[-6:] == end[-6:] and start[:19] <= end[:19]:
        return None  # same form, same zone: the text itself tells, and nearly every period is of this kind
    if _is_in_order("start <= end", period, "Period"):
        return None
    return f"The period ends ({quoted(end)}) before it starts ({quoted(start)})"


def _rng_2(value: dict[str, Any], _: Visit) -> str | None:
    return None if _is_in_order("low <= high", value, "Range") else "The low end of the range is above its high end"


def _is_in_order(comparison: str, value: dict[str, Any], type_name: str) -> bool:
    try:
        return fhirpath.compile(comparison).evaluate(value, type_name=type_name) != [False]
    except _NOT_EVALUATED:
        return True  # what has no value, or one of the wrong form (reported on its own), stands in no order


def _obs_6(observation: dict[str, Any], _: Visit) -> str | None:
    if "dataAbsentReason" in observation and any(name.startswith(("value", "_value")) for name in observation):
        return "An observation with a value may not have a dataAbsentReason"
    return None


def _que_12(item: dict[str, Any], _: Visit) -> str | None:
    # The published expression allows two conditions; its text says "more than one".
    conditions = item.get("enableWhen")
    if isinstance(conditions, list) and len(conditions) > 1 and "enableBehavior" not in item:
        return "An item with more than one enableWhen needs an enableBehavior"
    return None


def _sdf_4(structure: dict[str, Any], _: Visit) -> str | None:
    # The published expression asks it of logical models too, but R4 has no type that one could derive from: its own
    # patterns (Request, Event, Definition, FiveWs) have no base.
    if structure.get("abstract") is True or structure.get("kind") == "logical" or "baseDefinition" in structure:
        return None
    return "A structure that is not abstract needs a baseDefinition"


def _tim_9(repeat: dict[str, Any], _: Visit) -> str | None:
    # The published expression cannot be evaluated where `when` repeats.
    if "offset" not in repeat:
        return None
    events = repeat.get("when")
    if isinstance(events, list) and not any(event in ("C", "CM", "CD", "CV") for event in events):
        return None
    return "An offset needs a 'when', and one other than C, CM, CD and CV"


# `dom-6` (a resource should have narrative) is advice that would be repeated for nearly every resource; the two rules on
# XHTML are in `narrative`, and `ele-1` is in `shape`.
_ELSEWHERE = {"dom-6", "txt-1", "txt-2", "ele-1", "ext-1"}

_NATIVE: dict[str, Native] = {
    "att-1": _att_1,
    "cpt-2": _cpt_2,
    "dom-2": _dom_2,
    "dom-3": _dom_3,
    "dom-4": _dom_4,
    "dom-5": _dom_5,
    "obs-6": _obs_6,
    "per-1": _per_1,
    "qty-3": _qty_3,
    "que-12": _que_12,
    "ref-1": _ref_1,
    "rng-2": _rng_2,
    "sdf-4": _sdf_4,
    "sqty-1": _sqty_1,
    "tim-9": _tim_9,
}

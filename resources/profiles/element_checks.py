"""What a profile states of one value: type, fixed value, pattern, limits, invariants, target of a reference.

https://hl7.org/fhir/R4/elementdefinition.html

Each function gives a closure, or None where the base definitions say the same already and have been checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from resources import fhirpath
from resources.definitions import Element, Invariant, is_a, type_facts
from resources.fhirpath import Node
from resources.problem import Severity, quoted
from resources.profiles.items import Item
from resources.profiles.structure import ElementNode, Find, TypeUse, core_type
from resources.profiles.values import has_pattern, is_fixed
from resources.profiles.visit import ProfileVisit

Check = Callable[[Item, ProfileVisit], None]

# Rules of every element, resource and extension, which the base definitions state.
_EVERYWHERE = frozenset({"ele-1", "ext-1", "dom-2", "dom-3", "dom-4", "dom-5", "dom-6"})
_NOT_EVALUATED = (fhirpath.FhirPathError, TypeError, ValueError, AttributeError, LookupError, ArithmeticError)
_ORDERED = "$this {} %limit"


def value_checks(node: ElementNode, of: str) -> Iterable[Check]:
    """Fixed value, pattern and limits. of: the profile's URL, for the sentences."""
    if node.fixed is not None:
        yield _value_check(is_fixed, node.fixed[0], f"is not the one that the profile {of} fixes for {node.id}")
    if node.pattern is not None:
        yield _value_check(has_pattern, node.pattern[0], f"lacks what the profile {of} demands of {node.id}")
    for name, limit in node.limits.items():
        yield _length_check(limit, node.id, of) if name == "maxLength" else _limit_check(name, limit, node.id, of)


def _value_check(agrees: Callable[[Any, Any], bool], wanted: Any, why: str) -> Check:
    shown = quoted(_plain(wanted))

    def check(item: Item, visit: ProfileVisit) -> None:
        value = item[0]
        if value is not None and not agrees(value, wanted):
            visit.error(item[3], "value", f"The value {quoted(_plain(value))} {why}: {shown}.")

    return check


def _plain(value: Any) -> str:
    """A value in few words, for a sentence."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_plain(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return "; ".join(_plain(inner) for inner in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _length_check(most: int, identifier: str, of: str) -> Check:
    def check(item: Item, visit: ProfileVisit) -> None:
        value = item[0]
        if isinstance(value, str) and len(value) > most:
            text = f"{identifier} is {len(value)} characters long; the profile {of} allows {most}."
            visit.error(item[3], "value", text)

    return check


def _limit_check(name: str, limit: Any, identifier: str, of: str) -> Check:
    sign, words = (">=", "below the least") if name == "minValue" else ("<=", "above the most")
    expression = fhirpath.compile(_ORDERED.format(sign))

    def check(item: Item, visit: ProfileVisit) -> None:
        value, sibling, type_name, place = item
        if value is None:
            return
        bound = Node(limit, "Quantity") if isinstance(limit, dict) else Node(limit, type_name)
        if isinstance(limit, (int, Decimal)) and isinstance(value, (int, Decimal)):
            keeps = value >= limit if name == "minValue" else value <= limit
        else:
            try:
                found = expression.evaluate(Node(value, type_name, sibling), variables={"limit": bound})
            except _NOT_EVALUATED:
                return
            keeps = found != [False]
        if not keeps:
            text = f"The value {quoted(_plain(value))} of {identifier} is {words} that the profile {of} allows"
            visit.error(place, "value", f"{text}: {_plain(limit)}.")

    return check


def invariant_checks(node: ElementNode, facts: Element | None, type_name: str | None, of: str) -> Iterable[Check]:
    """The invariants that the profile adds to those of the base definitions."""
    known = set(_EVERYWHERE)
    if facts is not None:
        known |= {one.key for one in facts.invariants}
    name = type_name
    while name is not None:
        try:
            base = type_facts(name)
        except KeyError:
            break
        known |= {one.key for one in base.invariants}
        name = base.base
    for invariant in node.invariants.values():
        if invariant.key not in known:
            yield _invariant_check(invariant, type_name, of)


def _invariant_check(invariant: Invariant, type_name: str | None, of: str) -> Check:
    severity: Severity = "warning" if invariant.severity == "warning" else "error"
    try:
        expression = fhirpath.compile_invariant(invariant.expression)
    except fhirpath.FhirPathError as fault:
        return warning_of(f"The rule {invariant.key} of the profile {of} cannot be read, so it is not checked: {fault}")

    def check(item: Item, visit: ProfileVisit) -> None:
        value, sibling, own_type, place = item
        try:
            holds = expression.holds(
                Node(value, own_type or type_name, sibling if isinstance(sibling, dict) else None),
                resource=visit.resource,
                root_resource=visit.root_resource,
                resolve=visit.resolve,
                codes_of=visit.codes_of,
            )
        except _NOT_EVALUATED:
            text = f"The rule {invariant.key} of the profile {of} cannot be evaluated here: {invariant.expression}"
            visit.report("warning", place, "not-supported", text)
            return
        if not holds:
            text = f"The rule {invariant.key} of the profile {of} is broken: {invariant.expression}"
            visit.report(severity, place, "invariant", text)

    return check


def type_check(node: ElementNode, facts: Element | None, of: str) -> Check | None:
    """That a choice has one of the profile's types, and a resource is of the type that the profile narrows to."""
    if node.types is None:
        return None
    allowed = {use.code for use in node.types}
    if not allowed - {"Element", "BackboneElement", "Resource", "DomainResource"}:
        return None
    if facts is not None and allowed >= set(facts.types):
        return None
    names = ", ".join(sorted(allowed))

    def check(item: Item, visit: ProfileVisit) -> None:
        own_type = item[2]
        if own_type is not None and own_type not in allowed and not any(_is_kind(own_type, one) for one in allowed):
            text = f"The type {own_type} is not allowed for {node.id} by the profile {of}; it allows {names}."
            visit.error(item[3], "structure", text)

    return check


def warning_of(text: str) -> Check:
    """Says once that something is not checked."""

    def check(item: Item, visit: ProfileVisit) -> None:
        visit.warn_once(item[3], "not-supported", text)

    return check


def _is_kind(name: str, ancestor: str) -> bool:
    try:
        return type_facts(name).kind == "resource" and is_a(name, ancestor)
    except KeyError:
        return False


def type_profile_check(node: ElementNode, of: str) -> Check | None:
    """That a value follows one of the profiles that its type must follow.

    Extensions follow their own definition wherever they stand, which `check` sees to.
    """
    by_type: dict[str, tuple[str, ...]] = {}
    for use in node.types or ():
        profiles = tuple(one for one in use.profiles if core_type(one) is None)
        if profiles and use.code != "Extension":
            by_type[use.code] = (*by_type.get(use.code, ()), *profiles)
    if not by_type:
        return None
    only = next(iter(by_type)) if len(node.types or ()) == 1 else None

    def check(item: Item, visit: ProfileVisit) -> None:
        value, _, type_name, place = item
        if value is None:
            return
        profiles = by_type.get(type_name or "") or (by_type.get(only) if only is not None else None)
        if not profiles:
            return
        if len(profiles) == 1:
            profile = visit.profiles.profile(profiles[0])
            key = (id(value), profiles[0])
            if profile is not None and profile.rules is not None and key not in visit.running:
                inner = visit
                if isinstance(value, dict) and "resourceType" in value:
                    if value["resourceType"] != profile.type:
                        text = f"A {profile.type} that follows the profile {profile.url} is expected for {node.id}."
                        visit.error(place, "structure", text)
                        return
                    inner = visit.inside(value, is_contained=place[1] == "contained")
                visit.running.add(key)
                profile.rules.check_item(item, inner)
                visit.running.discard(key)
        elif not any(visit.conforms(item, one) for one in profiles):
            text = f"{node.id} follows none of the profiles that the profile {of} names: {', '.join(profiles)}."
            visit.error(place, "value", text)

    return check


def target_check(node: ElementNode, facts: Element | None, find: Find, of: str) -> Check | None:
    """That a Reference points to one of the profile's targets: by type, and at hand also by profile."""
    uses = [use for use in node.types or () if use.code == "Reference" and use.targets]
    if not uses:
        return None
    targets = targets_of(uses, find)
    types = {name for name, _ in targets}
    if None in types or types & {"Resource", "DomainResource"}:
        types = set()
    is_plain = all(core_type(canonical) is not None for _, canonical in targets)
    if is_plain and (not types or (facts is not None and types >= facts.targets and facts.targets)):
        return None
    names = ", ".join(sorted(str(name) for name in types))

    def check(item: Item, visit: ProfileVisit) -> None:
        value, _, _, place = item
        if not isinstance(value, dict) or (item[2] not in (None, "Reference")):
            return
        target = visit.target(value)
        if target is None:
            return
        if types and target.type not in types:
            text = f"The reference points to {target.type}; the profile {of} allows {names} for {node.id}."
            visit.error(place, "value", text)
        elif target.is_whole and not is_plain:
            whole: Item = (target.value, None, target.type, place)
            fitting = [canonical for name, canonical in targets if name in (None, target.type, "Resource")]
            if fitting and not any(visit.conforms(whole, canonical) for canonical in fitting):
                text = (
                    f"What {quoted(value.get('reference', ''))} points to follows none of the profiles that {node.id}"
                )
                visit.error(place, "value", f"{text} must point to: {', '.join(fitting)}.")

    return check


def targets_of(uses: Iterable[TypeUse], find: Find) -> list[tuple[str | None, str]]:
    """Type and canonical of each target profile; the type is None where the profile is not held."""
    found: list[tuple[str | None, str]] = []
    for use in uses:
        for canonical in use.targets:
            name = core_type(canonical)
            if name is None:
                definition = find(canonical)
                name = definition.get("type") if definition is not None else None
            found.append((name, canonical))
    return found

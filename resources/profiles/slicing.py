"""Slices: which of an element's values belong to which slice, and what a profile says of that.

https://hl7.org/fhir/R4/profiling.html#slicing
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from resources.profiles.coded_values import codings_of, expansion_of, is_in
from resources.profiles.element_checks import targets_of
from resources.profiles.items import Item, Step, reach, steps_of, type_by_suffix
from resources.profiles.structure import (
    ElementNode,
    Find,
    ProfileFault,
    Slicing,
    TypeUse,
    core_type,
    structure_of,
)
from resources.profiles.values import has_pattern, is_fixed
from resources.profiles.visit import ProfileVisit
from resources.terminology.canonical import split_canonical
from resources.visit import Place

if TYPE_CHECKING:
    from resources.profiles.compile import ElementRules

Match = Callable[[Item, ProfileVisit], bool]
Criterion = Callable[[Any, ProfileVisit], bool]
"""Whether a value is what a slice demands at the end of a discriminator's path."""

DEFAULT_SLICE = "@default"
BY_TYPE = Slicing((("type", "$this"),))
BY_URL = Slicing((("value", "url"),))


class SliceRules:
    """A compiled slicing. slices: name, how to tell that a value belongs to it, and its own rules."""

    def __init__(
        self, slicing: Slicing, slices: Sequence[tuple[str, Match, ElementRules]], label: str, of: str
    ) -> None:
        self._slicing = slicing
        self._slices = slices
        self._label = label
        self._of = of

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing that it could report."""
        plain = self._slicing.rules == "open" and not self._slicing.ordered
        return plain and all(rules.is_idle for _, _, rules in self._slices)

    def check(self, items: list[Item], place: Place, visit: ProfileVisit) -> None:
        """items: all values of the sliced element. place: of the object that holds them."""
        sorted_out: dict[str, list[Item]] = {name: [] for name, _, _ in self._slices}
        order = {name: number for number, name in enumerate(sorted_out)}
        last, unmatched_before = -1, False
        for item in items:
            name = next((name for name, matches, _ in self._slices if matches(item, visit)), None)
            if name is None and DEFAULT_SLICE in sorted_out:
                name = DEFAULT_SLICE
            if name is None:
                unmatched_before = True
                if self._slicing.rules == "closed":
                    text = f"The value belongs to none of the slices of {self._label} ({', '.join(order)})"
                    visit.error(item[3], "structure", f"{text}, and the profile {self._of} allows no others.")
                continue
            if self._slicing.rules == "openAtEnd" and unmatched_before:
                text = f"A value of the slice '{name}' of {self._label} stands behind others"
                visit.error(item[3], "structure", f"{text}, which the profile {self._of} allows at the end only.")
            if self._slicing.ordered and order[name] < last:
                text = f"A value of the slice '{name}' of {self._label} is out of the order that the profile {self._of} sets"
                visit.error(item[3], "structure", f"{text}: {', '.join(order)}.")
            last = max(last, order[name])
            sorted_out[name].append(item)
        for name, _, rules in self._slices:
            rules.check_items(sorted_out[name], place, visit)


def matcher(node: ElementNode, slicing: Slicing, find: Find) -> Match:
    """How to tell that a value belongs to a slice. Raises `ProfileFault` where the profile does not say."""
    if node.slice_name == DEFAULT_SLICE:
        return lambda _item, _visit: False
    if not slicing.discriminators:
        raise ProfileFault(f"The slices of {node.id.rpartition(':')[0]} have no discriminator.")
    matches: list[Match] = []
    faults: list[ProfileFault] = []
    for kind, path in slicing.discriminators:
        try:
            matches.append(_discriminator(kind, path, node, find))
        except ProfileFault as fault:
            faults.append(fault)
    if not matches:
        raise faults[0]  # where another discriminator tells, a slice may be silent on this one
    if len(matches) == 1:
        return matches[0]
    return lambda item, visit: all(one(item, visit) for one in matches)


def _discriminator(kind: str, path: str, node: ElementNode, find: Find) -> Match:
    steps = steps_of(path)
    if kind in ("value", "pattern") and path == "url" and len(node.profiles) == 1 and "url" not in node.children:
        url = split_canonical(node.profiles[0])[0]  # an extension: its definition's URL is its own
        return lambda item, _: isinstance(item[0], dict) and item[0].get("url") == url
    ends, carried = _follow(node, steps, find)
    if kind == "exists":
        return _existence(ends, steps, node, path)
    if kind == "type":
        return _by_type(ends, steps, node)
    if kind == "profile":
        return _by_profile(ends, steps, node, path)
    criteria = [criterion for end in ends for criterion in _criteria(end)] or carried
    if not criteria:
        if any(end.min for end in ends):
            return lambda item, visit: bool(reach(item, steps, visit.target))
        raise ProfileFault(f"The slice {node.id} says nothing of '{path}', by which it is to be told.")

    member = steps[0].text if len(steps) == 1 and steps[0].kind == "name" else ""

    def matches(item: Item, visit: ProfileVisit) -> bool:
        value = item[0].get(member) if item[0].__class__ is dict else None
        if value.__class__ is str:  # as most are, such as the `url` of extensions: there is nothing to walk
            return all(criterion(value, visit) for criterion in criteria)
        found = reach(item, steps, visit.target)
        return any(all(criterion(one.value, visit) for criterion in criteria) for one in found)

    return matches


def _existence(ends: list[ElementNode], steps: Sequence[Step], node: ElementNode, path: str) -> Match:
    if any(end.max == "0" for end in ends):
        return lambda item, visit: not reach(item, steps, visit.target)
    if any(end.min for end in ends):
        return lambda item, visit: bool(reach(item, steps, visit.target))
    raise ProfileFault(f"The slice {node.id} does not say whether '{path}' exists, by which it is to be told.")


def _by_type(ends: list[ElementNode], steps: Sequence[Step], node: ElementNode) -> Match:
    codes = {use.code for end in ends for use in end.types or ()}
    if not codes and node.slice_name is not None and not steps:
        told = type_by_suffix(node.slice_name.removeprefix(node.name.removesuffix("[x]")) or "-")
        codes = {told} if told is not None else set()
    if not codes:
        raise ProfileFault(f"The slice {node.id} does not say of which type it is, by which it is to be told.")
    return lambda item, visit: any(one.type in codes or "Resource" in codes for one in reach(item, steps, visit.target))


def _by_profile(ends: list[ElementNode], steps: Sequence[Step], node: ElementNode, path: str) -> Match:
    profiles = [profile for end in ends for profile in end.profiles]
    if not profiles:
        raise ProfileFault(f"The slice {node.id} names no profile at '{path}', by which it is to be told.")
    types = {use.code for end in ends for use in end.types or ()}

    def matches(item: Item, visit: ProfileVisit) -> bool:
        for found in reach(item, steps, visit.target):
            if not found.is_whole:
                if found.type in types:
                    return True
                continue
            whole: Item = (found.value, None, found.type, item[3])
            if any(visit.conforms(whole, profile) for profile in profiles):
                return True
        return False

    return matches


def _follow(node: ElementNode, steps: Sequence[Step], find: Find) -> tuple[list[ElementNode], list[Criterion]]:
    """What a slice's definition has at the end of a path: nodes, and what an element above them demands there."""
    ends = [node]
    carried = _stated(node)
    for kind, text in steps:
        following = [inner for end in ends for inner in _step(end, kind, text, find)]
        carried = [(agrees, part) for agrees, value in carried for part in _parts(value, text) if kind == "name"]
        carried += [one for end in following for one in _stated(end)]
        ends = following
    return ends, [_criterion(agrees, value) for agrees, value in carried]


def _step(node: ElementNode, kind: str, text: str, find: Find) -> list[ElementNode]:
    if kind == "resolve":
        uses = tuple(
            TypeUse(name or "Resource", (canonical,)) for name, canonical in targets_of(node.types or (), find)
        )
        return [ElementNode(node.id, node.name, types=uses)] if uses else []
    if kind == "type":
        typed = [one for one in node.slices.values() if text in {use.code for use in one.types or ()}]
        return typed or [node]
    if kind == "url":
        extensions = node.children.get("extension")
        slices = extensions.slices.values() if extensions is not None else ()
        return [one for one in slices if text in {split_canonical(profile)[0] for profile in one.profiles}]
    own = _child(node, text)
    if own is not None:
        return [own]
    found: list[ElementNode] = []
    for profile in node.profiles:
        definition = find(profile) if core_type(profile) is None else None
        inner = _child(structure_of(definition, find), text) if definition is not None else None
        if inner is not None:
            found.append(inner)
    return found


def _child(node: ElementNode, name: str) -> ElementNode | None:
    return node.children.get(name) or node.children.get(name + "[x]")


Agrees = Callable[[Any, Any], bool]


def _stated(node: ElementNode) -> list[tuple[Agrees, Any]]:
    found: list[tuple[Agrees, Any]] = []
    if node.fixed is not None:
        found.append((is_fixed, node.fixed[0]))
    if node.pattern is not None:
        found.append((has_pattern, node.pattern[0]))
    return found


def _parts(value: Any, name: str) -> list[Any]:
    inner = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, list):
        return [part for one in value for part in _parts(one, name)]
    return [] if inner is None else list(inner) if isinstance(inner, list) else [inner]


def _criteria(node: ElementNode) -> list[Criterion]:
    """What a node demands of a value, itself or in the elements below it."""
    stated = [_criterion(agrees, value) for agrees, value in _stated(node)]
    if stated:
        return stated
    if node.binding is not None and node.binding[0] == "required":
        return [_membership(node.binding[1])]
    below: list[Criterion] = []
    for name, child in node.children.items():
        inner = _criteria(child) if child.min or child.fixed or child.pattern else []
        below += [_below(steps_of(name.removesuffix("[x]")), inner)] if inner else []
    return below


def _criterion(agrees: Agrees, wanted: Any) -> Criterion:
    return lambda value, _: agrees(value, wanted)


def _below(steps: Sequence[Step], criteria: list[Criterion]) -> Criterion:
    def holds(value: Any, visit: ProfileVisit) -> bool:
        found = reach((value, None, None, (None, "", -1)), steps, visit.target)
        return any(all(criterion(one.value, visit) for criterion in criteria) for one in found)

    return holds


def _membership(canonical: str) -> Criterion:
    def holds(value: Any, visit: ProfileVisit) -> bool:
        expansion = expansion_of(canonical, visit)
        if expansion is None:
            return False
        return any(is_in(expansion, system, code) for system, code in codings_of(value) or ())

    return holds

"""A StructureDefinition compiled to the rules that it adds to the base definitions.

https://hl7.org/fhir/R4/profiling.html

A resource is checked against the base definitions first, so whatever they say as well is left out here: of the hundreds
of elements in a snapshot some twenty remain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from resources.definitions import Element, type_facts
from resources.problem import quoted
from resources.profiles.coded_values import binding_check
from resources.profiles.element_checks import (
    Check,
    invariant_checks,
    target_check,
    type_check,
    type_profile_check,
    value_checks,
    warning_of,
)
from resources.profiles.items import Item, type_by_suffix, values_of
from resources.profiles.slicing import BY_TYPE, BY_URL, SliceRules, matcher
from resources.profiles.structure import ElementNode, Find, Json, ProfileFault, structure_of
from resources.profiles.visit import ProfileVisit
from resources.visit import Place

_NOTHING: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class CompiledProfile:
    """A `Profile`."""

    url: str
    type: str
    rules: ElementRules | None
    fault: str | None = None


class ElementRules:
    """What a profile says of one element or slice. least, most: of values; None for a limit of the base definitions."""

    __slots__ = (
        "_checks",
        "_children",
        "_same_as",
        "_slicing",
        "id",
        "is_choice",
        "least",
        "most",
        "name",
        "of",
        "type",
    )

    def __init__(self, node: ElementNode, parent: str | None, compiler: _Compiler) -> None:
        self.id = node.id
        self.of = compiler.url
        self.is_choice = node.name.endswith("[x]")
        self.name = node.name.removesuffix("[x]")
        facts = _element_facts(parent, self.name)
        self.type = _type_of(node, facts) or _typed_choice(parent, self.name)
        self.least: int | None = None
        self.most: int | None = None
        self._set_limits(node, facts)
        self._checks: list[Check] = list(value_checks(node, self.of))
        for check in (
            type_check(node, facts, self.of),
            target_check(node, facts, compiler.find, self.of),
            binding_check(node, facts, self.of),
            type_profile_check(node, self.of),
        ):
            if check is not None:
                self._checks.append(check)
        self._checks += invariant_checks(node, facts, self.type, self.of)
        self._slicing: SliceRules | None = None
        self._children: list[ElementRules] = []
        self._same_as: ElementRules | None = None

    def fill(self, node: ElementNode, parent: str | None, compiler: _Compiler) -> None:
        """Compile what stands below. Apart from the constructor, because an element may be defined as one above it is."""
        other = compiler.named.get(node.same_as or "")
        if other is not None and other is not self and other._same_as is None:
            self._same_as = other
        for child in node.children.values():
            rules = compiler.rules(child, self.type)
            if not rules.is_idle:
                self._children.append(rules)
        if node.slices:
            self._slicing = self._compiled_slicing(node, parent, compiler)

    def _set_limits(self, node: ElementNode, facts: Element | None) -> None:
        most = None if node.max in (None, "*") else int(str(node.max))
        if node.slice_name is not None or facts is None:
            self.least, self.most = node.min or None, most
            return
        if node.min is not None and node.min > facts.min:
            self.least = node.min
        if most is not None and (facts.max is None or most < facts.max):
            self.most = most

    def _compiled_slicing(self, node: ElementNode, parent: str | None, compiler: _Compiler) -> SliceRules | None:
        slicing = node.slicing
        if slicing is None or (not slicing.discriminators and self.is_choice):
            slicing = BY_TYPE if self.is_choice else slicing
        if self.name in ("extension", "modifierExtension") and (slicing is None or not slicing.discriminators):
            slicing = BY_URL
        if slicing is None:
            return None
        slices = []
        for name, one in node.slices.items():
            try:
                matches = matcher(one, slicing, compiler.find)
            except ProfileFault as fault:
                self._checks.append(warning_of(f"{fault} So the profile {self.of} is not checked there."))
                return None
            slices.append((name, matches, compiler.rules(one, parent)))
        compiled = SliceRules(slicing, slices, self.id, self.of)
        return None if compiled.is_idle else compiled

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing that these rules could report."""
        counts = self.least is not None or self.most is not None
        return not (counts or self._checks or self._children or self._slicing or self._same_as)

    def check(self, holder: dict[str, Any], place: Place, visit: ProfileVisit) -> None:
        """Check the element in the object that holds it."""
        self.check_items(values_of(holder, self.name, self.is_choice, self.type, place), place, visit)

    def check_items(self, items: list[Item], place: Place, visit: ProfileVisit) -> None:
        """Check all the values of the element, or of the slice. place: of the object that holds them."""
        count = len(items)
        if self.least is not None and count < self.least:
            there = "is missing" if not count else f"is there {count} times only"
            text = f"{self.id} {there}; the profile {self.of} needs at least {self.least}."
            visit.error(place, "required", text)
        if self.most is not None and count > self.most:
            text = f"{self.id} may not be present" if not self.most else f"{self.id} is there {count} times"
            more = "" if not self.most else f", which allows {self.most}"
            visit.error(items[self.most][3], "structure", f"{text} by the profile {self.of}{more}.")
        for item in items:
            self.check_item(item, visit)
        if self._slicing is not None:
            self._slicing.check(items, place, visit)

    def check_item(self, item: Item, visit: ProfileVisit) -> None:
        for check in self._checks:
            check(item, visit)
        if self._children:
            value, sibling, _, place = item
            holder = value if isinstance(value, dict) else sibling if isinstance(sibling, dict) else _NOTHING
            for child in self._children:
                child.check(holder, place, visit)
        if self._same_as is not None:
            self._same_as.check_item(item, visit)


class _Compiler:
    """Compiles the elements of one profile."""

    def __init__(self, url: str, find: Find) -> None:
        self.url = url
        self.find = find
        self.named: dict[str, ElementRules] = {}

    def rules(self, node: ElementNode, parent: str | None) -> ElementRules:
        rules = self.named[node.id] = ElementRules(node, parent, self)
        rules.fill(node, parent, self)
        return rules


def _element_facts(parent: str | None, name: str) -> Element | None:
    """What the base definitions say of an element; None where they do not know it by this name."""
    if parent is None:
        return None
    try:
        return type_facts(parent).elements.get(name)
    except KeyError:
        return None


def _type_of(node: ElementNode, facts: Element | None) -> str | None:
    """The one type of an element's values, as `type_facts` knows it; None where there may be several."""
    if "." not in node.id:
        return node.name
    codes = {use.code for use in node.types or ()}
    if len(codes) == 1 and not codes & {"BackboneElement", "Element"}:
        return codes.pop()
    if len(codes) > 1 or (facts is not None and facts.is_choice):
        return type_by_suffix((node.slice_name or "").removeprefix(facts.name) or "-") if facts is not None else None
    return facts.types[0] if facts is not None else None


def _typed_choice(parent: str | None, name: str) -> str | None:
    """The type of an element that is named as in the JSON, `valueQuantity` for `value[x]`."""
    if parent is None or _element_facts(parent, name) is not None:
        return None
    try:
        choices = [one.name for one in type_facts(parent).elements.values() if one.is_choice]
    except KeyError:
        return None
    return next((type_by_suffix(name[len(one) :]) for one in choices if name.startswith(one) and name != one), None)


def compile_profile(definition: Json, find: Find) -> CompiledProfile:
    """The compiled form of a StructureDefinition. find: other ones, where this one leans on them.

    One that nothing can be checked against is given back with its `fault`.
    """
    url, type_name = str(definition.get("url", "")), str(definition.get("type", ""))
    try:
        root = structure_of(definition, find)
        type_facts(type_name)
        return CompiledProfile(url, type_name, _Compiler(url, find).rules(root, None))
    except ProfileFault as fault:
        return CompiledProfile(url, type_name, None, str(fault))
    except (TypeError, ValueError, AttributeError, LookupError, RecursionError):
        text = f"The StructureDefinition {quoted(url)} for {quoted(type_name)} does not make sense in R4."
        return CompiledProfile(url, type_name, None, text)

"""A StructureDefinition as a tree of elements with their slices.

https://hl7.org/fhir/R4/profiling.html and https://hl7.org/fhir/R4/elementdefinition.html

The tree of a snapshot holds all that a profile says. Without a snapshot the differential is laid over the tree of the
profile that it derives from; of a base type the tree is empty, because the base definitions are checked elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from resources.definitions import Invariant, resource_types, type_facts
from resources.terminology.canonical import split_canonical

Json = Mapping[str, Any]
Find = Callable[[str], Json | None]
"""A canonical URL, perhaps with `|version` → the StructureDefinition, or None where it is not held."""

CORE = "http://hl7.org/fhir/StructureDefinition/"
_SYSTEM_TYPE = "http://hl7.org/fhirpath/System."
MAX_BASES = 20


class ProfileFault(Exception):
    """A StructureDefinition that nothing can be checked against; the text is a whole sentence."""


@dataclass(frozen=True, slots=True)
class TypeUse:
    """A type that an element may have: its name, the profiles it must follow, and those of what a reference points to."""

    code: str
    profiles: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Slicing:
    """How the values of an element are told apart. discriminators: (type, path)."""

    discriminators: tuple[tuple[str, str], ...]
    rules: str = "open"
    ordered: bool = False


@dataclass(slots=True)
class ElementNode:
    """One element, or one slice of an element. What is None is not said here.

    id: `Patient.extension:race`. max: as it is written, `1` or `*`. fixed, pattern: a tuple of one value.
    limits: name (`maxLength`, `minValue`, `maxValue`) → value.
    """

    id: str
    name: str
    slice_name: str | None = None
    min: int | None = None
    max: str | None = None
    types: tuple[TypeUse, ...] | None = None
    fixed: tuple[Any] | None = None
    pattern: tuple[Any] | None = None
    binding: tuple[str, str] | None = None
    limits: dict[str, Any] = field(default_factory=dict)
    invariants: dict[str, Invariant] = field(default_factory=dict)
    slicing: Slicing | None = None
    same_as: str | None = None
    children: dict[str, ElementNode] = field(default_factory=dict)
    slices: dict[str, ElementNode] = field(default_factory=dict)

    @property
    def profiles(self) -> tuple[str, ...]:
        return tuple(profile for use in self.types or () for profile in use.profiles)


def core_type(canonical: str) -> str | None:
    """The type of R4 that a canonical names, `Patient` or `Quantity`; None for a profile."""
    name = split_canonical(canonical)[0].removeprefix(CORE)
    if name in resource_types() or name in ("Resource", "DomainResource"):
        return name
    if not canonical.startswith(CORE):
        return None
    try:
        type_facts(name)
    except KeyError:
        return None
    return name


def structure_of(definition: Json, find: Find) -> ElementNode:
    """The root of a StructureDefinition's tree. Raises `ProfileFault` where there is none to be had."""
    return _structure(definition, find, MAX_BASES)


def _structure(definition: Json, find: Find, bases_left: int) -> ElementNode:
    name = definition.get("url") or definition.get("name")
    root_type = definition.get("type")
    if not isinstance(root_type, str):
        raise ProfileFault(f"The StructureDefinition '{name}' does not say for which type it is.")
    snapshot = definition.get("snapshot")
    if snapshot is not None:
        return _laid_over(ElementNode(root_type, root_type), snapshot["element"])
    differential, base = definition.get("differential"), definition.get("baseDefinition")
    if differential is None or not isinstance(base, str):
        raise ProfileFault(f"The StructureDefinition '{name}' has neither a snapshot nor a differential and its base.")
    if core_type(base) is not None:
        return _laid_over(ElementNode(root_type, root_type), differential["element"])
    base_definition = find(base) if bases_left else None
    if base_definition is None:
        raise ProfileFault(
            f"The StructureDefinition '{name}' has no snapshot, and what it derives from, '{base}', is not held here."
        )
    return _laid_over(_structure(base_definition, find, bases_left - 1), differential["element"])


def _laid_over(root: ElementNode, elements: list[Json]) -> ElementNode:
    ids: dict[str, str] = {}
    for element in elements:
        path = element["path"]
        identifier = element.get("id")
        if not isinstance(identifier, str) or identifier.count(".") != path.count("."):
            identifier = _id_by_path(element, ids)
        ids[path] = identifier
        _say(_node_at(root, identifier), element)
    return root


def _id_by_path(element: Json, ids: dict[str, str]) -> str:
    """The id of an element that has none: what stands before it tells in which slice it is."""
    parent, _, name = element["path"].rpartition(".")
    own = name if "sliceName" not in element else f"{name}:{element['sliceName']}"
    return f"{ids.get(parent, parent)}.{own}" if parent else own


def _node_at(root: ElementNode, identifier: str) -> ElementNode:
    node = root
    at = root.id
    for part in identifier.split(".")[1:]:
        name, _, slice_name = part.partition(":")
        at = f"{at}.{name}"
        node = node.children.setdefault(name, ElementNode(at, name))
        if not slice_name:
            continue
        of, slash, _ = slice_name.rpartition("/")  # `a/b` is a slice of the slice `a`
        if slash and of in node.slices:
            node = node.slices[of]
        at = f"{at}:{slice_name}"
        node = node.slices.setdefault(slice_name, ElementNode(at, name, slice_name))
    return node


def _say(node: ElementNode, element: Json) -> None:
    node.min = element.get("min", node.min)
    node.max = element.get("max", node.max)
    if "type" in element:
        node.types = tuple(_type_use(one) for one in element["type"])
    for name, value in element.items():
        if name.startswith("fixed"):
            node.fixed = (value,)
        elif name.startswith("pattern"):
            node.pattern = (value,)
        elif name == "maxLength" or name.startswith(("minValue", "maxValue")):
            node.limits[name[:8] if name != "maxLength" else name] = value
    binding = element.get("binding")
    if binding is not None and "valueSet" in binding:
        node.binding = (binding.get("strength", "example"), binding["valueSet"])
    for one in element.get("constraint", ()):
        if "expression" in one:
            node.invariants[one["key"]] = Invariant(one["key"], one.get("severity", "error"), one["expression"])
    if "slicing" in element:
        slicing = element["slicing"]
        discriminators = tuple((one["type"], one["path"]) for one in slicing.get("discriminator", ()))
        if not discriminators and node.slicing is not None:
            discriminators = node.slicing.discriminators
        node.slicing = Slicing(discriminators, slicing.get("rules", "open"), slicing.get("ordered") is True)
    if "contentReference" in element:
        node.same_as = element["contentReference"].partition("#")[2]


def _type_use(one: Json) -> TypeUse:
    code = one.get("code", "Element")
    if code.startswith(_SYSTEM_TYPE):
        code = "string"  # of ids and of the URLs of extensions
    return TypeUse(code, tuple(one.get("profile", ())), tuple(one.get("targetProfile", ())))

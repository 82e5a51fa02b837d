"""Profiles, tags and security labels of a `meta`: which are the same, and how they are added and taken away. Pure.

https://hl7.org/fhir/R4/resource.html#Meta and https://hl7.org/fhir/R4/resource-operation-meta-add.html

They are sets: profiles by their URL, tags and labels by system and code. Trees are exact ones (see `exact_json`), so what is
not touched keeps its spelling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from resources.exact_json import Exact, Scalar, exact, plain

Json = Mapping[str, Any]
Edit = Callable[[Exact, Json], Exact]
"""A resource and a Meta → the resource with or without the labels of it."""

LABELS = ("profile", "security", "tag")
_NULL = Scalar("null")


def with_labels(tree: Exact, given: Json) -> Exact:
    """The resource with the labels of a valid Meta; what it has already stays as it is."""
    return _edited(tree, lambda meta: _add(meta, given))


def without_labels(tree: Exact, given: Json) -> Exact:
    """The resource without the labels of a valid Meta."""
    return _edited(tree, lambda meta: _remove(meta, given))


def collected(metas: Iterable[Json]) -> dict[str, Any]:
    """The labels of many Metas, each once, in order; a member that would be empty is left out."""
    found: dict[str, dict[Any, Any]] = {name: {} for name in LABELS}
    for meta in metas:
        for name in LABELS:
            for label in meta.get(name, ()):
                if label is not None:
                    found[name].setdefault(_key(label), label)
    return {name: [labels[key] for key in sorted(labels)] for name, labels in found.items() if labels}


def _edited(tree: Exact, edit: Callable[[dict[str, Any]], None]) -> Exact:
    assert isinstance(tree, dict)  # a resource
    meta = dict(tree.get("meta", {}))
    edit(meta)
    return {**tree, "meta": meta}


def _add(meta: dict[str, Any], given: Json) -> None:
    for name in LABELS:
        held = list(meta.get(name, ()))
        known = {_key(plain(label)) for label in held}
        for label in given.get(name, ()):
            if label is not None and _key(label) not in known:
                known.add(_key(label))
                held.append(exact(label))
        if held:
            meta[name] = held
            _fill(meta, name)


def _fill(meta: dict[str, Any], name: str) -> None:
    """Let the extensions of primitive values stand beside as many as there are now."""
    siblings = meta.get(f"_{name}")
    if isinstance(siblings, list):
        meta[f"_{name}"] = siblings + [_NULL] * (len(meta[name]) - len(siblings))


def _remove(meta: dict[str, Any], given: Json) -> None:
    for name in LABELS:
        unwanted = {_key(label) for label in given.get(name, ()) if label is not None}
        held = meta.get(name)
        if not unwanted or not held:
            continue
        kept = [at for at, label in enumerate(held) if _key(plain(label)) not in unwanted]
        for member in (name, f"_{name}"):
            if member in meta:
                left = [meta[member][at] for at in kept]
                meta[member] = left
                if all(item == _NULL for item in left):
                    del meta[member]


def _key(label: Any) -> tuple[str, str]:
    if isinstance(label, Mapping):
        return label.get("system", ""), label.get("code", "")
    return str(label), ""

"""children and descendants.

http://hl7.org/fhirpath/N1/#tree-navigation
"""

from __future__ import annotations

from ..nodes import Items, Node, append_children
from ..scope import Scope
from .registry import function


@function("children")
def _children(scope: Scope, items: Items) -> Items:
    out: Items = []
    for item in items:
        if item.__class__ is Node:
            append_children(out, item)
    scope.run.spend(len(out))
    return out


@function("descendants")
def _descendants(scope: Scope, items: Items) -> Items:
    # Every element is visited once, without recursion: the list grows while it is read.
    out: Items = []
    for item in items:
        if item.__class__ is Node:
            append_children(out, item)
    for item in out:
        if item.__class__ is Node and (item.value.__class__ is dict or item.sibling is not None):
            append_children(out, item)
    scope.run.spend(len(out))
    return out

"""What an evaluation carries along: `$this`, `$index`, `$total`, and the environment variables.

http://hl7.org/fhirpath/N1/#environment-variables
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from .errors import FhirPathError
from .nodes import Items, Node, node_of

Resolve = Callable[[str], Any]
CodesOf = Callable[[str], Mapping[str, frozenset[str]] | None]
"""The canonical URL of a value set → system → codes; None where these are not known."""

# Nested `descendants()` multiply; the largest resource with the worst published invariant stays far below this.
_MOST_ITEMS = 2_000_000

_FIXED = {"ucum": "http://unitsofmeasure.org", "sct": "http://snomed.info/sct", "loinc": "http://loinc.org"}


class Budget:
    """How many items may still be worked on, by one evaluation or by several that share it."""

    __slots__ = ("left", "whole")

    def __init__(self, items: int = _MOST_ITEMS) -> None:
        self.whole = self.left = items

    def spend(self, items: int) -> None:
        """Count items that are about to be worked on. Raises FhirPathError where it is enough."""
        self.left -= items
        if self.left < 0:
            raise FhirPathError(f"The evaluation works on more than {self.whole} items")


class Run:
    """One evaluation: its context, resources, resolver, variables, clock and budget."""

    __slots__ = ("budget", "codes_of", "context", "now", "resolve", "resource", "root_resource", "variables")

    def __init__(
        self,
        context: Items,
        resource: Any,
        root_resource: Any,
        resolve: Resolve | None,
        variables: Mapping[str, Any] | None,
        codes_of: CodesOf | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.context = context
        self.codes_of = codes_of
        self.resource = resource
        self.root_resource = root_resource
        self.resolve = resolve
        self.variables = variables
        self.now: datetime | None = None
        self.budget = budget or Budget()

    def spend(self, items: int) -> None:
        """Count items that a function is about to work on. Raises FhirPathError where the budget does not suffice."""
        self.budget.spend(items)

    def clock(self) -> datetime:
        """The moment of this evaluation: the variable `now`, else the system clock, read once."""
        if self.now is None:
            given = (self.variables or {}).get("now")
            self.now = given if isinstance(given, datetime) else datetime.now().astimezone()
        return self.now

    def resource_node(self) -> Node | None:
        """`%resource`: the one handed over, else the context where that is a resource."""
        return _node(self.resource) or self._context_resource()

    def root_node(self) -> Node | None:
        """`%rootResource`: the container of a contained resource, else the same as `%resource`."""
        return _node(self.root_resource) or self.resource_node()

    def _context_resource(self) -> Node | None:
        for item in self.context:
            if item.__class__ is Node and item.value.__class__ is dict and "resourceType" in item.value:
                return item
        return None

    def constant(self, name: str) -> Items:
        """The items that `%name` stands for. Raises FhirPathError for a name that nobody defined."""
        if name in ("resource", "rootResource"):
            node = self.resource_node() if name == "resource" else self.root_node()
            return [] if node is None else [node]
        if self.variables is not None and name in self.variables:
            return items_of(self.variables[name], None)
        if name == "context":
            return self.context
        if name in _FIXED:
            return [_FIXED[name]]
        if name.startswith("vs-"):
            return [f"http://hl7.org/fhir/ValueSet/{name[3:]}"]
        if name.startswith("ext-"):
            return [f"http://hl7.org/fhir/StructureDefinition/{name[4:]}"]
        raise FhirPathError(f"%{name} is not defined")


class Scope:
    """What `$this`, `$index` and `$total` are while a criterion or projection runs."""

    __slots__ = ("index", "run", "this", "total")

    def __init__(self, this: Items, run: Run, index: int | None = None, total: Items | None = None) -> None:
        self.this = this
        self.run = run
        self.index = index
        self.total = total

    def inner(self, this: Items | None = None) -> Scope:
        """A scope for the argument of a function. The caller sets `this` and `index` anew for each item."""
        return Scope(self.this if this is None else this, self.run, self.index, self.total)


def items_of(value: Any, type_name: str | None) -> Items:
    """A collection of the given JSON value (or list of them, or Nodes) with a declared type."""
    if value is None:
        return []
    if value.__class__ is list:
        return [one for entry in value for one in items_of(entry, type_name)]
    if value.__class__ is Node:
        return [value]
    if value.__class__ is dict or type_name is not None:
        return [node_of(value, type_name)]
    return [value]


def _node(value: Any) -> Node | None:
    if value is None or value.__class__ is Node:
        return value
    return node_of(value, None)

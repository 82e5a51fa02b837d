"""FHIRPath Patch: operations on elements that FHIRPath names, as a Parameters resource.

https://hl7.org/fhir/R4/fhirpatch.html
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from resources.definitions import Element, type_facts
from resources.exact_json import Exact, Scalar, parse_exact, plain
from resources.fhirpath import Budget, FhirPathError, compile
from resources.fhirpath.nodes import Node, node_of
from resources.patching import element_edits as edits
from resources.patching.patch_parameters import Operation, Value, operations_of
from resources.raw_json import decode_utf8

NULL = Scalar("null")
# All paths of a patch together work on no more: a patch may have many, and a Bundle many patches.
MOST_ITEMS = 500_000


@dataclass(frozen=True, slots=True)
class FhirPathPatch:
    """A patch as parsed; nothing of it has been tried on a resource."""

    operations: tuple[Operation, ...]

    @classmethod
    def parse(cls, body: bytes) -> FhirPathPatch:
        """Raises a 400 `Problem` for a body that is no FHIRPath Patch, which names the operation."""
        return cls(operations_of(parse_exact(decode_utf8(body))))

    def applied(self, tree: Exact) -> Exact:
        """The resource as the operations leave it, all of them or none; the one given stays as it is.

        Raises a 422 `Problem` that says which operation fails and why.
        """
        resource = _Twin(copy.deepcopy(tree), plain(tree))
        for operation in self.operations:
            try:
                _HOW[operation.type](resource, operation)
            except FhirPathError as fault:
                operation.fail(f"its path cannot be evaluated: {str(fault)[:200]}")
        return resource.exact


@dataclass(slots=True)
class _Twin:
    """The resource as an exact tree, which is the result, and as plain values, which FHIRPath reads; edited alike."""

    exact: Exact
    plain: Any
    budget: Budget = field(default_factory=lambda: Budget(MOST_ITEMS))

    def nodes(self, path: str) -> list[Node]:
        return compile(path).nodes(self.plain, budget=self.budget)

    def edit(self, holder: Node, change: Callable[[Any, Any, Callable[[Any], Any]], None]) -> None:
        """Call `change` with both forms of the object that a node stands for, what fills gaps there, and how to write a
        value in that form."""
        steps: list[tuple[str, int | None]] = []
        node = holder
        while node.parent is not None:
            assert node.member is not None
            steps.append((node.member, node.position))
            node = node.parent
        for root, null, form in ((self.exact, NULL, copy.deepcopy), (self.plain, None, _plain)):
            at: Any = root
            for member, position in reversed(steps):
                at = at[member] if position is None else at[member][position]
            change(at, null, form)

    def prune(self, node: Node) -> None:
        """Drop objects that were left empty, which JSON in FHIR does not have, from a node upwards."""
        while node.parent is not None and not node.value:
            name, position, parent = node.member or "", node.position, node.parent
            self.edit(parent, lambda at, null, _, n=name, p=position: edits.remove(at, n, p, null))  # type: ignore[misc]
            node = parent


def _plain(value: Exact | None) -> Any:
    return None if value is None else plain(value)


def _add(resource: _Twin, operation: Operation) -> None:
    holder = _single(resource, operation)
    name, element = _element_of(holder, operation.name or "", operation)
    value = _formed(operation, element, name)
    if element.is_list:
        at = edits.length(holder.value, value.json_name)
        resource.edit(holder, lambda o, null, form: _insert(o, value, at, null, form))
        return
    taken = [each for each in element.json_names() if each in holder.value or "_" + each in holder.value]
    if taken:
        operation.fail(f"there is a '{taken[0]}' already, and it does not repeat")
    resource.edit(holder, lambda o, _, form: edits.put(o, value.json_name, form(value.value), form(value.sibling)))


def _insert_item(resource: _Twin, operation: Operation) -> None:
    holder, name, count = _list(resource, operation)
    _, element = _element_of(holder, name, operation)
    if operation.index is None or operation.index > count:
        operation.fail(f"its index is not between 0 and {count}")
    at = operation.index
    value = _formed(operation, element, name)
    resource.edit(holder, lambda o, null, form: _insert(o, value, at, null, form))


def _insert(holder: Any, value: Value, at: int, null: Any, form: Callable[[Any], Any]) -> None:
    edits.insert(holder, value.json_name, at, form(value.value), form(value.sibling), null)


def _delete(resource: _Twin, operation: Operation) -> None:
    found = resource.nodes(operation.path)
    if not found:
        return  # what is to be gone is not there
    if len(found) > 1:
        operation.fail("its path selects more than one element")
    node = _placed(found[0], operation)
    parent, name, position = node.parent, node.member or "", node.position
    assert parent is not None
    resource.edit(parent, lambda o, null, _: edits.remove(o, name, position, null))
    resource.prune(parent)


def _replace(resource: _Twin, operation: Operation) -> None:
    node = _placed(_single(resource, operation), operation)
    parent, position = node.parent, node.position
    assert parent is not None
    old = (node.member or "").removeprefix("_")
    name, element = _element_of(parent, old, operation)
    value = _formed(operation, element, name)

    def change(holder: Any, null: Any, form: Callable[[Any], Any]) -> None:
        if position is not None:
            edits.replace(holder, old, position, form(value.value), form(value.sibling), null)
            return
        if value.json_name != old:
            edits.remove(holder, old, None, null)
        edits.put(holder, value.json_name, form(value.value), form(value.sibling))

    resource.edit(parent, change)


def _move(resource: _Twin, operation: Operation) -> None:
    holder, name, count = _list(resource, operation)
    source, destination = operation.source, operation.destination
    if source is None or destination is None or source >= count or destination >= count:
        operation.fail(f"its source and destination are not both between 0 and {count - 1}")
    resource.edit(holder, lambda o, null, _: edits.move(o, name, source, destination, null))


_HOW: dict[str, Callable[[_Twin, Operation], None]] = {
    "add": _add,
    "insert": _insert_item,
    "delete": _delete,
    "replace": _replace,
    "move": _move,
}


def _single(resource: _Twin, operation: Operation) -> Node:
    found = resource.nodes(operation.path)
    if len(found) != 1:
        operation.fail(f"its path selects {len(found) or 'no'} elements, and must select one")
    if not isinstance(found[0].value, dict) and operation.type == "add":
        operation.fail("its path selects a value that has no elements to add to")
    return found[0]


def _placed(node: Node, operation: Operation) -> Node:
    if node.parent is None or node.member is None:
        operation.fail("its path selects no element within the resource")
    return node


def _list(resource: _Twin, operation: Operation) -> tuple[Node, str, int]:
    """The object that holds the list which the path selects, the list's name, and its length."""
    found = resource.nodes(operation.path)
    if found:
        parents = {id(_placed(node, operation).parent) for node in found}
        names = {node.member for node in found}
        first = found[0]
        if len(parents) == len(names) == 1 and first.position is not None and first.parent is not None:
            name = (first.member or "").removeprefix("_")
            return first.parent, name, edits.length(first.parent.value, name)
        operation.fail("its path selects no single list")
    # An empty list is not there; its holder is.
    above, _, name = operation.path.rpartition(".")
    holders = resource.nodes(above) if above and name.isidentifier() else []
    if len(holders) != 1 or not isinstance(holders[0].value, dict):
        operation.fail("its path selects no list")
    return holders[0], name, 0


def _element_of(holder: Node, name: str, operation: Operation) -> tuple[str, Element]:
    """The element of a node's type that has this name, plain or as it is in JSON, and its plain name."""
    holder = node_of(holder.value, holder.type_name) if isinstance(holder.value, dict) else holder
    try:
        elements = type_facts(holder.type_name or "").elements
    except KeyError:
        operation.fail("the type of the element that its path selects is not known")
    for element in elements.values():
        if name == element.name or name in element.json_names():
            return element.name, element
    return _fail_unknown(operation, name, holder.type_name)


def _fail_unknown(operation: Operation, name: str, type_name: str | None) -> NoReturn:
    operation.fail(f"{type_name} has no element {name[:80]!r}")


def _formed(operation: Operation, element: Element, name: str) -> Value:
    if operation.value is None:
        operation.fail("it has no value")
    return operation.value.formed(element, name, operation)

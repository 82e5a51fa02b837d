"""Edits of elements as FHIR has them in JSON: a primitive and its extensions stand in two members, `given` and `_given`.

https://hl7.org/fhir/R4/json.html#primitive

Each works on the object that holds the element, in plain or exact trees alike; `null` is what fills the gaps of arrays.
"""

from __future__ import annotations

from typing import Any

Holder = dict[str, Any]


def put(holder: Holder, name: str, value: Any, sibling: Any) -> None:
    """Set an element that does not repeat. value, sibling: None where there is none."""
    for key, given in ((name, value), ("_" + name, sibling)):
        if given is None:
            holder.pop(key, None)
        else:
            holder[key] = given


def insert(holder: Holder, name: str, at: int, value: Any, sibling: Any, null: Any) -> None:
    """Insert an item into a repeating element."""
    count = length(holder, name)
    for key, given in ((name, value), ("_" + name, sibling)):
        if given is None and key not in holder:
            continue
        items = holder.setdefault(key, [])
        items.extend([null] * (count - len(items)))
        items.insert(at, null if given is None else given)


def replace(holder: Holder, name: str, at: int, value: Any, sibling: Any, null: Any) -> None:
    """Replace an item of a repeating element."""
    remove(holder, name, at, null, keeps_gaps=True)
    insert(holder, name, at, value, sibling, null)


def remove(holder: Holder, name: str, at: int | None, null: Any, keeps_gaps: bool = False) -> None:
    """Remove an element, or one of its items; an array that is left empty goes as well."""
    for key in (name, "_" + name):
        if key not in holder:
            continue
        if at is None or not isinstance(holder[key], list):
            del holder[key]
            continue
        del holder[key][at : at + 1]
        if not keeps_gaps and all(item == null for item in holder[key]):
            del holder[key]


def move(holder: Holder, name: str, source: int, destination: int, null: Any) -> None:
    """Take an item of a repeating element to another place."""
    count = length(holder, name)
    for key in (name, "_" + name):
        if key in holder:
            items = holder[key]
            items.extend([null] * (count - len(items)))
            items.insert(destination, items.pop(source))


def length(holder: Holder, name: str) -> int:
    """How many items a repeating element has."""
    return max((len(holder[key]) for key in (name, "_" + name) if isinstance(holder.get(key), list)), default=0)

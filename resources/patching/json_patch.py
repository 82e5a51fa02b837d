"""JSON Patch: operations on places that JSON Pointers name.

https://www.rfc-editor.org/rfc/rfc6902 and https://www.rfc-editor.org/rfc/rfc6901
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from resources.exact_json import Exact, Scalar, parse_exact, plain
from resources.problem import Problem, problem, quoted
from resources.raw_json import decode_utf8

MEMBERS = {
    "add": ("path", "value"),
    "remove": ("path",),
    "replace": ("path", "value"),
    "move": ("path", "from"),
    "copy": ("path", "from"),
    "test": ("path", "value"),
}
MOST_OPERATIONS = 1_000
# A few copies of copies would fill the memory.
MOST_COPIED = 100_000
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_POINTER = re.compile(r"(/([^~/]|~[01])*)*")
Pointer = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. number: its place in the patch, from 0, for messages."""

    number: int
    op: str
    path: Pointer
    source: Pointer | None = None
    value: Exact | None = None


@dataclass(frozen=True, slots=True)
class JsonPatch:
    """A patch as parsed; nothing of it has been tried on a resource."""

    operations: tuple[Operation, ...]

    @classmethod
    def parse(cls, body: bytes) -> JsonPatch:
        """Raises a 400 `Problem` for a body that is no JSON Patch, which names the operation."""
        tree = parse_exact(decode_utf8(body))
        if not isinstance(tree, list):
            raise problem(400, "structure", "A JSON Patch is an array of operations.")
        if len(tree) > MOST_OPERATIONS:
            raise problem(400, "too-costly", f"A JSON Patch may have {MOST_OPERATIONS:,} operations at most.")
        return cls(tuple(_operation(number, each) for number, each in enumerate(tree)))

    def applied(self, tree: Exact) -> Exact:
        """The tree as the operations leave it, all of them or none; the one given stays as it is.

        Raises a 422 `Problem` that says which operation fails and why.
        """
        root = copy.deepcopy(tree)
        copied = 0
        for operation in self.operations:
            if operation.op == "copy":
                copied += _size(_found(root, operation.source or (), operation))
                if copied > MOST_COPIED:
                    _fail(operation, "it copies too much")
            root = _apply(root, operation)
        return root


def _operation(number: int, tree: Any) -> Operation:
    given = plain(tree) if isinstance(tree, dict) else None
    op = given.get("op") if given is not None else None
    if not isinstance(given, dict) or op not in MEMBERS:
        raise _malformed(number, f"it is no object with one of the ops {', '.join(MEMBERS)}")
    for name in MEMBERS[op]:
        if name not in given:
            raise _malformed(number, f"the member '{name}' of '{op}' is missing")
    places: dict[str, Pointer] = {}
    for name in ("path", "from"):
        if name in MEMBERS[op]:
            text = given[name]
            if not isinstance(text, str) or not _POINTER.fullmatch(text):
                raise _malformed(number, f"the member '{name}' is no JSON Pointer such as /name/0/family")
            steps = text.split("/")[1:]
            places[name] = tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)
    value = tree.get("value") if "value" in MEMBERS[op] else None
    return Operation(number, op, places["path"], places.get("from"), value)


def _apply(root: Exact, operation: Operation) -> Exact:
    op, path = operation.op, operation.path
    if op == "test":
        assert operation.value is not None
        if not same(_found(root, path, operation), operation.value):
            _fail(operation, f"the value at {_shown(path)} is another one")
        return root
    if op == "remove":
        return _removed(root, path, operation)
    if op == "replace":
        _found(root, path, operation)
        return _added(
            _removed(root, path, operation) if path else root, path, copy.deepcopy(operation.value), operation
        )
    if op == "add":
        return _added(root, path, copy.deepcopy(operation.value), operation)
    source = operation.source or ()
    value = _found(root, source, operation)
    if op == "copy":
        return _added(root, path, copy.deepcopy(value), operation)
    if path[: len(source)] == source and path != source:
        _fail(operation, "a value cannot be moved into itself")
    return root if path == source else _added(_removed(root, source, operation), path, value, operation)


def _added(root: Exact, path: Pointer, value: Any, operation: Operation) -> Exact:
    if not path:
        return value  # type: ignore[no-any-return]
    holder = _found(root, path[:-1], operation)
    last = path[-1]
    if isinstance(holder, dict):
        holder[last] = value
    elif isinstance(holder, list):
        at = len(holder) if last == "-" else _index(last, len(holder), path, operation)
        holder.insert(at, value)
    else:
        _fail(operation, f"there is neither an object nor an array at {_shown(path[:-1])}")
    return root


def _removed(root: Exact, path: Pointer, operation: Operation) -> Exact:
    if not path:
        _fail(operation, "the whole resource cannot be removed")
    _found(root, path, operation)
    holder = _found(root, path[:-1], operation)
    if isinstance(holder, dict):
        del holder[path[-1]]
    elif isinstance(holder, list):
        del holder[int(path[-1])]
    return root


def _found(root: Exact, path: Pointer, operation: Operation) -> Exact:
    at: Any = root
    for number, step in enumerate(path):
        if isinstance(at, dict) and step in at:
            at = at[step]
        elif isinstance(at, list) and step != "-":
            at = at[_index(step, len(at) - 1, path[: number + 1], operation)]
        else:
            _fail(operation, f"there is nothing at {_shown(path[: number + 1])}")
    return at  # type: ignore[no-any-return]


def _index(step: str, most: int, path: Pointer, operation: Operation) -> int:
    if not _INDEX.fullmatch(step):
        _fail(operation, f"{quoted(step)} in {_shown(path)} is no index of an array")
    if int(step) > most:
        _fail(operation, f"there is nothing at {_shown(path)}")
    return int(step)


def same(one: Exact, other: Exact) -> bool:
    """Whether two values are equal as RFC 6902 means it: numbers by their value, objects whatever the order."""
    if isinstance(one, Scalar) and isinstance(other, Scalar):
        left, right = one.value, other.value
        return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return False


def _size(tree: Exact) -> int:
    if isinstance(tree, Scalar):
        return 1
    return 1 + sum(map(_size, tree.values() if isinstance(tree, dict) else tree))


def _shown(path: Pointer) -> str:
    return quoted("".join("/" + step.replace("~", "~0").replace("/", "~1") for step in path) or "the root")


def _malformed(number: int, why: str) -> Problem:
    return problem(400, "structure", f"Operation {number} of the JSON Patch cannot be read: {why}.")


def _fail(operation: Operation, why: str) -> NoReturn:
    raise problem(
        422, "processing", f"Operation {operation.number} ('{operation.op}') of the JSON Patch cannot be done: {why}."
    )

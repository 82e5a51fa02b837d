"""A cell of the matrix: one token, one interaction, one type, and mostly one resource; what is asked and what must come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.access_matrix.compartments import Compartments, Json
from tests.access_matrix.records import Records
from tests.access_matrix.rule import Holder, Rule

NEW_ID = "made-by-the-matrix"
"""Stands for an id that was never used: what was deleted under one counts as something that others must not know of."""


@dataclass(frozen=True)
class Ask:
    """A request. body: JSON; form: what is sent as a form in its place. path: below the base."""

    method: str
    path: str
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()
    form: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Expected:
    """What must come.

    keys: exactly the resources in the Bundle and the pages after it, as `Type/id`, or as `Type/id@version` in a history.
    total: of the Bundle. entries: the statuses of its entries. restores: what is put back afterwards where it was carried
    out; creates: whether what it made is taken away.
    """

    status: int
    keys: frozenset[str] | None = None
    total: int | None = None
    entries: tuple[int, ...] | None = None
    restores: tuple[str, ...] = ()
    creates: bool = False


FORBIDDEN, MISSING = Expected(403), Expected(404)


@dataclass(frozen=True)
class World:
    """What expectations are worked out from."""

    records: Records
    compartments: Compartments
    rule: Rule
    _allowed: dict[tuple[Holder, str, str], frozenset[str]] = field(default_factory=dict, hash=False)

    def resource(self, key: str) -> Json:
        """A resource that is there."""
        resource = self.records.current(key)
        assert resource is not None, key
        return resource

    def allowed(self, holder: Holder, letter: str, type_name: str) -> frozenset[str]:
        """The keys of the resources of a type with which this may be done."""
        asked = (holder, letter, type_name)
        if asked not in self._allowed:
            found = self.records.of_type(type_name).items()
            self._allowed[asked] = frozenset(key for key, resource in found if self.rule.may(holder, letter, resource))
        return self._allowed[asked]


Make = Callable[[World, Holder, str, str], tuple[Ask, Expected] | None]
"""World, holder, type and the key of a resource (or "") → what is asked and expected; None where it makes no sense."""


@dataclass(frozen=True)
class Interaction:
    """A kind of cell. of: `resource` for one of each resource, `type` for one of each type, `token` for one of each token.

    writes: such cells come last, because they may add to histories.
    """

    name: str
    make: Make
    of: str
    writes: bool = False


@dataclass
class Interactions:
    """The interactions of a module, added by `@interactions(name, of)`."""

    writes: bool = False
    all: list[Interaction] = field(default_factory=list)

    def __call__(self, name: str, of: str = "resource") -> Callable[[Make], Make]:
        """A decorator that makes an interaction of a function."""

        def add(make: Make) -> Make:
            self.all.append(Interaction(name, make, of, self.writes))
            return make

        return add

"""What a resource is indexed by: the fields beside its bytes that searches select and sort by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from search.catalogue import Catalogue
from search.sort_values import sort_fields

COMPARTMENT = "@"


@dataclass(slots=True)
class IndexValues:
    """Collected while the parameters of a resource are walked.

    tree: the resource. catalogue: of the parameters. entries: short strings (see `entry_text`), `k`. dates and
    numbers: ranges (see `ranges`), `d` and `n`. sort: parameter code → the texts that its values sort by (see
    `sort_values`), `s` and `x`. contained: id of a contained resource → its
    own values (see `contained`), `c`. local: the same id → the reference parameters that point to it.
    """

    tree: dict[str, Any]
    catalogue: Catalogue
    entries: set[str] = field(default_factory=set)
    dates: list[dict[str, Any]] = field(default_factory=list)
    numbers: list[dict[str, Any]] = field(default_factory=list)
    sort: dict[str, list[str]] = field(default_factory=dict)
    local: dict[str, set[str]] = field(default_factory=dict)
    contained: dict[str, IndexValues] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """The name of the resource's type."""
        return str(self.tree["resourceType"])

    def fields(self, logical_id: str) -> dict[str, Any]:
        """The fields to store for the resource under its id; what has no values is left out."""
        # A resource that is the subject of a compartment is in it as well.
        found: dict[str, Any] = {"k": sorted({*self.entries, compartment_entry(self.type, logical_id)})}
        if self.dates:
            found["d"] = self.dates
        if self.numbers:
            found["n"] = self.numbers
        if self.sort:
            found |= sort_fields(self.sort, self.catalogue.indexed_parameters_of(self.type), logical_id)
        if self.contained:
            found["c"] = [self._contained(local_id, values) for local_id, values in self.contained.items()]
        found["g"] = self.catalogue.generation_of(self.type)
        return found

    def _contained(self, local_id: str, values: IndexValues) -> dict[str, Any]:
        found: dict[str, Any] = {"y": values.type, "i": local_id, "k": sorted(values.entries)}
        found |= {name: ranges for name, ranges in (("d", values.dates), ("n", values.numbers)) if ranges}
        pointing = self.local.get(local_id)
        return {**found, "r": sorted(pointing)} if pointing else found


def compartment_entry(type_name: str, logical_id: str) -> str:
    """The entry that marks a resource as belonging to a compartment: `@Patient/1`."""
    return f"{COMPARTMENT}{type_name}/{logical_id}"

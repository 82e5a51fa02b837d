"""Contained resources: what they are indexed by, within their container, and filters that select containers by them.

https://hl7.org/fhir/R4/search.html#contained

Stored as `c`: for each contained resource its type `y`, its id `i`, the reference parameters of the container that point to
it `r`, and its own `k`, `d` and `n`.
"""

from __future__ import annotations

from typing import Any

from resources.problem import problem
from search.context import Context
from search.entry_text import Filter
from search.index import index_values
from search.match import matches

FIELD = "c"
_NAMES = {"_id": "i", "k": "k", "d": "d", "n": "n"}


def containing(type_name: str, filter_: Filter, code: str | None = None) -> Filter:
    """The filter for containers of a contained resource of a type that a filter selects.

    code: of the reference parameter by which the container must point to it; None for any or none.
    Raises a 400 `Problem` for conditions that a contained resource cannot fulfil.
    """
    within: Filter = {"y": type_name}
    if code is not None:
        within["r"] = code
    return {FIELD: {"$elemMatch": {**within, "$and": [_within(filter_)]}}}


def _within(filter_: Filter) -> Filter:
    found: Filter = {}
    for name, condition in filter_.items():
        if name in ("$and", "$or", "$nor"):
            found[name] = [_within(part) for part in condition]
        elif name in _NAMES:
            found[_NAMES[name]] = condition
        else:
            raise problem(
                400,
                "not-supported",
                "Contained resources cannot be searched by what others decide, or by '_lastUpdated'.",
            )
    return found


def contained_matches(tree: dict[str, Any], type_name: str, filter_: Filter, context: Context) -> list[int]:
    """The places, in `contained` of a container, of the resources of a type that a filter selects."""
    return [
        place
        for place, resource in enumerate(tree.get("contained", ()))
        if resource["resourceType"] == type_name
        and matches(filter_, {"_id": resource.get("id", ""), **index_values(resource, context).fields("")})
    ]

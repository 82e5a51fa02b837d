"""The text of index entries: how a parameter's value becomes one short string of the array `k`, and back into filters.

An entry is the parameter's code and the parts of the value, joined by `|`; a `|` inside a part is escaped, so that no
value can pass for another. Every stored document that is not deleted carries `LIVE` as well, which selects them all.
"""

from __future__ import annotations

from typing import Any

LIVE = "."
HIGHEST = "\U0010ffff"
# A longer value is found by its beginning; nothing that people search for is longer, and the index stays small.
LONGEST_PART = 200

Filter = dict[str, Any]
"""A MongoDB filter as a plain value."""


def entry(code: str, *parts: str) -> str:
    """`entry("identifier", "urn:x", "1")` → `identifier|urn:x|1`."""
    return "|".join((code, *(_escaped(part) for part in parts)))


def _escaped(part: str) -> str:
    part = part[:LONGEST_PART]
    return part.replace("\\", "\\\\").replace("|", "\\|") if "|" in part or "\\" in part else part


def equal_to(*entries: str) -> Filter:
    """The filter for documents that carry any of the entries."""
    return {"k": entries[0]} if len(entries) == 1 else {"k": {"$in": sorted(entries)}}


def starting_with(prefix: str) -> Filter:
    """The filter for documents that carry an entry with the prefix. Both bounds must hold for the same entry."""
    return {"k": {"$elemMatch": {"$gte": prefix, "$lt": prefix + HIGHEST}}}


def any_of(filters: list[Filter]) -> Filter:
    return filters[0] if len(filters) == 1 else {"$or": filters}


def all_of(filters: list[Filter]) -> Filter:
    return filters[0] if len(filters) == 1 else {"$and": filters}

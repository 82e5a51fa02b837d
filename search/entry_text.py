"""The text of index entries: how a parameter's value becomes one short string of the array `k`, and back into filters.

An entry is the parameter's code and the parts of the value, joined by `|`; a `|` inside a part is escaped, so that no
value can pass for another. Every stored document that is not deleted carries `LIVE` as well, which selects them all.
"""

from __future__ import annotations

import hashlib
from typing import Any

LIVE = "."
HIGHEST = "\U0010ffff"
# Longer values are cut, so that the index stays small; nothing that people search for is longer.
LONGEST_PART = 200
_KEPT_OF_LONGER = 100

Filter = dict[str, Any]
"""A MongoDB filter as a plain value."""


def entry(code: str, *parts: str) -> str:
    """`entry("identifier", "urn:x", "1")` → `identifier|urn:x|1`.

    Equal entries mean equal values however long they are, because conditional creates rest on that: a value that is too
    long ends in a digest of the whole of it.
    """
    text = code
    for each in parts:
        text += f"|{part(each)}"
    return text


def part(text: str) -> str:
    """A value's part as it stands in an entry, for those who put one together themselves."""
    return _escaped(_digested(text) if len(text) > LONGEST_PART else text)


def beginning(code: str, text: str) -> str:
    """An entry that is searched by its beginning; text that is too long is just cut."""
    return f"{code}|{cut_part(text)}"


def cut_part(text: str) -> str:
    """The part of an entry that is searched by its beginning."""
    return _escaped(text[:LONGEST_PART])


def _digested(text: str) -> str:
    return f"{text[:_KEPT_OF_LONGER]}…{hashlib.sha256(text.encode()).hexdigest()}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|") if "|" in text or "\\" in text else text


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

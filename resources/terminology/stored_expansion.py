"""The expansion that a ValueSet resource carries: the codes in it, where it holds all of them.

https://hl7.org/fhir/R4/valueset.html#expansion
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resources.terminology.expansion import ExpandedCode
from resources.terminology.faults import CannotExpand

Json = Mapping[str, Any]

_EXTENSION = "http://hl7.org/fhir/StructureDefinition/valueset-"
# Extensions by which an expansion says that there are other codes, and parameters that leave some out.
_INCOMPLETE = frozenset({f"{_EXTENSION}unclosed", f"{_EXTENSION}toocostly"})
_NARROWING = frozenset({"filter", "offset"})


def stored_codes(expansion: Json, url: str, max_codes: int) -> dict[tuple[str, str], ExpandedCode]:
    """(system, code) → the entries of an expansion, nested ones too; what has no code only groups others.

    Raises `CannotExpand` where the expansion does not hold the whole set, so that no part of one passes for it.
    """
    found: dict[tuple[str, str], ExpandedCode] = {}
    waiting = list(reversed(expansion.get("contains", ())))
    listed = 0
    while waiting:
        one = waiting.pop()
        waiting += reversed(one.get("contains", ()))
        listed += 1
        if "code" in one:
            entry = ExpandedCode(
                one.get("system", ""),
                one["code"],
                one.get("display"),
                one.get("version"),
                one.get("abstract", False),
                one.get("inactive", False),
            )
            found.setdefault(entry.key, entry)
    if _is_incomplete(expansion, listed):
        raise CannotExpand(url, "the expansion that it carries holds only some of its codes", code="not-supported")
    if len(found) > max_codes:
        raise CannotExpand(url, f"it has more than {max_codes:,} codes", code="too-costly")
    return found


def _is_incomplete(expansion: Json, listed: int) -> bool:
    if expansion.get("offset", 0) or expansion.get("total", 0) > listed:
        return True
    if any(one.get("name") in _NARROWING for one in expansion.get("parameter", ())):
        return True
    return any(one.get("url") in _INCOMPLETE and one.get("valueBoolean") for one in expansion.get("extension", ()))

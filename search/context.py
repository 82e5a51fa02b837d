"""What extraction and filters depend on besides the resource and the query, handed to them rather than reached for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from resources.definitions import value_set_codes
from search.catalogue import STANDARD, Catalogue

Codes = Mapping[str, frozenset[str]]
"""System → codes."""


@dataclass(frozen=True, slots=True)
class Context:
    """base_url: this server's own, without a closing slash. now: milliseconds since 1970, for `ap` on dates.
    catalogue: the search parameters that there are.

    value_set: URL of a value set → its codes, or None where it is not known; by default those that R4 itself defines.
    """

    base_url: str
    now: int = 0
    catalogue: Catalogue = STANDARD
    value_set: Callable[[str], Codes | None] = value_set_codes

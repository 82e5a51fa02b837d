"""What extraction and filters depend on besides the resource and the query, handed to them rather than reached for."""

from __future__ import annotations

from dataclasses import dataclass

from resources.terminology import R4, Terminology
from search.catalogue import STANDARD, Catalogue
from search.fence import NO_FENCE, Fence


@dataclass(frozen=True, slots=True)
class Context:
    """base_url: this server's own, without a closing slash. now: milliseconds since 1970, for `ap` on dates.
    catalogue: the search parameters that there are. fence: what may be seen, which every step of a plan carries.
    terminology: the value sets and code systems that are known; by default those that come with R4.
    """

    base_url: str
    now: int = 0
    catalogue: Catalogue = STANDARD
    fence: Fence = NO_FENCE
    terminology: Terminology = R4

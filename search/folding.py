"""Folding: text as it is compared where case and accents do not count.

https://hl7.org/fhir/R4/search.html#string
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# The same text is folded for several parameters of a resource: a family name for `family`, `name` and `phonetic`.
KEPT = 512


@lru_cache(maxsize=KEPT)
def folded(text: str) -> str:
    """Lower case, no accents, white space in single blanks: `José  MÜLLER` → `jose muller`."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(text.casefold().split())

"""Folding: text as it is compared where case and accents do not count.

https://hl7.org/fhir/R4/search.html#string
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# The same text is folded for several parameters of a resource: a family name for `family`, `name` and `phonetic`. Only so
# many are kept, and no long ones, so that what was stored neither fills the memory nor stays in it.
KEPT = 64
LONGEST_KEPT = 64


def folded(text: str) -> str:
    """Lower case, no accents, white space in single blanks: `José  MÜLLER` → `jose muller`."""
    return _kept(text) if len(text) <= LONGEST_KEPT else _folded(text)


def _folded(text: str) -> str:
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(text.casefold().split())


_kept = lru_cache(maxsize=KEPT)(_folded)

"""Canonical URLs: an address by which a definition is known everywhere, and perhaps one version of it.

https://hl7.org/fhir/R4/references.html#canonical
"""

from __future__ import annotations


def split_canonical(text: str) -> tuple[str, str | None]:
    """`http://a/ValueSet/b|2` → the URL and `2`; None for any version."""
    url, _, version = text.partition("|")
    return url, version or None

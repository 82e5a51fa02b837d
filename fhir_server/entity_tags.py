"""Entity tags: `W/"3"` in `ETag`, `If-Match`, `If-None-Match`, and their like in Bundle entries.

https://hl7.org/fhir/R4/http.html#versioning
"""

from __future__ import annotations

import re

_TAG = re.compile(r'(?:W/)?"([^"]*)"')


def entity_tags(text: str) -> frozenset[str]:
    """A header's value → the version ids in it; `{"*"}` for any. A bare version id is taken too: many clients write it."""
    text = text.strip()
    if text == "*":
        return frozenset({"*"})
    tags = _TAG.findall(text)
    return frozenset(tags) if tags else frozenset(part.strip().removeprefix("W/") for part in text.split(","))

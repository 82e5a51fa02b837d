"""References: what their text means, whether it is sound, and whether it points to a type that the element allows.

https://hl7.org/fhir/R4/references.html#literal
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from resources.definitions import resource_types
from resources.problem import quoted

_LITERAL = re.compile(
    r"(?P<base>https?://\S+?/)?(?P<type>[A-Za-z]+)/(?P<id>[A-Za-z0-9\-.]{1,64})(/_history/(?P<version>[A-Za-z0-9\-.]{1,64}))?"
)
_CONDITIONAL = re.compile(r"(?P<type>[A-Za-z]+)\?(?P<query>.+)", re.DOTALL)


class Literal(NamedTuple):
    """A literal reference to a resource on a FHIR server: `Patient/1`, `http://elsewhere/fhir/Patient/1/_history/2`.

    base: with its closing slash; None for a relative reference.
    """

    base: str | None
    type: str
    id: str
    version: str | None

    @property
    def key(self) -> str:
        return f"{self.type}/{self.id}"


def parse_literal(text: str) -> Literal | None:
    """The parts of a literal reference; None for anything else (`#contained`, `urn:uuid:...`, a plain URL)."""
    match = _LITERAL.fullmatch(text)
    if match is None or match["type"] not in resource_types():
        return None
    return Literal(match["base"], match["type"], match["id"], match["version"])


def parse_conditional(text: str) -> tuple[str, str] | None:
    """Type and query of a conditional reference, `Patient?identifier=...`; None for anything else.

    https://hl7.org/fhir/R4/http.html#trules
    """
    match = _CONDITIONAL.fullmatch(text)
    if match is None or match["type"] not in resource_types():
        return None
    return match["type"], match["query"]


def reference_fault(reference: dict[str, Any], targets: frozenset[str], contained: Mapping[str, str]) -> str | None:
    """What is wrong with a Reference of sound shape, given the types that its element allows (empty: all); or None."""
    text = reference.get("reference")
    stated = reference.get("type")
    if text is None:
        if stated is not None and targets and stated in resource_types() and stated not in targets:
            return (
                f"The reference's type {quoted(stated)} is not one of those allowed here: {', '.join(sorted(targets))}."
            )
        return None
    if type(text) is not str:
        return None
    if text.startswith("#"):
        target: str | None = contained.get(text[1:])
    else:
        literal = _LITERAL.fullmatch(text) or _CONDITIONAL.fullmatch(text)
        if literal is None:
            return None
        target = literal["type"]
        if target not in resource_types():
            if literal.groupdict().get("base"):
                return None  # some URL that only looks like a resource's
            return f"The reference {quoted(text)} names '{target}', which is not an R4 resource type."
    if target is None:
        return None
    if targets and target not in targets:
        return f"The reference {quoted(text)} points to {target}; allowed here are {', '.join(sorted(targets))}."
    if type(stated) is str and stated in resource_types() and stated != target:
        return f"The reference {quoted(text)} points to {target}, but its type says {quoted(stated)}."
    return None

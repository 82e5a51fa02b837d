"""Invariants of R4 whose published text does not say what it means, with the text that does.

https://hl7.org/fhir/R4/conformance-rules.html#constraints

An invariant has to come out true; an empty result does not hold. Some published expressions are empty for data that
nobody wants to refuse: they test an optional element without asking whether it is there, or compare dates of unlike
precision. Later releases of FHIR rewrote them; the published examples of R4 violate most of them as they stand.
"""

from __future__ import annotations

from functools import lru_cache

from .expression import Expression, compile

CORRECTIONS = {
    # ref-1: a Reference may have an identifier or a display only; `#` is the container itself.
    (
        "reference.startsWith('#').not() or"
        " (reference.substring(1).trace('url') in %rootResource.contained.id.trace('ids'))"
    ): (
        "reference.exists() implies (reference.startsWith('#').not()"
        " or (reference.substring(1) in %rootResource.contained.id)"
        " or (reference = '#' and %rootResource != %resource))"
    ),
    # bdl-8: an entry need not have a fullUrl.
    "fullUrl.contains('/_history/').not()": "fullUrl.exists() implies fullUrl.contains('/_history/').not()",
    # ras-2: probability is optional.
    "probability is decimal implies (probability as decimal) <= 100": (
        "probability.empty() or (probability is decimal implies (probability as decimal) <= 100)"
    ),
    # que-7: `Boolean` is the language's own type, an answer is of FHIR's.
    "operator = 'exists' implies (answer is Boolean)": "operator = 'exists' implies (answer is boolean)",
    # vsd-0 and its like (warnings): a name is optional in most types.
    "name.matches('[A-Z]([A-Za-z0-9_]){0,254}')": "name.exists() implies name.matches('[A-Z]([A-Za-z0-9_]){0,254}')",
    # per-1, mdd-1, inv-1: an order that the precisions leave open is no violation.
    "start.hasValue().not() or end.hasValue().not() or (start <= end)": (
        "start.hasValue().not() or end.hasValue().not() or iif(start > end, false, true)"
    ),
    "whenHandedOver.empty() or whenPrepared.empty() or whenHandedOver >= whenPrepared": (
        "whenHandedOver.empty() or whenPrepared.empty() or iif(whenHandedOver < whenPrepared, false, true)"
    ),
    "lastModified.exists().not() or authoredOn.exists().not() or lastModified >= authoredOn": (
        "lastModified.empty() or authoredOn.empty() or iif(lastModified < authoredOn, false, true)"
    ),
}
"""Published expression → the one to evaluate instead."""


@lru_cache(maxsize=2048)
def compile_invariant(expression: str) -> Expression:
    """The compiled form of a published invariant, corrected where needed. Raises FhirPathSyntaxError."""
    return compile(CORRECTIONS.get(expression, expression))

"""Which scope allows all that another one does, and what two of them allow alike.

A constraint narrows a scope, and a token without a system is wider than one with: `category=laboratory` matches whatever
system says `laboratory`, and `category=http://loinc.org|` matches every code of that system.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from smart_auth.scopes.grammar import EVERY_TYPE, ResourceScope, parse

Pair = tuple[str, str]


def covers(wide: ResourceScope, narrow: ResourceScope) -> bool:
    """Whether the first alone allows all that the second does. Scopes of two levels never cover each other."""
    return narrow.letters <= wide.letters and _reaches(wide, narrow)


def covered(scope: ResourceScope, by: Iterable[ResourceScope]) -> bool:
    """Whether several scopes together allow all that one does: each of its letters is allowed by one of them."""
    candidates = [each for each in by if _reaches(each, scope)]
    return all(any(letter in each.letters for each in candidates) for letter in scope.letters)


def beyond(requested: str, original: str) -> list[str]:
    """Those of the requested scopes, as spelled, that the original scope parameter does not allow.

    https://www.rfc-editor.org/rfc/rfc6749#section-6
    """
    asked, had = parse(requested), parse(original)
    found = [item.text for item in asked.unknown]
    for item in asked.items:
        if isinstance(item, str):
            if item not in had.others:
                found.append(item)
        elif not covered(item, had.resources):
            found.append(str(item))
    return found


def meet(one: ResourceScope, other: ResourceScope) -> ResourceScope | None:
    """What both allow, without a spelling; None if that is nothing, or no single scope says it."""
    letters = one.letters & other.letters
    if one.level != other.level or not letters:
        return None
    if one.type != other.type and EVERY_TYPE not in (one.type, other.type):
        return None
    constraint = _both(one.constraint, other.constraint)
    if constraint is None:
        return None
    type_name = other.type if one.type == EVERY_TYPE else one.type
    return replace(one, type=type_name, letters=letters, constraint=constraint, spelling="")


def _reaches(wide: ResourceScope, narrow: ResourceScope) -> bool:
    return (
        wide.level == narrow.level
        and wide.type in (narrow.type, EVERY_TYPE)
        and _implies_all(narrow.constraint, wide.constraint)
    )


def _both(one: Sequence[Pair], other: Sequence[Pair]) -> tuple[Pair, ...] | None:
    """All pairs of two constraints, without those that another implies; None where both name other values of one thing."""
    if _implies_all(one, other):
        return tuple(one)
    if _implies_all(other, one):
        return tuple(other)
    pairs = list(one)
    for pair in other:
        if any(_implies(there, pair) for there in pairs):
            continue
        if any(name == pair[0] and not _implies(pair, (name, value)) for name, value in one):
            return None
        pairs = [there for there in pairs if not _implies(pair, there)] + [pair]
    return tuple(pairs)


def _implies_all(narrow: Sequence[Pair], wide: Sequence[Pair]) -> bool:
    return all(any(_implies(pair, other) for pair in narrow) for other in wide)


def _implies(narrow: Pair, wide: Pair) -> bool:
    """Whether all that the first pair matches is matched by the second."""
    if narrow == wide:
        return True
    if narrow[0] != wide[0] or "|" not in narrow[1]:
        return False
    system, _, code = narrow[1].partition("|")
    return bool(code and wide[1] == code) or bool(system and wide[1] == f"{system}|")

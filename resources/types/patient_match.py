"""How well a stored Patient fits the description of one: points for what agrees, less for what contradicts. Pure.

https://hl7.org/fhir/R4/patient-operation-match.html

    what                  agrees                                              contradicts
    identifier            12  same system and value
    birth date             4  2 where day and month are swapped, one          -4
                              digit differs, or one is less precise
    family name            3  2 where it sounds the same                      -3
    given name             2  1 where it sounds the same, or is an initial    -1
    gender                 1                                                  -1
    phone, e-mail          3  any of them
    address                2  postal code or city, and a line                 0
                              1 where only the postal code or city

Only what both have counts. From 12 points on a match is certain, from 8 probable, from 4 possible; 16 are a score of 1. So
an identifier alone makes it certain, unless a birth date or family name speaks against it; names and birth date without one
make it probable at best.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

Json = Mapping[str, Any]
Grade = Literal["certain", "probable", "possible"]
"""Of http://hl7.org/fhir/StructureDefinition/match-grade."""

GRADES: Sequence[tuple[int, Grade]] = ((12, "certain"), (8, "probable"), (4, "possible"))
FULL_SCORE = 16
# Numbers are written with and without their country; these many last digits tell them apart.
PHONE_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Spelling:
    """How texts are compared. folded: without case and accents. sounds: what the words of a name sound like."""

    folded: Callable[[str], str]
    sounds: Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a Patient fits: its points, and what they amount to."""

    points: int

    @property
    def score(self) -> float:
        """From 0 to 1."""
        return round(min(max(self.points, 0) / FULL_SCORE, 1.0), 2)

    @property
    def grade(self) -> Grade | None:
        """None where it is no match at all."""
        return next((grade for least, grade in GRADES if self.points >= least), None)


def fit(given: Json, found: Json, spelling: Spelling) -> Fit:
    """How well a stored Patient fits the one that is described; both are valid resources."""
    return Fit(
        _identifiers(given, found)
        + _birth_dates(given.get("birthDate"), found.get("birthDate"))
        + _family_names(given, found, spelling)
        + _given_names(given, found, spelling)
        + _genders(given.get("gender"), found.get("gender"))
        + _contacts(given, found, spelling)
        + _addresses(given, found, spelling)
    )


def identifiers_of(patient: Json) -> list[tuple[str | None, str]]:
    """System and value of the identifiers that are in use."""
    return [
        (each.get("system"), each["value"])
        for each in patient.get("identifier", ())
        if "value" in each and each.get("use") != "old"
    ]


def names_of(patient: Json) -> list[Json]:
    """The names, former ones too: many a record has only these."""
    return [each for each in patient.get("name", ()) if isinstance(each, Mapping)]


def contacts_of(patient: Json) -> list[str]:
    """The values of phone numbers and addresses of mail."""
    return [each["value"] for each in patient.get("telecom", ()) if "value" in each]


def _identifiers(given: Json, found: Json) -> int:
    theirs = identifiers_of(found)
    # One without a system says nothing about which number it is.
    return 12 if any(each[0] is not None and each in theirs for each in identifiers_of(given)) else 0


def _birth_dates(given: str | None, found: str | None) -> int:
    if not given or not found:
        return 0
    if given == found:
        return 4 if len(given) == 10 else 2
    if given.startswith(found) or found.startswith(given):
        return 2
    if len(given) == len(found) == 10:
        year, month, day = given.split("-")
        is_one_off = sum(one != other for one, other in zip(given, found, strict=True)) == 1
        if is_one_off or found == f"{year}-{day}-{month}":
            return 2
    return -4


def _family_names(given: Json, found: Json, spelling: Spelling) -> int:
    pairs = list(product(_texts(names_of(given), "family"), _texts(names_of(found), "family")))
    if not pairs:
        return 0
    if any(spelling.folded(one) == spelling.folded(other) for one, other in pairs):
        return 3
    return 2 if any(_sound_alike(one, other, spelling) for one, other in pairs) else -3


def _given_names(given: Json, found: Json, spelling: Spelling) -> int:
    pairs = list(product(_texts(names_of(given), "given"), _texts(names_of(found), "given")))
    if not pairs:
        return 0
    folded = [(spelling.folded(one), spelling.folded(other)) for one, other in pairs]
    if any(one == other and len(one) > 1 for one, other in folded):
        return 2
    if any(_is_initial(one, other) or _is_initial(other, one) for one, other in folded):
        return 1
    return 1 if any(_sound_alike(one, other, spelling) for one, other in pairs) else -1


def _is_initial(short: str, name: str) -> bool:
    return len(short.rstrip(".")) == 1 and name.startswith(short.rstrip("."))


def _sound_alike(one: str, other: str, spelling: Spelling) -> bool:
    sounds = spelling.sounds(one)
    return bool(sounds) and list(sounds) == list(spelling.sounds(other))


def _genders(given: str | None, found: str | None) -> int:
    if not given or not found or "unknown" in (given, found):
        return 0
    return 1 if given == found else -1


def _contacts(given: Json, found: Json, spelling: Spelling) -> int:
    theirs = {_contact(text, spelling) for text in contacts_of(found)}
    return 3 if any(_contact(text, spelling) in theirs for text in contacts_of(given)) else 0


def _contact(text: str, spelling: Spelling) -> str:
    digits = re.sub(r"\D", "", text)
    return spelling.folded(text) if "@" in text or len(digits) < PHONE_DIGITS else digits[-PHONE_DIGITS:]


def _addresses(given: Json, found: Json, spelling: Spelling) -> int:
    pairs = product(given.get("address", ()), found.get("address", ()))
    return max((_address(one, other, spelling) for one, other in pairs), default=0)


def _address(one: Json, other: Json, spelling: Spelling) -> int:
    is_same_place = any(
        name in one and name in other and spelling.folded(one[name]) == spelling.folded(other[name])
        for name in ("postalCode", "city")
    )
    if not is_same_place:
        return 0
    lines, theirs = ({spelling.folded(line) for line in _texts([each], "line")} for each in (one, other))
    return 2 if lines & theirs else 1


def _texts(holders: Iterable[Json], member: str) -> Iterator[str]:
    for holder in holders:
        held = holder.get(member)
        for text in held if isinstance(held, list) else [held]:
            if isinstance(text, str):
                yield text

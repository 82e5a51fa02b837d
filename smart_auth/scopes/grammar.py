"""The grammar of scopes: texts of SMART 1 and SMART 2 into values, and back.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html

    patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory
    level  /type       .letters?constraint
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, cast, get_args
from urllib.parse import unquote

from resources.definitions import resource_types

Level = Literal["patient", "user", "system"]
LEVELS: frozenset[str] = frozenset(get_args(Level))
LETTERS = "cruds"
EVERY_TYPE = "*"

# SMART 1 → the letters of SMART 2.
_WORDS = {"read": "rs", "write": "cud", "*": LETTERS}
_WORD_OF = {frozenset(letters): word for word, letters in _WORDS.items()}

_RESOURCE = re.compile(r"(patient|user|system)/([^./?]*)\.([^?]*)(?:\?(.*))?", re.DOTALL)
_IN_ORDER = re.compile(r"(?=.)c?r?u?d?s?")
# https://www.rfc-editor.org/rfc/rfc6749#section-3.3
_SCOPE_TEXT = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")

OPENID, FHIR_USER, PROFILE, LAUNCH = "openid", "fhirUser", "profile", "launch"
OFFLINE, ONLINE = "offline_access", "online_access"
_WORDS_ALONE = frozenset({OPENID, FHIR_USER, PROFILE, LAUNCH, OFFLINE, ONLINE})
_LAUNCH_CONTEXT = re.compile(r"launch/[a-z]+(\?role=\S+)?")
_OWN_SCOPE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:.+|__.+")  # a URI, or one that servers agree on among themselves


@dataclass(frozen=True, slots=True)
class ResourceScope:
    """What may be done with resources of a type.

    type: a resource type, or `*`. letters: of c, r, u, d, s. constraint: pairs of a search parameter and its value, all of
    which must hold. spelling: as the client wrote it, without percent signs; two scopes that differ in it alone are equal.
    """

    level: Level
    type: str
    letters: frozenset[str]
    constraint: tuple[tuple[str, str], ...] = ()
    spelling: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.spelling or spelled(self)

    @property
    def is_word(self) -> bool:
        """Whether it is spelled with a word of SMART 1."""
        return self.spelling.partition("?")[0].endswith((".read", ".write", ".*"))


@dataclass(frozen=True, slots=True)
class UnknownScope:
    """A text that is no scope of ours, and a sentence that says why."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Scopes:
    """A scope parameter, read: each scope once, in the order given. Those that are no resource scopes are texts."""

    items: tuple[ResourceScope | str, ...] = ()
    unknown: tuple[UnknownScope, ...] = ()

    @property
    def resources(self) -> tuple[ResourceScope, ...]:
        return tuple(item for item in self.items if isinstance(item, ResourceScope))

    @property
    def others(self) -> tuple[str, ...]:
        return tuple(item for item in self.items if isinstance(item, str))

    def __str__(self) -> str:
        return " ".join(str(item) for item in self.items)


def parse(text: str) -> Scopes:
    """A scope parameter, separated by blanks → what is known and what is not. Never raises."""
    items: dict[str, ResourceScope | str] = {}
    unknown: dict[str, UnknownScope] = {}
    for part in text.split(" "):
        if not part:
            continue
        item = parse_scope(part)
        if isinstance(item, UnknownScope):
            unknown.setdefault(part, item)
        else:
            items.setdefault(str(item), item)
    return Scopes(tuple(items.values()), tuple(unknown.values()))


def parse_scope(text: str) -> ResourceScope | str | UnknownScope:
    """One scope. Never raises."""
    if not _SCOPE_TEXT.fullmatch(text):
        return UnknownScope(text, "A scope is of ASCII characters other than the quotation mark and the backslash.")
    found = _RESOURCE.fullmatch(text)
    if found is not None:
        return _resource_scope(text, *found.groups())
    if text in _WORDS_ALONE or _LAUNCH_CONTEXT.fullmatch(text) or _OWN_SCOPE.fullmatch(text):
        return text
    return UnknownScope(text, "It is neither a scope of SMART on FHIR nor of OpenID Connect.")


def _resource_scope(
    text: str, level: str, type_name: str, letters: str, constraint: str | None
) -> ResourceScope | UnknownScope:
    if type_name != EVERY_TYPE and type_name not in resource_types():
        return UnknownScope(text, f"'{type_name}' is not an R4 resource type.")
    if letters not in _WORDS and not _IN_ORDER.fullmatch(letters):
        return UnknownScope(text, "After the dot stand some of c, r, u, d, s, in this order, or read, write or *.")
    pairs: tuple[tuple[str, str], ...] = ()
    spelling = text
    if constraint is not None:
        read = _pairs(constraint)
        if read is None:
            return UnknownScope(text, "After the question mark stand parameters as name=value, separated by &.")
        pairs = read
        spelling = f"{level}/{type_name}.{letters}?{_spelled_pairs(pairs)}"
    return ResourceScope(
        cast(Level, level), type_name, frozenset(_WORDS.get(letters, letters)), pairs, spelling=spelling
    )


def _pairs(text: str) -> tuple[tuple[str, str], ...] | None:
    pairs: dict[tuple[str, str], None] = {}
    for part in text.split("&"):
        name, mark, value = part.partition("=")
        try:
            pair = (unquote(name, errors="strict"), unquote(value, errors="strict"))
        except UnicodeDecodeError:
            return None
        # What an escape hid must not change where a part ends once the escape is gone.
        if not mark or not all(_SCOPE_TEXT.fullmatch(each) and "&" not in each for each in pair) or "=" in pair[0]:
            return None
        pairs[pair] = None
    return tuple(pairs)


def spelled(scope: ResourceScope, as_word: bool = False) -> str:
    """The shortest spelling of a scope. as_word: by a word of SMART 1, where there is one for it."""
    letters = "".join(letter for letter in LETTERS if letter in scope.letters)
    if as_word and not scope.constraint:
        letters = _WORD_OF.get(scope.letters, letters)
    constraint = f"?{_spelled_pairs(scope.constraint)}" if scope.constraint else ""
    return f"{scope.level}/{scope.type}.{letters}{constraint}"


def _spelled_pairs(pairs: tuple[tuple[str, str], ...]) -> str:
    return "&".join(f"{name}={value}" for name, value in pairs)

"""Scopes in plain words, for whoever agrees to them. Pure.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from smart_auth.people.type_words import TYPE_WORDS
from smart_auth.scopes import (
    EVERY_TYPE,
    FHIR_USER,
    LAUNCH,
    LETTERS,
    OFFLINE,
    ONLINE,
    OPENID,
    PROFILE,
    ResourceScope,
    parse,
)

# Reading, writing and deleting are agreed to one by one.
KINDS: Final = ("rs", "cu", "d")

ACTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "rs": "See",
        "r": "Open one by one",
        "s": "Find by searching",
        "cu": "Add and change",
        "c": "Add",
        "u": "Change",
        "d": "Delete",
    }
)

_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
_US_CORE = "http://hl7.org/fhir/us/core/CodeSystem/"

CATEGORIES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "Condition": MappingProxyType(
            {
                f"{_TERMINOLOGY}condition-category|problem-list-item": "problems on the problem list",
                f"{_TERMINOLOGY}condition-category|encounter-diagnosis": "diagnoses made at visits",
                f"{_US_CORE}condition-category|health-concern": "health concerns",
            }
        ),
        "Observation": MappingProxyType(
            {
                f"{_TERMINOLOGY}observation-category|laboratory": "laboratory results",
                f"{_TERMINOLOGY}observation-category|vital-signs": "vital signs, such as blood pressure and weight",
                f"{_TERMINOLOGY}observation-category|social-history": "social history, such as smoking",
                f"{_TERMINOLOGY}observation-category|survey": "answers to surveys and screenings",
                f"{_US_CORE}us-core-category|clinical-test": "other tests, such as breathing tests and heart traces",
                f"{_US_CORE}us-core-category|sdoh": "living conditions, such as housing and food",
            }
        ),
    }
)
"""Type → the `category` of the part of it that can be shared alone → its words."""

EVERYTHING = "all health records, those of today and those to come"

OTHERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        OPENID: "Know that it is you who signed in",
        FHIR_USER: "Know which record here is your own",
        PROFILE: "Know your name",
        LAUNCH: "Know what you had open when you started the app",
        "launch/patient": "Know which patient is chosen",
        "launch/encounter": "Know which visit is chosen",
        ONLINE: "Stay connected while you are signed in here",
        OFFLINE: "Use the data when you are away",
    }
)


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing that is allowed: an action (`See`), and what it is done to. level: `patient`, `user`, `system`, or None."""

    level: str | None
    action: str
    things: tuple[str, ...] = ()


def describe(scope: str) -> list[Permission]:
    """A scope parameter in words: what may be done with what, things with the same action together.

    The launch context and connection of `offline_access` are told elsewhere, with a name and a date, and so left out.
    """
    found: dict[tuple[str, str], dict[str, None]] = {}
    others: list[Permission] = []
    read = parse(scope)
    for resource in read.resources:
        for part in parts_of(resource):
            found.setdefault((part.level, action_of(part)), {})[thing(part)] = None
    for other in read.others:
        if other in OTHERS and other not in (OFFLINE, ONLINE) and not other.startswith(LAUNCH):
            others.append(Permission(None, OTHERS[other]))
        elif other not in OTHERS and not other.startswith("launch/"):
            others.append(Permission(None, f"Use the permission {other}, which is particular to this app"))
    order = list(ACTIONS.values())
    rows = sorted(found.items(), key=lambda row: (row[0][0], order.index(row[0][1])))
    return [Permission(level, action, tuple(things)) for (level, action), things in rows] + others


def parts_of(scope: ResourceScope) -> list[ResourceScope]:
    """A scope as one to three, for reading, writing and deleting, without a spelling."""
    parts = [replace(scope, letters=scope.letters & frozenset(kind), spelling="") for kind in KINDS]
    return [part for part in parts if part.letters]


def action_of(part: ResourceScope) -> str:
    """What a scope of one kind allows, as a verb."""
    return ACTIONS["".join(letter for kind in KINDS for letter in kind if letter in part.letters)]


def thing(scope: ResourceScope) -> str:
    """What a scope is about: a type or a part of it, in lower case."""
    words = EVERYTHING if scope.type == EVERY_TYPE else TYPE_WORDS[scope.type]
    if not scope.constraint:
        return words
    if len(scope.constraint) == 1 and scope.constraint[0][0] == "category":
        known = CATEGORIES.get(scope.type, {}).get(scope.constraint[0][1])
        if known is not None:
            return known
    limits = " and ".join(
        f"{name.lstrip('_')} “{value.rpartition('|')[2] or value}”" for name, value in scope.constraint
    )
    return f"{words} (only those with {limits})"


def capital(words: str) -> str:
    """The same words at the beginning of a line."""
    return words[:1].upper() + words[1:]


assert all(letter in "".join(KINDS) for letter in LETTERS)

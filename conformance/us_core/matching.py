"""What the elements of a record hold, what can be searched for to find it, and whether a search would.

A small evaluation of its own, so that what a server finds can be compared with what it should.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from conformance.us_core.plans import Parameter

DATES = frozenset({"date", "dateTime", "instant", "Period"})
_PREFIX = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb)(?=\d)")
_EXTENSION = re.compile(r"extension\.where\(url\s*=\s*'([^']+)'\)\.")
Span = tuple[datetime, datetime]
EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def values(tree: Mapping[str, Any], path: str) -> list[Any]:
    """What stands at a path such as `participant.role` or `effective`, which may have any type."""
    extension = _EXTENSION.match(path)
    if extension:
        chosen = [each for each in tree.get("extension", []) if each.get("url") == extension[1]]
        return [value for each in chosen for value in values(each, path[extension.end() :])]
    found: list[Any] = [tree]
    for name in path.split("."):
        found = [value for each in found if isinstance(each, Mapping) for value in _members(each, name)]
    return found


def _members(tree: Mapping[str, Any], name: str) -> Iterator[Any]:
    for member, held in tree.items():
        if member == name or (member.startswith(name) and member[len(name) : len(name) + 1].isupper()):
            yield from held if isinstance(held, list) else [held]


def texts(tree: Mapping[str, Any], parameter: Parameter) -> list[str]:
    """What may be searched for to find a record by a parameter, the shortest form first."""
    held = [value for path in parameter.paths for value in values(tree, path)]
    return [text for value in held[:1] for text in _texts(value, parameter.kind)]


def _texts(value: Any, kind: str) -> list[str]:
    match kind:
        case "Reference":
            return [str(value["reference"]).rpartition("/")[2], str(value["reference"])]
        case "HumanName":
            return [str(value["family"]), str(value["given"][0])]
        case "Address":
            return [str(value["line"][0]), str(value["city"])]
        case "Period":
            return [str(value["start"])[:10]]
        case "instant":
            return [str(value)[:10]]
        case "date" | "dateTime":
            return [str(value)[:10], str(value)]
        case _:
            pairs = list(_codes(value))
            return [code for _, code in pairs[:1]] + [f"{system}|{code}" for system, code in pairs[:1] if system]


def holds(tree: Mapping[str, Any], parameter: Parameter, wanted: str) -> bool:
    """Whether a search by a parameter finds a record. wanted: texts with commas between, dates with a prefix."""
    held = [value for path in parameter.paths for value in values(tree, path)]
    return any(_fits(value, parameter.kind, text) for value in held for text in wanted.split(","))


def _fits(value: Any, kind: str, text: str) -> bool:
    if kind in DATES:
        return _compared(value, text)
    if kind == "Reference":
        return str(value.get("reference", "")) == text or str(value.get("reference", "")).endswith(f"/{text}")
    if kind in ("HumanName", "Address", "string"):
        return any(each.lower().startswith(text.lower()) for each in _words(value))
    system, bar, code = text.rpartition("|")
    return any(each == code and (not bar or of == system) for of, each in _codes(value))


def _codes(value: Any) -> Iterator[tuple[str, str]]:
    """(system, code) of what is searched as a token; the system may be empty."""
    if not isinstance(value, Mapping):
        yield "", str(value)
    elif "coding" in value:
        for each in value["coding"]:
            yield str(each.get("system", "")), str(each.get("code"))
    else:
        yield str(value.get("system", "")), str(value.get("code", value.get("value")))


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _words(each)
    elif isinstance(value, Mapping):
        for name, each in value.items():
            if name not in ("use", "period"):
                yield from _words(each)


def _compared(value: Any, text: str) -> bool:
    """https://hl7.org/fhir/R4/search.html#prefix"""
    prefix = _PREFIX.match(text)
    low, high = _span(value)
    start, end = _span(text[2:] if prefix else text)
    within = start <= low and high <= end
    match prefix[1] if prefix else "eq":
        case "gt":
            return high > end
        case "lt":
            return low < start
        case "ge":
            return high > end or within
        case "le":
            return low < start or within
        case "sa":
            return low >= end
        case "eb":
            return high <= start
        case "ne":
            return not within
        case _:
            return within


def _span(value: Any) -> Span:
    """The time that a date, dateTime or Period covers, its end excluded."""
    if isinstance(value, Mapping):
        low = _span(value["start"])[0] if "start" in value else EARLIEST
        return low, _span(value["end"])[1] if "end" in value else LATEST
    text = str(value)
    if len(text) == 10:
        start = datetime.fromisoformat(text).replace(tzinfo=UTC)
        return start, start + timedelta(days=1)
    moment = datetime.fromisoformat(text)
    return moment, moment + (timedelta(milliseconds=1) if "." in text else timedelta(seconds=1))

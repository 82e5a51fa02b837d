"""URI parameters: matched exactly, case and all; `:below` and `:above` compare by path.

https://hl7.org/fhir/R4/search.html#uri
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from search.context import Context
from search.entry_text import Filter, any_of, entry, equal_to, starting_with
from search.escaping import unescaped
from search.index_values import IndexValues
from search.parameters import Parameter
from search.query import Criterion

MODIFIERS = frozenset({"below", "above"})


def index(parameter: Parameter, _type_name: str) -> Callable[[Any, IndexValues, Context], None]:
    """What adds one value."""
    code = parameter.code

    def add(value: Any, into: IndexValues, _: Context) -> None:
        if type(value) is str:
            into.entries.add(entry(code, value))
            into.sort.setdefault(code, []).append(value)

    return add


def filter_for(parameter: Parameter, criterion: Criterion, _: Context) -> Filter:
    """The filter of a criterion: any of its URIs, or what lies below or above any of them."""
    code, given = parameter.code, [unescaped(text) for text in criterion.values]
    if criterion.modifier == "below":
        below = [any_of([equal_to(entry(code, u)), starting_with(entry(code, u.rstrip("/") + "/"))]) for u in given]
        return any_of(below)
    if criterion.modifier == "above":
        return equal_to(*(entry(code, url) for text in given for url in ancestors(text)))
    return equal_to(*(entry(code, text) for text in given))


def ancestors(url: str) -> list[str]:
    """A URL and all it lies below: `http://a/b/c` → itself, `http://a/b`, `http://a`, and each with a closing slash."""
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that hold no address
        return [url]
    if not parts.netloc:
        return [url]
    root = f"{parts.scheme}://{parts.netloc}"
    steps = [step for step in parts.path.split("/") if step]
    found = [root + "".join(f"/{step}" for step in steps[:count]) for count in range(len(steps), -1, -1)]
    return list(dict.fromkeys([url, *found, *(f"{ancestor}/" for ancestor in found[1:])]))

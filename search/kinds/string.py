"""String parameters: names, addresses and other text, matched from the start, without regard to case and accents.

https://hl7.org/fhir/R4/search.html#string

An index entry holds a text folded and, behind a separator, as it was written: one entry serves the beginning, the whole
(`:exact`) and any part (`:contains`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from resources.problem import problem
from search.context import Context
from search.entry_text import HIGHEST, Filter, any_of, beginning, cut_part, equal_to, part, starting_with
from search.escaping import unescaped
from search.folding import folded
from search.index_values import IndexValues
from search.parameters import Parameter
from search.query import Criterion

MODIFIERS = frozenset({"exact", "contains"})

# Folding counts this character as white space, so no folded text holds it.
AS_WRITTEN = "\x1f"

_PARTS = {
    "HumanName": ("family", "given", "prefix", "suffix", "text"),
    "Address": ("line", "city", "district", "state", "postalCode", "country", "text"),
}


def index(parameter: Parameter, type_name: str) -> Callable[[Any, IndexValues, Context], None]:
    """What adds the entries of one value."""
    code = parameter.code

    def add(value: Any, into: IndexValues, _: Context) -> None:
        for text in texts(value, type_name):
            comparable = folded(text)
            if comparable:
                into.entries.add(_entry(code, comparable, text))
                into.sort.setdefault(code, []).append(comparable)

    return add


def _entry(code: str, comparable: str, text: str) -> str:
    return f"{code}|{cut_part(comparable)}{AS_WRITTEN}{part(text)}"


def texts(value: Any, type_name: str) -> Iterator[str]:
    """The texts of a value: itself, or the parts of a HumanName or Address."""
    if type(value) is str:
        if value.strip():
            yield value
    elif type_name in _PARTS:
        for name in _PARTS[type_name]:
            held = value.get(name)
            if held is None:
                continue
            for text in held if type(held) is list else (held,):
                if type(text) is str and text.strip():
                    yield text


def filter_for(parameter: Parameter, criterion: Criterion, _: Context) -> Filter:
    """The filter of a criterion: any value that begins with, is (`:exact`) or holds (`:contains`) any of the texts.

    Raises a 400 `Problem` for a text of blanks alone, which every value would start with.
    """
    given = [unescaped(text).replace(HIGHEST, "") for text in criterion.values]  # which ends a range of the index
    if not all(folded(text) for text in given):
        raise problem(400, "value", f"A value of the search parameter '{criterion.code}' holds nothing to search for.")
    match criterion.modifier:
        case "exact":
            return equal_to(*(_entry(parameter.code, folded(text), text) for text in given))
        case "contains":
            return any_of([_containing(parameter.code, folded(text)) for text in given])
        case _:
            return any_of([starting_with(beginning(parameter.code, folded(text))) for text in given])


def _containing(code: str, text: str) -> Filter:
    # The anchored beginning bounds the scan to the parameter's own entries.
    start, searched = beginning(code, ""), beginning("", text)[1:]
    # MongoDB refuses a pattern with a NUL in it.
    return {"k": {"$regex": f"^{re.escape(start)}[^{AS_WRITTEN}]*{re.escape(searched)}".replace("\0", r"\x00")}}

"""String parameters: names, addresses and other text, matched from the start, without regard to case and accents.

https://hl7.org/fhir/R4/search.html#string
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

from resources.problem import problem
from search.entry_text import HIGHEST, Filter, any_of, beginning, starting_with
from search.parameters import Parameter
from search.query_text import Criterion, split_value

_PARTS = {
    "HumanName": ("family", "given", "prefix", "suffix", "text"),
    "Address": ("line", "city", "district", "state", "postalCode", "country", "text"),
}


def folded(text: str) -> str:
    """Text as it is compared: lower case, no accents, white space in single blanks."""
    if not text.isascii():
        text = text.replace(HIGHEST, "")  # ends a range of the index; it is no character
        text = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(text.casefold().split())


def entries(parameter: Parameter, value: Any, type_name: str) -> Iterator[str]:
    """The index entries of one value: a string, or the parts of a HumanName or Address."""
    if type(value) is str:
        texts: list[Any] = [value]
    elif type_name in _PARTS:
        texts = []
        for part in _PARTS[type_name]:
            held = value.get(part)
            texts += held if type(held) is list else [held]
    else:
        return
    for text in texts:
        if type(text) is str and (comparable := folded(text)):
            yield beginning(parameter.code, comparable)


def filter_for(parameter: Parameter, criterion: Criterion, _base_url: str) -> Filter:
    """The filter of a criterion: any value that starts with any of the given texts.

    Raises a 400 `Problem` for a text of blanks alone, which every value would start with.
    """
    texts = [folded(split_value(text)[0]) for text in criterion.values]
    if not all(texts):
        raise problem(400, "value", f"A value of the search parameter '{criterion.code}' holds nothing to search for.")
    return any_of([starting_with(beginning(parameter.code, text)) for text in texts])

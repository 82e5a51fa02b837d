"""Parameters that match names by their sound: `phonetic=smyth` finds Smith.

https://hl7.org/fhir/R4/patient.html#search (`phonetic`: family or given name, by "some kind of phonetic matching")

Each word of a name is indexed by its Metaphone code, which goes by the sound of a spelling in English. What has none, as
names in other scripts and numbers, is compared as it is written, without regard to case and accents. A query of several
words asks for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from jellyfish import metaphone

from resources.problem import problem
from search.context import Context
from search.entry_text import Filter, all_of, any_of, entry, equal_to
from search.escaping import unescaped
from search.folding import folded
from search.index_values import IndexValues
from search.parameters import Parameter
from search.query import Criterion

MODIFIERS: frozenset[str] = frozenset()
# Names are short; what is longer is no name, and costs the algorithm more the longer it is.
LONGEST_WORD = 50
MOST_WORDS = 20

# Letters that are no others with an accent, so that folding leaves them as they are.
_LATIN = str.maketrans({"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i"})
_WORD = re.compile(r"[^\W_]+")
_APOSTROPHES = re.compile("['`\u2019\u02bc]")


def index(parameter: Parameter, type_name: str) -> Callable[[Any, IndexValues, Context], None]:
    """What adds the sounds of the words of one name."""
    code = parameter.code

    def add(value: Any, into: IndexValues, _: Context) -> None:
        for text in _texts(value, type_name):
            into.entries.update([entry(code, sound) for sound in sounds(text)])

    return add


def _texts(value: Any, type_name: str) -> Iterator[str]:
    if type(value) is str:
        yield value
    elif type_name == "HumanName":
        parts = [value.get("family"), *(value.get("given") or ())]
        held = [part for part in parts if type(part) is str]
        yield from held or [text for text in (value.get("text"),) if type(text) is str]


def sounds(text: str) -> list[str]:
    """What the words of a name sound like: `Jon Smyth` → `["JN", "SM0"]`; each once."""
    words = _WORD.findall(_APOSTROPHES.sub("", folded(text)).translate(_LATIN))
    return list(dict.fromkeys(_sound(word[:LONGEST_WORD]) for word in words))


def _sound(word: str) -> str:
    return (metaphone(word) if word.isascii() and word.isalpha() else "") or word


def filter_for(parameter: Parameter, criterion: Criterion, _: Context) -> Filter:
    """The filter of a criterion: names that sound like any of the texts. Raises a 400 `Problem` for a text without words."""
    return any_of([_sounding_like(parameter.code, unescaped(text)) for text in criterion.values])


def _sounding_like(code: str, text: str) -> Filter:
    wanted = sounds(text)
    if not wanted:
        raise problem(400, "value", f"A value of the search parameter '{code}' holds nothing to search for.")
    if len(wanted) > MOST_WORDS:
        raise problem(400, "too-costly", f"A value of the search parameter '{code}' has more than {MOST_WORDS} words.")
    return all_of([equal_to(entry(code, sound)) for sound in wanted])

"""Text parameters: `_text` searches the words of the narrative, `_content` those of the whole resource.

https://hl7.org/fhir/R4/search.html#content

Index entries: `_text|metastasis`, one for each different word, folded. A query is a list of words that must all be there,
`bone metastas*`; `*` stands for any ending, and `OR` separates lists of which one must be there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from resources.problem import problem, quoted
from search.context import Context
from search.entry_text import Filter, all_of, any_of, entry, equal_to, part, starting_with
from search.escaping import unescaped
from search.folding import folded
from search.index_values import IndexValues
from search.parameters import Parameter
from search.query import Criterion

MODIFIERS: frozenset[str] = frozenset()
MOST_WORDS = 5_000
"""Different words that are indexed of one resource."""
MOST_QUERY_WORDS = 50

_WORD = re.compile(r"\w+")
_QUERY_WORD = re.compile(r"(\w+)(\*?)")
_MARKUP = re.compile(r"<[^>]*>|&#?\w+;")


def index(parameter: Parameter, type_name: str) -> Callable[[Any, IndexValues, Context], None]:
    """What adds the words of a narrative's XHTML, or of all texts of a resource."""
    beginning_of_all = f"{parameter.code}|"

    def add(value: Any, into: IndexValues, _: Context) -> None:
        words: dict[str, None] = {}
        for text in [value] if type_name == "xhtml" else _texts(value):
            plain = _MARKUP.sub(" ", text) if "<" in text else text
            words.update(dict.fromkeys(_WORD.findall(folded(plain))))
            if len(words) > MOST_WORDS:
                break
        into.entries.update([beginning_of_all + part(word) for word in list(words)[:MOST_WORDS]])

    return add


def _texts(value: Any) -> Iterator[str]:
    if type(value) is str:
        yield value
    elif type(value) is dict:
        for name, member in value.items():
            if name != "data":  # attachments and Binaries, in base64
                yield from _texts(member)
    elif type(value) is list:
        for item in value:
            yield from _texts(item)


def filter_for(parameter: Parameter, criterion: Criterion, _: Context) -> Filter:
    """The filter of a criterion. Raises a 400 `Problem` for a text without words, and for too many of them."""
    return any_of(
        [
            _words_filter(parameter.code, words)
            for text in criterion.values
            for words in re.split(r"\s+OR\s+", unescaped(text).strip())
        ]
    )


def _words_filter(code: str, text: str) -> Filter:
    words = _QUERY_WORD.findall(folded(text))
    if not words:
        raise problem(400, "value", f"The value {quoted(text)} of '{code}' has no word to search for.")
    if len(words) > MOST_QUERY_WORDS:
        raise problem(400, "too-costly", f"A value of '{code}' has more than {MOST_QUERY_WORDS} words.")
    return all_of(
        [
            starting_with(entry(code, word)) if is_beginning else equal_to(entry(code, word))
            for word, is_beginning in words
        ]
    )

"""The kinds of search parameters, one module each: what goes into the index, and the filter that finds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from search.context import Context
from search.entry_text import Filter
from search.index_values import IndexValues
from search.kinds import composite, date, near, number, own, phonetic, quantity, reference, string, text, token, uri
from search.parameters import Parameter
from search.query import Criterion

Add = Callable[[Any, IndexValues, Context], None]
"""Adds one value to the index values of its resource."""

Index = Callable[[Parameter, str], Add]
"""A parameter and the FHIR type of the values → what adds one; made once, so that adding need decide no more."""

BuildFilter = Callable[[Parameter, Criterion, Context], Filter]


@dataclass(frozen=True, slots=True)
class Kind:
    """How parameters of one kind are indexed and searched.

    index: None where nothing needs to be. modifiers: those that its criteria may have, besides `missing`. field: of the
    stored document, which tells whether there is any value; None where there always is.
    """

    index: Index | None
    filter: BuildFilter
    modifiers: frozenset[str]
    field: str | None


KINDS: Mapping[str, Kind] = {
    "id": Kind(None, own.id_filter, own.MODIFIERS, None),
    "lastUpdated": Kind(None, own.last_updated_filter, own.MODIFIERS, None),
    "text": Kind(text.index, text.filter_for, text.MODIFIERS, None),
    "token": Kind(token.index, token.filter_for, token.MODIFIERS, "k"),
    "string": Kind(string.index, string.filter_for, string.MODIFIERS, "k"),
    "phonetic": Kind(phonetic.index, phonetic.filter_for, phonetic.MODIFIERS, "k"),
    "reference": Kind(reference.index, reference.filter_for, reference.MODIFIERS, "k"),
    "uri": Kind(uri.index, uri.filter_for, uri.MODIFIERS, "k"),
    "date": Kind(date.index, date.filter_for, date.MODIFIERS, "d"),
    "number": Kind(number.index, number.filter_for, number.MODIFIERS, "n"),
    "quantity": Kind(quantity.index, quantity.filter_for, quantity.MODIFIERS, "n"),
    "composite": Kind(composite.index, composite.filter_for, composite.MODIFIERS, None),
    "special": Kind(near.index, near.filter_for, near.MODIFIERS, None),
}

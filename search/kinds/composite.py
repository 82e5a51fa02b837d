"""Composite parameters: values that must hold together in one element, `code-value-quantity=8480-6$lt60`.

https://hl7.org/fhir/R4/search.html#composite

The components of one element are combined: those that are texts (tokens, strings, references) into one key, after which at
most two dates or numbers follow as a range under that key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import product
from typing import Any

from resources.problem import Problem, problem, quoted
from search.context import Context
from search.entry_text import LONGEST_PART, Filter, any_of, entry, equal_to, starting_with
from search.escaping import split_escaped, unescaped
from search.folding import folded
from search.index_values import IndexValues
from search.kinds import date, number, quantity, reference, string, token
from search.parameters import Component, Parameter
from search.paths import CompiledPath, Found
from search.query import Criterion
from search.ranges import range_entry

MODIFIERS: frozenset[str] = frozenset()
TEXTS = frozenset({"token", "string", "reference", "uri"})
SEPARATOR = "$"


def index(parameter: Parameter, type_name: str) -> Callable[[Any, IndexValues, Context], None]:
    """What adds the combinations of the components found in one element."""
    components = [(component, component.paths.get(type_name, ())) for component in parameter.components]

    def add(value: Any, into: IndexValues, context: Context) -> None:
        if type(value) is not dict:
            return
        selected: list[tuple[Component, list[Found]]] = []
        for component, paths in components:
            found = [pair for path in paths for pair in _selected(path, value, into)]
            if not found:
                return
            selected.append((component, found))
        texts: list[list[str]] = []
        ranged: list[tuple[Component, Any, str]] = []
        for component, found in selected:
            if component.parameter.kind in TEXTS:
                texts.append(sorted({key for v, t in found for key in _keys(component.parameter, v, t, context)}))
            else:
                ranged.append((component, *found[0]))
        for combination in product(*texts):
            code = entry(parameter.code, *combination)
            if not ranged:
                into.entries.add(code)
            else:
                _add_range(code, ranged, into)

    return add


def _selected(path: CompiledPath, value: dict[str, Any], into: IndexValues) -> Iterable[Found]:
    return path.select(into.tree if path.begins_at_resource else value)


def _keys(parameter: Parameter, value: Any, type_name: str, context: Context) -> list[str]:
    """The forms in which a query may name a text component, without the parameter's own code."""
    if parameter.kind == "token":
        own = parameter.code + "|"
        entries: list[str] = []
        token.writer(parameter, type_name)(value, entries.append)
        return [e.removeprefix(own) for e in entries if e.startswith(own)]
    if parameter.kind == "reference":
        return reference.keys(value, type_name, context)
    return [folded(text)[:LONGEST_PART] for text in string.texts(value, type_name)]


def _add_range(code: str, ranged: list[tuple[Component, Any, str]], into: IndexValues) -> None:
    component, value, type_name = ranged[0]
    if len(ranged) == 2:  # start and end of a stretch of a sequence, both numbers
        start, end = number.number_ends(value), number.number_ends(ranged[1][1])
        if start is not None and end is not None:
            into.numbers.append({"c": f"{code}|{number.WIDE}", "lo": start[0], "hi": end[1]})
    elif component.parameter.kind == "date":
        into.dates += [range_entry(code, lo, hi, date.WIDTHS) for lo, hi in date.spans(value, type_name)]
    elif component.parameter.kind == "quantity":
        into.numbers += quantity.quantity_entries(code, value, type_name)


def filter_for(parameter: Parameter, criterion: Criterion, context: Context) -> Filter:
    """The filter of a criterion: any of its combinations."""
    return any_of([_value_filter(parameter, text, context) for text in criterion.values])


def _value_filter(parameter: Parameter, text: str, context: Context) -> Filter:
    try:
        return _combined_filter(parameter, text, context)
    except Problem as fault:
        # A component's refusal speaks of the component; the client wrote the composite.
        raise Problem(
            fault.status,
            [
                issue
                if f"'{parameter.code}'" in issue.text
                else replace(issue, text=f"In '{parameter.code}': {issue.text}")
                for issue in fault.issues
            ],
        ) from None


def _combined_filter(parameter: Parameter, text: str, context: Context) -> Filter:
    parts = split_escaped(text, SEPARATOR)
    if len(parts) != len(parameter.components):
        raise problem(
            400,
            "value",
            f"The value {quoted(text)} of '{parameter.code}' has {len(parts)} parts, separated by '$'; it needs "
            f"{len(parameter.components)}.",
        )
    texts: list[list[str]] = []
    ranged: list[tuple[Component, str]] = []
    for component, part in zip(parameter.components, parts, strict=True):
        if component.parameter.kind in TEXTS:
            texts.append(_named_keys(component.parameter, part, context))
        else:
            ranged.append((component, part))
    codes = [entry(parameter.code, *combination) for combination in product(*texts)]
    if not ranged:
        # A string begins with what is asked for; R4 has none in a composite but as its last component.
        is_text = parameter.components[-1].parameter.kind == "string"
        return any_of([starting_with(code) for code in codes]) if is_text else equal_to(*codes)
    return any_of([_range_filter(parameter, code, ranged, context) for code in codes])


def _named_keys(parameter: Parameter, text: str, context: Context) -> list[str]:
    own = parameter.code + "|"
    if parameter.kind == "token":
        keys = token.value_keys(parameter, text)
        if not keys:
            raise problem(
                400, "value", f"The value {quoted(text)} of '{parameter.code}' names no code within a composite."
            )
        return [key.removeprefix(own) for key in keys]
    if parameter.kind == "reference":
        return [key.removeprefix(own) for key in reference.value_keys(parameter, text, None, context)]
    comparable = folded(unescaped(text))[:LONGEST_PART]
    if not comparable:
        raise problem(400, "value", f"The value {quoted(text)} of '{parameter.code}' holds nothing to search for.")
    return [comparable]


def _range_filter(parameter: Parameter, code: str, ranged: list[tuple[Component, str]], context: Context) -> Filter:
    component, text = ranged[0]
    if len(ranged) == 2:
        return number.stretch_filter(code, parameter.code, text, ranged[1][1])
    if component.parameter.kind == "date":
        return date.value_filter(code, text, context, parameter.code)
    return quantity.quantity_filter(code, text, parameter.code)

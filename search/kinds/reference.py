"""Reference parameters: which resource an element points to.

https://hl7.org/fhir/R4/search.html#reference

Index entry: `subject|Patient/1`; a reference to another server keeps its whole URL. A version in a reference is left out,
because a query for the resource means all its versions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from resources.problem import problem, quoted
from resources.references import Literal, parse_literal
from search.entry_text import Filter, any_of, entry, equal_to
from search.parameters import Parameter
from search.query_text import Criterion, split_value


def entries(parameter: Parameter, value: Any, type_name: str, base_url: str, target: str | None) -> Iterator[str]:
    """The index entries of one value: a Reference, or a canonical or uri that names a resource.

    base_url: this server's own, so that an absolute reference to itself is the same as a relative one.
    target: the only resource type that counts, where the parameter's path says so.
    """
    text = value.get("reference") if type(value) is dict else value
    if type(text) is not str or text.startswith("#"):
        return
    literal = parse_literal(text)
    if literal is None:
        if target is None:
            # A canonical is found with and without the version that stands behind its `|`.
            yield entry(parameter.code, text)
            if type_name == "canonical" and "|" in text:
                yield entry(parameter.code, text.split("|", 1)[0])
        return
    if target is None or literal.type == target:
        yield entry(parameter.code, _key(literal, base_url))


def _key(literal: Literal, base_url: str) -> str:
    if literal.base is None or literal.base.rstrip("/") == base_url:
        return literal.key
    return literal.base + literal.key


def filter_for(parameter: Parameter, criterion: Criterion, base_url: str) -> Filter:
    """The filter of a criterion: `Patient/1`, `1` (of any type that the parameter allows) or a URL.

    With a type as modifier (`subject:Patient=1`) the id is of that type; a 400 `Problem` where the value names another.
    """
    return any_of([_filter(parameter, split_value(text)[0], criterion.modifier, base_url) for text in criterion.values])


def _filter(parameter: Parameter, text: str, of_type: str | None, base_url: str) -> Filter:
    literal = parse_literal(text)
    if literal is not None:
        if of_type is not None and literal.type != of_type:
            raise problem(400, "value", f"The value {quoted(text)} of '{parameter.code}:{of_type}' is no {of_type}.")
        return equal_to(entry(parameter.code, _key(literal, base_url)))
    if "/" in text or ":" in text:
        return equal_to(entry(parameter.code, text))
    types = [of_type] if of_type else parameter.targets
    return equal_to(*(entry(parameter.code, f"{type_name}/{text}") for type_name in types))

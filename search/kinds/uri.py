"""URI parameters: matched exactly, case and all.

https://hl7.org/fhir/R4/search.html#uri
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from search.entry_text import Filter, entry, equal_to
from search.parameters import Parameter
from search.query_text import Criterion, split_value


def entries(parameter: Parameter, value: Any, _type_name: str) -> Iterator[str]:
    """The index entry of one value."""
    if type(value) is str:
        yield entry(parameter.code, value)


def filter_for(parameter: Parameter, criterion: Criterion, _base_url: str) -> Filter:
    """The filter of a criterion: any of its URIs."""
    return equal_to(*(entry(parameter.code, split_value(text)[0]) for text in criterion.values))

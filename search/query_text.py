"""Query text → a `Query`: which parameters are searched for which values, and how the result is wanted.

https://hl7.org/fhir/R4/search.html

Nothing is ignored in silence: a parameter, modifier or value that is not understood is refused with its name (400), or,
where the client asks for lenient handling, named among `unknown` and left out of the self link.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, urlencode

from resources.definitions import resource_types
from resources.problem import Problem, problem, quoted

DEFAULT_COUNT = 50
MAX_COUNT = 1000
MAX_VALUES = 500

# Parameters that say what the answer looks like; negotiation and paging handle them.
FORMAT_PARAMETERS = frozenset({"_format", "_pretty"})
CURSOR = "_cursor"
RESULT_PARAMETERS = frozenset({CURSOR, "_count", "_summary", "_total"})

Total = Literal["none", "estimate", "accurate"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One searched parameter: its code, a modifier or None, and the values of which any may match.

    The values are still escaped, as they stand in the query; see `split_value`.
    """

    code: str
    modifier: str | None
    values: tuple[str, ...]

    def text(self) -> tuple[str, str]:
        """Name and value as in a query string."""
        return (f"{self.code}:{self.modifier}" if self.modifier else self.code), ",".join(self.values)


@dataclass(slots=True)
class Query:
    """A parsed search.

    count: matches a page. summary_count: only the number is wanted. cursor: where the page begins, or None.
    unknown: names of parameters that were left out because handling is lenient.
    """

    criteria: list[Criterion] = field(default_factory=list)
    count: int = DEFAULT_COUNT
    total: Total = "none"
    summary_count: bool = False
    cursor: str | None = None
    unknown: list[str] = field(default_factory=list)

    def link(self, cursor: str | None) -> str:
        """The query string of a self or next link: what was really used, and nothing else."""
        pairs = [criterion.text() for criterion in self.criteria]
        if self.summary_count:
            pairs.append(("_summary", "count"))
        if self.total != "none":
            pairs.append(("_total", self.total))
        pairs.append(("_count", str(self.count)))
        if cursor is not None:
            pairs.append((CURSOR, cursor))
        return urlencode(pairs, safe="|,:/$")


def parse_pairs(query_string: str) -> list[tuple[str, str]]:
    """A query string as (name, value) pairs. Raises a 400 `Problem` for one that is not UTF-8 or has too many."""
    try:
        return parse_qsl(query_string, keep_blank_values=True, errors="strict", max_num_fields=MAX_VALUES)
    except ValueError:
        raise problem(400, "invalid", f"The query is not UTF-8 or has more than {MAX_VALUES} parameters.") from None


def condition_of(text: str) -> str:
    """The criteria of a conditional create; clients also write `?identifier=...` and `Patient?identifier=...`."""
    before, mark, query = text.partition("?")
    return query if mark and "=" not in before else text


def parse_query(pairs: Sequence[tuple[str, str]], known: Iterable[str], lenient: bool = False) -> Query:
    """Pairs of a query → `Query`.

    known: the codes that may be searched by. Raises a 400 `Problem` that names every fault.
    """
    query = Query()
    faults: list[Problem] = []
    codes = set(known)
    for name, value in pairs:
        try:
            _read_pair(query, name, value, codes, lenient)
        except Problem as fault:
            faults.append(fault)
    if faults:
        raise Problem(400, [issue for fault in faults for issue in fault.issues])
    return query


def _read_pair(query: Query, name: str, value: str, codes: set[str], lenient: bool) -> None:
    code, _, modifier = name.partition(":")
    if name in FORMAT_PARAMETERS:
        return
    if name == "_count":
        query.count = min(_number(name, value), MAX_COUNT)
    elif name == CURSOR:
        query.cursor = value
    elif name == "_total" and value in ("none", "estimate", "accurate"):
        query.total = value  # type: ignore[assignment]  # one of the three literals, as just checked
    elif name == "_summary" and value in ("count", "false"):
        query.summary_count = value == "count"
    elif code not in codes:
        if not lenient:
            raise problem(400, "not-supported", f"The search parameter {quoted(name)} is not known here.")
        query.unknown.append(name)
    elif not value:
        raise problem(400, "value", f"The search parameter '{code}' has no value.")
    else:
        query.criteria.append(Criterion(code, _checked_modifier(name, modifier), _values(value)))


def _checked_modifier(name: str, modifier: str) -> str | None:
    if not modifier:
        return None
    if modifier in resource_types():
        return modifier
    raise problem(400, "not-supported", f"The modifier of {quoted(name)} is not supported.")


def _number(name: str, value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise problem(400, "value", f"The value {quoted(value)} of '{name}' is not a whole number.")
    return int(value)


def _values(text: str) -> tuple[str, ...]:
    """Split at commas that are not escaped; empty values are dropped, but one must be left."""
    values = tuple(value for value in _split(text, ",") if value)
    if len(values) > MAX_VALUES:
        raise problem(400, "too-costly", f"A parameter may have at most {MAX_VALUES} values.")
    if not values:
        raise problem(400, "value", f"There is no value in {quoted(text)}.")
    return values


def split_value(text: str, separator: str = "", at_most: int = 0) -> list[str]:
    """A value split at its unescaped separators and unescaped: `a\\|b|c` → `["a|b", "c"]`.

    https://hl7.org/fhir/R4/search.html#escaping
    """
    parts = _split(text, separator, at_most) if separator else [text]
    return [re.sub(r"\\([\\,|$])", r"\1", part) for part in parts]


def _split(text: str, separator: str, at_most: int = 0) -> list[str]:
    if "\\" not in text:
        return text.split(separator, at_most - 1 if at_most else -1)
    parts = [""]
    escaped = False
    for character in text:
        if character == separator and not escaped and not (at_most and len(parts) == at_most):
            parts.append("")
        else:
            parts[-1] += character
        escaped = character == "\\" and not escaped
    return parts

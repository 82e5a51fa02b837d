"""Query text → a `Query`.

https://hl7.org/fhir/R4/search.html

Nothing is ignored in silence: a parameter, modifier or value that is not understood is refused with its name (400), or,
where the client asks for lenient handling, named among `unknown` and left out of the self link.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode

from resources.definitions import resource_types, type_facts
from resources.problem import Problem, problem, quoted
from search.catalogue import STANDARD, Catalogue
from search.criteria_text import parse_criterion, parse_filter_node
from search.query import IncludeRule, Query, SortKey

DEFAULT_COUNT = 50
MAX_COUNT = 1000
MAX_PARAMETERS = 500
MAX_SORT_KEYS = 8
UNSORTED = frozenset({"composite", "special", "text", "phonetic"})

# Parameters that say what the answer looks like; negotiation handles them.
FORMAT_PARAMETERS = frozenset({"_format", "_pretty"})
CURSOR = "_cursor"
# Parameters that say nothing about which resources are meant.
RESULT_PARAMETERS = FORMAT_PARAMETERS | {
    *(
        CURSOR,
        "_count",
        "_total",
        "_summary",
        "_elements",
        "_sort",
        "_include",
        "_revinclude",
        "_contained",
        "_containedType",
        "_explain",
    ),
}
# Of these a query can follow only one.
SINGLE = frozenset(
    {CURSOR, "_count", "_total", "_summary", "_sort", "_elements", "_contained", "_containedType", "_explain"}
)
TOTALS = frozenset({"none", "estimate", "accurate"})
CONTAINED_TYPES = frozenset({"container", "contained"})
CONTAINED = frozenset({"true", "false", "both"})
SUMMARIES = frozenset({"true", "text", "data", "count", "false"})


def parse_pairs(query_string: str) -> list[tuple[str, str]]:
    """A query string as (name, value) pairs. Raises a 400 `Problem` for one that is not UTF-8 or has too many."""
    try:
        return parse_qsl(query_string, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise problem(400, "invalid", f"The query is not UTF-8 or has more than {MAX_PARAMETERS} parameters.") from None


def condition_of(text: str) -> str:
    """The criteria of a conditional create; clients also write `?identifier=...` and `Patient?identifier=...`."""
    before, mark, query = text.partition("?")
    return query if mark and "=" not in before else text


def parse_query(
    pairs: Sequence[tuple[str, str]], type_name: str, lenient: bool = False, catalogue: Catalogue = STANDARD
) -> Query:
    """Pairs of a query on a type → `Query`. Raises a 400 `Problem` that names every fault."""
    query = Query()
    faults: list[Problem] = []
    for name, value in pairs:
        try:
            _read_pair(query, name, value, type_name, catalogue)
        except Problem as fault:
            if lenient and all(issue.code == "not-supported" for issue in fault.issues):
                query.unknown.append(name)
            else:
                faults.append(fault)
    if faults:
        raise Problem(400, [issue for fault in faults for issue in fault.issues])
    return query


def _read_pair(query: Query, name: str, value: str, type_name: str, catalogue: Catalogue) -> None:
    if name in FORMAT_PARAMETERS:
        return
    if name in SINGLE and (
        any(used == name for used, _ in query.used) or (name == CURSOR and query.cursor is not None)
    ):
        raise problem(400, "invalid", f"The parameter '{name}' stands twice.")
    if name == CURSOR:
        query.cursor = value
        return
    code = name.partition(":")[0]
    if name == "_count":
        query.count = min(_number(name, value), MAX_COUNT)
        value = str(query.count)
    elif name == "_total":
        query.total = _one_of(name, value, TOTALS)  # type: ignore[assignment]  # one of the literals, as just checked
    elif name == "_summary":
        query.summary = _one_of(name, value, SUMMARIES)  # type: ignore[assignment]
    elif name == "_elements":
        query.elements = _elements(value, type_name)
    elif name == "_sort":
        query.sort = _sort_keys(value, type_name, catalogue)
    elif name == "_explain":
        query.explains = _one_of(name, value, frozenset({"true", "false"})) == "true"
    elif name == "_contained":
        query.contained = _one_of(name, value, CONTAINED)  # type: ignore[assignment]
    elif name == "_containedType":
        query.contained_type = _one_of(name, value, CONTAINED_TYPES)  # type: ignore[assignment]
    elif code in ("_include", "_revinclude"):
        query.includes.append(_include_rule(name, value, catalogue))
    elif name == "_filter":
        query.parts.append(parse_filter_node(value, type_name, catalogue))
    else:
        query.parts.append(parse_criterion(name, value, type_name, catalogue))
    query.used.append((name, value))


def link_text(query: Query, cursor: str | None) -> str:
    """The query string of a self or next link: what was really used, and nothing else."""
    pairs = [pair for pair in query.used if pair[0] != "_count"]
    pairs.append(("_count", str(query.count)))
    if cursor is not None:
        pairs.append((CURSOR, cursor))
    return urlencode(pairs, safe="|,:/$")


def _number(name: str, value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise problem(400, "value", f"The value {quoted(value)} of '{name}' is not a whole number.")
    return int(value)


def _one_of(name: str, value: str, allowed: frozenset[str]) -> str:
    if value not in allowed:
        raise problem(400, "value", f"The value {quoted(value)} of '{name}' is none of {', '.join(sorted(allowed))}.")
    return value


def _elements(value: str, type_name: str) -> frozenset[str]:
    # A path below an element asks for the whole of it, which R4 allows.
    names = frozenset(
        part.strip().removeprefix(f"{type_name}.").split(".")[0] for part in value.split(",") if part.strip()
    )
    known = type_facts(type_name).elements
    for name in names:
        if name not in known and not any(name in element.json_names() for element in known.values()):
            raise problem(400, "value", f"The element {quoted(name)} of '_elements' is not known in {type_name}.")
    return names


def _sort_keys(value: str, type_name: str, catalogue: Catalogue) -> tuple[SortKey, ...]:
    keys = tuple(_sort_key(key, type_name, catalogue) for key in value.split(","))
    if len({key.code for key in keys}) < len(keys):
        raise problem(400, "value", f"The value {quoted(value)} of '_sort' names a parameter twice.")
    if len(keys) > MAX_SORT_KEYS:
        raise problem(400, "too-costly", f"At most {MAX_SORT_KEYS} parameters can be sorted by.")
    return keys


def _sort_key(text: str, type_name: str, catalogue: Catalogue) -> SortKey:
    code = text.removeprefix("-")
    parameter = catalogue.parameters_of(type_name).get(code)
    if parameter is None or parameter.kind in UNSORTED:
        raise problem(400, "not-supported", f"It is not possible to sort by {quoted(code)}.")
    return SortKey(code, text.startswith("-"))


def _include_rule(name: str, value: str, catalogue: Catalogue) -> IncludeRule:
    base, _, modifier = name.partition(":")
    if modifier not in ("", "iterate", "recurse"):
        raise problem(400, "not-supported", f"The modifier of {quoted(name)} is not known.")
    is_reverse = base == "_revinclude"
    if value == "*" and not is_reverse:
        return IncludeRule("*", "*", None, False, modifier != "")
    source, _, rest = value.partition(":")
    code, _, target = rest.partition(":")
    if source not in resource_types() or not code or (target and target not in resource_types()):
        raise problem(
            400,
            "value",
            f"The value {quoted(value)} of '{base}' has not the form Type:parameter or Type:parameter:Type.",
        )
    if code != "*":
        parameter = catalogue.parameters_of(source).get(code)
        if parameter is None or parameter.kind != "reference":
            raise problem(400, "not-supported", f"{source} has no reference parameter {quoted(code)} to include by.")
    return IncludeRule(source, code, target or None, is_reverse, modifier != "")

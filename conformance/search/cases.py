"""A search and what it must find, as a row of a table; the claims that follow from it, and asking it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from conformance.answers import bundle_of, expect_status
from conformance.api import keys_of, resources_of
from conformance.check import Checks, Skip, expect
from conformance.rest_context import RestContext
from conformance.search.population import Population, population
from conformance.statement import Claim, include, interaction, reverse_include, search_parameter

_NAMES = re.compile(r"\{(\w+)\}")
STRICT = {"Prefer": "handling=strict"}
REFUSALS = (400, 403, 422, 501)
RESULT_PARAMETERS = frozenset(
    {"_sort", "_count", "_total", "_summary", "_elements", "_contained", "_containedType", "_filter", "_list"}
    | {"_content", "_text", "_source", "_type"}
)
"""What no CapabilityStatement need list, or what few servers have: a refusal is allowed, a wrong answer is not."""


@dataclass(frozen=True, slots=True)
class Case:
    """name: the last part of the id. query: plain, with values of the population in braces. finds: the keys of what it must
    find, all of them, with blanks between. words: what holds, as a sentence. needs: the keys of what it goes through.
    """

    name: str
    type_name: str
    query: str
    finds: str
    words: str
    needs: str = ""

    @property
    def parameters(self) -> list[str]:
        """The names in the query, with modifiers and chains."""
        return [part.partition("=")[0] for part in self.query.split("&")]

    @property
    def may_be_refused(self) -> bool:
        """Whether a server may say that it does not do this: a modifier, a chain, no value, a parameter that few have."""
        return any(":" in name or "." in name or name in RESULT_PARAMETERS for name in self.parameters) or (
            "=&" in f"{self.query}&"
        )


def claims_of(type_name: str, query: str) -> list[Claim]:
    """What a CapabilityStatement says where a server can do a search."""
    claims = [interaction("search-type", type_name)]
    for part in query.split("&"):
        name, _, value = part.partition("=")
        code, _, modifier = name.partition(":")
        code = code.partition(".")[0]
        if code == "_has":
            source, _, rest = modifier.partition(":")
            claims.append(search_parameter(source, rest.partition(":")[0]))
        elif code in ("_include", "_revinclude"):
            if modifier:
                continue  # of what is included, and so of another type
            owner = value.partition(":")[0] if ":" in value else type_name
            kept = ":".join(value.split(":")[:2])
            claims.append(include(owner, kept) if code == "_include" else reverse_include(type_name, kept))
        elif code not in RESULT_PARAMETERS:
            claims.append(search_parameter(type_name, code))
    return list(dict.fromkeys(claims))


def address(context: RestContext, type_name: str, query: str, limited: bool = True) -> str:
    """The path and query of a search of the population. query: as in a Case. Raises what `Population.need` does."""
    found = population(context)
    values = found.values(context)
    found.need(*(name for name in _NAMES.findall(query) if name not in values))
    pairs = [part.partition("=")[::2] for part in query.format(**values).split("&") if part]
    if limited:
        pairs.append(found.limit(context, type_name))
    return f"{type_name}?" + "&".join(f"{quote(name, safe=':*')}={quote(value, safe=':/')}" for name, value in pairs)


def ask(context: RestContext, type_name: str, query: str, optional: bool = False, **headers: str) -> httpx.Response:
    """The answer to a search of the population with strict handling. Raises a Skip where an optional one is refused."""
    path = address(context, type_name, query)
    answer = context.api.get(
        path, headers={**STRICT, **{name.replace("_", "-"): text for name, text in headers.items()}}
    )
    if optional and answer.status_code in REFUSALS:
        raise Skip(f"The server refuses {path.partition('?')[2]} with {answer.status_code}, as it may.")
    return expect_status(answer, 200)


def bundle(context: RestContext, type_name: str, query: str, optional: bool = True) -> dict[str, Any]:
    """The Bundle that answers a search of the population. Raises a Failure, or a Skip."""
    return bundle_of(ask(context, type_name, query, optional), "searchset")


def found(context: RestContext, type_name: str, query: str, optional: bool = True) -> list[str]:
    """The keys of what a search finds in order, over all pages."""
    answer = ask(context, type_name, query, optional)
    known = population(context)
    return [next(iter(known.names(keys_of([each])))) for each in resources_of(context.api, answer)]


def expect_found(finds: Sequence[str], wanted: set[str], query: str) -> None:
    """Raise a Failure unless exactly what is wanted was found, each once."""
    missing, more = sorted(wanted - set(finds)), sorted(set(finds) - wanted)
    said = [f"not {', '.join(missing)}"] if missing else []
    said += [f"{', '.join(more)}, which it should not"] if more else []
    expect(not said, f"{query} finds {' and '.join(said)}.")
    expect(len(finds) == len(set(finds)), f"{query} finds something twice: {sorted(finds)}.")


def of_mode(tree: dict[str, Any], mode: str, known: Population) -> list[str]:
    """The keys of the entries of a Bundle that have a mode, in order."""
    entries = [entry for entry in tree.get("entry", []) if entry.get("search", {}).get("mode") == mode]
    return [next(iter(known.names(keys_of([entry["resource"]])))) for entry in entries]


def add_cases(checks: Checks, clause: str, cases: Sequence[Case]) -> None:
    """A check of each case."""
    for case in cases:
        _add(checks, clause, case)


def _add(checks: Checks, clause: str, case: Case) -> None:
    claims = claims_of(case.type_name, case.query)

    @checks(f"search.{case.name}", case.words, clause, *claims)
    def _(context: RestContext) -> None:
        population(context).need(*case.finds.split(), *case.needs.split())
        finds = found(context, case.type_name, case.query, case.may_be_refused)
        expect_found(finds, set(case.finds.split()), f"{case.type_name}?{case.query}")

"""What matches refer to, and what refers to them: `_include` and `_revinclude`.

https://hl7.org/fhir/R4/search.html#include
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from fhir_server.store.reader import Reader
from fhir_server.store.reads import FIELDS, stored_from
from fhir_server.store.run_plan import Match
from resources.definitions import resource_types
from resources.problem import problem
from resources.references import parse_literal
from search.catalogue import Catalogue
from search.context import Context
from search.entry_text import LIVE, Filter, all_of, entry, equal_to
from search.parameters import Parameter, standard_parameters_of
from search.plan import reference_keys
from search.query import IncludeRule

MOST_INCLUDED = 1_000


def find_included(
    reader: Reader,
    matches: Sequence[Match],
    rules: Sequence[IncludeRule],
    context: Context,
    among: Filter | None = None,
) -> list[Match]:
    """The resources that the rules bring along with a page of matches, each once, and none that is a match itself.

    Rules that iterate are applied to what they bring as well. What may not be seen is not brought. among: what else must
    hold for it, if anything. Raises a 400 `Problem` where there is too much.
    """
    known = {(match.stored.type, match.stored.id) for match in matches}
    found: list[Match] = []
    fresh: Sequence[Match] = matches
    applied = rules
    # It ends, because every round brings something new and there is a limit to that.
    while applied and fresh:
        brought: list[Match] = []
        for rule in applied:
            steps = (_pointing if rule.is_reverse else _pointed_to)(fresh, rule, context.catalogue)
            for type_name, filter_ in steps:
                fence = context.fence.within(type_name, "s" if rule.is_reverse else "r")
                if fence is None:
                    continue
                for match in _find(reader, type_name, all_of([each for each in (filter_, fence, among) if each])):
                    identity = (match.stored.type, match.stored.id)
                    if identity not in known:
                        known.add(identity)
                        brought.append(match)
        found += brought
        if len(found) > MOST_INCLUDED:
            raise _too_many()
        fresh = brought
        applied = [rule for rule in rules if rule.iterates]
    return found


def _too_many() -> Exception:
    text = f"More than {MOST_INCLUDED:,} resources would be included with this page; ask for a smaller _count."
    return problem(400, "too-costly", text)


def _pointed_to(matches: Sequence[Match], rule: IncludeRule, catalogue: Catalogue) -> Iterator[tuple[str, Filter]]:
    """Type → filter for what the matches refer to."""
    ids: dict[str, set[str]] = defaultdict(set)
    urls: dict[str, set[str]] = defaultdict(set)
    for match in matches:
        if rule.source not in ("*", match.stored.type):
            continue
        for parameter in _references(match.stored.type, rule.code, catalogue):
            for key in reference_keys(match.entries, parameter.code):
                literal = parse_literal(key)
                if literal is not None and literal.base is None:
                    ids[literal.type].add(literal.id)
                else:
                    for target in parameter.targets:
                        urls[target].add(key)
    for type_name in sorted(ids):
        if rule.target in (None, type_name) and type_name in resource_types():
            yield type_name, {"_id": {"$in": sorted(ids[type_name])}, "k": LIVE}
    for type_name in sorted(urls):
        # What canonicals name are the resources whose `url` they are.
        if rule.target in (None, type_name) and "url" in standard_parameters_of(type_name):
            yield type_name, equal_to(*(entry("url", url) for url in urls[type_name]))


def _pointing(matches: Sequence[Match], rule: IncludeRule, catalogue: Catalogue) -> Iterator[tuple[str, Filter]]:
    """Type → filter for what refers to the matches."""
    entries: list[str] = []
    for match in matches:
        if rule.target not in (None, match.stored.type):
            continue
        names = [f"{match.stored.type}/{match.stored.id}", *reference_keys(match.entries, "url")]
        for parameter in _references(rule.source, rule.code, catalogue):
            if match.stored.type in parameter.targets:
                entries += [entry(parameter.code, name) for name in names]
    if entries:
        yield rule.source, equal_to(*entries)


def _references(type_name: str, code: str, catalogue: Catalogue) -> list[Parameter]:
    """The reference parameters of a type that a rule goes along."""
    parameters = catalogue.parameters_of(type_name)
    if code != "*":
        return [parameters[code]]
    return [parameter for parameter in parameters.values() if parameter.kind == "reference"]


def _find(reader: Reader, type_name: str, filter_: Filter) -> list[Match]:
    # Some may be matches of the page, hence twice as many.
    most = 2 * MOST_INCLUDED
    documents = list(reader.find(type_name, filter_, {**FIELDS, "k": 1}, [("_id", 1)], limit=most + 1))
    if len(documents) > most:
        raise _too_many()
    return [Match(stored_from(type_name, document), [], document["k"]) for document in documents]

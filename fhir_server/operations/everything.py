"""`$everything`: all that belongs to a patient or an encounter, and what it refers to.

https://hl7.org/fhir/R4/operation-patient-everything.html and https://hl7.org/fhir/R4/operation-encounter-everything.html

Matches are the resources of the compartment: the subject first, then type by type, each by id, so that a page can begin
behind any of them whatever is written meanwhile. What they refer to outside of the compartment comes with each page, one
step far: practitioners, places, medications, but nothing that is in the record of another patient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fhir_server.bundle_writer import Link, searchset
from fhir_server.call import Answer, Call
from fhir_server.interactions.search_request import within_compartment
from fhir_server.operations.arguments import arguments_of, subject_of
from fhir_server.operations.care_dates import span_of, within_dates
from fhir_server.services import Services
from fhir_server.store.run_includes import find_included
from fhir_server.store.run_plan import Match, Runner
from resources.change import Stored
from resources.definitions import compartment_parameters, resource_types
from resources.document import parse_document
from resources.parameters import Arguments
from resources.problem import problem, quoted
from search.context import Context
from search.cursor import decode_cursor, encode_cursor
from search.entry_text import Filter, all_of, any_of, equal_to, starting_with
from search.index import index_values
from search.index_values import compartment_entry
from search.moments import Span, date_span
from search.plan import Selection, selection
from search.query import IncludeRule
from search.query_text import CURSOR, MAX_COUNT, parse_pairs

# Where the client names none.
DEFAULT_COUNT = 200
ANY_PATIENT = compartment_entry("Patient", "")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for. care: when it took place. since: milliseconds since 1970. types: empty for all."""

    care: Span | None
    since: int | None
    types: frozenset[str]
    count: int


def everything(call: Call, services: Services) -> Answer:
    """One page of the record, as a searchset Bundle with a link to the next."""
    arguments = arguments_of(call, beside=(CURSOR,))
    wanted = _wanted(arguments)
    subject = subject_of(call, services)
    context = services.context()
    url = f"{services.base_url}/{subject.type}/{subject.id}/$everything"
    bound_to = f"{url}?{_link_text(arguments, wanted)}"
    start = _position(call, bound_to, services)
    selections = _selections(subject, wanted, context)
    runner = Runner(services.database, services.limits)
    matches, following = _page(selections, subject.type, start, wanted.count, runner)
    shown = [match for match in matches if not wanted.types or match.stored.type in wanted.types]
    included = _outside(subject, matches, wanted, runner, context)
    links = [Link("self", bound_to if start is None else f"{bound_to}&{_cursor(start, bound_to, services)}")]
    if following is not None:
        links.append(Link("next", f"{bound_to}&{_cursor(following, bound_to, services)}"))
    versions = [match.stored for match in shown]
    content = searchset(versions, included, links, None, [], services.base_url)
    return Answer(200, content, shown=[*versions, *included])


Position = tuple[str, str | None]
"""Type and logical id behind which a page begins."""


def _wanted(arguments: Arguments) -> Wanted:
    types = {name for text in arguments.all("_type") for name in text.split(",") if name}
    for name in sorted(types - resource_types()):
        raise problem(400, "value", f"{quoted(name)} of '_type' is not an R4 resource type.")
    count = arguments.one("_count")
    if count is not None and count < 1:
        raise problem(400, "value", "The parameter '_count' must be at least 1.")
    since = arguments.one("_since")
    span = None if since is None else date_span(since)
    return Wanted(
        span_of(arguments.one("start"), arguments.one("end")),
        None if span is None else span[0],
        frozenset(types),
        min(count or DEFAULT_COUNT, MAX_COUNT),
    )


def _link_text(arguments: Arguments, wanted: Wanted) -> str:
    pairs = [(name, value) for name in ("start", "end", "_since") for value in arguments.all(name)]
    pairs += [("_type", ",".join(sorted(wanted.types)))] if wanted.types else []
    return urlencode([*pairs, ("_count", str(wanted.count))], safe=",:")


def _position(call: Call, bound_to: str, services: Services) -> Position | None:
    cursors = [value for name, value in parse_pairs(call.query) if name == CURSOR]
    if not cursors:
        return None
    type_name, logical_id = decode_cursor(cursors[-1], bound_to, services.cursor_key())
    return type_name, logical_id


def _cursor(position: Position, bound_to: str, services: Services) -> str:
    return f"{CURSOR}={encode_cursor(position, bound_to, services.cursor_key())}"


def _selections(subject: Stored, wanted: Wanted, context: Context) -> list[Selection]:
    """What to read, one type after the other, of the types that may be searched at all."""
    others = sorted(set(compartment_parameters(subject.type)) - {subject.type})
    # What is referred to may be of a type that is in no compartment, and then all of it has to be looked through.
    if wanted.types and wanted.types <= {subject.type, *others}:
        others = [name for name in others if name in wanted.types]
    found: list[Selection] = []
    for name in (subject.type, *others):
        if context.fence.within(name, "s") is None:
            continue
        whole = within_compartment(selection(name, [], context), subject.type, subject.id)
        bounds = [whole.filter]
        if name != subject.type and (dates := within_dates(name, wanted.care)):
            bounds.append(dates)
        if wanted.since is not None:
            bounds.append({"t": {"$gte": wanted.since}})
        found.append(Selection(name, all_of(bounds)))
    return found


def _page(
    selections: Sequence[Selection], first: str, start: Position | None, count: int, runner: Runner
) -> tuple[list[Match], Position | None]:
    """The matches of a page, and the position behind which more follow, if they do. first: the type that comes first."""
    matches: list[Match] = []
    for each in selections:
        after: list[Any] | None = None
        if start is not None:
            if _rank(each.type, first) < _rank(start[0], first):
                continue
            if each.type == start[0] and start[1] is not None:
                after = [start[1]]
        page = runner.page(each, count - len(matches), after=after, with_entries=True)
        matches += page.matches
        if page.has_more:
            last = matches[-1].stored if matches else None
            return matches, (last.type, last.id) if last is not None and last.type == each.type else (each.type, None)
    return matches, None


def _rank(type_name: str, first: str) -> tuple[bool, str]:
    """Where a type stands in the order of a record."""
    return type_name != first, type_name


def _outside(
    subject: Stored, matches: Sequence[Match], wanted: Wanted, runner: Runner, context: Context
) -> list[Stored]:
    """What matches refer to beyond the compartment. What may not be read is left out."""
    targets: list[str | None] = [*sorted(wanted.types)] or [None]
    rules = [IncludeRule("*", "*", target, False, False) for target in targets]
    found = find_included(runner.reader, matches, rules, context, _beyond(subject, context))
    return [match.stored for match in found if wanted.since is None or match.stored.last_updated >= wanted.since]


def _beyond(subject: Stored, context: Context) -> Filter:
    """The filter for what is not in the compartment, which has pages of its own, nor in another patient's record."""
    of_nobody: Filter = {"$nor": [starting_with(ANY_PATIENT)]}
    if subject.type == "Patient":
        return of_nobody
    assert subject.raw is not None  # a deleted one was refused
    entries = index_values(parse_document(subject.raw, subject.type).tree, context).entries
    own = sorted(entry for entry in entries if entry.startswith(ANY_PATIENT))
    of_theirs = any_of([equal_to(*own), of_nobody]) if own else of_nobody
    return all_of([of_theirs, {"$nor": [equal_to(compartment_entry(subject.type, subject.id))]}])

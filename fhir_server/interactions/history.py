"""history of an instance, a type, or the whole system.

https://hl7.org/fhir/R4/http.html#history
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from fhir_server.bundle_writer import Link, history_bundle
from fhir_server.call import Answer, Call
from fhir_server.interactions.read import not_found
from fhir_server.prepare_write import checked_id
from fhir_server.services import Services
from fhir_server.store.histories import HistoryPage, HistoryQuery, Position, count_versions, find_history
from fhir_server.store.reads import read
from fhir_server.visibility import is_visible
from resources.change import Stored
from resources.definitions import resource_types
from resources.problem import problem, quoted
from search.context import Context
from search.cursor import decode_cursor, encode_cursor
from search.fence import Letter, filter_within, forbidden
from search.moments import date_span
from search.query_text import CURSOR, DEFAULT_COUNT, FORMAT_PARAMETERS, MAX_COUNT, parse_pairs


def history(call: Call, services: Services) -> Answer:
    """One page of versions, newest first, as a history Bundle; for an instance, its deletions too."""
    if call.type is None and services.database.session is not None:
        # MongoDB lists its collections only outside of a transaction.
        raise problem(400, "not-supported", "The history of the whole system cannot be read within a transaction.")
    context = services.context()
    letter: Letter = "r" if call.id is not None else "s"
    if call.type is None and all(context.fence.within(name, letter) is None for name in resource_types()):
        raise forbidden("*", letter)
    sees_all = not call.type or not filter_within(context.fence, call.type, letter)
    total: int | None = None
    query = HistoryQuery(call.type, call.id, DEFAULT_COUNT)
    url = "/".join(part for part in (services.base_url, call.type, call.id, "_history") if part)
    query, shown = _read_query(query, call, url, services.cursor_key())
    if call.type is not None and call.id is not None:
        current = read(services.database, call.type, checked_id(call.id))
        if current is None or not is_visible(current, "r", context):
            raise not_found(call.type, call.id, current)
        if query.since is None and sees_all and query.at is None:
            total = count_versions(services.database, current)
    if call.type is None:
        # Left out here, and not version by version, because nobody wants a page of nothing.
        stored = services.database.stored_types()
        query = replace(query, hidden=frozenset(t for t in stored if context.fence.within(t, letter) is None))
    # With `_count=0` only the number is wanted; of a type or the system it is not known.
    page = find_history(services.database, query) if query.limit else HistoryPage([], has_more=False)
    links = [Link("self", url + _query_string(shown))]
    if page.has_more:
        last = page.versions[-1]
        cursor = encode_cursor((last.last_updated, last.type, last.id), url, services.cursor_key())
        links.append(Link("next", url + _query_string({**shown, CURSOR: cursor})))
    versions = [version for version in page.versions if _is_shown(version, letter, services, context)]
    return Answer(200, history_bundle(versions, links, total, services.base_url), shown=versions)


def _is_shown(version: Stored, letter: Letter, services: Services, context: Context) -> bool:
    """Whether a version may be seen: it, and the resource as it is now, which may have been moved out of sight."""
    fence = context.fence.within(version.type, letter)
    if not fence:
        return fence is not None
    current = read(services.database, version.type, version.id)
    return current is not None and is_visible(current, letter, context) and is_visible(version, letter, context)


def _read_query(query: HistoryQuery, call: Call, url: str, key: bytes) -> tuple[HistoryQuery, dict[str, str]]:
    """The query of a request, and the parameters that were used, for the links."""
    shown: dict[str, str] = {}
    for name, value in parse_pairs(call.query):
        if name in FORMAT_PARAMETERS:
            continue
        if name == "_count" and value.isascii() and value.isdigit() and len(value) < 10:
            query = replace(query, limit=min(int(value), MAX_COUNT))
        elif name == "_since" and (span := date_span(value)):
            query = replace(query, since=span[0])
        elif name == "_at" and (span := date_span(value)):
            query = replace(query, at=span)
        elif name == CURSOR:
            query = replace(query, after=Position(*decode_cursor(value, url, key)))
        elif name in ("_count", "_since", "_at"):
            raise problem(400, "value", f"The value {quoted(value)} of '{name}' cannot be read.")
        elif call.lenient:
            continue
        else:
            raise problem(400, "not-supported", f"The history parameter {quoted(name)} is not known here.")
        shown[name] = value
    return query, shown


def _query_string(parameters: dict[str, str]) -> str:
    return "?" + urlencode(parameters) if parameters else ""

"""Storing records, in a worker process: each Bundle in a transaction of its own, single resources many at a time.

Records keep their identity, so that loading the same file again adds nothing: a resource is stored under its own id, an
entry of a Bundle under the id that its `fullUrl` holds, and what has neither under a digest of its text. Conditional
references become what they match, and the links between the members of a collection are kept.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from fhir_server.call import Answer
from fhir_server.interactions.arrivals import Arrivals
from fhir_server.interactions.links import Links, batch_replacement
from fhir_server.interactions.transaction import transaction
from fhir_server.prepare_write import NO_RULES, prepare
from fhir_server.services import Services
from fhir_server.store.commit import commit_together
from fhir_server.store.database import Database
from fhir_server.store.reads import read_many
from fhir_server.store.transaction import transact
from resources.bundle import Bundle, Entry, parse_bundle
from resources.change import Change, Intent, decide
from resources.document import Document, parse_document
from resources.primitives import is_id
from resources.problem import Issue, Problem
from resources.rewriting import Replace, rewrite

Outcome = Literal["created", "updated", "unchanged"]

_LAST_PART = re.compile(r"(?:urn:uuid:|.*/)([A-Za-z0-9\-.]{1,64})")
_BEGINS_AS_BUNDLE = re.compile(rb'\s*\{\s*"resourceType"\s*:\s*"Bundle"')
_HOLDS_BUNDLE = re.compile(rb'"resourceType"\s*:\s*"Bundle"')
_HAS_CONDITIONAL_REFERENCE = re.compile(r'"reference"\s*:\s*"[^"]*\?')


@dataclass(slots=True)
class Reject:
    """A record that was not stored: where it stands, a text that is loaded in its stead later, and why."""

    source: str
    text: bytes
    issues: list[Issue]

    @property
    def may_succeed_later(self) -> bool:
        """Whether all that is wrong is that something it refers to is not there yet."""
        return all(issue.code == "not-found" for issue in self.issues if issue.is_error)


@dataclass(slots=True)
class Tally:
    """What became of some records: (resource type, outcome) → number, and those that were rejected."""

    counts: Counter[tuple[str, Outcome]] = field(default_factory=Counter)
    rejects: list[Reject] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Single:
    """A resource to store by itself under an id; text: what to load if it has to be tried again."""

    source: str
    document: Document
    id: str
    text: bytes


def store_records(texts: Sequence[tuple[str, bytes]], services: Services) -> Tally:
    """Store records, given as (where it stands, JSON text). A bad one is noted, and the others go on."""
    tally = Tally()
    singles: list[Single] = []
    for source, text in texts:
        try:
            if _is_bundle(text):
                _store_bundle(source, text, services, tally, singles)
            else:
                singles.append(_single(source, text))
        except Problem as fault:
            tally.rejects.append(Reject(source, text, fault.issues))
    _store_documents(singles, services, tally)
    return tally


def _is_bundle(text: bytes) -> bool:
    if _BEGINS_AS_BUNDLE.match(text):
        return True  # as nearly all do, so that a long text need not be parsed twice
    return _HOLDS_BUNDLE.search(text) is not None and parse_document(text).type == "Bundle"


def _single(source: str, text: bytes) -> Single:
    document = parse_document(text)
    return Single(source, document, _own_id(document), text)


def _store_bundle(source: str, text: bytes, services: Services, tally: Tally, singles: list[Single]) -> None:
    bundle = parse_bundle(text)
    kind = bundle.type
    if kind not in ("transaction", "batch", "collection", "searchset"):
        singles.append(_single(source, text))  # a Bundle of another kind, such as a document, is a record of its own
        return
    if kind in ("collection", "searchset"):
        singles += _members(source, bundle, services)
        return
    try:
        _count(bundle, transaction(bundle, services, choose_id=id_for, rules=NO_RULES), tally)
    except Problem:
        if kind == "transaction":
            raise
        for entry in parse_bundle(text).entries:  # parsed anew, since references may have been rewritten
            again = _alone(entry.full_url, entry.request, entry.document)
            alone = Bundle("transaction", [entry])
            try:
                _count(alone, transaction(alone, services, choose_id=id_for, rules=NO_RULES), tally)
            except Problem as fault:
                tally.rejects.append(Reject(f"{source} {entry.place}", again, fault.issues))


def _members(source: str, bundle: Bundle, services: Services) -> list[Single]:
    """The resources of a collection, with the links between them made into what they are stored as."""
    members = [(entry, entry.document) for entry in bundle.entries if entry.document is not None]
    ids = [str(document.id) if is_id(document.id) else id_for(entry) for entry, document in members]
    keys = [f"{document.type}/{own}" for own, (_, document) in zip(ids, members, strict=True)]
    targets = {entry.full_url: key for key, (entry, _) in zip(keys, members, strict=True) if entry.full_url}
    links = Links(targets, (), Arrivals((), services.context()), services)
    singles: list[Single] = []
    for own, (entry, document) in zip(ids, members, strict=True):
        to_member = links.replacement_for(entry)

        def replacement(text: str, is_reference: bool, to_member: Replace = to_member) -> str | None:
            if (is_reference and text.startswith("urn:")) or "?" in text:
                return targets.get(text)  # others are left as they are, or looked up when this is stored
            return to_member(text, is_reference)

        document = rewrite(document, replacement)
        again = _alone(f"urn:uuid:{own}", {"method": "POST", "url": document.type}, document)
        singles.append(Single(f"{source} {entry.place}", document, own, again))
    return singles


def _alone(full_url: str | None, request: dict[str, Any], document: Document | None) -> bytes:
    """An entry of a Bundle as a transaction of its own."""
    members = [b'"request":' + orjson.dumps(request)]
    if full_url:
        members.append(b'"fullUrl":' + orjson.dumps(full_url))
    if document is not None:
        members.append(b'"resource":' + document.text.encode())
    return b'{"resourceType":"Bundle","type":"transaction","entry":[{' + b",".join(members) + b"}]}"


def id_for(entry: Entry) -> str:
    """The id to create an entry's resource under: the same whenever the entry is loaded again."""
    match = _LAST_PART.fullmatch(entry.full_url or "")
    if match is not None:
        return match[1]
    assert entry.document is not None  # only entries with a resource are created
    return _own_id(entry.document)


def _own_id(document: Document) -> str:
    if is_id(document.id):
        return str(document.id)
    return hashlib.sha256(document.text.encode()).hexdigest()[:32]


def _count(bundle: Bundle, answers: list[Answer], tally: Tally) -> None:
    for entry, answer in zip(bundle.entries, answers, strict=True):
        if answer.version is not None and entry.document is not None:
            tally.counts[(answer.version.type, _outcome(answer))] += 1


def _outcome(answer: Answer) -> Outcome:
    if not answer.is_change:
        return "unchanged"
    return "created" if answer.status == 201 else "updated"


def _store_documents(singles: list[Single], services: Services, tally: Tally) -> None:
    """Store single resources in one transaction, or, where that fails, one by one."""
    resolved = batch_replacement((), services)
    intents: dict[str, tuple[Single, Intent]] = {}
    for single in singles:
        document = single.document
        try:
            if _HAS_CONDITIONAL_REFERENCE.search(document.text):
                document = rewrite(document, resolved)
            intent, _ = prepare("PUT", document, single.id, services.context())
        except Problem as fault:
            tally.rejects.append(Reject(single.source, single.text, fault.issues))
            continue
        if intent.key in intents:  # the same resource again: what was read before goes in first
            _store_intents([intents.pop(intent.key)], services, tally)
        intents[intent.key] = single, intent
    _store_intents(list(intents.values()), services, tally)


def _store_intents(intents: list[tuple[Single, Intent]], services: Services, tally: Tally) -> None:
    if not intents:
        return
    services.database.prepare({intent.type for _, intent in intents})
    try:
        outcomes = transact(
            services.database, lambda database: _commit([intent for _, intent in intents], services, database)
        )
    except Problem as fault:
        if len(intents) == 1:
            single, _ = intents[0]
            tally.rejects.append(Reject(single.source, single.text, fault.issues))
            return
        for one in intents:
            _store_intents([one], services, tally)
        return
    for (_, intent), outcome in zip(intents, outcomes, strict=True):
        tally.counts[(intent.type, outcome)] += 1


def _commit(intents: list[Intent], services: Services, database: Database) -> list[Outcome]:
    stored = {
        (type_name, logical_id): version
        for type_name in {intent.type for intent in intents}
        for logical_id, version in read_many(
            database, type_name, [intent.id for intent in intents if intent.type == type_name]
        ).items()
    }
    now = services.clock()
    changes: list[Change] = []
    outcomes: list[Outcome] = []
    for intent in intents:
        change = decide(intent, stored.get((intent.type, intent.id)), now)
        if change is None:
            outcomes.append("unchanged")
            continue
        changes.append(change)
        outcomes.append("updated" if change.after.was_there else "created")
    commit_together(database, changes)
    return outcomes

"""Storing records, in a worker process: each Bundle in a transaction of its own, single resources many at a time.

Records keep their identity, so that loading the same file again adds nothing: a resource is stored under its own id, an
entry of a Bundle under the id that its `fullUrl` holds, and what has neither under a digest of its text.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from fhir_server.call import Answer
from fhir_server.interactions.transaction import transaction
from fhir_server.prepare_write import prepare
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

Outcome = Literal["created", "updated", "unchanged"]

_LAST_PART = re.compile(r"(?:urn:uuid:|.*/)([A-Za-z0-9\-.]{1,64})")
_IS_BUNDLE = re.compile(rb'"resourceType"\s*:\s*"Bundle"')


@dataclass(slots=True)
class Reject:
    """A record that was not stored: where it stands, its text, and why."""

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


def store_records(texts: Sequence[tuple[str, bytes]], services: Services) -> Tally:
    """Store records, given as (where it stands, JSON text). A bad one is noted, and the others go on."""
    tally = Tally()
    singles: list[tuple[str, Document]] = []
    for source, text in texts:
        try:
            if _IS_BUNDLE.search(text):
                _store_bundle(source, text, services, tally, singles)
            else:
                singles.append((source, parse_document(text)))
        except Problem as fault:
            tally.rejects.append(Reject(source, text, fault.issues))
    _store_documents(singles, services, tally)
    return tally


def _store_bundle(
    source: str, text: bytes, services: Services, tally: Tally, singles: list[tuple[str, Document]]
) -> None:
    document = parse_document(text)
    kind = document.tree.get("type")
    if document.type != "Bundle" or kind not in ("transaction", "batch", "collection", "searchset"):
        singles.append((source, document))  # a Bundle of another kind, such as a document, is a record of its own
        return
    bundle = parse_bundle(text)
    if kind in ("collection", "searchset"):
        singles += [(f"{source} {e.place}", e.document) for e in bundle.entries if e.document is not None]
        return
    try:
        _count(bundle, transaction(bundle, services, choose_id=id_for), tally)
    except Problem:
        if kind == "transaction":
            raise
        for entry in parse_bundle(text).entries:  # parsed anew, since references may have been rewritten
            alone = Bundle("transaction", [entry])
            try:
                _count(alone, transaction(alone, services, choose_id=id_for), tally)
            except Problem as fault:
                content = entry.document.text.encode() if entry.document else b""
                tally.rejects.append(Reject(f"{source} {entry.place}", content, fault.issues))


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


def _store_documents(documents: list[tuple[str, Document]], services: Services, tally: Tally) -> None:
    """Store single resources in one transaction, or, where that fails, one by one."""
    intents: dict[str, tuple[str, Intent]] = {}
    for source, document in documents:
        try:
            intent, _ = prepare("PUT", document, _own_id(document), services.base_url)
        except Problem as fault:
            tally.rejects.append(Reject(source, document.text.encode(), fault.issues))
            continue
        if intent.key in intents:  # the same resource again: what was read before goes in first
            _store_intents([intents.pop(intent.key)], services, tally)
        intents[intent.key] = source, intent
    _store_intents(list(intents.values()), services, tally)


def _store_intents(intents: list[tuple[str, Intent]], services: Services, tally: Tally) -> None:
    if not intents:
        return
    services.database.prepare({intent.type for _, intent in intents})
    try:
        outcomes = transact(services.database, lambda database: _commit(intents, services, database))
    except Problem as fault:
        if len(intents) == 1:
            source, intent = intents[0]
            content = intent.document.text.encode() if intent.document else b""
            tally.rejects.append(Reject(source, content, fault.issues))
            return
        for one in intents:
            _store_intents([one], services, tally)
        return
    for (_, intent), outcome in zip(intents, outcomes, strict=True):
        tally.counts[(intent.type, outcome)] += 1


def _commit(intents: list[tuple[str, Intent]], services: Services, database: Database) -> list[Outcome]:
    stored = {
        (type_name, logical_id): version
        for type_name in {intent.type for _, intent in intents}
        for logical_id, version in read_many(
            database, type_name, [intent.id for _, intent in intents if intent.type == type_name]
        ).items()
    }
    now = services.clock()
    changes: list[Change] = []
    outcomes: list[Outcome] = []
    for _, intent in intents:
        change = decide(intent, stored.get((intent.type, intent.id)), now)
        if change is None:
            outcomes.append("unchanged")
            continue
        changes.append(change)
        outcomes.append("updated" if change.after.was_there else "created")
    commit_together(database, changes)
    return outcomes

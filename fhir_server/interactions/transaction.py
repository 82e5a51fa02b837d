"""transaction: all entries of a Bundle, or none.

https://hl7.org/fhir/R4/http.html#transaction

    identify   which resource each entry is about: new ids, and the matches of conditions
    rewrite    links between the entries, and conditional references, become `Type/id`
    prepare    every resource is validated and indexed; all faults of all entries are reported at once
    commit     in one database transaction: conditions are looked up again behind their guards, what is stored is read,
               each intent decided, all changes written, and the reads of the Bundle answered from the result

Only the last selection holds a transaction open. Where a condition has come to mean something else in the meantime, all is
done over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from capability.operations import reading_operations
from fhir_server.bundle_writer import response_bundle
from fhir_server.call import Answer, Call, Return
from fhir_server.dispatch import perform
from fhir_server.gate import check
from fhir_server.interactions.arrivals import Arrivals
from fhir_server.interactions.entry_calls import entry_call, without_content
from fhir_server.interactions.links import Links
from fhir_server.interactions.naming import naming
from fhir_server.interactions.patch import patchable, patched_document
from fhir_server.interactions.read import is_hidden
from fhir_server.interactions.write import check_not_taken, deleted, guard_name, single_match, written
from fhir_server.operations import OPERATIONS
from fhir_server.prepare_write import Rules, check_id, checked_id, deletion, prepare
from fhir_server.services import Services
from fhir_server.store.commit import commit_together
from fhir_server.store.database import Database
from fhir_server.store.reads import read, read_many
from fhir_server.store.transaction import touch_guards, transact
from fhir_server.visibility import may_see
from resources.bundle import Bundle, Entry, check_no_duplicates, in_verb_order
from resources.change import Change, Intent, Stored, decide
from resources.document import parse_document
from resources.primitives import is_id
from resources.problem import Issue, Problem, problem
from resources.rewriting import rewrite
from search.plan import Selection, plan_condition

ATTEMPTS = 5
CONDITIONAL = frozenset({"conditional_update", "conditional_patch", "conditional_delete"})
READS = frozenset({"read", "vread", "history", "search", "search_system"}) | reading_operations()

ChooseId = Callable[[Entry], str]
"""The logical id under which an entry's resource is created."""


@dataclass(slots=True)
class Work:
    """One entry on its way through a transaction.

    twin: for a conditional create, an earlier one with the same condition, which stores the resource for both. That is what
    other servers do, and feeds rely on it that repeat their practitioners. condition: the plan of its condition, if it has
    one; match: the id that it selects now, or None.
    patched: the version that a patch was tried on.
    id: of the resource that the entry writes; None for reads, and for a conditional delete that matches nothing.
    """

    entry: Entry
    call: Call
    condition: Selection | None = None
    match: str | None = None
    twin: Work | None = None
    id: str | None = None
    intent: Intent | None = None
    warnings: list[Issue] = field(default_factory=list)
    patched: int | None = None

    @property
    def is_write(self) -> bool:
        return self.call.interaction not in READS

    @property
    def keeps_match(self) -> bool:
        """Whether this is a conditional create that found its resource, which then stays as it is."""
        return self.call.interaction == "create" and (self.match is not None or self.twin is not None)

    @property
    def changes(self) -> bool:
        """Whether a resource is to be written or deleted."""
        return self.is_write and self.id is not None and not self.keeps_match

    @property
    def key(self) -> str:
        return f"{self.call.type}/{self.id}"


class _MovedError(Exception):
    """A condition selects another resource than it did when the entries were prepared."""


def transaction(
    bundle: Bundle,
    services: Services,
    prefer_return: Return = "minimal",
    choose_id: ChooseId | None = None,
    lenient: bool = False,
    rules: Rules | None = None,
) -> list[Answer]:
    """Carry out a transaction Bundle: the answers to its entries, in the order of the Bundle.

    choose_id: for resources that are created; by default each gets a new id. lenient: searches among the entries pass over
    unknown parameters. rules: what is checked besides the definitions; None for what the server is told. Raises a `Problem`
    that names the entry, and stores nothing, if anything at all is wrong.
    """
    for _ in range(ATTEMPTS):
        works = [_work(entry, services, prefer_return, lenient) for entry in in_verb_order(bundle.entries)]
        _identify(works, services, choose_id)
        check_no_duplicates(
            [(work.key, work.entry) for work in works if work.changes],
            [(work.key, work.entry) for work in works if work.keeps_match and work.twin is None],
        )
        _prepare(works, services, rules or services.rules)
        services.database.prepare({work.call.type for work in works if work.is_write and work.call.type})
        try:
            answers = transact(services.database, partial(_carry_out, works, services))
        except _MovedError:
            for entry in bundle.entries:
                if entry.document is not None:  # its tree was rewritten for matches that hold no more
                    entry.document = parse_document(entry.document.text)
            continue
        for work in works:
            answers[work.entry.index].call = work.call
        return [answers[entry.index] for entry in bundle.entries]
    text = "The conditions of this transaction keep changing; nothing was stored, please try again."
    raise problem(503, "lock-error", text, headers={"Retry-After": "2"})


def transaction_response(bundle: Bundle, call: Call, services: Services) -> Answer:
    """Carry out a transaction Bundle and answer with a transaction-response Bundle."""
    answers = transaction(bundle, services, call.prefer_return or "minimal", lenient=call.lenient)
    return Answer(200, response_bundle("transaction-response", answers, services.base_url), parts=answers)


def _work(entry: Entry, services: Services, prefer_return: Return, lenient: bool) -> Work:
    with naming(entry):
        try:
            call = entry_call(entry, services.base_url)
        except Problem as fault:
            if fault.status != 405:
                raise
            # Of the transaction as a whole, 405 would say that the FHIR base takes no POST.
            raise Problem(400, fault.issues) from None
        if call.interaction in OPERATIONS and call.interaction not in READS:
            raise problem(400, "not-supported", "An operation that changes something cannot be part of a transaction.")
        check(call, services)
        call.prefer_return, call.lenient = prefer_return, lenient
        return Work(entry, call)


def _identify(works: list[Work], services: Services, choose_id: ChooseId | None) -> None:
    creates: dict[str, Work] = {}  # by their conditions
    for work in works:
        if not work.is_write:
            continue
        with naming(work.entry):
            call, document = work.call, work.call.document
            assert call.type is not None  # the routes of writes have it
            condition = call.if_none_exist if call.interaction == "create" else call.query
            if call.interaction in CONDITIONAL or (condition and call.if_none_exist):
                selection = plan_condition(call.type, condition or "", services.context())
                work.condition = selection
                work.match = single_match(services.database, selection)
            if call.id is not None:
                work.id = checked_id(call.id)
                if document is not None:
                    check_id(document, work.id)
            elif work.match is not None:
                work.id = work.match
                if call.interaction == "conditional_update" and document is not None and document.id is not None:
                    check_id(document, work.id)
            elif work.condition is not None and call.interaction == "create" and guard_name(work.condition) in creates:
                work.twin = creates[guard_name(work.condition)]
                work.id = work.twin.id
            elif call.interaction == "create":
                if work.condition is not None:
                    creates[guard_name(work.condition)] = work
                work.id = choose_id(work.entry) if choose_id else services.new_id()
            elif call.interaction == "conditional_update" and document is not None:
                work.id = document.id if is_id(document.id) else services.new_id()
            if call.patch is not None:
                _try_patch(work, services)


def _try_patch(work: Work, services: Services) -> None:
    """Make of a patch what it leaves of the version that is stored now; from here on it is an update."""
    call = work.call
    assert call.type is not None  # the routes of writes have it
    if work.id is None:
        raise problem(404, "not-found", f"No {call.type} matches the condition.")
    stored = patchable(call, work.id, read(services.database, call.type, work.id), services)
    call.document, work.patched = patched_document(call.patch, stored), stored.version


def _prepare(works: list[Work], services: Services, rules: Rules) -> None:
    arrivals = Arrivals(
        [(w.key, w.call.document) for w in works if w.changes and w.call.document is not None], services.context()
    )
    _check_conditions(works, arrivals)
    targets = {w.entry.full_url: w.key for w in works if w.entry.full_url and w.call.document and w.id}
    links = Links(targets, {w.key for w in works if w.changes}, arrivals, services)
    faults: list[Problem] = []
    for work in works:
        call = work.call
        if not work.changes:
            continue
        assert call.type is not None  # whatever changes has both
        assert work.id is not None
        if call.document is None:
            work.intent = deletion(call.type, work.id, services.context(), call.if_match)
            continue
        try:
            with naming(work.entry):
                call.document = rewrite(call.document, links.replacement_for(work.entry))
                work.intent, work.warnings = prepare(
                    "POST" if call.interaction == "create" else "PUT",
                    call.document,
                    work.id,
                    services.context(),
                    at=f"{work.entry.place}.resource",
                    if_match=call.if_match,
                    if_none_match="*" in call.if_none_match,
                    rules=rules,
                )
        except Problem as fault:
            faults.append(fault)
    if faults:
        status = max((fault.status for fault in faults), key=lambda status: (status != 422, status))
        raise Problem(status, [issue for fault in faults for issue in fault.issues])


def _check_conditions(works: list[Work], arrivals: Arrivals) -> None:
    """Raise a 412 `Problem` where a condition that finds nothing yet would find what another entry stores.

    Two entries that each create a resource "unless there is one" would otherwise leave two.
    """
    for work in works:
        if work.condition is None or work.match is not None or work.call.interaction == "conditional_delete":
            continue
        found = arrivals.select(work.condition)
        if work.twin is not None and work.key not in found:
            with naming(work.entry):
                text = f"The condition is that of {work.twin.entry.place} too, whose resource would not meet it."
                raise problem(412, "conflict", text)
        if others := [key for key in found if key != work.key]:
            entries = ", ".join(other.entry.place for other in works if other.key in others)
            with naming(work.entry):
                text = f"Nothing that is stored meets the condition, but what {entries} would store does."
                raise problem(412, "multiple-matches", text)


def _carry_out(works: list[Work], services: Services, database: Database) -> dict[int, Answer]:
    """Everything that needs the transaction; it may run several times."""
    conditions = [work for work in works if work.condition is not None]
    touch_guards(database, [guard_name(work.condition) for work in conditions if work.condition])
    for work in conditions:
        if work.condition is not None and single_match(database, work.condition) != work.match:
            raise _MovedError
    before = _stored(works, database)
    changes: list[Change] = []
    answers: dict[int, Answer] = {}
    afters: dict[str, Stored] = {}
    now = services.clock()
    for work in works:
        if not work.is_write:
            continue
        stored = before.get((work.call.type or "", work.id or ""))
        if work.patched is not None and (stored is None or stored.version != work.patched):
            raise _MovedError
        with naming(work.entry):
            if work.intent is None:
                answers[work.entry.index] = _without_intent(work, afters.get(work.key, stored))
                continue
            if (
                work.call.interaction == "conditional_update"
                and work.match is None
                and work.intent.document is not None
            ):
                check_not_taken(work.intent.document, stored)
            change = decide(work.intent, stored, now)
            after = stored if change is None else change.after
            if change is not None:
                changes.append(change)
            if work.intent.document is None:
                # Nothing is told of a deletion that the request may not know of.
                answer = deleted(work.call, after if change is not None or work.intent.may_change is None else None)
                answer.is_denial = change is None and is_hidden(stored)
                answers[work.entry.index] = answer
            else:
                assert after is not None  # whatever has content leaves a version
                afters[work.key] = after
                is_created = change is not None and not after.was_there
                answer = written(work.call, after, work.warnings, is_created=is_created)
                if work.call.patch is not None and not may_see(after, services.context()):
                    answer.content = None  # as in `patch`
                answer.is_change = change is not None
                answers[work.entry.index] = answer
    commit_together(database, changes)
    for work in works:
        if not work.is_write:
            with naming(work.entry):
                answer = perform(work.call, services.within(database))
                answers[work.entry.index] = without_content(answer) if work.call.method == "HEAD" else answer
    return answers


def _without_intent(work: Work, stored: Stored | None) -> Answer:
    if work.keeps_match:
        if stored is None:
            raise _MovedError
        return written(work.call, stored, [], is_match=True)
    return deleted(work.call, None)


def _stored(works: list[Work], database: Database) -> dict[tuple[str, str], Stored]:
    """What is stored now under the ids that the entries are about."""
    ids: dict[str, set[str]] = defaultdict(set)
    for work in works:
        if work.is_write and work.id is not None and work.call.type is not None:
            ids[work.call.type].add(work.id)
    return {
        (type_name, stored.id): stored
        for type_name, wanted in ids.items()
        for stored in read_many(database, type_name, wanted).values()
    }

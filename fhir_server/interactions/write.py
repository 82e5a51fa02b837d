"""create, update and delete of one resource, with and without a condition.

https://hl7.org/fhir/R4/http.html#create, #update, #delete, #ccreate, #cond-update, #3.1.0.7.1

All but a plain create read what is stored, decide and commit in one transaction, which starts over where somebody else
was quicker.
"""

from __future__ import annotations

import json

from fhir_server.call import Answer, Call
from fhir_server.interactions.read import is_hidden
from fhir_server.prepare_write import check_id, checked_id, deletion, document_of, prepare
from fhir_server.services import Services
from fhir_server.store.commit import commit_new, commit_together
from fhir_server.store.database import Database
from fhir_server.store.reads import read
from fhir_server.store.run_plan import Runner
from fhir_server.store.transaction import touch_guards, transact
from fhir_server.visibility import check_content
from resources.change import Change, Intent, Stored, decide
from resources.document import Document
from resources.primitives import is_id
from resources.problem import Issue, problem
from search.plan import Selection, plan_condition


def create(call: Call, services: Services) -> Answer:
    """Store a new resource under a new id; with `If-None-Exist` only where nothing matches."""
    assert call.type is not None  # the route has it
    document = call.document or document_of(call.body, call.type)
    logical_id = services.new_id()
    if call.if_none_exist is None:
        intent, warnings = prepare("POST", document, logical_id, services.context(), rules=services.rules)
        change = decide(intent, None, services.clock())
        assert change is not None  # nothing was there, so something changes
        commit_new(services.database, change)
        return written(call, change.after, warnings)
    selection = plan_condition(call.type, call.if_none_exist, services.context())
    intent, warnings = prepare("POST", document, logical_id, services.context(), rules=services.rules)

    def attempt(database: Database) -> Stored:
        touch_guards(database, [guard_name(selection)])
        found = single_match(database, selection)
        if found is not None:
            existing = read(database, selection.type, found)
            assert existing is not None  # one snapshot: what was found is there
            return existing
        change = decide(intent, None, services.clock())
        assert change is not None
        commit_together(database, [change])
        return change.after

    services.database.prepare({call.type})
    stored = transact(services.database, attempt)
    return written(call, stored, warnings, is_match=stored.id != logical_id)


def update(call: Call, services: Services) -> Answer:
    """Replace a resource, or create it under the id that the client chose."""
    assert call.type is not None  # the route has both
    assert call.id is not None
    logical_id = checked_id(call.id)
    document = call.document or document_of(call.body, call.type)
    check_id(document, logical_id)
    intent, warnings = prepare(
        "PUT",
        document,
        logical_id,
        services.context(),
        if_match=call.if_match,
        if_none_match="*" in call.if_none_match,
        rules=services.rules,
    )
    stored, change = _commit(intent, services)
    assert stored is not None  # an update always leaves a version
    return written(call, stored, warnings, is_created=change is not None and not change.after.was_there)


def delete(call: Call, services: Services) -> Answer:
    """Delete a resource; deleting what is not there is no error."""
    assert call.type is not None  # the route has both
    assert call.id is not None
    intent = deletion(call.type, checked_id(call.id), services.context(), call.if_match)
    stored, change = _commit(intent, services)
    answer = deleted(call, stored if change is not None or intent.may_change is None else None)
    answer.is_denial = change is None and is_hidden(stored)
    return answer


def conditional_update(call: Call, services: Services) -> Answer:
    """Replace the one resource that matches, or create one where none does; 412 where several match."""
    assert call.type is not None
    document = call.document or document_of(call.body, call.type)
    selection = plan_condition(call.type, call.query, services.context())
    new_id = document.id if isinstance(document.id, str) and is_id(document.id) else services.new_id()
    intent, warnings = prepare(
        "PUT",
        document,
        new_id,
        services.context(),
        if_match=call.if_match,
        if_none_match="*" in call.if_none_match,
        rules=services.rules,
        is_final_id=False,
    )

    def attempt(database: Database) -> tuple[Stored, bool]:
        touch_guards(database, [guard_name(selection)])
        resolve_conditional_update(database, selection, intent, document)
        assert intent.index is not None  # it has content
        check_content(intent.type, intent.id, intent.index, "u", services.context())
        before = read(database, intent.type, intent.id)
        change = decide(intent, before, services.clock())
        if change is None:
            assert before is not None  # without a resource, an update always changes something
            return before, False
        commit_together(database, [change])
        return change.after, not change.after.was_there

    services.database.prepare({call.type})
    stored, is_created = transact(services.database, attempt)
    return written(call, stored, warnings, is_created=is_created)


def conditional_delete(call: Call, services: Services) -> Answer:
    """Delete the one resource that matches; 412 where several match, and nothing is wrong where none does."""
    assert call.type is not None
    selection = plan_condition(call.type, call.query, services.context())

    def attempt(database: Database) -> Stored | None:
        touch_guards(database, [guard_name(selection)])
        found = single_match(database, selection)
        if found is None:
            return None
        before = read(database, selection.type, found)
        intent = deletion(selection.type, found, services.context(), call.if_match)
        change = decide(intent, before, services.clock())
        if change is not None:
            commit_together(database, [change])
        return change.after if change is not None else None

    services.database.prepare({call.type})
    return deleted(call, transact(services.database, attempt))


def resolve_conditional_update(database: Database, selection: Selection, intent: Intent, document: Document) -> None:
    """Point the intent at the match of a conditional update. Raises 412 for several, 400 where the body has another id
    than the match, 409 where nothing matches but the body's id is taken.

    https://hl7.org/fhir/R4/http.html#cond-update
    """
    found = single_match(database, selection)
    if found is None:
        check_not_taken(document, read(database, intent.type, intent.id))
        return
    if document.id is not None and document.id != found:
        raise problem(
            400,
            "value",
            f"The condition matches {selection.type}/{found}, but the resource has another id.",
            f"{selection.type}.id",
        )
    intent.id = found


def check_not_taken(document: Document, stored: Stored | None) -> None:
    """Raise a 409 `Problem` where a conditional update that matches nothing would replace what its body's id names."""
    if stored is not None and not stored.is_deleted:
        text = f"Nothing matches the condition, but {stored.type}/{stored.id} exists already."
        raise problem(409, "conflict", text, f"{document.type}.id")


def single_match(database: Database, selection: Selection) -> str | None:
    """The id of the one match of a condition, or None. Raises a 412 `Problem` where several match."""
    found = Runner(database).ids(selection, 2)
    if len(found) > 1:
        raise problem(
            412, "multiple-matches", f"More than one {selection.type} matches the condition; it must select one."
        )
    return found[0] if found else None


def guard_name(selection: Selection) -> str:
    """The guard document that all requests with this condition write, however they spell it (see `store.transaction`)."""
    parts = selection.filter.get("$and", [selection.filter])
    texts = [json.dumps(part, sort_keys=True, default=repr) for part in parts] + [
        repr(join) for join in selection.joins
    ]
    return f"{selection.type}?{' & '.join(sorted(texts))}"


def _commit(intent: Intent, services: Services) -> tuple[Stored | None, Change | None]:
    """Decide on what is stored, and commit: the version that is current now, and the change if there was one."""

    def attempt(database: Database) -> tuple[Stored | None, Change | None]:
        before = read(database, intent.type, intent.id)
        change = decide(intent, before, services.clock())
        if change is None:
            return before, None
        commit_together(database, [change])
        return change.after, change

    services.database.prepare({intent.type})
    return transact(services.database, attempt)


def written(
    call: Call, stored: Stored, warnings: list[Issue], is_created: bool | None = None, is_match: bool = False
) -> Answer:
    """The answer to a write: 201 for a new resource, 200 for a new version or for one that was there already."""
    if is_created is None:
        is_created = not is_match
    answer = Answer(201 if is_created else 200, version=stored, is_created=is_created or is_match, is_write=True)
    if call.prefer_return == "OperationOutcome":
        answer.issues = warnings or [Issue("information", "informational", "The resource is stored and has no faults.")]
    elif call.prefer_return != "minimal":
        answer.content = stored.raw
    return answer


def deleted(call: Call, stored: Stored | None) -> Answer:
    """The answer to a delete: 204, with the version of the deletion where there is one."""
    version = stored if stored is not None and stored.is_deleted else None
    if call.prefer_return == "OperationOutcome":
        text = "The resource is deleted." if version else "There was nothing to delete."
        return Answer(200, version=version, issues=[Issue("information", "informational", text)])
    return Answer(204, version=version)

"""What a write does: the stored version it meets, the intent of the request, and the `Change` that comes of both.

https://hl7.org/fhir/R4/http.html#update and #delete

Every write, single or in a Bundle, becomes `Change` values that are handed to one commit. `decide` is the only place that
knows what a write means, and it is pure: no clock, no database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from resources.document import Document, parse_document
from resources.problem import Issue, Problem, problem, quoted
from resources.types import Judge

Method = Literal["POST", "PUT", "DELETE"]

IndexFields = Callable[[str], Mapping[str, Any]]
"""The logical id of a resource → the fields to store beside its bytes, by which it is searched and sorted."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One stored version of a resource.

    last_updated: milliseconds since 1970. raw: the JSON bytes as they are returned; None for a deletion.
    method: the HTTP verb that made the version. was_there: whether the resource existed (and was not deleted) before it.
    """

    type: str
    id: str
    version: int
    last_updated: int
    raw: bytes | None
    method: Method
    was_there: bool = True

    @property
    def is_deleted(self) -> bool:
        return self.raw is None


@dataclass(frozen=True, slots=True)
class Change:
    """A new version to commit, and the version that it replaces (None for a new id).

    index: of the new content; None for a deletion.
    """

    after: Stored
    before: Stored | None
    index: IndexFields | None = None


@dataclass(slots=True)
class Intent:
    """What a request wants done to one resource whose id is known.

    document and index: None for a deletion. if_match: versions of which one must be current; None where the
    client states none; {"*"} for any version at all. if_none_match: the client demands that there be no such resource yet.
    may_change: whether the request may change a stored version; None where it may change all. judge: what says whether this
    content may follow what is stored. warnings: of validation; those of the judge are added.
    """

    method: Method
    type: str
    id: str
    document: Document | None = None
    index: IndexFields | None = None
    if_match: frozenset[str] | None = None
    if_none_match: bool = False
    may_change: Callable[[Stored], bool] | None = None
    judge: Judge | None = None
    warnings: list[Issue] = field(default_factory=list)

    @property
    def key(self) -> str:
        return f"{self.type}/{self.id}"


def decide(intent: Intent, before: Stored | None, now: int) -> Change | None:
    """The change that an intent makes to what is stored; None where it would change nothing.

    now: milliseconds since 1970. Versions of one resource never share a moment, whatever the clock does, so that their
    order is the order of time. Raises a 412 `Problem` where the client's condition does not hold.
    """
    exists = before is not None and not before.is_deleted
    if before is not None and intent.may_change is not None and not intent.may_change(before):
        # It must look as if there were nothing.
        if intent.document is None:
            return None
        text = f"There is no {intent.type} with the id '{intent.id}'."
        raise problem(404, "not-found", text, is_denial=not before.is_deleted)
    if intent.if_none_match and exists:
        raise problem(412, "conflict", f"{intent.key} exists already.")
    check_if_match(intent.if_match, intent.key, before if exists else None)
    if intent.document is None and not exists:
        return None
    version = 1 if before is None else before.version + 1
    moment = now if before is None else max(now, before.last_updated + 1)
    raw: bytes | None = None
    if intent.document is not None:
        if (
            before is not None
            and before.raw is not None
            and intent.document.says_the_same_as(before.raw, intent.id, before.version, before.last_updated)
        ):
            return None
        _judge(intent, before if exists else None)
        raw = intent.document.stored(intent.id, version, moment)
    after = Stored(intent.type, intent.id, version, moment, raw, intent.method, was_there=exists)
    return Change(after, before, intent.index)


def _judge(intent: Intent, before: Stored | None) -> None:
    """Add the judge's warnings to the intent. Raises a 422 `Problem` with its errors."""
    if intent.judge is None or intent.document is None or before is None or before.raw is None:
        return
    issues = intent.judge(parse_document(before.raw).tree, intent.document.tree)
    if any(issue.is_error for issue in issues):
        raise Problem(422, issues)
    intent.warnings += [issue for issue in issues if issue not in intent.warnings]


def check_if_match(wanted: frozenset[str] | None, key: str, stored: Stored | None) -> None:
    """Raise a 412 `Problem` unless one of the versions that a client names is current. stored: None where there is none.

    https://hl7.org/fhir/R4/http.html#concurrency
    """
    if wanted is None or (stored is not None and ("*" in wanted or str(stored.version) in wanted)):
        return
    named = quoted(", ".join(sorted(wanted)))
    text = f"{key} does not exist, so no version of it can match {named}."
    if stored is not None:
        text = f"{key} is at version {stored.version}, not {named}; read it again and repeat the change on that."
    raise problem(412, "conflict", text)

"""From a request's body to an `Intent` that is fit to be stored: parsed, validated, indexed.

https://hl7.org/fhir/R4/http.html#create

The same for every way in: create, update, each entry of a Bundle, and the loading of files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fhir_server.profile_checking import ClaimsCheck
from fhir_server.visibility import check_content, guard_of
from resources.change import Intent, Method
from resources.document import Document, parse_document
from resources.primitives import is_id
from resources.problem import Issue, Problem, problem, quoted
from resources.types import judge_for
from resources.validation import errors_of, validate
from search.context import Context
from search.fence import Letter
from search.index import index_values
from search.index_values import IndexValues
from search.posted_parameters import faults_of

# MongoDB keeps at most 16 MiB a document: the resource and its index entries, with a little for the rest.
MAX_STORED_BYTES = 16 * 1024 * 1024 - 16 * 1024
# What a value takes beside its own bytes: its kind, its length, its number in an array.
VALUE_OVERHEAD = 14
# Index values, of at most two kilobytes each, that fit in beside a text of a tenth of the whole.
FEW_VALUES = 4_000
LONGEST_ID = 64


@dataclass(frozen=True, slots=True)
class Rules:
    """What a write is checked against besides the definitions.

    judges_changes: whether a status may become only some others. warn_only: the types whose faulty changes are stored, with
    a warning. claims: checks what `meta.profile` claims; None to take it as it is.
    """

    judges_changes: bool = True
    warn_only: frozenset[str] = frozenset()
    claims: ClaimsCheck | None = None


NO_RULES = Rules(judges_changes=False)
"""For records that come as they are, from other systems."""


def document_of(body: bytes, type_name: str | None) -> Document:
    """The parsed body of a write. Raises a 400 `Problem` where it is no resource of the type that the URL names."""
    if not body:
        raise problem(400, "required", "The request has no body; a resource is expected.")
    return parse_document(body, type_name)


def prepare(
    method: Method,
    document: Document,
    logical_id: str,
    context: Context,
    *,
    at: str | None = None,
    if_match: frozenset[str] | None = None,
    if_none_match: bool = False,
    is_final_id: bool = True,
    rules: Rules = NO_RULES,
) -> tuple[Intent, list[Issue]]:
    """The intent to store a document under an id, and the warnings of its validation.

    at: FHIRPath of the resource within a Bundle, for the issues. is_final_id: whether the id is known to be the one; if not,
    the caller checks the content against the fence once it is. rules: what is checked besides.
    Raises a 422 `Problem` with every error of validation, and
    a 413 for what is too large to be stored, and a 403 for what would be outside of the fence.
    """
    issues = faults_in(document.tree, at)
    if rules.claims is not None and not errors_of(issues):
        issues += rules.claims(document.tree, at)
    if errors_of(issues):
        raise Problem(422, issues)
    index = index_values(document.tree, context)
    letter: Letter = "c" if method == "POST" else "u"
    if is_final_id:
        check_content(document.type, logical_id, index.fields, letter, context)
    may_change = guard_of(document.type, letter, context) if method == "PUT" else None
    _check_size(document, index)
    judge = judge_for(document.type, rules.warn_only) if rules.judges_changes else None
    return Intent(
        method, document.type, logical_id, document, index.fields, if_match, if_none_match, may_change, judge, issues
    ), issues


def faults_in(tree: dict[str, Any], at: str | None = None) -> list[Issue]:
    """All issues of a resource for which the definitions of R4 and of the server suffice."""
    issues = validate(tree, at)
    if tree["resourceType"] == "SearchParameter":
        issues += faults_of(tree)
    return issues


def deletion(type_name: str, logical_id: str, context: Context, if_match: frozenset[str] | None) -> Intent:
    """The intent to delete a resource. Raises a 403 `Problem` where none of its type may be deleted."""
    guard = guard_of(type_name, "d", context)
    return Intent("DELETE", type_name, logical_id, if_match=if_match, may_change=guard)


def _check_size(document: Document, index: IndexValues) -> None:
    values = [index, *index.contained.values()]
    if (
        len(document.text) < MAX_STORED_BYTES // 10
        and sum(len(each.entries) + len(each.dates) + len(each.numbers) for each in values) < FEW_VALUES
    ):
        return  # not even with four bytes a character, and the longest entries that there are
    size = len(document.text.encode()) + _size_of(index.fields("-" * LONGEST_ID))
    if size > MAX_STORED_BYTES:
        raise problem(
            413,
            "too-long",
            f"The resource takes {size:,} bytes with its index entries; {MAX_STORED_BYTES:,} is the most one may take.",
        )


def _size_of(value: Any) -> int:
    """At least as many bytes as a value of the index takes in the store."""
    match value:
        case str():
            return VALUE_OVERHEAD + len(value.encode(errors="replace"))
        case dict():
            return VALUE_OVERHEAD + sum(_size_of(name) + _size_of(member) for name, member in value.items())
        case list():
            return VALUE_OVERHEAD + sum(map(_size_of, value))
        case _:
            return VALUE_OVERHEAD + 8


def check_id(document: Document, logical_id: str) -> None:
    """Raise a 400 `Problem` unless the body of an update carries the id that the URL names.

    https://hl7.org/fhir/R4/http.html#update
    """
    if document.id is None:
        raise problem(400, "required", f"The resource has no id; the URL names '{logical_id}'.", f"{document.type}.id")
    if document.id != logical_id:
        shown = quoted(document.id) if isinstance(document.id, str) else "no string"
        raise problem(
            400, "value", f"The resource's id is {shown}, but the URL names '{logical_id}'.", f"{document.type}.id"
        )


def checked_id(text: str) -> str:
    """An id from a URL. Raises a 404 `Problem` for text that no resource can have as its id."""
    if not is_id(text):
        raise problem(404, "not-found", f"{quoted(text)} is not a legal id, so no resource can have it.")
    return text

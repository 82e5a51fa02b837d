"""A FHIR interaction as a value: the `Call` that asks and the `Answer` that comes back.

Routes turn an HTTP request into a `Call`, and so does each entry of a batch or transaction; the interactions know only
these two, and nothing of Flask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from resources.change import Stored
from resources.document import Document
from resources.patching import FhirPathPatch, JsonPatch
from resources.problem import Issue

Return = Literal["minimal", "representation", "OperationOutcome"]

BundleType = Literal["searchset", "history", "batch-response", "transaction-response"]


@dataclass(slots=True)
class Call:
    """One request for one interaction.

    compartment: type and id of the one to search in, if any. query: the raw query string. body: the request's bytes;
    document: what a Bundle entry carries instead, already parsed. patch: what a PATCH asks for.
    if_match: version ids of `If-Match`, None where absent. if_none_match: entity tags of `If-None-Match`, or {"*"}.
    if_modified_since: milliseconds since 1970. if_none_exist: the query of a conditional create.
    prefer_return: None where the client states no preference. lenient: unknown search parameters are passed over.
    """

    interaction: str
    method: str
    type: str | None = None
    id: str | None = None
    version: str | None = None
    compartment: tuple[str, str] | None = None
    query: str = ""
    body: bytes = b""
    document: Document | None = None
    patch: JsonPatch | FhirPathPatch | None = None
    if_match: frozenset[str] | None = None
    if_none_match: frozenset[str] = frozenset()
    if_modified_since: int | None = None
    if_none_exist: str | None = None
    prefer_return: Return | None = None
    lenient: bool = False

    def in_compartment(self, type_name: str) -> Call:
        """The call with its id taken for that of a compartment of the type."""
        assert self.id is not None
        return replace(self, id=None, compartment=(type_name, self.id))


@dataclass(slots=True)
class Answer:
    """What an interaction answers.

    content: the bytes of a JSON resource, or None. version: the stored version that the answer is about, from which
    ETag, Last-Modified and, with `is_created`, Location are made. is_write: whether a resource was written, or would have
    been but for its being there already. is_change: whether something new was stored.
    For the audit: shown, the versions that a search or history tells about; call and parts, what the answers to the entries
    of a Bundle are to; is_denial, whether it hides that something was refused.
    """

    status: int
    content: bytes | None = None
    version: Stored | None = None
    is_created: bool = False
    is_write: bool = False
    is_change: bool = False
    issues: list[Issue] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    shown: Sequence[Stored] = ()
    call: Call | None = None
    parts: Sequence[Answer] = ()
    is_denial: bool = False

"""The collection `oauth.codes`: authorization codes by the hash of their text.

A used code stays for a day, because one that comes twice ends the grant.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Literal

from pymongo import ASCENDING, IndexModel

from smart_auth.store.collection import PURGE, Documents, Json, RandomText, purge_at, purge_index
from smart_auth.store.digests import digest_of
from smart_auth.tokens.codes import AuthorizationCode

NAME = "oauth.codes"
INDEXES = [IndexModel([("grant_id", ASCENDING)], name="grants"), purge_index()]
KEPT_DAYS = 1

CodeState = Literal["unknown", "expired", "used", "open"]


@dataclass(frozen=True, slots=True)
class FoundCode:
    """What is known of a presented code; `value` is None only for an unknown one."""

    state: CodeState
    value: AuthorizationCode | None = None


class Codes:
    """Authorization codes, each good for one exchange."""

    def __init__(self, documents: Documents, random_text: RandomText) -> None:
        self._documents = documents
        self._random_text = random_text

    def issue(self, value: AuthorizationCode) -> str:
        """Store a code; its text, which is stored nowhere."""
        text = self._random_text()
        document = asdict(value)
        document.update({"_id": digest_of(text), "used_at": None, PURGE: purge_at(value.expires_at, KEPT_DAYS)})
        self._documents.insert_one(document)
        return text

    def find(self, text: str, now: int) -> FoundCode:
        """What a code stands for and whether it can still be used; it stays as it is."""
        document = self._documents.find_one({"_id": digest_of(text)})
        if document is None:
            return FoundCode("unknown")
        value = _code(document)
        if document["used_at"] is not None:
            return FoundCode("used", value)
        return FoundCode("expired" if value.expires_at <= now else "open", value)

    def consume(self, text: str, client_id: str, now: int) -> bool:
        """Use a code up for its own client, atomically; of several who try only one is told True."""
        found = self._documents.find_one_and_update(
            {"_id": digest_of(text), "client_id": client_id, "used_at": None, "expires_at": {"$gt": now}},
            {"$set": {"used_at": now}},
            {"_id": 1},
        )
        return found is not None


def _code(document: Json) -> AuthorizationCode:
    return AuthorizationCode(**{name: document[name] for name in _FIELDS})


_FIELDS = tuple(field.name for field in fields(AuthorizationCode))

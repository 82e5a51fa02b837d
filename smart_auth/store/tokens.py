"""The collection `oauth.tokens`: access and refresh tokens by the hash of their text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pymongo import ASCENDING, IndexModel

from smart_auth.store.collection import PURGE, Documents, Json, purge_at, purge_index
from smart_auth.store.digests import digest_of
from smart_auth.tokens.stored import AccessToken, RefreshToken

NAME = "oauth.tokens"
INDEXES = [IndexModel([("grant_id", ASCENDING)], name="grants"), purge_index()]

ACCESS, REFRESH = "access", "refresh"


@dataclass(frozen=True, slots=True)
class FoundAccess:
    """An access token with what it rests on, as stored; each None where there is none."""

    token: AccessToken
    grant: Json | None
    client: Json | None
    user: Json | None


class Tokens:
    """Access and refresh tokens. An expired token may still be found: whoever asks compares the time."""

    def __init__(self, documents: Documents, grants: str, clients: str, users: str) -> None:
        """grants, clients, users: names of the collections that tokens are looked up together with."""
        self._documents = documents
        self._with_all = [
            _joined(grants, "grant_id", "grant"),
            _joined(clients, "client_id", "client"),
            _joined(users, "grant.sub", "user"),
        ]

    def add_access(self, text: str, token: AccessToken) -> None:
        """Store an access token under its text."""
        self._documents.insert_one(
            {
                "_id": digest_of(text),
                "kind": ACCESS,
                "grant_id": token.grant_id,
                "client_id": token.client_id,
                "scope": token.scope,
                "issued_at": token.issued_at,
                "expires_at": token.expires_at,
                PURGE: purge_at(token.expires_at),
            }
        )

    def find_access(self, text: str) -> FoundAccess | None:
        """An access token, its grant, client and user in one read; None if there is none."""
        found = list(self._documents.aggregate([{"$match": {"_id": digest_of(text), "kind": ACCESS}}, *self._with_all]))
        if not found:
            return None
        document = found[0]
        token = AccessToken(
            grant_id=document["grant_id"],
            client_id=document["client_id"],
            scope=document["scope"],
            issued_at=document["issued_at"],
            expires_at=document["expires_at"],
        )
        return FoundAccess(token, *(next(iter(document[name]), None) for name in ("grant", "client", "user")))

    def add_refresh(self, text: str, grant_id: str, client_id: str, issued_at: int, expires_at: int) -> RefreshToken:
        """Store a refresh token under its text, unless it is there already; what is stored then."""
        digest = digest_of(text)
        document = {
            "kind": REFRESH,
            "grant_id": grant_id,
            "client_id": client_id,
            "issued_at": issued_at,
            "expires_at": expires_at,
            "used_at": None,
            "salt": None,
            PURGE: purge_at(expires_at),
        }
        self._documents.update_one({"_id": digest}, {"$setOnInsert": document}, upsert=True)
        return RefreshToken(digest, grant_id, client_id, issued_at, expires_at)

    def find_refresh(self, text: str) -> RefreshToken | None:
        """A refresh token, used or not; None if there is none."""
        document = self._documents.find_one({"_id": digest_of(text), "kind": REFRESH})
        return None if document is None else _refresh(document)

    def use_refresh(self, token: RefreshToken, salt: str, now: int) -> bool:
        """Mark a refresh token as used, atomically; of several who try only one is told True."""
        found = self._documents.find_one_and_update(
            {"_id": token.digest, "used_at": None, "expires_at": {"$gt": now}},
            {"$set": {"used_at": now, "salt": salt}},
            {"_id": 1},
        )
        return found is not None

    def extend_refresh(self, token: RefreshToken, expires_at: int) -> None:
        """Let a refresh token that is not exchanged at its use live on."""
        self._documents.update_one(
            {"_id": token.digest}, {"$max": {"expires_at": expires_at, PURGE: purge_at(expires_at)}}
        )


def _joined(collection: str, local: str, name: str) -> dict[str, Any]:
    return {"$lookup": {"from": collection, "localField": local, "foreignField": "_id", "as": name}}


def _refresh(document: Json) -> RefreshToken:
    return RefreshToken(
        digest=document["_id"],
        grant_id=document["grant_id"],
        client_id=document["client_id"],
        issued_at=document["issued_at"],
        expires_at=document["expires_at"],
        used_at=document["used_at"],
        salt=document["salt"],
    )

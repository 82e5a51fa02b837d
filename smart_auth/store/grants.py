"""The collection `oauth.grants`: what users and administrators allowed clients; the roots of families of tokens.

A grant stays for a while after its end, so that its user can look up what they once allowed.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel

from smart_auth.model import Grant, LaunchContext
from smart_auth.store.collection import PURGE, Documents, Json, purge_at, purge_index

NAME = "oauth.grants"
INDEXES = [
    IndexModel([("sub", ASCENDING), ("created_at", DESCENDING)], name="users"),
    IndexModel([("client_id", ASCENDING), ("created_at", DESCENDING)], name="clients"),
    IndexModel([("user_session", ASCENDING)], name="sessions", sparse=True),
    purge_index(),
]
KEPT_DAYS_OF_USERS = 365
# A backend client makes a grant with every token.
KEPT_DAYS_OF_BACKENDS = 1


class Grants:
    """Grants by their id. Revoking one ends its tokens and its pending codes with it."""

    def __init__(self, documents: Documents, dependants: tuple[Documents, ...]) -> None:
        """dependants: the collections whose documents belong to the grant that their `grant_id` names."""
        self._documents = documents
        self._dependants = dependants

    def add(self, grant: Grant) -> None:
        """Store a new grant, whose id must be new."""
        document = asdict(grant)
        document["_id"] = document.pop("id")
        document[PURGE] = purge_at(grant.expires_at, KEPT_DAYS_OF_USERS if grant.sub else KEPT_DAYS_OF_BACKENDS)
        if grant.sub is None:
            del document["sub"]
        if grant.user_session is None:
            del document["user_session"]
        self._documents.insert_one(document)

    def find(self, grant_id: str) -> Grant | None:
        """The grant, whether or not it has ended; None if there is none."""
        document = self._documents.find_one({"_id": grant_id})
        return None if document is None else grant_of(document)

    def of_user(self, sub: str) -> list[Grant]:
        """What a user allowed, the latest first, ended ones too."""
        return [grant_of(document) for document in self._documents.find({"sub": sub}).sort("created_at", -1)]

    def of_client(self, client_id: str, limit: int = 100) -> list[Grant]:
        """What was allowed to a client, the latest first, ended ones too."""
        found = self._documents.find({"client_id": client_id}).sort("created_at", -1).limit(limit)
        return [grant_of(document) for document in found]

    def touch(self, grant_id: str, at: int) -> None:
        """Note that the client made use of it."""
        self._documents.update_one({"_id": grant_id}, {"$max": {"last_used_at": at}})

    def revoke(self, grant_id: str, at: int) -> bool:
        """End a grant, its tokens and its pending codes; False if it had been revoked before, or there is none."""
        return self._revoke({"_id": grant_id}, at) == 1

    def revoke_of_user(self, sub: str, at: int, client_id: str | None = None) -> int:
        """End all that a user allowed, or all that they allowed one client; how many grants."""
        return self._revoke({"sub": sub} if client_id is None else {"sub": sub, "client_id": client_id}, at)

    def revoke_of_client(self, client_id: str, at: int) -> int:
        """End all that was allowed to a client; how many grants."""
        return self._revoke({"client_id": client_id}, at)

    def revoke_of_session(self, user_session: str, at: int) -> int:
        """End the grants that live no longer than this session of a user; how many."""
        return self._revoke({"user_session": user_session, "stay": "online"}, at)

    def _revoke(self, wanted: Json, at: int) -> int:
        # The grant first: a token that is being issued meanwhile is refused because its grant is revoked.
        live = {**wanted, "revoked_at": None}
        ids = [document["_id"] for document in self._documents.find(live, {"_id": 1})]
        if not ids:
            return 0
        revoked = self._documents.update_many({"_id": {"$in": ids}, "revoked_at": None}, {"$set": {"revoked_at": at}})
        for dependant in self._dependants:
            dependant.delete_many({"grant_id": {"$in": ids}})
        return revoked.modified_count


def grant_of(document: Json) -> Grant:
    """The grant that a document holds."""
    values: dict[str, Any] = {name: document[name] for name in _FIELDS if name in document}
    values["context"] = context_of(document.get("context"))
    return Grant(id=document["_id"], **values)


def context_of(document: Json | None) -> LaunchContext:
    """The launch context that a member of a document holds."""
    if not document:
        return LaunchContext()
    values = {name: document[name] for name in _CONTEXT_FIELDS if name in document}
    values["fhir_context"] = tuple(values.get("fhir_context", ()))
    return LaunchContext(**values)


_FIELDS = tuple(field.name for field in fields(Grant) if field.name not in ("id", "context"))
_CONTEXT_FIELDS = tuple(field.name for field in fields(LaunchContext))

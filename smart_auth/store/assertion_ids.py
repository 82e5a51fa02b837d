"""The collection `oauth.jti`: the ids of client assertions that were accepted, so that none is accepted twice."""

from __future__ import annotations

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from smart_auth.store.collection import PURGE, Documents, purge_at, purge_index
from smart_auth.store.digests import digest_of

NAME = "oauth.jti"
INDEXES: list[IndexModel] = [purge_index()]


class AssertionIds:
    """Ids of assertions, each of one client."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def take(self, client_id: str, jti: str, accepted_until: int) -> bool:
        """Note an id; False if this client used it before. accepted_until: when the assertion would be refused anyway."""
        name = digest_of(f"{len(client_id)}:{client_id}:{jti}")
        try:
            self._documents.insert_one({"_id": name, "expires_at": accepted_until, PURGE: purge_at(accepted_until)})
        except DuplicateKeyError:
            return False
        return True

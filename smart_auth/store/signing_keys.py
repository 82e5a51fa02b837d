"""The collection `oauth.keys`: the key pairs that ID tokens are signed with, private halves included."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from smart_auth.store.collection import PURGE, Documents, Json, purge_at, purge_index

NAME = "oauth.keys"
INDEXES: list[IndexModel] = [purge_index()]


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key pair. generation: 1 for the first, then one more each. jwk: RFC 7517, private members included.

    signs_from: when it begins to sign. retires_at: until when it is published; None while it has no successor.
    """

    generation: int
    jwk: dict[str, Any]
    created_at: int
    signs_from: int
    retires_at: int | None = None


class StoredKeys:
    """Key pairs by their generation, so that of several processes that make one only one succeeds."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def all(self) -> list[StoredKey]:
        """Every key that is still stored, the latest generation first."""
        return [_key(document) for document in self._documents.find().sort("_id", -1)]

    def add(self, key: StoredKey, predecessor_retires_at: int) -> bool:
        """Store the next generation and retire the one before; False if another process was quicker."""
        document = asdict(key)
        document["_id"] = document.pop("generation")
        try:
            self._documents.insert_one(document)
        except DuplicateKeyError:
            return False
        retirement = {"retires_at": predecessor_retires_at, PURGE: purge_at(predecessor_retires_at, days_later=1)}
        self._documents.update_one({"_id": key.generation - 1}, {"$set": retirement})
        return True


def _key(document: Json) -> StoredKey:
    return StoredKey(
        generation=document["_id"],
        jwk=document["jwk"],
        created_at=document["created_at"],
        signs_from=document["signs_from"],
        retires_at=document.get("retires_at"),
    )

"""The collection `oauth.users`: who may sign in."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from smart_auth.model import User
from smart_auth.store.collection import Documents, Json

NAME = "oauth.users"
INDEXES = [IndexModel([("name", ASCENDING)], name="names", unique=True)]


class Users:
    """Users by their `sub`. A name belongs to one user; it is stored as it was given."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def find(self, sub: str) -> User | None:
        """The user, active or not; None if there is none."""
        return self._one({"_id": sub})

    def find_by_name(self, name: str) -> User | None:
        """The user who signs in by this name, active or not; None if there is none."""
        return self._one({"name": name})

    def all(self) -> list[User]:
        """Every user, in the order of their names."""
        return [_user(document) for document in self._documents.find().sort("name", 1)]

    def add(self, user: User) -> bool:
        """Store a new user; False if the sub or the name is taken."""
        try:
            self._documents.insert_one(_document(user))
        except DuplicateKeyError:
            return False
        return True

    def replace(self, user: User) -> bool:
        """Store a user in place of the one with this sub; False if there is none, or another has the name."""
        try:
            return self._documents.replace_one({"_id": user.sub}, _document(user)).matched_count == 1
        except DuplicateKeyError:
            return False

    def set_active(self, sub: str, is_active: bool) -> bool:
        """Let a user in or shut them out, with all that they granted; False if there is none."""
        return self._documents.update_one({"_id": sub}, {"$set": {"is_active": is_active}}).matched_count == 1

    def _one(self, wanted: Json) -> User | None:
        document = self._documents.find_one(wanted)
        return None if document is None else _user(document)


def _document(user: User) -> Json:
    document = asdict(user)
    document["_id"] = document.pop("sub")
    return document


def _user(document: Json) -> User:
    values: dict[str, Any] = {name: document[name] for name in _FIELDS if name in document}
    values["patients"] = tuple(values.get("patients", ()))
    return User(sub=document["_id"], **values)


_FIELDS = tuple(field.name for field in fields(User) if field.name != "sub")

"""The collection `oauth.clients`: registered applications by their client_id."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from smart_auth.model import Client, ClientSecret
from smart_auth.store.collection import Documents, Json

NAME = "oauth.clients"
INDEXES = [IndexModel([("allowed_origins", ASCENDING)], name="origins")]

_TUPLES = ("redirect_uris", "launch_uris", "allowed_origins")


class Clients:
    """Registered clients. Every change is seen by all processes at once."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def find(self, client_id: str) -> Client | None:
        """The client, active or not; None if there is none."""
        document = self._documents.find_one({"_id": client_id})
        return None if document is None else _client(document)

    def all(self) -> list[Client]:
        """Every client, in the order of their names."""
        return [_client(document) for document in self._documents.find().sort([("name", 1), ("_id", 1)])]

    def add(self, client: Client) -> bool:
        """Store a new client; False if its client_id is taken."""
        try:
            self._documents.insert_one(_document(client))
        except DuplicateKeyError:
            return False
        return True

    def replace(self, client: Client) -> bool:
        """Store a client in place of the one with its client_id; False if there is none."""
        return self._documents.replace_one({"_id": client.client_id}, _document(client)).matched_count == 1

    def set_active(self, client_id: str, is_active: bool) -> bool:
        """Let a client in or shut it out, with all of its tokens; False if there is none."""
        return self._documents.update_one({"_id": client_id}, {"$set": {"is_active": is_active}}).matched_count == 1

    def set_secrets(self, client_id: str, before: tuple[ClientSecret, ...], after: tuple[ClientSecret, ...]) -> bool:
        """Exchange the secrets of a client; False if they are no longer those that were read, or it is gone."""
        found = self._documents.update_one(
            {"_id": client_id, "secrets": [asdict(secret) for secret in before]},
            {"$set": {"secrets": [asdict(secret) for secret in after]}},
        )
        return found.matched_count == 1

    def has_origin(self, origin: str) -> bool:
        """Whether an active client may call from pages of this origin."""
        wanted: Json = {"allowed_origins": origin, "is_active": True}
        return self._documents.find_one(wanted, {"_id": 1}) is not None


def _document(client: Client) -> Json:
    document = asdict(client)
    document["_id"] = document.pop("client_id")
    return document


def _client(document: Json) -> Client:
    values: dict[str, Any] = {name: document[name] for name in _FIELDS if name in document}
    values.update({name: tuple(values[name]) for name in _TUPLES if name in values})
    values["secrets"] = tuple(ClientSecret(**secret) for secret in values.get("secrets", ()))
    return Client(client_id=document["_id"], **values)


_FIELDS = tuple(field.name for field in fields(Client) if field.name != "client_id")

"""An authenticated client in the form that Authlib's grants ask for."""

from __future__ import annotations

from dataclasses import dataclass

from smart_auth.clients.registration import GRANT_TYPES
from smart_auth.model import Client


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """A client and the method by which it proved who it is."""

    client: Client
    method: str

    @property
    def client_id(self) -> str:
        return self.client.client_id

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether the client may use a grant type; Authlib answers unauthorized_client if not."""
        return grant_type in GRANT_TYPES[self.client.type]

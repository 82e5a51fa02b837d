"""Registering clients and changing their secrets. What is stored is effective at once, in every process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from smart_auth.clients.registration import Fault, completed, faults_of
from smart_auth.clients.secrets import rotated, secret_for
from smart_auth.errors import OAuthError
from smart_auth.events import Event
from smart_auth.model import Client

if TYPE_CHECKING:
    from smart_auth.services import AuthServices

REDIRECT_URIS = "redirect_uris"


class Unregistrable(OAuthError):
    """A client that cannot be registered, with all that is wrong with it."""

    def __init__(self, faults: list[Fault]) -> None:
        error = "invalid_redirect_uri" if faults[0].member == REDIRECT_URIS else "invalid_client_metadata"
        super().__init__(error, " ".join(fault.text for fault in faults)[:2000])
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Registered:
    """A client as stored, and its secret, which nobody can look up later; None for a client without one."""

    client: Client
    secret: str | None = None


def register(services: AuthServices, client: Client, before: Callable[[], bool] = lambda: True) -> Registered | None:
    """Store a new client, with a new secret if it is of the kind that has one.

    before: called once everything is in order; where it says False, nothing is stored and the answer is None.
    Raises Unregistrable with all that is wrong.
    """
    client = completed(client)
    if faults := faults_of(client):
        raise Unregistrable(faults)
    secret = services.random_text() if client.type == "confidential-symmetric" else None
    if secret is not None:
        client = replace(client, secrets=(secret_for(secret),))
    if not before():
        return None
    if not services.store.clients.add(client):
        raise Unregistrable([Fault("client_id", f"There is a client {client.client_id} already.")])
    services.audit(Event("client-change", True, client_id=client.client_id))
    return Registered(client, secret)


def rotate_secret(services: AuthServices, client_id: str, overlap_seconds: int) -> str | None:
    """A new secret for a client; the old ones are accepted for so many seconds more. None if it has no secrets."""
    while True:
        client = services.store.clients.find(client_id)
        if client is None or client.type != "confidential-symmetric":
            return None
        text = services.random_text()
        after = rotated(client.secrets, text, services.clock(), overlap_seconds * 1000)
        if services.store.clients.set_secrets(client_id, client.secrets, after):
            services.audit(Event("client-change", True, client_id=client_id))
            return text


def set_active(services: AuthServices, client_id: str, is_active: bool) -> bool:
    """Let a client in, or shut it out and end all that was granted to it; False if there is none."""
    if not services.store.clients.set_active(client_id, is_active):
        return False
    if not is_active:
        services.store.grants.revoke_of_client(client_id, services.clock())
        services.access_cache.forget()
    services.audit(Event("client-change", True, client_id=client_id))
    return True

"""What the command `fhir-server client` does, as functions that return plain dicts.

Each raises ValueError, with whole sentences, for what cannot be done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from smart_auth.clients.metadata import metadata_of
from smart_auth.clients.registering import Unregistrable, register, rotate_secret, set_active
from smart_auth.clients.registration import AUTH_METHODS
from smart_auth.model import Client, ClientType
from smart_auth.settings import DAY

if TYPE_CHECKING:
    from smart_auth.services import AuthServices

OVERLAP_SECONDS = 7 * DAY


def add_client(
    services: AuthServices,
    name: str,
    client_type: ClientType,
    *,
    client_id: str | None = None,
    scope: str = "",
    redirect_uris: Sequence[str] = (),
    launch_uris: Sequence[str] = (),
    allowed_origins: Sequence[str] = (),
    jwks: Mapping[str, Any] | None = None,
    jwks_uri: str | None = None,
    publisher: str | None = None,
    policy_uri: str | None = None,
    tos_uri: str | None = None,
    may_introspect: bool = False,
    skips_consent: bool = False,
    is_demo: bool = False,
) -> dict[str, Any]:
    """Register a client. scope: what it may ask for; empty for what is usual. `client_secret` is shown this once."""
    if client_type not in AUTH_METHODS:
        raise ValueError(f"{client_type!r} is not a type of client; these are: {', '.join(AUTH_METHODS)}.")
    client = Client(
        client_id=client_id or services.random_text(),
        name=name,
        type=client_type,
        scope=scope,
        created_at=services.clock(),
        redirect_uris=tuple(redirect_uris),
        launch_uris=tuple(launch_uris),
        allowed_origins=tuple(allowed_origins),
        jwks=jwks,
        jwks_uri=jwks_uri,
        publisher=publisher,
        policy_uri=policy_uri,
        tos_uri=tos_uri,
        may_introspect=may_introspect,
        skips_consent=skips_consent,
        is_demo=is_demo,
    )
    try:
        registered = register(services, client)
    except Unregistrable as error:
        raise ValueError(" ".join(fault.text for fault in error.faults)) from None
    assert registered is not None
    return {**metadata_of(registered.client, registered.secret), "type": client_type}


def list_clients(services: AuthServices) -> list[dict[str, Any]]:
    """All clients, in the order of their names, without secrets."""
    return [_shown(client) for client in services.store.clients.all()]


def rotate_client(services: AuthServices, client_id: str, overlap_seconds: int = OVERLAP_SECONDS) -> dict[str, Any]:
    """Give a client a new secret; the old one is accepted for so many seconds more."""
    secret = rotate_secret(services, client_id, overlap_seconds)
    if secret is None:
        _found(services, client_id)
        raise ValueError(f"The client {client_id!r} has no secret to rotate; it authenticates in another way.")
    return {"client_id": client_id, "client_secret": secret, "old_secret_seconds": overlap_seconds}


def disable_client(services: AuthServices, client_id: str) -> dict[str, Any]:
    """Shut a client out; all that was granted to it ends."""
    set_active(services, client_id, False)
    return _shown(_found(services, client_id))


def enable_client(services: AuthServices, client_id: str) -> dict[str, Any]:
    """Let a client in again; what was granted to it before stays ended."""
    set_active(services, client_id, True)
    return _shown(_found(services, client_id))


def initial_access_token(services: AuthServices, seconds: int = DAY) -> dict[str, Any]:
    """A token with which one client can register itself, once, if that is switched on."""
    text = services.store.initial_access_tokens.issue({}, services.clock() + seconds * 1000)
    return {"initial_access_token": text, "expires_in": seconds}


def _found(services: AuthServices, client_id: str) -> Client:
    client = services.store.clients.find(client_id)
    if client is None:
        raise ValueError(f"There is no client {client_id!r}.")
    return client


def _shown(client: Client) -> dict[str, Any]:
    return {**metadata_of(client), "type": client.type, "is_active": client.is_active}

"""Access token → what its holder may do: asked by the resource server with every request.

https://www.rfc-editor.org/rfc/rfc6750#section-2.1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from smart_auth.model import Access, Grant, patients_of
from smart_auth.store.grants import grant_of
from smart_auth.store.tokens import FoundAccess

if TYPE_CHECKING:
    from smart_auth.services import AuthServices


@dataclass(frozen=True, slots=True)
class LiveAccess:
    """A token that is accepted at this moment, with its grant. issued_at: milliseconds."""

    access: Access
    grant: Grant
    issued_at: int


def find_access(services: AuthServices, token_text: str) -> Access | None:
    """What an access token stands for; None for one that is unknown, expired or revoked.

    Also None when its grant has ended, or its client or user is no longer active. May be up to three seconds behind.
    """
    now = services.clock()
    remembered = services.access_cache.find(token_text, now)
    if remembered is not None:
        return remembered
    live = live_access(services, token_text)
    if live is None:
        return None
    services.access_cache.remember(token_text, live.access, now)
    return live.access


def live_access(services: AuthServices, token_text: str) -> LiveAccess | None:
    """The same, asked of the store in one read, for those who need to know it as of now."""
    found = services.store.tokens.find_access(token_text)
    return None if found is None else _accepted(found, services.clock())


def _accepted(found: FoundAccess, now: int) -> LiveAccess | None:
    token, client, user = found.token, found.client, found.user
    if token.expires_at <= now or found.grant is None or client is None or not client["is_active"]:
        return None
    grant = grant_of(found.grant)
    if grant.revoked_at is not None or grant.expires_at <= now:
        return None
    if grant.sub is not None and (user is None or not user["is_active"]):
        return None
    access = Access(
        client_id=token.client_id,
        grant_id=token.grant_id,
        scope=token.scope,
        expires_at=min(token.expires_at, grant.expires_at),
        sub=grant.sub,
        role=user["role"] if user else None,
        fhir_user=user["fhir_user"] if user else None,
        patients=patients_of(user["role"], user["fhir_user"], tuple(user["patients"])) if user else (),
        context=grant.context,
    )
    return LiveAccess(access, grant, token.issued_at)


def bearer_token(authorization: str | None) -> str | None:
    """The token of an `Authorization: Bearer` header; None for another scheme, no header or no token."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None

"""Refresh tokens: exchanged for new access tokens, replaced at each use by a public client, watched for theft.

https://www.rfc-editor.org/rfc/rfc6749#section-6, https://www.rfc-editor.org/rfc/rfc9700#section-2.2.2

A public client's refresh token is good for one use. Whoever uses one again was either too quick (two tabs, a lost answer) or
is not the client. So for 30 seconds the same successor is handed out again, as long as that has not been used; later, all
that grew from the grant is revoked. A confidential client proves who it is, so it keeps its refresh token.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

from smart_auth.errors import ReplayError, invalid_grant, invalid_scope, quoted
from smart_auth.model import Client, Grant, User
from smart_auth.scopes import beyond
from smart_auth.tokens.issue import TokenResponse, issue_access, issue_refresh
from smart_auth.tokens.revocation import revoke_grant
from smart_auth.tokens.stored import RefreshToken

if TYPE_CHECKING:
    from smart_auth.services import AuthServices

UNKNOWN = "The refresh token is unknown, expired or revoked."


def refresh(services: AuthServices, client: Client, text: str, scope: str | None) -> TokenResponse:
    """The answer to a refresh by an authenticated client.

    scope: what the access token is asked to be for; None for all that was granted.
    Raises OAuthError: invalid_grant, as a ReplayError for a token that was used before; invalid_scope.
    """
    token, grant = _live(services, client, text)
    if token.used_at is not None:
        _check_grace(services, client, token, text)
    if scope is not None and (excess := beyond(scope, grant.scope)):
        raise invalid_scope(f"The scope {quoted(excess[0])} goes beyond what was granted.")
    user = active_user(services, grant)
    successor = _rotate(services, client, grant, token, text) if client.type == "public" else text
    if successor == text:
        idle = services.settings.refresh_idle_seconds * 1000
        services.store.tokens.extend_refresh(token, min(services.clock() + idle, grant.expires_at))
    return issue_access(
        services,
        grant,
        scope or grant.scope,
        services.settings.access_token_seconds,
        user,
        refresh_token=successor,
        event="token-refresh",
    )


def active_user(services: AuthServices, grant: Grant) -> User:
    """The user of a grant. Raises OAuthError (invalid_grant) for one who may no longer sign in."""
    user = None if grant.sub is None else services.store.users.find(grant.sub)
    if user is None or not user.is_active:
        raise invalid_grant("The user of this grant is not active.")
    return user


def _live(services: AuthServices, client: Client, text: str) -> tuple[RefreshToken, Grant]:
    now = services.clock()
    token = services.store.tokens.find_refresh(text)
    if token is None or token.expires_at <= now:
        raise invalid_grant(UNKNOWN)
    if token.client_id != client.client_id:
        raise invalid_grant("The refresh token was issued to another client.")
    grant = services.store.grants.find(token.grant_id)
    if grant is None or grant.revoked_at is not None or grant.expires_at <= now:
        raise invalid_grant(UNKNOWN)
    if grant.stay == "online" and (grant.user_session is None or not services.is_session_live(grant.user_session)):
        raise invalid_grant("The user has signed out.")
    return token, grant


def _rotate(services: AuthServices, client: Client, grant: Grant, token: RefreshToken, text: str) -> str:
    """The successor of a refresh token. The first to ask makes it; whoever asks at the same time is given the same one."""
    salt, now = services.random_text(), services.clock()
    if token.used_at is not None or not services.store.tokens.use_refresh(token, salt, now):
        used = services.store.tokens.find_refresh(text)
        if used is None or used.used_at is None or used.salt is None:
            raise invalid_grant(UNKNOWN)  # revoked a moment ago
        _check_grace(services, client, used, text)
        salt, now = used.salt, used.used_at
    successor = _successor(text, salt)
    issue_refresh(services, grant, successor, now)
    return successor


def _check_grace(services: AuthServices, client: Client, token: RefreshToken, text: str) -> None:
    """Revoke the family of a used refresh token, unless it is repeated soon and its successor has not been used."""
    if token.used_at is not None and token.salt is not None and client.type == "public":
        following = services.store.tokens.find_refresh(_successor(text, token.salt))
        is_soon = services.clock() - token.used_at <= services.settings.refresh_grace_seconds * 1000
        if is_soon and (following is None or following.used_at is None):
            return
    revoke_grant(services, token.grant_id)
    raise ReplayError("invalid_grant", "The refresh token was used before, so everything granted with it is revoked.")


def _successor(text: str, salt: str) -> str:
    # Not stored, and not to be found from what is stored without the text that only the client has.
    made = hmac.digest(salt.encode(), text.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()

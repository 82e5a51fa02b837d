"""Access tokens are issued here and nowhere else, and the answers of the token endpoint made.

https://www.rfc-editor.org/rfc/rfc6749#section-5.1
https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-access-token
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from smart_auth.events import Event
from smart_auth.model import Grant, User
from smart_auth.tokens.id_token import id_token
from smart_auth.tokens.launch_context import context_members
from smart_auth.tokens.stored import AccessToken

if TYPE_CHECKING:
    from smart_auth.services import AuthServices

TokenResponse = dict[str, Any]


def issue_access(
    services: AuthServices,
    grant: Grant,
    scope: str,
    seconds: int,
    user: User | None = None,
    refresh_token: str | None = None,
    nonce: str | None = None,
    event: Literal["token-issue", "token-refresh"] = "token-issue",
) -> TokenResponse:
    """Store an access token of a stored grant; the answer of the token endpoint.

    scope: of this token. seconds: how long it lives, unless the grant ends before. user: whose grant it is; None for a
    backend client. refresh_token: what the client goes on with. nonce: for the ID token.
    """
    settings, now = services.settings, services.clock()
    expires_at = min(now + seconds * 1000, grant.expires_at)
    text = services.random_text()
    services.store.tokens.add_access(text, AccessToken(grant.id, grant.client_id, scope, now, expires_at))
    services.store.grants.touch(grant.id, now)
    response: TokenResponse = {
        "access_token": text,
        "token_type": "Bearer",
        "expires_in": max((expires_at - now) // 1000, 0),
        "scope": scope,
    }
    if refresh_token is not None:
        response["refresh_token"] = refresh_token
    response.update(context_members(grant.context, settings))
    if user is not None and (identity := id_token(services, grant, user, scope, text, nonce)):
        response["id_token"] = identity
    services.audit(
        Event(event, True, client_id=grant.client_id, sub=grant.sub, grant_id=grant.id, patient=grant.context.patient)
    )
    return response


def issue_refresh(services: AuthServices, grant: Grant, text: str, at: int) -> None:
    """Store the refresh token of a grant under its text, unless it is there. at: when its life begins."""
    idle = services.settings.refresh_idle_seconds * 1000
    services.store.tokens.add_refresh(text, grant.id, grant.client_id, at, min(at + idle, grant.expires_at))

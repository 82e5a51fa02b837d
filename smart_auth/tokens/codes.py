"""Authorization codes: what one is bound to, and how one is issued for a grant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from smart_auth.model import Grant

if TYPE_CHECKING:
    from smart_auth.services import AuthServices


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """What a code stands for: a grant, and what the exchange must repeat or prove.

    https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2, https://www.rfc-editor.org/rfc/rfc7636#section-4.4
    The user, the scope, the launch context, the nonce, the time of the sign-in and how long the client may stay are the
    grant's, which the code names. code_challenge: of S256. aud: the FHIR base that was asked for. Times in milliseconds.
    """

    client_id: str
    grant_id: str
    redirect_uri: str
    code_challenge: str
    aud: str
    expires_at: int


def issue_code(services: AuthServices, grant: Grant, redirect_uri: str, code_challenge: str) -> str:
    """Store a code for a grant that has been stored; its text, of letters, digits, `-` and `_`."""
    settings = services.settings
    return services.store.codes.issue(
        AuthorizationCode(
            client_id=grant.client_id,
            grant_id=grant.id,
            redirect_uri=redirect_uri,
            code_challenge=code_challenge,
            aud=settings.fhir_base,
            expires_at=services.clock() + settings.code_seconds * 1000,
        )
    )

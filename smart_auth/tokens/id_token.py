"""ID tokens: who signed in, signed by us.

https://openid.net/specs/openid-connect-core-1_0.html#IDToken
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#scopes-for-requesting-identity-data
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from joserfc import jwt

from smart_auth.keys import ALGORITHM
from smart_auth.model import Grant, User
from smart_auth.scopes import FHIR_USER, OPENID, PROFILE

if TYPE_CHECKING:
    from smart_auth.services import AuthServices


def id_token(
    services: AuthServices, grant: Grant, user: User, scope: str, access_token: str, nonce: str | None
) -> str | None:
    """A signed ID token; None where `openid` was not granted. nonce: of the authorization request; None on a refresh."""
    granted = scope.split(" ")
    if OPENID not in granted:
        return None
    settings, now = services.settings, services.clock() // 1000
    claims: dict[str, Any] = {
        "iss": settings.issuer,
        "sub": user.sub,
        "aud": grant.client_id,
        "iat": now,
        "exp": now + settings.id_token_seconds,
        "at_hash": at_hash(access_token),
    }
    if grant.auth_time is not None:
        claims["auth_time"] = grant.auth_time // 1000
    if nonce is not None:
        claims["nonce"] = nonce
    if FHIR_USER in granted and user.fhir_user is not None:
        claims["fhirUser"] = fhir_user_url(services, user.fhir_user)
    if PROFILE in granted:
        claims["name"] = user.display
    key = services.signing_keys.current(services)
    return jwt.encode({"alg": ALGORITHM, "kid": key.kid}, claims, key, algorithms=[ALGORITHM])


def at_hash(access_token: str) -> str:
    """https://openid.net/specs/openid-connect-core-1_0.html#CodeIDToken"""
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def fhir_user_url(services: AuthServices, reference: str) -> str:
    """The absolute address of a user's own resource, `Practitioner/1`."""
    return f"{services.settings.fhir_base}/{reference}"

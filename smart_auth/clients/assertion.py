"""Client assertions: JWTs that a client signs with its private key to prove who it is.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html#request
https://www.rfc-editor.org/rfc/rfc7523#section-3

Authlib's own check refuses RS384 and ES384, knows no upper limit for `exp`, takes the first of several keys with one id and
lets a wrong algorithm end in a fault; so only joserfc's signature check is used here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from joserfc import jws, jwt
from joserfc.errors import JoseError

from smart_auth.clients.public_keys import KEY_TYPES, chosen_key
from smart_auth.clients.remote_keys import KeysUnavailable
from smart_auth.errors import OAuthError, ReplayError, invalid_client, quoted
from smart_auth.model import Client

if TYPE_CHECKING:
    from smart_auth.services import AuthServices

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = tuple(KEY_TYPES)
LONGEST_ASSERTION = 16 * 1024
LONGEST_JTI = 255

Json = Mapping[str, Any]


def client_of_assertion(
    services: AuthServices, assertion: str, client_id: str | None, audiences: Collection[str]
) -> Client:
    """The active client that signed an assertion.

    client_id: as sent beside it, if it was. audiences: what `aud` may name. Raises OAuthError (invalid_client), as a
    ReplayError for an assertion that was used before.
    """
    header, claims = _unverified(assertion)
    algorithm, kid = _read_header(header)
    client = _client(services, claims, client_id)
    until = _check_claims(services, claims, audiences)
    _verify(services, client, assertion, header, algorithm, kid)
    # Last of all: an assertion that anybody else made must not use up an id.
    if not services.store.assertion_ids.take(client.client_id, claims["jti"], until):
        raise ReplayError("invalid_client", "The assertion has a jti that this client used before.", 401)
    return client


def _unverified(assertion: str) -> tuple[Json, Json]:
    if len(assertion) > LONGEST_ASSERTION:
        raise invalid_client(f"The client_assertion has more than {LONGEST_ASSERTION} characters.")
    try:
        parts = jws.extract_compact(assertion.encode())
        header = parts.headers()
        claims = json.loads(parts.payload)
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError):
        raise invalid_client("The client_assertion is not a signed JWT.") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise invalid_client("The client_assertion is not a signed JWT.")
    return header, claims


def _read_header(header: Json) -> tuple[str, str]:
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ")
    if algorithm not in ALGORITHMS:
        raise invalid_client(f"The alg of the assertion is not one of {', '.join(ALGORITHMS)}.")
    if not isinstance(kind, str) or kind.upper() != "JWT":
        raise invalid_client("The typ of the assertion is not JWT.")
    if not isinstance(kid, str) or not kid:
        raise invalid_client("The assertion has no kid.")
    return str(algorithm), kid


def _client(services: AuthServices, claims: Json, client_id: str | None) -> Client:
    subject = claims.get("sub")
    if not isinstance(subject, str) or claims.get("iss") != subject:
        raise invalid_client("The iss and the sub of the assertion must both be the client_id.")
    if client_id is not None and client_id != subject:
        raise invalid_client("The client_id is not the sub of the assertion.")
    # JSON can spell texts that the store cannot hold.
    client = services.store.clients.find(subject) if subject.isascii() else None
    if client is None or not client.is_active:
        raise invalid_client("The sub of the assertion is not the client_id of an active client.")
    return client


def _check_claims(services: AuthServices, claims: Json, audiences: Collection[str]) -> int:
    """Check everything that needs no key; until when the assertion would be accepted, in milliseconds."""
    now, skew = services.clock() / 1000, services.settings.clock_skew_seconds
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if not any(isinstance(each, str) and each in audiences for each in named):
        raise invalid_client("The aud of the assertion is not the address of the token endpoint.")
    expires, not_before, issued = (_moment(claims, name) for name in ("exp", "nbf", "iat"))
    longest = services.settings.assertion_seconds
    if expires is None:
        raise invalid_client("The assertion has no exp.")
    if expires <= now - skew:
        raise invalid_client("The assertion has expired.")
    if expires > now + longest + skew:
        raise invalid_client(f"The exp of the assertion is more than {longest} seconds ahead.")
    if not_before is not None and not_before > now + skew:
        raise invalid_client("The nbf of the assertion is in the future.")
    if issued is not None and issued > now + skew:
        raise invalid_client("The iat of the assertion is in the future.")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= LONGEST_JTI:
        raise invalid_client(f"The assertion has no jti of 1 to {LONGEST_JTI} characters.")
    return int((expires + skew) * 1000)


def _moment(claims: Json, name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e12 or math.isnan(value):
        raise invalid_client(f"The {name} of the assertion is not a number of seconds since 1970.")
    return float(value)


def _verify(services: AuthServices, client: Client, assertion: str, header: Json, algorithm: str, kid: str) -> None:
    key = chosen_key(_keys(services, client, header, kid), kid, algorithm)
    if key is None:
        raise invalid_client(f"The client has not exactly one {KEY_TYPES[algorithm]} key with the kid {quoted(kid)}.")
    try:
        jwt.decode(assertion, key, algorithms=[algorithm])
    except (JoseError, ValueError, TypeError):
        raise invalid_client("The signature of the assertion is not that of the client's key.") from None


def _keys(services: AuthServices, client: Client, header: Json, kid: str) -> list[Json]:
    if "jku" in header and (client.jwks_uri is None or header["jku"] != client.jwks_uri):
        raise invalid_client("The jku of the assertion is not the jwks_uri that the client registered.")
    if client.jwks is not None:
        return list(client.jwks.get("keys", ()))
    if client.jwks_uri is None:
        raise invalid_client("The client has no keys registered, so it cannot authenticate by an assertion.")
    try:
        return services.remote_keys.find(client.jwks_uri, kid, services.clock(), services.settings.allow_loopback_jwks)
    except KeysUnavailable as fault:
        raise _unavailable(fault) from None


def _unavailable(fault: KeysUnavailable) -> OAuthError:
    return invalid_client(f"The keys of the client are not to be had: {fault}")

"""How an app proves who it is at the token endpoint: by its name, by a secret, by a signed assertion.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

from joserfc import jwk, jws
from joserfc.jws import JWSRegistry

from conformance.smart.configuration import App

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME_SECONDS = 300
# Checks must be able to sign with what a server has to refuse.
EVERY_ALGORITHM = JWSRegistry(algorithms=["RS256", "RS384", "ES256", "ES384"])


def credentials(app: App, token_endpoint: str) -> tuple[dict[str, str], dict[str, str]]:
    """What an app adds to the form and to the headers of a token request."""
    if app.kind == "symmetric":
        pair = f"{quote_plus(app.client_id)}:{quote_plus(app.secret)}"
        return {}, {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    if app.kind == "asymmetric":
        return assertion_form(assertion(app, token_endpoint)), {}
    return {"client_id": app.client_id}, {}


def assertion_form(text: str) -> dict[str, str]:
    """The form members that carry an assertion."""
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": text}


def assertion(
    app: App,
    audience: str,
    key: Mapping[str, Any] | None = None,
    header: Mapping[str, Any] | None = None,
    claims: Mapping[str, Any] | None = None,
) -> str:
    """A signed assertion, right unless changed. key: a private JWK in place of the app's first.

    header, claims: members to add or to replace; None leaves one out.
    """
    private = dict(key or app.private_keys[0])
    protected = {"alg": algorithm_of(private), "typ": "JWT", "kid": private.get("kid"), **(header or {})}
    return signed(_given(protected), _given({**right_claims(app, audience), **(claims or {})}), private)


def right_claims(app: App, audience: str) -> dict[str, Any]:
    """The claims of an assertion that must be accepted."""
    return {
        "iss": app.client_id,
        "sub": app.client_id,
        "aud": audience,
        "exp": int(time.time()) + LIFETIME_SECONDS,
        "jti": uuid.uuid4().hex,
    }


def signed(header: Mapping[str, Any], claims: Mapping[str, Any], key: Mapping[str, Any]) -> str:
    """A JWT with this header and these claims, by whatever algorithm the header names."""
    made = jwk.import_key({name: value for name, value in key.items() if name not in ("alg", "use", "key_ops")})
    return jws.serialize_compact(dict(header), json.dumps(dict(claims)).encode(), made, registry=EVERY_ALGORITHM)


def signed_with_secret(header: Mapping[str, Any], claims: Mapping[str, Any], secret: bytes) -> str:
    """A JWT signed by HMAC with any bytes at all, for the attack that takes a public key for a secret."""
    parts = [_base64url(json.dumps(dict(part)).encode()) for part in (header, claims)]
    signature = hmac.digest(secret, ".".join(parts).encode(), hashlib.sha384)
    return ".".join([*parts, _base64url(signature)])


def unsigned(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """A JWT without a signature."""
    return ".".join([*(_base64url(json.dumps(dict(part)).encode()) for part in (header, claims)), ""])


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def algorithm_of(key: Mapping[str, Any]) -> str:
    """The algorithm that SMART asks for with a kind of key."""
    return "ES384" if key.get("kty") == "EC" else "RS384"


def _given(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}

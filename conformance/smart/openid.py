"""OpenID Connect: the ID token, its key, its claims, and the user's own resource.

https://openid.net/specs/openid-connect-core-1_0.html#IDToken
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from conformance.check import Checks, Failure, expect
from conformance.smart.clauses import CORS, IDENTITY, OPENID_DISCOVERY, OPENID_TOKEN
from conformance.smart.context import SmartContext
from conformance.smart.flows import FLOWS
from conformance.smart.launch import Wanted, json_of, member

OWN_RESOURCE = re.compile(r"(?:^|/)(Patient|Practitioner|RelatedPerson|Person)/([A-Za-z0-9\-.]{1,64})$")
REQUIRED = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
REQUIRED_LISTS = ("response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported")
LONGEST_SUB = 255
SKEW_SECONDS = 60


def checks_of(name: str, wanted: Wanted) -> Checks:
    """The checks on the ID token of one flow."""
    checks = Checks(f"OpenID Connect: {name}")
    _add_discovery(checks, name, wanted)
    _add_token(checks, name, wanted)
    return checks


def _add_discovery(checks: Checks, name: str, wanted: Wanted) -> None:
    @checks(f"{name}.smart_openid_decode", "The token answer has an ID token, which is a JWT.", OPENID_TOKEN)
    def _(context: SmartContext) -> None:
        _unverified(context, wanted)

    @checks(
        f"{name}.smart_openid_retrieve_configuration", "The issuer's OpenID configuration is JSON.", OPENID_DISCOVERY
    )
    def _(context: SmartContext) -> None:
        _configuration(context, wanted)

    @checks(
        f"{name}.smart_openid_required_configuration_fields",
        "The OpenID configuration has every required member, and RS256.",
        OPENID_DISCOVERY,
    )
    def _(context: SmartContext) -> None:
        document = _configuration(context, wanted)
        for each in REQUIRED:
            member(document, each)
        for each in REQUIRED_LISTS:
            expect(
                isinstance(document.get(each), list) and document[each], f"{each} is not an array with something in it."
            )
        expect("RS256" in document["id_token_signing_alg_values_supported"], "The signing algorithms lack RS256.")

    @checks(
        f"{name}.smart_openid_retrieve_jwks", "The issuer publishes an RSA key, and nothing private.", OPENID_DISCOVERY
    )
    def _(context: SmartContext) -> None:
        keys = _keys(context, wanted)
        expect(any(key.get("kty") == "RSA" for key in keys), "There is no RSA key.")
        for key in keys:
            jwk.import_key(key)
            expect(not {"d", "p", "q", "k"} & set(key), "A published key has private members.")


def _add_token(checks: Checks, name: str, wanted: Wanted) -> None:
    @checks(f"{name}.smart_openid_token_header", "The ID token names RS256 and a published key.", OPENID_TOKEN)
    def _(context: SmartContext) -> None:
        header = _unverified(context, wanted)[0]
        expect(header.get("alg") == "RS256", f"The alg is {header.get('alg')!r}.")
        of_rsa = [key.get("kid") for key in _keys(context, wanted) if key.get("kty") == "RSA"]
        expect(header.get("kid") or len(of_rsa) == 1, "The header has no kid, and there are several keys.")
        expect("kid" not in header or header["kid"] in of_rsa, "The kid is not that of a published key.")

    @checks(
        f"{name}.smart_openid_token_payload",
        "The ID token is signed and says whom it is for and until when.",
        OPENID_TOKEN,
    )
    def _(context: SmartContext) -> None:
        claims = id_claims(context, wanted)
        issuer = _configuration(context, wanted).get("issuer")
        client_id = context.configuration.app(wanted.app).client_id
        audience = claims.get("aud")
        expect(claims.get("iss") == issuer, f"The iss is {claims.get('iss')!r} and not {issuer!r}.")
        expect(
            client_id in (audience if isinstance(audience, list) else [audience]), "The aud is not the app's client_id."
        )
        for each in ("exp", "iat"):
            expect(isinstance(claims.get(each), int | float), f"{each} is not a number.")
        expect(claims["exp"] > time.time() - SKEW_SECONDS, "The ID token has expired.")
        sub = claims.get("sub")
        expect(isinstance(sub, str) and 0 < len(sub) <= LONGEST_SUB and sub.isascii(), f"The sub is {sub!r}.")

    @checks(f"{name}.smart_openid_nonce", "The ID token repeats the nonce of the request.", OPENID_TOKEN)
    def _(context: SmartContext) -> None:
        authorization = context.authorize(wanted, nonce="n-0S6_WzA2Mj")
        token = json_of(context.exchange(authorization))
        claims = _verified(context, wanted, member(token, "id_token"))
        expect(claims.get("nonce") == "n-0S6_WzA2Mj", f"The nonce is {claims.get('nonce')!r}.")

    @checks(
        f"{name}.smart_openid_fhir_user_claim", "fhirUser names a resource that the access token may read.", IDENTITY
    )
    def _(context: SmartContext) -> None:
        launched = context.launched(wanted)
        answer = context.api(launched.access_token).get(own_resource(context, wanted))
        expect(answer.status_code == 200, f"Reading the user's own resource was answered {answer.status_code}.")

    @checks(f"{name}.smart_cors_openid_fhir_user_claim", "The app's web page may read that resource, too.", CORS)
    def _(context: SmartContext) -> None:
        origin = context.configuration.origin
        api = context.api(context.launched(wanted).access_token)
        answer = api.get(own_resource(context, wanted), headers={"Origin": origin})
        allowed = answer.headers.get("access-control-allow-origin")
        expect(allowed in ("*", origin), f"For the origin {origin} Access-Control-Allow-Origin is {allowed!r}.")


def id_claims(context: SmartContext, wanted: Wanted) -> dict[str, Any]:
    """The claims of a flow's ID token, once its signature is checked. Raises a Failure."""
    return _verified(context, wanted, member(context.launched(wanted).token, "id_token"))


def own_resource(context: SmartContext, wanted: Wanted) -> str:
    """The address of the user's own resource. Raises a Failure."""
    address = id_claims(context, wanted).get("fhirUser")
    expect(isinstance(address, str) and OWN_RESOURCE.search(address), f"The fhirUser is {address!r}.")
    return str(address)


def _verified(context: SmartContext, wanted: Wanted, text: str) -> dict[str, Any]:
    keys = KeySet.import_key_set({"keys": [key for key in _keys(context, wanted) if key.get("kty") == "RSA"]})
    try:
        return dict(jwt.decode(text, keys, algorithms=["RS256"]).claims)
    except (JoseError, ValueError) as error:
        raise Failure(f"The signature of the ID token cannot be verified: {error}") from None


def _unverified(context: SmartContext, wanted: Wanted) -> tuple[dict[str, Any], dict[str, Any]]:
    text = member(context.launched(wanted).token, "id_token")
    try:
        parts = jws.extract_compact(text.encode())
        return dict(parts.headers()), dict(json.loads(parts.payload))
    except (JoseError, ValueError) as error:
        raise Failure(f"The ID token is no JWT: {error}") from None


def _configuration(context: SmartContext, wanted: Wanted) -> dict[str, Any]:
    issuer = str(_unverified(context, wanted)[1].get("iss", "")).rstrip("/")
    answer = context.http.get(f"{issuer}/.well-known/openid-configuration", headers={"Accept": "application/json"})
    kind = answer.headers.get("content-type", "")
    expect(kind.startswith("application/json"), f"The Content-Type of the OpenID configuration is {kind!r}.")
    return json_of(answer)


def _keys(context: SmartContext, wanted: Wanted) -> list[dict[str, Any]]:
    address = member(_configuration(context, wanted), "jwks_uri")
    keys = json_of(context.http.get(address)).get("keys")
    expect(isinstance(keys, list) and keys, "The key set has no keys.")
    return [dict(key) for key in keys or ()]


groups = [checks_of(name, FLOWS[name]) for name in ("standalone", "ehr")]

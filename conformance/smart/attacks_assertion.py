"""Attacks on client assertions: used twice, signed by another key or algorithm, too old, too long, from elsewhere.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from joserfc.jwk import ECKey, RSAKey

from conformance.check import Checks, expect
from conformance.smart.attacks_code import expect_error
from conformance.smart.backend import backend_request, right_assertion
from conformance.smart.clauses import ASYMMETRIC
from conformance.smart.client_credentials import assertion, right_claims, signed_with_secret, unsigned
from conformance.smart.context import SmartContext
from conformance.smart.launch import json_of

checks = Checks("Attacks on assertions")

CLAUSE = f"{ASYMMETRIC}#request"
AT_ONCE = 6
OTHER_KEY_SIZE = 2048

Made = Callable[[SmartContext], str]


def _refused(name: str, sentence: str) -> Callable[[Made], Made]:
    """A decorator: a check that the assertion which a function makes is answered 401 invalid_client."""

    def add(made: Made) -> Made:
        @checks(f"attack_assertion_{name}", sentence, CLAUSE)
        def _(context: SmartContext) -> None:
            expect_error(backend_request(context, made(context)), "invalid_client", 401)

        return made

    return add


def _made(context: SmartContext, **changed: Any) -> str:
    return assertion(context.configuration.backend, context.endpoint("token_endpoint"), **changed)


@checks("attack_jti_replay", "An assertion is good once.", CLAUSE)
def _(context: SmartContext) -> None:
    text = right_assertion(context)
    json_of(backend_request(context, text))
    expect_error(backend_request(context, text), "invalid_client", 401)


@checks("attack_jti_replay_newly_signed", "So is its jti, in another assertion.", CLAUSE)
def _(context: SmartContext) -> None:
    jti = f"jti-{time.time_ns()}"
    json_of(backend_request(context, _made(context, claims={"jti": jti})))
    again = _made(context, claims={"jti": jti, "exp": int(time.time()) + 120})
    expect_error(backend_request(context, again), "invalid_client", 401)


@checks("attack_jti_at_once", "Of many requests with one assertion at once, exactly one succeeds.", CLAUSE)
def _(context: SmartContext) -> None:
    text = right_assertion(context)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = sorted(pool.map(lambda _: backend_request(context, text).status_code, range(AT_ONCE)))
    expect(statuses == [200] + [401] * (AT_ONCE - 1), f"The answers were {statuses}.")


@checks("attack_forged_jti", "An assertion that somebody else signed uses up no jti.", CLAUSE)
def _(context: SmartContext) -> None:
    jti = f"jti-{time.time_ns()}"
    forged = _made(context, key=_other_key(context), claims={"jti": jti})
    expect_error(backend_request(context, forged), "invalid_client", 401)
    json_of(backend_request(context, _made(context, claims={"jti": jti})))


def _other_key(context: SmartContext) -> dict[str, Any]:
    kid = context.configuration.backend.private_keys[0].get("kid")
    return {**RSAKey.generate_key(OTHER_KEY_SIZE, private=True).as_dict(private=True), "kid": kid}


@_refused("wrong_key", "A key that is not registered, under the id of one that is, is refused.")
def _(context: SmartContext) -> str:
    return _made(context, key=_other_key(context))


@_refused("own_public_key_in_header", "A key that the assertion brings along counts for nothing.")
def _(context: SmartContext) -> str:
    key = _other_key(context)
    public = {name: value for name, value in key.items() if name in ("kty", "n", "e", "kid")}
    return _made(context, key=key, header={"jwk": public})


@_refused("unknown_kid", "An id of no registered key is refused.")
def _(context: SmartContext) -> str:
    return _made(context, header={"kid": "no-such-key"})


@_refused("without_kid", "An assertion without a key id is refused.")
def _(context: SmartContext) -> str:
    return _made(context, header={"kid": None})


@_refused("alg_none", "An unsigned assertion is refused.")
def _(context: SmartContext) -> str:
    return unsigned(_header(context, "none"), _claims(context))


@_refused("alg_hs384", "The public key is no shared secret.")
def _(context: SmartContext) -> str:
    public = RSAKey.import_key(dict(context.configuration.backend.private_keys[0])).as_pem(private=False)
    return signed_with_secret(_header(context, "HS384"), _claims(context), public)


def _header(context: SmartContext, algorithm: str) -> dict[str, Any]:
    return {"alg": algorithm, "typ": "JWT", "kid": context.configuration.backend.private_keys[0].get("kid")}


def _claims(context: SmartContext) -> dict[str, Any]:
    return right_claims(context.configuration.backend, context.endpoint("token_endpoint"))


@_refused("alg_rs256", "RS256 is not among the algorithms of SMART.")
def _(context: SmartContext) -> str:
    return _made(context, header={"alg": "RS256"})


@_refused("alg_of_another_key_type", "An algorithm for another type of key is refused.")
def _(context: SmartContext) -> str:
    key = ECKey.generate_key("P-384", private=True).as_dict(private=True)
    return _made(context, key=dict(key), header={"kid": context.configuration.backend.private_keys[0].get("kid")})


@_refused("expired", "An assertion that has expired is refused.")
def _(context: SmartContext) -> str:
    return _made(context, claims={"exp": int(time.time()) - 600})


@_refused("without_exp", "An assertion that never expires is refused.")
def _(context: SmartContext) -> str:
    return _made(context, claims={"exp": None})


@_refused("far_future_exp", "An assertion that expires in more than five minutes is refused.")
def _(context: SmartContext) -> str:
    return _made(context, claims={"exp": int(time.time()) + 3600})


@_refused("exp_as_text", "An exp that is no number is refused.")
def _(context: SmartContext) -> str:
    return _made(context, claims={"exp": str(int(time.time()) + 60)})


@_refused("not_yet", "An assertion that is not yet good is refused.")
def _(context: SmartContext) -> str:
    return _made(context, claims={"nbf": int(time.time()) + 240})


@_refused("unregistered_jku", "Keys at an address that is not the registered one count for nothing.")
def _(context: SmartContext) -> str:
    return _made(context, header={"jku": "https://evil.example.org/jwks.json"})


@_refused("wrong_aud", "An assertion for another server is refused.")
def _(context: SmartContext) -> str:
    return _made(context, claims={"aud": "https://other.example.org/token"})


@_refused("without_aud", "An assertion for nobody in particular is refused.")
def _(context: SmartContext) -> str:
    return _made(context, claims={"aud": None})


@_refused("other_iss", "The iss must be the app.")
def _(context: SmartContext) -> str:
    return _made(context, claims={"iss": "another-app"})


@_refused("other_sub", "The sub must be the app.")
def _(context: SmartContext) -> str:
    return _made(context, claims={"sub": context.configuration.symmetric.client_id})


@_refused("without_jti", "An assertion without a jti could come again, and is refused.")
def _(context: SmartContext) -> str:
    return _made(context, claims={"jti": None})


@_refused("wrong_typ", "An assertion of another type is refused.")
def _(context: SmartContext) -> str:
    return _made(context, header={"typ": "at+jwt"})


@_refused("another_apps_key", "An app cannot speak for another one with its own key.")
def _(context: SmartContext) -> str:
    return _made(context, key=context.configuration.asymmetric.private_keys[0])

"""The public keys of clients: which may be registered, and which one an assertion was signed with.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

Json = Mapping[str, Any]

# Algorithm → the type of its keys.
KEY_TYPES = {"RS384": "RSA", "ES384": "EC"}
LEAST_BITS = 2048
MOST_BITS = 8192  # to verify takes longer the larger the key is
CURVE = "P-384"
AT_MOST_KEYS = 50
LONGEST_KID = 255
_PUBLIC_MEMBERS = {"RSA": ("kty", "kid", "n", "e"), "EC": ("kty", "kid", "crv", "x", "y")}
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def key_set_faults(jwks: Any) -> list[str]:
    """Why a JWK Set cannot be registered, each in a sentence; none if it can."""
    keys = jwks.get("keys") if isinstance(jwks, Mapping) else None
    if not isinstance(keys, Sequence) or isinstance(keys, str) or not keys:
        return ["The jwks is not a JWK Set with at least one key."]
    if len(keys) > AT_MOST_KEYS:
        return [f"The jwks has more than {AT_MOST_KEYS} keys."]
    faults = []
    kids: set[str] = set()
    for place, key in enumerate(keys, 1):
        if fault := key_fault(key):
            faults.append(f"Key {place} of the jwks: {fault}")
            continue
        if key["kid"] in kids:
            faults.append(f"Key {place} of the jwks has the kid of another one.")
        kids.add(key["kid"])
    return faults


def key_fault(key: Any) -> str | None:
    """Why a key cannot be registered, in a sentence; None if it can."""
    if not isinstance(key, Mapping):
        return "it is not an object."
    if key.get("kty") not in _PUBLIC_MEMBERS:
        return "it is neither an RSA nor an EC key."
    if _PRIVATE_MEMBERS & key.keys():
        return "it has private members, so it is no longer secret; make a new key and send its public half."
    kid = key.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_KID or not kid.isprintable():
        return f"it has no kid of 1 to {LONGEST_KID} printable characters."
    return (
        None if import_public(key) is not None else f"it is not an RSA key of {LEAST_BITS} bits or more, or on {CURVE}."
    )


def without_extras(jwks: Json) -> dict[str, Any]:
    """A JWK Set that can be registered, with only those members that make the public keys."""
    return {"keys": [_public(key) for key in jwks["keys"]]}


def chosen_key(keys: Sequence[Json], kid: str, algorithm: str) -> RSAKey | ECKey | None:
    """The one key with this id that fits the algorithm; None where there is none or more than one."""
    fitting = [key for key in keys if key.get("kid") == kid and key.get("kty") == KEY_TYPES[algorithm]]
    if len(fitting) != 1 or not _is_for_signatures(fitting[0], algorithm):
        return None
    return import_public(fitting[0])


def import_public(key: Json) -> RSAKey | ECKey | None:
    """The public half of a JWK, private members discarded; None if it is not strong enough or no key at all."""
    try:
        public = _public(key)
        if public["kty"] == "RSA":
            # Looked at before it is imported: a key that is far too large takes long even to import.
            return RSAKey.import_key(public) if LEAST_BITS <= _bits(public["n"]) <= MOST_BITS else None
        return ECKey.import_key(public) if public["crv"] == CURVE else None
    except (JoseError, KeyError, TypeError, ValueError, OverflowError):
        return None


def _bits(modulus: str) -> int:
    if len(modulus) > MOST_BITS:
        return MOST_BITS + 1
    padded = modulus + "=" * (-len(modulus) % 4)
    return int.from_bytes(base64.b64decode(padded, altchars=b"-_", validate=True)).bit_length()


def _public(key: Json) -> dict[str, Any]:
    return {name: key[name] for name in _PUBLIC_MEMBERS[key["kty"]]}


def _is_for_signatures(key: Json, algorithm: str) -> bool:
    operations = key.get("key_ops")
    return (
        key.get("use") in (None, "sig")
        and key.get("alg") in (None, algorithm)
        and (operations is None or (isinstance(operations, list) and "verify" in operations))
    )

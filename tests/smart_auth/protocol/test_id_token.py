"""ID tokens and the keys that sign them.

https://openid.net/specs/openid-connect-core-1_0.html#IDToken
"""

import base64
import hashlib

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from smart_auth.store import AuthStore

BASE = "http://localhost:8080/fhir"


@pytest.fixture
def own_world(make_world, database):
    """An authorization server with keys of its own, which the test may rotate."""
    return make_world(AuthStore(database))


def published(world):
    return world.http.get("/auth/jwks").get_json()


def verified(world, token):
    return jwt.decode(token, KeySet.import_key_set(published(world)), algorithms=["RS256"])


def test_an_id_token_says_who_signed_in_when_and_for_whom(world):
    app, user = world.app(), world.user(fhir_user="Practitioner/7")
    signed_in = world.clock() - 90_000
    body = world.tokens(app, "openid fhirUser patient/*.rs", user=user, nonce="n-1", auth_time=signed_in)
    token = verified(world, body["id_token"])
    assert token.header["alg"] == "RS256"
    assert token.header["kid"] in {key["kid"] for key in published(world)["keys"]}
    now = world.clock() // 1000
    digest = hashlib.sha256(body["access_token"].encode()).digest()[:16]
    assert token.claims == {
        "iss": BASE,
        "sub": user.sub,
        "aud": app.id,
        "iat": now,
        "exp": now + 3600,
        "auth_time": signed_in // 1000,
        "nonce": "n-1",
        "at_hash": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "fhirUser": f"{BASE}/Practitioner/7",
    }


def test_members_of_an_id_token_follow_the_scopes(world):
    app = world.app(scope="openid profile patient/*.rs")
    body = world.tokens(app, "openid profile patient/*.rs")
    claims = verified(world, body["id_token"]).claims
    assert claims["name"] == "Ada Test"
    assert "fhirUser" not in claims
    assert "nonce" not in claims


def test_an_id_token_of_a_refresh_keeps_user_and_sign_in_and_has_no_nonce(world):
    app = world.app()
    first = world.tokens(app, "openid offline_access patient/*.rs", stay="offline", nonce="n")
    before = verified(world, first["id_token"]).claims
    world.clock.forward(1800)
    after = verified(world, world.refresh(app, first["refresh_token"]).get_json()["id_token"]).claims
    assert [after[name] for name in ("iss", "sub", "aud", "auth_time")] == [
        before[name] for name in ("iss", "sub", "aud", "auth_time")
    ]
    assert after["iat"] == before["iat"] + 1800
    assert "nonce" not in after


def test_published_keys_are_bare_public_keys(world):
    answer = world.http.get("/auth/jwks")
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    keys = answer.get_json()["keys"]
    assert keys
    for key in keys:
        assert set(key) == {"kty", "kid", "use", "alg", "n", "e"}
        assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")


def test_a_new_key_is_published_for_longer_than_others_keep_the_set_before_it_signs(own_world):
    world = own_world
    app = world.app()

    def signed():
        return world.tokens(app, "openid patient/*.rs")["id_token"]

    old_token = signed()
    (old,) = [key["kid"] for key in published(world)["keys"]]
    new = world.services.signing_keys.rotate(world.services)
    assert {key["kid"] for key in published(world)["keys"]} == {old, new}
    world.clock.forward(3600)
    assert verified(world, signed()).header["kid"] == old
    world.clock.forward(121)
    last_of_old, first_of_new = old_token, signed()
    assert verified(world, first_of_new).header["kid"] == new
    assert verified(world, last_of_old).header["kid"] == old
    world.clock.forward(3600 + 121)
    assert {key["kid"] for key in published(world)["keys"]} == {new}


def test_a_key_that_leaked_is_replaced_at_once(own_world):
    world = own_world
    app = world.app()
    (old,) = [key["kid"] for key in published(world)["keys"]]
    new = world.services.signing_keys.rotate(world.services, at_once=True)
    assert [key["kid"] for key in published(world)["keys"]] == [new]
    assert new != old
    assert verified(world, world.tokens(app, "openid patient/*.rs")["id_token"]).header["kid"] == new


def test_a_key_is_replaced_by_itself_when_it_is_old(own_world):
    world = own_world
    app = world.app()
    (old,) = [key["kid"] for key in published(world)["keys"]]
    world.clock.forward(91 * 24 * 3600)
    assert verified(world, world.tokens(app, "openid patient/*.rs")["id_token"]).header["kid"] == old
    assert len(published(world)["keys"]) == 2


def test_processes_that_start_at_once_share_one_key(make_world, database, together):
    worlds = [make_world(AuthStore(database)) for _ in range(4)]
    kids = together(lambda number: worlds[number].services.signing_keys.current(worlds[number].services).kid, 4)
    assert len(set(kids)) == 1
